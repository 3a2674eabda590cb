//! What a caller keys digit by digit until `#`.

use std::fmt;

use zeroize::Zeroize;

use crate::model::{EXTENSION_DIGITS_MAX, Extension, PHONE_NUMBER_DIGITS_MAX, PIN_DIGITS_MAX, PhoneNumber, Pin};

/// Most digits of the number of a thing (99,999,999 recordings are enough).
pub const NUMBER_DIGITS_MAX: usize = 8;
/// The longest entry of any kind.
const DIGITS_MAX: usize = PHONE_NUMBER_DIGITS_MAX;

/// The kinds of entry; a kind decides how many digits still can be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// At most [`EXTENSION_DIGITS_MAX`].
    Extension,
    /// At most [`PIN_DIGITS_MAX`].
    Pin,
    /// At most [`NUMBER_DIGITS_MAX`].
    Number,
    /// At most [`PHONE_NUMBER_DIGITS_MAX`].
    PhoneNumber,
}

impl Digits {
    /// The most digits that such an entry may have.
    pub fn max(self) -> usize {
        match self {
            Digits::Extension => EXTENSION_DIGITS_MAX,
            Digits::Pin => PIN_DIGITS_MAX,
            Digits::Number => NUMBER_DIGITS_MAX,
            Digits::PhoneNumber => PHONE_NUMBER_DIGITS_MAX,
        }
    }

    /// The name in the drawings of the menu.
    pub fn name(self) -> &'static str {
        match self {
            Digits::Extension => "extension",
            Digits::Pin => "pin",
            Digits::Number => "number",
            Digits::PhoneNumber => "telephone number",
        }
    }
}

/// The digits of one entry, wiped when cleared or dropped; its `Debug` prints only how many there are.
///
/// One digit too many makes it [`Entry::overlong`]: wrong, whatever follows.
#[derive(Clone, Default)]
pub struct Entry {
    digits: [u8; DIGITS_MAX],
    len: usize,
    overlong: bool,
}

impl Entry {
    /// Adds a digit (0 to 9).
    pub fn push(&mut self, digit: u8, kind: Digits) {
        match self.digits.get_mut(self.len) {
            Some(slot) if self.len < kind.max() => {
                *slot = b'0' + digit % 10;
                self.len += 1;
            }
            _ => self.overlong = true,
        }
    }

    /// Forgets all digits.
    pub fn clear(&mut self) {
        self.digits.zeroize();
        self.len = 0;
        self.overlong = false;
    }

    /// Whether nothing has been keyed.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether more digits were keyed than can be right.
    pub fn overlong(&self) -> bool {
        self.overlong
    }

    /// The extension; of an overlong entry its first digits, for a caller who must not learn more than that it is wrong.
    pub fn extension(&self) -> Option<Extension> {
        Extension::parse(self.text())
    }

    /// The PIN (none keyed is a PIN too); `None` where the entry is overlong.
    pub fn pin(&self) -> Option<Pin> {
        if self.overlong { None } else { Pin::parse(self.text()) }
    }

    /// The number; `None` where nothing was keyed or the entry is overlong.
    pub fn number(&self) -> Option<u32> {
        if self.overlong { None } else { self.text().parse().ok() }
    }

    /// The number that calls can be forwarded to; `None` where nothing was keyed or the entry is overlong.
    pub fn phone_number(&self) -> Option<PhoneNumber> {
        if self.overlong { None } else { PhoneNumber::parse(self.text()) }
    }

    fn text(&self) -> &str {
        self.digits.get(..self.len).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} digits{})", self.len, if self.overlong { ", overlong" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(digits: &str, kind: Digits) -> Entry {
        let mut entry = Entry::default();
        for digit in digits.bytes() {
            entry.push(digit - b'0', kind);
        }
        entry
    }

    #[test]
    fn an_entry_is_what_was_keyed() {
        assert_eq!(keyed("1004", Digits::Extension).extension(), Extension::parse("1004"));
        assert_eq!(keyed("29618374", Digits::Pin).pin(), Pin::parse("29618374"));
        assert_eq!(keyed("", Digits::Pin).pin(), Pin::parse(""));
        assert_eq!(keyed("0012", Digits::Number).number(), Some(12));
        assert_eq!(keyed("99999999", Digits::Number).number(), Some(99_999_999));
        assert_eq!(keyed("", Digits::Number).number(), None);
        let longest = "12345678901234567890123456789012";
        assert_eq!(keyed(longest, Digits::PhoneNumber).phone_number(), PhoneNumber::parse(longest));
        assert_eq!(keyed("", Digits::PhoneNumber).phone_number(), None);
        assert_eq!(keyed("", Digits::Extension).extension(), None);
    }

    #[test]
    fn one_digit_too_many_makes_it_wrong_until_cleared() {
        let mut entry = keyed("123456789", Digits::Number);
        assert!(entry.overlong());
        assert_eq!(entry.number(), None);
        entry.clear();
        assert!(entry.is_empty() && !entry.overlong());
        entry.push(7, Digits::Number);
        assert_eq!(entry.number(), Some(7));
        for many in [17, 18, 1000] {
            let digits = "1".repeat(many);
            assert_eq!(keyed(&digits, Digits::Pin).pin(), None);
            assert_eq!(keyed(&digits.repeat(2), Digits::PhoneNumber).phone_number(), None);
            assert_eq!(keyed(&digits, Digits::Extension).extension(), Extension::parse("1111111111111111"));
            assert!(keyed(&digits, Digits::Extension).overlong());
        }
    }

    #[test]
    fn no_digit_is_printed() {
        assert_eq!(format!("{:?}", keyed("61849273", Digits::Pin)), "Entry(8 digits)");
    }
}
