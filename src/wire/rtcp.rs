//! RTCP (RFC 3550 section 6): sender and receiver reports with the CNAME, and BYE.

use super::srtp::RTCP_EXTRA_MAX;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
/// Longest compound packet that we write, in bytes, with room for what SRTCP adds.
pub const REPORT_BYTES_MAX: usize = 136 + RTCP_EXTRA_MAX;

/// What we say of our own stream (section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// NTP time of this report, 32.32 bits.
    pub ntp: u64,
    /// The RTP timestamp of the same moment.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub bytes: u32,
}

/// What we say of the stream that we receive (section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Its source.
    pub ssrc: u32,
    /// Lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Lost since the start, 24 bits, never below 0 here.
    pub lost: u32,
    /// Highest sequence number, with its count of wraps.
    pub sequence: u32,
    /// Interarrival jitter, in units of the timestamp.
    pub jitter: u32,
    /// The middle 32 bits of the NTP time of the peer's last sender report; 0 for none.
    pub last_report: u32,
    /// Since that report arrived, in 1/65536 s.
    pub delay: u32,
}

/// A compound packet: a sender report (or a receiver report, where nothing was sent), the CNAME, and BYE at the end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report<'a> {
    /// Our source.
    pub ssrc: u32,
    /// Our stream.
    pub sent: Option<Sent>,
    /// The peer's stream.
    pub received: Option<Received>,
    /// Our canonical name, at most 60 bytes; what is longer is cut off.
    pub cname: &'a str,
    /// Whether this is the last one.
    pub bye: bool,
}

impl Report<'_> {
    /// Writes the compound packet; the bytes written.
    pub fn write(&self, target: &mut [u8; REPORT_BYTES_MAX]) -> usize {
        let mut w = Writer { target, at: 0 };
        let blocks = u8::from(self.received.is_some());
        let start = w.header(blocks, if self.sent.is_some() { SENDER_REPORT } else { RECEIVER_REPORT });
        w.u32(self.ssrc);
        if let Some(sent) = self.sent {
            w.u32((sent.ntp >> 32) as u32);
            w.u32(sent.ntp as u32);
            w.u32(sent.timestamp);
            w.u32(sent.packets);
            w.u32(sent.bytes);
        }
        if let Some(r) = self.received {
            w.u32(r.ssrc);
            w.u32(u32::from(r.fraction_lost) << 24 | r.lost.min(0x7F_FFFF));
            w.u32(r.sequence);
            w.u32(r.jitter);
            w.u32(r.last_report);
            w.u32(r.delay);
        }
        w.length(start);
        let start = w.header(1, SOURCE_DESCRIPTION);
        w.u32(self.ssrc);
        let name = &self.cname.as_bytes()[..self.cname.len().min(60)];
        w.bytes(&[1, name.len() as u8]);
        w.bytes(name);
        w.bytes(&[0; 4][..4 - (name.len() + 2) % 4]);
        w.length(start);
        if self.bye {
            let start = w.header(1, BYE);
            w.u32(self.ssrc);
            w.length(start);
        }
        w.at
    }
}

/// Finds the peer's sender report in a compound packet: its SSRC and the middle 32 bits of its NTP time.
///
/// Lengths that don't fit end the search; what was found before counts.
pub fn last_sender_report(datagram: &[u8]) -> Option<(u32, u32)> {
    let mut rest = datagram;
    while let [first, kind, high, low, ..] = *rest {
        if first >> 6 != 2 {
            return None;
        }
        let length = (usize::from(high) << 8 | usize::from(low)) * 4 + 4;
        let packet = rest.get(..length)?;
        if kind == SENDER_REPORT && length >= 28 {
            return Some((be32(packet, 4)?, be32(packet, 10)?));
        }
        rest = &rest[length..];
    }
    None
}

