//! Which packets are the call's own: the lock on one address and one SSRC.
//!
//! The signalled address counts. Only where nothing has come from there, another source (a phone behind a NAT) is
//! taken, within 5 s of the answer and after 4 packets in sequence. From then on neither address nor SSRC changes
//! without a new offer, but for this: a source that was taken so gives way to the signalled address, which may come late
//! and is what the offer said. So whoever floods the ports before the caller's first packet has gained nothing; and once
//! the signalled address has spoken it stays. What begins a stream has a payload type that was agreed, so that neither RTCP
//! nor comfort noise does. A hold that names no address (`c=0.0.0.0`, RFC 2543) moves nothing.

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
    /// The last address that was named; an unspecified one where none was yet.
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

    /// A new offer: a new SSRC may come; where it names another address than before, a new address too.
    pub fn renegotiate(&mut self, now: Mono, signalled: SocketAddr) {
        if signalled == self.signalled || signalled.ip().is_unspecified() {
            self.stream = None;
        } else {
            *self = Self::new(now, signalled);
        }
    }

    /// Where our packets go: the locked address, else the signalled one.
    pub fn address(&self) -> SocketAddr {
        self.locked.unwrap_or(self.signalled)
    }

    /// The one address from which packets can count now; `None` where it may still be another.
    pub fn only(&self) -> Option<SocketAddr> {
        self.locked.filter(|address| *address == self.signalled)
    }

    /// Whether nothing from that address can be the call's own any more; known without a look at the packet.
    pub fn is_closed_to(&self, now: Mono, from: SocketAddr) -> bool {
        let is_other = match self.locked {
            Some(address) => from != address,
            None => !self.is_open(now),
        };
        is_other && from != self.signalled
    }

    /// Whether the peer's packets come from elsewhere than it said.
    pub fn is_moved(&self) -> bool {
        self.locked.is_some_and(|address| address != self.signalled)
    }

    /// Whether the packet is the call's own. `is_agreed`: whether its payload type was agreed; others may be of a stream
    /// that is there (comfort noise), and begin none.
    pub fn admits(&mut self, now: Mono, from: SocketAddr, packet: &Packet<'_>, is_agreed: bool) -> bool {
        if !is_agreed && (self.stream.is_none() || self.locked != Some(from)) {
            return false;
        }
        if from == self.signalled && self.locked != Some(from) {
            self.lock(from);
        }
        match self.locked {
            Some(address) => from == address && self.admits_stream(packet),
            None => self.is_open(now) && self.try_candidate(from, packet),
        }
    }

    /// Whether another source than the signalled one may be taken; never before any address was named.
    fn is_open(&self, now: Mono) -> bool {
        now <= self.open_until && !self.signalled.ip().is_unspecified()
    }

    fn lock(&mut self, address: SocketAddr) {
        self.locked = Some(address);
        self.stream = None;
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
        source.admits(Mono(ms * 1000), SocketAddr::from(from), &packet(ssrc, sequence), true)
    }

    /// The same by a payload type that was not agreed.
    fn admits_other(source: &mut Source, ms: u64, from: ([u8; 4], u16), ssrc: u32, sequence: u16) -> bool {
        source.admits(Mono(ms * 1000), SocketAddr::from(from), &packet(ssrc, sequence), false)
    }

    fn packet(ssrc: u32, sequence: u16) -> Packet<'static> {
        Packet { payload_type: 0, marker: false, sequence, timestamp: 0, ssrc, payload: &[] }
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
    fn a_stream_begins_with_a_payload_type_that_was_agreed() {
        let source = &mut new();
        assert!(!(0..9).any(|n| admits_other(source, 100, SIGNALLED, 7, n)), "the signalled address");
        assert!(!(0..9).any(|n| admits_other(source, 100, OTHER, 7, n)), "another one");
        assert!(admits(source, 100, SIGNALLED, 1, 100), "none of it has begun a stream");
        assert!(admits_other(source, 120, SIGNALLED, 1, 101), "comfort noise is of the stream");
        assert!(!admits_other(source, 120, SIGNALLED, 2, 102) && !admits_other(source, 120, OTHER, 1, 102));
        source.renegotiate(Mono(1000), SocketAddr::from(SIGNALLED));
        assert!(!admits_other(source, 140, SIGNALLED, 2, 5) && admits(source, 140, SIGNALLED, 1, 102));
        let behind_nat = &mut new();
        assert!((0..4).any(|n| admits(behind_nat, 100, OTHER, 1, n)));
        assert!(!admits_other(behind_nat, 120, SIGNALLED, 7, 4) && admits(behind_nat, 120, OTHER, 1, 4));
    }

    #[test]
    fn another_source_is_taken_after_four_in_sequence() {
        let source = &mut new();
        let taken: Vec<bool> = [7, 8, 9, 11, 12, 13, 14].map(|n| admits(source, 100, OTHER, 1, n)).into();
        assert_eq!(taken, [false, false, false, false, false, false, true]);
        assert_eq!((source.address(), source.is_moved()), (SocketAddr::from(OTHER), true));
        let third = ([192, 0, 2, 77], 4000);
        assert!(!(15..24).any(|n| admits(source, 120, third, 1, n)), "neither changes without an offer");
        assert!(!(15..24).any(|n| admits(source, 120, OTHER, 2, n)), "nor does the SSRC");
    }

    /// Who floods the ports with packets in sequence before the caller's first one is rid of the call at that one.
    #[test]
    fn the_signalled_address_takes_its_place_from_another_and_keeps_it() {
        let source = &mut new();
        assert!((0..9).any(|n| admits(source, 100, OTHER, 66, n)));
        assert_eq!((source.only(), source.is_closed_to(Mono(100_000), SocketAddr::from(SIGNALLED))), (None, false));
        assert!(admits(source, 7000, SIGNALLED, 1, 40_000), "its first packet, however late");
        assert_eq!((source.address(), source.is_moved()), (SocketAddr::from(SIGNALLED), false));
        assert!(!(9..29).any(|n| admits(source, 7000, OTHER, 66, n)), "for good");
        assert_eq!(source.only(), Some(SocketAddr::from(SIGNALLED)));
        assert!(source.is_closed_to(Mono(7_000_000), SocketAddr::from(OTHER)));
        assert!(admits(source, 7020, SIGNALLED, 1, 40_001));
    }

    /// What can't count is not decrypted: from others than the signalled address nothing, once it is too late for them.
    #[test]
    fn it_is_closed_to_all_from_which_nothing_can_count_any_more() {
        let (silent, nowhere) = (new(), Source::new(Mono(0), SocketAddr::from(([0, 0, 0, 0], 4000))));
        let is_closed = |source: &Source, ms: u64, from: ([u8; 4], u16)| {
            source.is_closed_to(Mono(ms * 1000), SocketAddr::from(from))
        };
        for (ms, closed) in [(0, false), (5000, false), (5001, true), (3_600_000, true)] {
            assert_eq!(is_closed(&silent, ms, OTHER), closed, "nothing was heard, at {ms} ms");
            assert!(!is_closed(&silent, ms, SIGNALLED), "the signalled one is never too late");
            assert!(is_closed(&nowhere, ms, OTHER), "nobody was named, at {ms} ms");
        }
        let behind_nat = &mut new();
        assert!((0..4).any(|n| admits(behind_nat, 100, OTHER, 1, n)));
        for ms in [200, 6000] {
            let closed = [OTHER, SIGNALLED, ([192, 0, 2, 77], 4000)].map(|from| is_closed(behind_nat, ms, from));
            assert_eq!(closed, [false, false, true], "at {ms} ms");
        }
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

    #[test]
    fn an_offer_with_another_address_opens_the_lock_for_five_seconds() {
        let (moved, third) = (([10, 0, 0, 9], 6000), ([192, 0, 2, 77], 4000));
        for (ms, taken) in [(14_999, true), (15_001, false)] {
            let source = &mut new();
            assert!(admits(source, 0, SIGNALLED, 1, 100));
            source.renegotiate(Mono(10_000_000), SocketAddr::from(moved));
            assert_eq!((0..9).any(|n| admits(source, ms, third, 1, n)), taken, "at {ms} ms");
            assert!(admits(source, 20_000, moved, 1, 1), "the signalled one is never too late");
        }
    }

    /// `c=0.0.0.0` and back, by a phone at the signalled address and by one behind a NAT.
    #[test]
    fn a_hold_that_names_no_address_opens_nothing() {
        for caller in [SIGNALLED, OTHER] {
            let source = &mut new();
            assert!((0..4).any(|n| admits(source, 0, caller, 1, n)));
            for named in [([0, 0, 0, 0], 4000), ([0, 0, 0, 0], 9), SIGNALLED] {
                source.renegotiate(Mono(60_000_000), SocketAddr::from(named));
                let stranger = ([192, 0, 2, 99], 4000);
                assert!(!(4..24).any(|n| admits(source, 60_001, stranger, 1, n)), "the stranger at {named:?}");
                assert_eq!(source.address(), SocketAddr::from(caller));
                assert!(admits(source, 60_002, caller, 2, 5), "the caller at {named:?}, with a new SSRC");
            }
        }
    }

    /// A call that begins on hold is nobody's until an address is named.
    #[test]
    fn without_any_address_nobody_is_taken() {
        let source = &mut Source::new(Mono(0), SocketAddr::from(([0, 0, 0, 0], 4000)));
        assert!(!(0..9).any(|n| admits(source, 100, OTHER, 1, n)));
        source.renegotiate(Mono(3_000_000), SocketAddr::from(SIGNALLED));
        assert!((0..9).any(|n| admits(source, 3100, OTHER, 1, n)));
    }

    #[test]
    fn a_stream_may_jump_so_far_and_no_farther() {
        for (first, sequence, admitted) in [
            (100, 100 + DROPOUT_MAX as u16, true),
            (100, 101 + DROPOUT_MAX as u16, false),
            (65_000, 65_000_u16.wrapping_add(DROPOUT_MAX as u16), true),
            (1000, 1000 - MISORDER_MAX as u16, true),
            (1000, 999 - MISORDER_MAX as u16, false),
            (10, 10_u16.wrapping_sub(MISORDER_MAX as u16), true),
        ] {
            let source = &mut new();
            assert!(admits(source, 0, SIGNALLED, 1, first));
            assert_eq!(admits(source, 20, SIGNALLED, 1, sequence), admitted, "{first}, {sequence}");
        }
    }

    #[test]
    fn four_other_sources_are_watched_and_a_fifth_takes_the_place_of_one() {
        let other = |n: usize| ([192, 0, 2, 100 + n as u8], 4000);
        let taken_after = |fifth: Option<u16>| {
            let is_taken = |n: usize| {
                let source = &mut new();
                for sequence in 0..3 {
                    assert!(!(0..CANDIDATES).any(|n| admits(source, 100, other(n), 1, sequence)));
                }
                assert!(!fifth.is_some_and(|sequence| admits(source, 100, other(CANDIDATES), 1, sequence)));
                admits(source, 100, other(n), 1, 3)
            };
            (0..CANDIDATES).map(is_taken).collect::<Vec<bool>>()
        };
        assert_eq!(taken_after(None), [true; CANDIDATES], "each with its fourth packet");
        assert_eq!(taken_after(Some(6)), [true, true, false, true], "but the one whose place it has");
    }
}
