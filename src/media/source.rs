//! Which packets are the call's own: the lock on one address and one SSRC.
//!
//! The signalled address counts. Only where nothing has come from there, another source (a phone behind a NAT) is
//! taken, within 5 s of the answer and after 4 packets in sequence. From then on neither address nor SSRC changes
//! without a new offer.

use std::net::SocketAddr;
use std::time::Duration;

use crate::model::Mono;
use crate::wire::rtp::{Packet, sequence_distance};

/// After the answer, how long another source than the signalled one may be taken.
const LATCH_WITHIN: Duration = Duration::from_secs(5);
/// Packets in sequence that another source has to show; and that a stream has to show to go on after a far jump.
const IN_SEQUENCE: u8 = 4;
/// Other sources that are watched at a time; a further one takes the place of one of them.
const CANDIDATES: usize = 4;
/// A jump of more than this ahead, or [`MISORDER_MAX`] back, is no packet of the stream (RFC 3550 appendix A.1).
const DROPOUT_MAX: i16 = 3000;
/// See [`DROPOUT_MAX`].
const MISORDER_MAX: i16 = 100;

/// The lock of one call.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    signalled: SocketAddr,
    open_until: Mono,
    locked: Option<SocketAddr>,
    stream: Option<Stream>,
    /// Other sources that have begun to show packets in sequence; a stale one must not keep the caller's out.
    candidates: [Option<Candidate>; CANDIDATES],
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    ssrc: u32,
    newest: u16,
    /// After a far jump: the sequence number that would go on from there, and how many did.
    resync: Option<(u16, u8)>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    next: u16,
    count: u8,
}

impl Source {
    /// Begins with the answer.
    pub fn new(now: Mono, signalled: SocketAddr) -> Self {
        Self { signalled, open_until: now + LATCH_WITHIN, locked: None, stream: None, candidates: [None; CANDIDATES] }
    }

    /// A new offer: a new SSRC may come; where the signalled address changed, a new address too.
    pub fn renegotiate(&mut self, now: Mono, signalled: SocketAddr) {
        if signalled == self.signalled {
            self.stream = None;
        } else {
            *self = Self::new(now, signalled);
        }
    }

    /// Where our packets go: the locked address, else the signalled one.
    pub fn address(&self) -> SocketAddr {
        self.locked.unwrap_or(self.signalled)
    }

    /// Whether the peer's packets come from elsewhere than it said.
    pub fn is_moved(&self) -> bool {
        self.locked.is_some_and(|address| address != self.signalled)
    }

    /// Whether nothing from that address can be the call's own now.
    pub fn is_closed_to(&self, from: SocketAddr) -> bool {
        self.locked.is_some_and(|address| address != from)
    }

    /// Whether the packet is the call's own.
    pub fn admits(&mut self, now: Mono, from: SocketAddr, packet: &Packet<'_>) -> bool {
        match self.locked {
            Some(address) => from == address && self.admits_stream(packet),
            None if from == self.signalled => {
                self.lock(from);
                self.admits_stream(packet)
            }
            None => now <= self.open_until && self.try_candidate(from, packet),
        }
    }

    fn lock(&mut self, address: SocketAddr) {
        self.locked = Some(address);
        self.candidates = [None; CANDIDATES];
    }

    fn admits_stream(&mut self, packet: &Packet<'_>) -> bool {
        let Some(stream) = &mut self.stream else {
            self.stream = Some(Stream { ssrc: packet.ssrc, newest: packet.sequence, resync: None });
            return true;
        };
        packet.ssrc == stream.ssrc && stream.admits(packet.sequence)
    }

    fn try_candidate(&mut self, from: SocketAddr, packet: &Packet<'_>) -> bool {
        let next = packet.sequence.wrapping_add(1);
        let is_same = |c: &Candidate| (c.from, c.ssrc) == (from, packet.ssrc);
        let known = self.candidates.iter().position(|c| c.as_ref().is_some_and(is_same));
        let free = self.candidates.iter().position(Option::is_none);
        let place = known.or(free).unwrap_or(usize::from(packet.sequence) % CANDIDATES);
        let Some(slot) = self.candidates.get_mut(place) else { return false };
        let goes_on = |c: &Candidate| is_same(c) && c.next == packet.sequence;
        let count = slot.filter(goes_on).map_or(1, |c| c.count + 1);
        *slot = Some(Candidate { from, ssrc: packet.ssrc, next, count });
        if count < IN_SEQUENCE {
            return false;
        }
        self.lock(from);
        self.admits_stream(packet)
    }
}