/// Whether a compound packet has a report block on that source (section 6.4): whoever sent it hears it.
///
/// Lengths that don't fit end the search; what was found before counts.
pub fn reports_on(datagram: &[u8], ssrc: u32) -> bool {
    let mut rest = datagram;
    while let [first, kind, high, low, ..] = *rest {
        let length = (usize::from(high) << 8 | usize::from(low)) * 4 + 4;
        let Some(packet) = rest.get(..length).filter(|_| first >> 6 == 2) else { return false };
        let blocks = match kind {
            SENDER_REPORT => packet.get(28..),
            RECEIVER_REPORT => packet.get(8..),
            _ => None,
        };
        let mut blocks = blocks.unwrap_or_default().chunks_exact(24).take(usize::from(first & 0x1F));
        if blocks.any(|block| be32(block, 0) == Some(ssrc)) {
            return true;
        }
        rest = &rest[length..];
    }
    false
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Appends to a buffer that is large enough by construction ([`REPORT_BYTES_MAX`]); what would not fit is dropped.
struct Writer<'a> {
    target: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        if let Some(place) = self.target.get_mut(self.at..self.at + bytes.len()) {
            place.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }

    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    fn header(&mut self, count: u8, kind: u8) -> usize {
        let start = self.at;
        self.bytes(&[0x80 | count, kind, 0, 0]);
        start
    }

    fn length(&mut self, start: usize) {
        let words = ((self.at - start) / 4 - 1) as u16;
        if let Some(place) = self.target.get_mut(start + 2..start + 4) {
            place.copy_from_slice(&words.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_again() {
        let sent = Sent { ntp: 0x1122_3344_5566_7788, timestamp: 160, packets: 5, bytes: 800 };
        let received = Received { ssrc: 9, lost: 3, ..Received::default() };
        let report = Report { ssrc: 7, sent: Some(sent), received: Some(received), cname: "switchhook@a", bye: true };
        let mut bytes = [0; REPORT_BYTES_MAX];
        let length = report.write(&mut bytes);
        assert_eq!(last_sender_report(&bytes[..length]), Some((7, 0x3344_5566)));
        // sender report 52, description 4 + 4 + 2 + 12 + padding, BYE 8
        assert_eq!((length, length % 4), (52 + 24 + 8, 0));
        assert_eq!(bytes[length - 8..length - 4], [0x81, BYE, 0, 1]);
    }

    #[test]
    fn a_report_on_a_stream_is_found_in_either_kind() {
        for sent in [None, Some(Sent::default())] {
            let received = Received { ssrc: 9, ..Received::default() };
            let report = Report { ssrc: 7, sent, received: Some(received), cname: "switchhook@a", bye: false };
            let mut bytes = [0; REPORT_BYTES_MAX];
            let length = report.write(&mut bytes);
            assert!(reports_on(&bytes[..length], 9) && !reports_on(&bytes[..length], 7), "{sent:?}");
            // The description may come first, and blocks that are not counted are none.
            let after = [&[0x80, SOURCE_DESCRIPTION, 0, 0][..], &bytes[..length]].concat();
            assert!(reports_on(&after, 9));
            bytes[0] &= 0xE0;
            assert!(!reports_on(&bytes[..length], 9));
        }
        assert!(!reports_on(&[0x81, RECEIVER_REPORT, 0xFF, 0xFF, 0, 0, 0, 7, 0, 0, 0, 9], 9));
        assert!(!reports_on(&[0x81, RECEIVER_REPORT, 0, 2, 0, 0, 0, 7, 0, 0, 0, 9], 9), "half a block");
    }

    #[test]
    fn false_lengths_end_the_search() {
        assert_eq!(last_sender_report(&[0x80, SENDER_REPORT, 0xFF, 0xFF, 0, 0]), None);
        assert_eq!(last_sender_report(&[0x80, SENDER_REPORT, 0, 0]), None);
        assert_eq!(last_sender_report(&[]), None);
    }

    #[test]
    fn the_longest_report_fits() {
        let name = "x".repeat(300);
        let report = Report {
            ssrc: 7,
            sent: Some(Sent::default()),
            received: Some(Received::default()),
            cname: &name,
            bye: true,
        };
        let mut bytes = [0; REPORT_BYTES_MAX];
        let length = report.write(&mut bytes);
        // sender report 52, description 72 with a name of 60, BYE 8
        assert_eq!(length, 132);
    }
}
