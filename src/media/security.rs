//! The encryption of one call's stream, in both directions.

use crate::wire::rtp::DATAGRAM_BYTES_MAX;
use crate::wire::srtp::{Key, Protector, Unprotector};

/// The greatest sequence number that an encrypted stream may begin with: one that wraps before the peer has heard anything
/// could not be decrypted (RFC 4568 section 6.4).
pub const SEQUENCE_FIRST_MAX: u16 = 0x7FFF;

/// Where a stream begins that may be encrypted, of a random number.
pub fn sequence_first(random: u16) -> u16 {
    random & SEQUENCE_FIRST_MAX
}

/// The keys of a stream that is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// What we encrypt with.
    pub ours: Key,
    /// What the peer encrypts with.
    pub theirs: Key,
    /// Whether the keys came and went by an encrypted connection: else whoever sees the signalling can listen.
    pub is_private: bool,
}

/// Both directions.
pub(super) struct Srtp {
    protector: Protector,
    unprotector: Unprotector,
}

impl Srtp {
    /// Begins with these keys.
    pub(super) fn new(security: &Security) -> Self {
        Self { protector: Protector::new(&security.ours), unprotector: Unprotector::new(&security.theirs, 0) }
    }

    /// Whether our sequence numbers have wrapped under our key.
    pub(super) fn has_wrapped(&self) -> bool {
        self.protector.rollovers() > 0
    }

    /// Goes on with new keys; what was counted under a key that stays goes on.
    pub(super) fn rekeyed(self, old: &Security, new: &Security) -> Self {
        let Self { protector, unprotector } = self;
        Self {
            protector: if old.ours == new.ours { protector } else { Protector::new(&new.ours) },
            unprotector: if old.theirs == new.theirs {
                unprotector
            } else {
                Unprotector::new(&new.theirs, unprotector.rollovers())
            },
        }
    }

    /// See [`Protector::protect_rtp`].
    pub(super) fn protect_rtp(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        self.protector.protect_rtp(packet, length)
    }

    /// See [`Protector::protect_rtcp`].
    pub(super) fn protect_rtcp(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        self.protector.protect_rtcp(packet, length)
    }

    /// The packet in the datagram, where it is the peer's and new.
    pub(super) fn unprotect_rtp<'a>(
        &mut self,
        datagram: &[u8],
        plain: &'a mut [u8; DATAGRAM_BYTES_MAX],
    ) -> Option<&'a [u8]> {
        let packet = copied(datagram, plain)?;
        let length = self.unprotector.unprotect_rtp(packet)?;
        packet.get(..length)
    }

    /// The RTCP packet in the datagram, where it is the peer's and new.
    pub(super) fn unprotect_rtcp<'a>(
        &mut self,
        datagram: &[u8],
        plain: &'a mut [u8; DATAGRAM_BYTES_MAX],
    ) -> Option<&'a [u8]> {
        let packet = copied(datagram, plain)?;
        let length = self.unprotector.unprotect_rtcp(packet)?;
        packet.get(..length)
    }
}

/// The datagram, where it can be decrypted in its place.
fn copied<'a>(datagram: &[u8], to: &'a mut [u8; DATAGRAM_BYTES_MAX]) -> Option<&'a mut [u8]> {
    let packet = to.get_mut(..datagram.len())?;
    packet.copy_from_slice(datagram);
    Some(packet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_begins_far_from_the_wrap() {
        for (random, first) in [(0, 0), (0x7FFF, 0x7FFF), (0x8000, 0), (0xFFFF, 0x7FFF)] {
            assert_eq!(sequence_first(random), first);
        }
        assert!((0..=u16::MAX).all(|random| sequence_first(random) <= SEQUENCE_FIRST_MAX));
    }
}
