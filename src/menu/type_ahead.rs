//! Keys that were pressed before anything could take them.

use std::fmt;

use zeroize::Zeroize;

use crate::model::Key;

/// Most keys that wait; further ones are dropped (an extension, a PIN and a few choices are under 32).
pub const KEYS_MAX: usize = 32;

/// A bounded queue of keys, in the order in which they were pressed, wiped when they are taken, cleared or dropped; its
/// `Debug` prints only how many there are.
#[derive(Clone)]
pub struct TypeAhead {
    keys: [Key; KEYS_MAX],
    first: usize,
    len: usize,
}

impl Default for TypeAhead {
    fn default() -> Self {
        Self { keys: [Key::Pound; KEYS_MAX], first: 0, len: 0 }
    }
}

impl TypeAhead {
    /// Adds a key; drops it where [`KEYS_MAX`] wait already.
    pub fn push(&mut self, key: Key) {
        if self.len < KEYS_MAX {
            self.keys[(self.first + self.len) % KEYS_MAX] = key;
            self.len += 1;
        }
    }

    /// The key that has waited longest.
    pub fn first(&self) -> Option<Key> {
        (self.len > 0).then(|| self.keys[self.first])
    }

    /// Takes the key that has waited longest, and leaves no trace of it (it may be a digit of a PIN).
    pub fn pop(&mut self) -> Option<Key> {
        let key = self.first()?;
        self.keys[self.first].zeroize();
        self.first = (self.first + 1) % KEYS_MAX;
        self.len -= 1;
        Some(key)
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        self.keys.iter_mut().for_each(Key::zeroize);
        (self.first, self.len) = (0, 0);
    }

    /// Whether no key waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Drop for TypeAhead {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for TypeAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypeAhead({} keys)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_out_in_the_order_pressed_and_the_33rd_is_dropped() {
        let mut ahead = TypeAhead::default();
        for round in 0..5_u8 {
            for n in 0..40 {
                ahead.push(Key::Digit((n + round) % 10));
            }
            for n in 0..KEYS_MAX as u8 {
                assert_eq!(ahead.first(), Some(Key::Digit((n + round) % 10)));
                assert_eq!(ahead.pop(), Some(Key::Digit((n + round) % 10)));
            }
            assert!(ahead.is_empty());
            assert_eq!(ahead.pop(), None);
            // The next round begins elsewhere in the ring.
            ahead.push(Key::Star);
            assert_eq!(ahead.pop(), Some(Key::Star));
        }
    }

    #[test]
    fn no_key_stays_behind() {
        let mut ahead = TypeAhead::default();
        for digit in 1..=9 {
            ahead.push(Key::Digit(digit));
        }
        ahead.pop();
        assert!(ahead.keys[0] == Key::Pound && ahead.keys[1] == Key::Digit(2));
        ahead.clear();
        assert!(ahead.keys.iter().all(|key| *key == Key::Pound));
    }

    #[test]
    fn no_key_is_printed() {
        let mut ahead = TypeAhead::default();
        ahead.push(Key::Digit(7));
        assert_eq!(format!("{ahead:?}"), "TypeAhead(1 keys)");
    }
}
