//! Tags, branches and the keys of tables: all from one secret seed.

use std::hash::{DefaultHasher, Hasher};

/// A keyed hash (SipHash) and the numbers that it makes from a counter.
///
/// Nobody without the seed can guess a number (RFC 3261 section 19.3 wants 32 bits of randomness; these are 64) or
/// choose messages whose keys collide.
pub(super) struct Random {
    seed: [u8; 32],
    count: u64,
}

/// Prints nothing of the seed.
impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}

impl Random {
    /// All numbers follow from the seed, which is to come from the system's random source.
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed, count: 0 }
    }

    /// The next number.
    pub(super) fn number(&mut self) -> u64 {
        self.count += 1;
        self.hasher(b'n', &[&self.count.to_string()]).finish()
    }

    /// The next number from 0 to `most`.
    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        self.number() % (most + 1)
    }

    /// The hash of a list of texts.
    pub(super) fn hash(&self, parts: &[&str]) -> u64 {
        self.hasher(b'h', parts).finish()
    }

    fn hasher(&self, domain: u8, parts: &[&str]) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.seed);
        hasher.write_u8(domain);
        for part in parts {
            hasher.write(part.as_bytes());
            // No text has this byte: it ends each part.
            hasher.write_u8(0xff);
        }
        hasher
    }
}
