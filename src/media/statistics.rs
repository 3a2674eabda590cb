//! What is known of the peer's stream for reports (RFC 3550 section 6.4.1 and appendix A).

use crate::model::Mono;
use crate::wire::rtcp::Received;
use crate::wire::rtp::{Packet, sequence_distance};

/// Counts and jitter of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    ssrc: Option<u32>,
    first: u32,
    /// The highest sequence number, with its wraps above.
    highest: u32,
    received: u32,
    expected_before: u32,
    received_before: u32,
    /// Jitter times 16 (appendix A.8), in units of the timestamp.
    jitter: u32,
    transit: Option<u32>,
    peer_report: Option<(u32, Mono)>,
}

impl Statistics {
    /// Counts a packet; a new SSRC begins anew.
    pub fn handle(&mut self, now: Mono, packet: &Packet<'_>) {
        if self.ssrc != Some(packet.ssrc) {
            let sequence = u32::from(packet.sequence);
            *self = Self { ssrc: Some(packet.ssrc), first: sequence, highest: sequence, ..Self::default() };
        }
        self.received = self.received.wrapping_add(1);
        let ahead = sequence_distance(self.highest as u16, packet.sequence);
        if ahead > 0 {
            self.highest = self.highest.wrapping_add(ahead as u32);
        }
        let arrival = (now.0 / 125) as u32;
        let transit = arrival.wrapping_sub(packet.timestamp);
        // Updates of one key share their timestamp: they say nothing about jitter.
        if let Some(before) = self.transit.filter(|_| packet.payload.len() > 16) {
            let change = (transit.wrapping_sub(before) as i32).unsigned_abs();
            self.jitter = self.jitter.saturating_add(change).saturating_sub(self.jitter.saturating_add(8) >> 4);
        }
        if packet.payload.len() > 16 {
            self.transit = Some(transit);
        }
    }

    /// Notes the peer's sender report: the middle 32 bits of its NTP time. `false` where it is of no stream that we hear.
    pub fn handle_sender_report(&mut self, now: Mono, ssrc: u32, ntp: u32) -> bool {
        let is_heard = self.ssrc == Some(ssrc);
        if is_heard {
            self.peer_report = Some((ntp, now));
        }
        is_heard
    }

    /// The block for the next report; `None` where nothing was received.
    pub fn report(&mut self, now: Mono) -> Option<Received> {
        let ssrc = self.ssrc?;
        let expected = self.highest.wrapping_sub(self.first).wrapping_add(1);
        let expected_now = expected.wrapping_sub(self.expected_before);
        let received_now = self.received.wrapping_sub(self.received_before);
        let lost_now = expected_now.saturating_sub(received_now);
        (self.expected_before, self.received_before) = (expected, self.received);
        let fraction = (u64::from(lost_now.min(expected_now)) * 256).checked_div(u64::from(expected_now)).unwrap_or(0);
        Some(Received {
            ssrc,
            fraction_lost: fraction.min(255) as u8,
            lost: expected.saturating_sub(self.received),
            sequence: self.highest,
            jitter: self.jitter >> 4,
            last_report: self.peer_report.map_or(0, |(ntp, _)| ntp),
            delay: self.peer_report.map_or(0, |(_, at)| (now.since(at).as_micros() * 65_536 / 1_000_000) as u32),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_wraps_and_delays_are_counted() {
        let mut statistics = Statistics::default();
        let payload = [0; 160];
        for n in 0u32..100 {
            if n % 4 == 3 {
                continue;
            }
            let sequence = (n as u16).wrapping_add(65_500);
            let packet =
                Packet { payload_type: 0, marker: false, sequence, timestamp: n * 160, ssrc: 5, payload: &payload };
            statistics.handle(Mono(u64::from(n) * 20_000), &packet);
        }
        assert!(!statistics.handle_sender_report(Mono(2_000_000), 6, 78), "of another stream");
        assert!(statistics.handle_sender_report(Mono(2_000_000), 5, 77));
        let report = statistics.report(Mono(2_500_000)).expect("a report");
        // The hundredth packet was lost too, but nobody can know that yet.
        assert_eq!((report.lost, report.fraction_lost), (24, (24 * 256 / 99) as u8));
        assert_eq!((report.sequence, report.jitter), (65_500 + 98, 0));
        assert_eq!((report.last_report, report.delay), (77, 32_768));
        assert_eq!(statistics.report(Mono(2_500_000)).map(|r| r.fraction_lost), Some(0));
    }
}