impl Stream {
    fn admits(&mut self, sequence: u16) -> bool {
        let distance = sequence_distance(self.newest, sequence);
        if (-MISORDER_MAX..=DROPOUT_MAX).contains(&distance) {
            if distance > 0 {
                self.newest = sequence;
            }
            self.resync = None;
            return true;
        }
        let count = self.resync.filter(|(next, _)| *next == sequence).map_or(1, |(_, count)| count + 1);
        if count < IN_SEQUENCE {
            self.resync = Some((sequence.wrapping_add(1), count));
            return false;
        }
        self.newest = sequence;
        self.resync = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNALLED: ([u8; 4], u16) = ([10, 0, 0, 5], 4000);
    const OTHER: ([u8; 4], u16) = ([192, 0, 2, 66], 4000);

    fn admits(source: &mut Source, ms: u64, from: ([u8; 4], u16), ssrc: u32, sequence: u16) -> bool {
        let packet = Packet { payload_type: 0, marker: false, sequence, timestamp: 0, ssrc, payload: &[] };
        source.admits(Mono(ms * 1000), SocketAddr::from(from), &packet)
    }

    fn new() -> Source {
        Source::new(Mono(0), SocketAddr::from(SIGNALLED))
    }

    #[test]
    fn the_signalled_address_is_locked_at_once() {
        let source = &mut new();
        assert!(admits(source, 0, SIGNALLED, 1, 100));
        for n in 0..50 {
            assert!(!admits(source, 20, OTHER, 1, 101 + n), "right SSRC, wrong address");
            assert!(!admits(source, 20, SIGNALLED, 2, 101 + n), "right address, wrong SSRC");
        }
        assert!(admits(source, 40, SIGNALLED, 1, 101));
    }

    #[test]
    fn another_source_is_taken_after_four_in_sequence() {
        let source = &mut new();
        let taken: Vec<bool> = [7, 8, 9, 11, 12, 13, 14].map(|n| admits(source, 100, OTHER, 1, n)).into();
        assert_eq!(taken, [false, false, false, false, false, false, true]);
        assert_eq!((source.address(), source.is_moved()), (SocketAddr::from(OTHER), true));
        assert!(!admits(source, 120, SIGNALLED, 1, 15), "neither changes without an offer");
    }

    #[test]
    fn a_stale_stream_does_not_keep_the_caller_out() {
        let source = &mut new();
        let stale = ([192, 0, 2, 99], 9000);
        // Packets of a call that is over come one by one between the caller's, and with gaps of their own.
        for n in 0..3 {
            assert!(!admits(source, 100, stale, 9, 500 + 2 * n) && !admits(source, 100, OTHER, 1, n));
        }
        assert!(admits(source, 100, OTHER, 1, 3) && !admits(source, 100, stale, 9, 507));
    }

    #[test]
    fn another_source_is_too_late_after_five_seconds_or_after_the_signalled_one() {
        let late = &mut new();
        assert!(!(0..9).any(|n| admits(late, 5001, OTHER, 1, n)));
        assert!(admits(late, 9000, SIGNALLED, 1, 1), "the signalled one is never too late");
        let heard = &mut new();
        assert!(admits(heard, 0, SIGNALLED, 1, 100));
        assert!(!(0..9).any(|n| admits(heard, 20, OTHER, 2, n)));
    }

    #[test]
    fn far_sequence_numbers_have_to_go_on() {
        let source = &mut new();
        assert!(admits(source, 0, SIGNALLED, 1, 100));
        assert!(!admits(source, 20, SIGNALLED, 1, 30_000) && !admits(source, 20, SIGNALLED, 1, 20_000));
        assert!(admits(source, 20, SIGNALLED, 1, 101));
        let restarted: Vec<bool> = (40_000..40_004).map(|n| admits(source, 40, SIGNALLED, 1, n)).collect();
        assert_eq!(restarted, [false, false, false, true]);
    }

    #[test]
    fn an_offer_opens_the_lock() {
        let source = &mut new();
        assert!(admits(source, 0, SIGNALLED, 1, 100));
        source.renegotiate(Mono(1000), SocketAddr::from(SIGNALLED));
        assert!(!admits(source, 10, OTHER, 2, 5) && admits(source, 10, SIGNALLED, 2, 5));
        source.renegotiate(Mono(2000), SocketAddr::from(OTHER));
        assert!(admits(source, 20, OTHER, 3, 5) && !admits(source, 20, SIGNALLED, 2, 6));
    }
}
