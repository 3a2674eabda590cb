//! RTP packets (RFC 3550 section 5), read and written by `rtp-rs`.

use std::ops::RangeInclusive;

use rtp_rs::{RtpPacketBuilder, RtpReader};

/// Largest datagram that is looked at, in bytes; a longer one is cut off by the receiver and refused.
pub const DATAGRAM_BYTES_MAX: usize = 1500;
/// Bytes before the payload of a packet that we send.
pub const HEADER_BYTES: usize = 12;
/// What the types of RTCP packets look like where a payload type is looked for (RFC 5761 section 4).
const RTCP_TYPES: RangeInclusive<u8> = 64..=95;

/// What matters of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Payload type, 0 to 63 or 96 to 127.
    pub payload_type: u8,
    /// The marker bit.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp, in units of 1/8000 s.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// The payload, without padding.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a datagram; `None` where it is no RTP version 2 packet (but may be RTCP), too long, or its lengths don't fit.
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        if datagram.len() > DATAGRAM_BYTES_MAX {
            return None;
        }
        let reader = RtpReader::new(datagram).ok()?;
        if RTCP_TYPES.contains(&reader.payload_type()) {
            return None;
        }
        // With the padding bit set, the last byte says how much of the payload is padding.
        let padding = reader.padding().map_or(0, usize::from);
        if padding > datagram.len().saturating_sub(reader.payload_offset()) {
            return None;
        }
        Some(Self {
            payload_type: reader.payload_type(),
            marker: reader.mark(),
            sequence: u16::from(reader.sequence_number()),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
            payload: reader.payload(),
        })
    }

    /// Writes the packet to the front of `target`; the bytes written, or `None` where it is too small.
    pub fn write(&self, target: &mut [u8]) -> Option<usize> {
        RtpPacketBuilder::new()
            .payload_type(self.payload_type)
            .marked(self.marker)
            .sequence(self.sequence.into())
            .timestamp(self.timestamp)
            .ssrc(self.ssrc)
            .payload(self.payload)
            .build_into(target)
            .ok()
    }
}

/// How far `b` is after `a` in sequence numbers, across the wrap: negative where it is before.
pub fn sequence_distance(a: u16, b: u16) -> i16 {
    b.wrapping_sub(a) as i16
}

/// How far `b` is after `a` in timestamps, across the wrap: negative where it is before.
pub fn timestamp_distance(a: u32, b: u32) -> i32 {
    b.wrapping_sub(a) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn distances_cross_the_wrap() {
        assert_eq!(sequence_distance(65_534, 2), 4);
        assert_eq!(sequence_distance(2, 65_534), -4);
        assert_eq!(timestamp_distance(u32::MAX - 79, 80), 160);
    }

    #[test]
    fn padding_longer_than_the_packet_is_refused() {
        let mut datagram = vec![0xA0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7, 255];
        assert_eq!(Packet::parse(&datagram), None);
        datagram[13] = 1;
        assert_eq!(Packet::parse(&datagram).map(|p| p.payload.len()), Some(1));
    }

    /// A phone that multiplexes sends RTCP to the port of RTP.
    #[test]
    fn what_may_be_rtcp_is_no_rtp() {
        use crate::wire::rtcp::{REPORT_BYTES_MAX, Report, Sent};
        let mut bytes = [0; REPORT_BYTES_MAX];
        for sent in [None, Some(Sent::default())] {
            let length = Report { ssrc: 7, sent, received: None, cname: "a", bye: true }.write(&mut bytes);
            assert_eq!(Packet::parse(&bytes[..length]), None);
        }
        let taken = (0..=255).filter(|second| Packet::parse(&[0x80, *second, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]).is_some());
        assert_eq!(
            taken.collect::<Vec<u8>>(),
            [0..=63, 96..=191, 224..=255].into_iter().flatten().collect::<Vec<u8>>()
        );
    }

    #[test]
    fn a_datagram_may_be_so_long_and_no_longer() {
        let mut datagram = vec![0; DATAGRAM_BYTES_MAX];
        datagram[0] = 0x80;
        assert_eq!(Packet::parse(&datagram).map(|p| p.payload.len()), Some(DATAGRAM_BYTES_MAX - HEADER_BYTES));
        datagram.push(0);
        assert_eq!(Packet::parse(&datagram), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER_BYTES <= bytes.len());
            }
        }

        #[test]
        fn what_is_written_is_read(pt in prop_oneof![0u8..64, 96u8..128], marker: bool, sequence: u16, timestamp: u32,
                                   ssrc: u32, payload in proptest::collection::vec(any::<u8>(), 0..400)) {
            let packet = Packet { payload_type: pt, marker, sequence, timestamp, ssrc, payload: &payload };
            let mut bytes = [0; 500];
            let length = packet.write(&mut bytes).expect("room");
            prop_assert_eq!(Packet::parse(&bytes[..length]), Some(packet));
        }
    }
}
