//! Which packets of one source were seen (RFC 3711 sections 3.3.1 and 3.3.2).

/// How far back packets may come, in packets.
const WINDOW: u64 = 128;

/// The newest index and which of the [`WINDOW`] before it were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    newest: u64,
    /// Bit n: the n-th before the newest was seen.
    seen: u128,
}

impl Window {
    /// After the first packet.
    pub(super) fn new(index: u64) -> Self {
        Self { newest: index, seen: 1 }
    }

    /// The newest index.
    pub(super) fn newest(self) -> u64 {
        self.newest
    }

    /// The index that a sequence number stands for: the one that is nearest to the newest (RFC 3711 appendix A). `None`
    /// where there is none.
    pub(super) fn index_of(self, sequence: u16) -> Option<u64> {
        let (rollovers, newest) = (self.newest >> 16, (self.newest & 0xFFFF) as u16);
        let rollovers = if newest < 0x8000 && sequence.saturating_sub(newest) > 0x8000 {
            rollovers.checked_sub(1)?
        } else if newest >= 0x8000 && newest - 0x8000 > sequence {
            rollovers + 1
        } else {
            rollovers
        };
        (rollovers <= u64::from(u32::MAX)).then_some(rollovers << 16 | u64::from(sequence))
    }

    /// Whether the packet was not seen yet, and is not too old to tell.
    pub(super) fn is_new(self, index: u64) -> bool {
        match self.newest.checked_sub(index) {
            None => true,
            Some(before) => before < WINDOW && self.seen >> before & 1 == 0,
        }
    }

    /// Notes a packet that is new and has proved to be the peer's.
    pub(super) fn note(&mut self, index: u64) {
        match index.checked_sub(self.newest) {
            None => {
                let bit = u32::try_from(self.newest - index).ok().and_then(|n| 1_u128.checked_shl(n));
                self.seen |= bit.unwrap_or(0);
            }
            Some(after) => {
                let moved = u32::try_from(after).ok().and_then(|n| self.seen.checked_shl(n));
                self.seen = moved.unwrap_or(0) | 1;
                self.newest = index;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_index_is_the_nearest_to_the_newest() {
        let of = |newest: u64, sequence: u16| Window::new(newest).index_of(sequence);
        assert_eq!(of(0x1_0005, 0xFFFE), Some(0xFFFE), "late, from before the wrap");
        assert_eq!(of(0x0_0005, 0xFFFE), None, "there was nothing before");
        assert_eq!(of(0x0_FFFE, 0x0003), Some(0x1_0003), "wrapped");
        assert_eq!(of(0x1_8000, 0x0000), Some(0x1_0000));
        assert_eq!(of(0x1_8001, 0x0000), Some(0x2_0000));
        assert_eq!(of(0xFFFF_FFFF_FFFF, 0), None, "the key is used up");
    }

    proptest! {
        #[test]
        fn each_packet_counts_once(steps in proptest::collection::vec(-200_i64..300, 1..200)) {
            let mut window = Window::new(100_000);
            let mut seen = BTreeSet::from([100_000_u64]);
            for step in steps {
                let newest = *seen.last().expect("the first");
                let index = (newest as i64 + step) as u64;
                let is_old = newest.saturating_sub(index) >= WINDOW;
                prop_assert_eq!(window.is_new(index), !is_old && !seen.contains(&index), "{} after {}", index, newest);
                if window.is_new(index) {
                    window.note(index);
                    seen.insert(index);
                }
            }
        }
    }
}
