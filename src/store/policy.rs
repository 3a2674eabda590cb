//! Which PINs are good enough. Pure: no clock, no store; earlier PINs are only known as hashes, so [`ancestors`]
//! names the PINs from which a new one would be an easy step.

use zeroize::Zeroizing;

use crate::model::{Extension, Pin};

/// Fewest digits of an account PIN of someone who holds a role.
pub const ROLE_PIN_DIGITS_MIN: usize = 8;
/// Fewest digits of every other PIN.
pub const PIN_DIGITS_MIN: usize = 6;
/// Fewest different digits in a PIN.
const DIFFERENT_DIGITS_MIN: usize = 3;
/// How often one digit may follow itself.
const SAME_DIGIT_RUN_MAX: usize = 2;
/// Fewest keys that make a straight line.
const LINE_KEYS_MIN: usize = 3;

/// Which PIN it is; each kind is counted, locked and remembered apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PinKind {
    /// The PIN for this line.
    Account,
    /// The PIN for the voicemail.
    Voicemail,
    /// The short code by which support recognises its owner.
    Support,
}

impl PinKind {
    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            PinKind::Account => "account",
            PinKind::Voicemail => "voicemail",
            PinKind::Support => "support",
        }
    }

    /// Fewest digits of a PIN of this kind, for someone who holds a role or not.
    pub fn digits_min(self, has_role: bool) -> usize {
        match self {
            PinKind::Account if has_role => ROLE_PIN_DIGITS_MIN,
            PinKind::Account | PinKind::Voicemail | PinKind::Support => PIN_DIGITS_MIN,
        }
    }
}

/// What is wrong with a new PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PinFault {
    /// Fewer digits than it needs.
    #[error("the PIN needs at least {0} digits")]
    TooShort(usize),
    /// Easy to guess.
    #[error(
        "the PIN is too simple: no digit three times running, no three running up or down, no repeated group, \
         no palindrome, no keypad lines, at least three different digits, and not the extension"
    )]
    TooSimple,
    /// One of the last five, or one step from it.
    #[error("the PIN is one of the last five, or too much like one")]
    UsedBefore,
}

/// Checks the length and the digits; what was used before is not known here.
pub fn check(pin: &Pin, digits_min: usize, extension: &Extension) -> Result<(), PinFault> {
    let digits: Zeroizing<Vec<u8>> = Zeroizing::new(pin.digits().bytes().map(|b| b - b'0').collect());
    if digits.len() < digits_min {
        return Err(PinFault::TooShort(digits_min));
    }
    let own: Vec<u8> = extension.as_str().bytes().map(|b| b - b'0').collect();
    let simple = holds_or_reverse(&digits, &own)
        || different(&digits) < DIFFERENT_DIGITS_MIN
        || longest_run(&digits) > SAME_DIGIT_RUN_MAX
        || three_in_order(&digits)
        || is_repeated_group(&digits)
        || digits.iter().eq(digits.iter().rev())
        || only_lines(&digits);
    if simple { Err(PinFault::TooSimple) } else { Ok(()) }
}

/// The PINs that, had they been used before, forbid `pin`: itself, its reverse, the one before it in counting, and
/// the one before it digit by digit (so that neither 618049 → 618050 nor 618049 → 729150 passes).
pub fn ancestors(pin: &Pin) -> Vec<Pin> {
    let digits = pin.digits().as_bytes();
    let reversed = wiped(digits.iter().rev().copied());
    let each_less = wiped(digits.iter().map(|b| b'0' + (b - b'0' + 9) % 10));
    let mut all: Vec<Pin> = Vec::new();
    for bytes in [&wiped(digits.iter().copied()), &reversed, &minus_one(digits), &each_less] {
        let candidate = std::str::from_utf8(bytes).ok().and_then(Pin::parse);
        all.extend(candidate.filter(|candidate| !all.contains(candidate)));
    }
    all
}

/// Digits in a buffer that does not grow, as what it outgrew would not be wiped.
fn wiped(digits: impl ExactSizeIterator<Item = u8>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(digits.collect())
}

/// One less as a number of the same length; 000 becomes 999.
fn minus_one(digits: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = wiped(digits.iter().copied());
    for b in out.iter_mut().rev() {
        if *b == b'0' {
            *b = b'9';
        } else {
            *b -= 1;
            break;
        }
    }
    out
}

fn holds_or_reverse(digits: &[u8], own: &[u8]) -> bool {
    digits.windows(own.len()).any(|w| w == own || w.iter().eq(own.iter().rev()))
}

fn different(digits: &[u8]) -> usize {
    (0..10).filter(|d| digits.contains(d)).count()
}

fn longest_run(digits: &[u8]) -> usize {
    digits.chunk_by(|a, b| a == b).map(<[u8]>::len).max().unwrap_or(0)
}

fn three_in_order(digits: &[u8]) -> bool {
    digits.windows(3).any(|w| match w {
        [a, b, c] => (a + 1 == *b && b + 1 == *c) || (*a == b + 1 && *b == c + 1),
        _ => false,
    })
}

fn is_repeated_group(digits: &[u8]) -> bool {
    (1..=digits.len() / 2)
        .any(|size| digits.len().is_multiple_of(size) && digits.chunks(size).all(|group| digits.starts_with(group)))
}

/// Whether straight lines of three keys and more, one after the other or turning on a shared key, make up the PIN.
fn only_lines(digits: &[u8]) -> bool {
    let mut begins = vec![false; digits.len() + 1];
    if let Some(first) = begins.first_mut() {
        *first = true;
    }
    for at in 0..digits.len() {
        if !begins.get(at).copied().unwrap_or(false) {
            continue;
        }
        for end in at + LINE_KEYS_MIN..=digits.len() {
            if digits.get(at..end).is_some_and(is_line) {
                if end == digits.len() {
                    return true;
                }
                for next in [end, end - 1] {
                    if let Some(slot) = begins.get_mut(next) {
                        *slot = true;
                    }
                }
            }
        }
    }
    false
}

/// Whether the keys follow one another in one direction on the keypad, each beside the last.
fn is_line(keys: &[u8]) -> bool {
    let mut steps = keys.windows(2).map(|w| match w {
        [a, b] => {
            let ((ax, ay), (bx, by)) = (place(*a), place(*b));
            (bx - ax, by - ay)
        }
        _ => (0, 0),
    });
    let Some(first) = steps.next() else { return false };
    first != (0, 0) && first.0.abs() <= 1 && first.1.abs() <= 1 && steps.all(|step| step == first)
}

/// Column and row of a digit on the keypad (ITU-T E.161).
fn place(digit: u8) -> (i8, i8) {
    match digit {
        0 => (1, 3),
        d => (((d - 1) % 3) as i8, ((d - 1) / 3) as i8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(pin: &str, digits_min: usize) -> Result<(), PinFault> {
        let extension = Extension::parse("1004").unwrap();
        check(&Pin::parse(pin).unwrap(), digits_min, &extension)
    }

    #[test]
    fn every_row_of_the_policy() {
        let simple = [
            ("831004", "the extension in it"),
            ("834001", "the extension's reverse in it"),
            ("282882", "fewer than three different digits"),
            ("839994", "a digit three times running"),
            ("834507", "three running up: 345"),
            ("821097", "three running down: 210"),
            ("474747", "one group of two repeated"),
            ("183183", "one group of three repeated"),
            ("18391839", "one group of four repeated"),
            ("837738", "a palindrome"),
            ("8372738", "a palindrome of odd length"),
            ("147258", "two lines"),
            ("159357", "two diagonals"),
            ("2580147", "a line of four and one of three"),
            ("1478963", "lines that turn on 7 and on 9"),
        ];
        for (pin, why) in simple {
            assert_eq!(verdict(pin, 6), Err(PinFault::TooSimple), "{pin}: {why}");
        }
        assert_eq!(verdict("25801590", 8), Ok(()), "lines, and a 0 that is part of none");
        assert_eq!(verdict("839949", 6), Ok(()), "a digit twice running");
        assert_eq!(verdict("8374", 6), Err(PinFault::TooShort(6)));
        assert_eq!(verdict("", 6), Err(PinFault::TooShort(6)));
        assert_eq!(verdict("904826", 8), Err(PinFault::TooShort(8)));
        assert_eq!(verdict("9048261739517284", 8), Ok(()));
    }

    #[test]
    fn what_is_nearly_too_simple_passes() {
        let passes = [
            ("831040", "three digits of the extension, and all four apart"),
            ("282852", "three different digits, none of them often in a row"),
            ("839949", "a digit twice running"),
            ("834167", "two running up, twice"),
            ("890193", "9 and 0 are no neighbours"),
            ("474749", "a group and nearly a group"),
            ("1831830", "a group twice and one digit more"),
            ("837739", "a palindrome but for its end"),
            ("147285", "one line, and keys beside it"),
            ("258014", "a line of four and two keys"),
        ];
        for (pin, why) in passes {
            assert_eq!(verdict(pin, 6), Ok(()), "{pin}: {why}");
        }
    }

    #[test]
    fn each_rule_holds_at_every_place_and_length() {
        for (pin, why) in [
            ("1004837296183729", "the extension at the beginning of the longest"),
            ("8372961837294001", "its reverse at the end"),
            ("8372345961837296", "running up in the middle"),
            ("8372961837296543", "running down at the end"),
            ("0008372961837296", "thrice at the beginning"),
            ("2727272727272727", "two digits"),
            ("8372837283728372", "a group of four, four times"),
            ("8372961881692738", "a palindrome of sixteen"),
            ("1472583691593570", "only lines, the last one 3570 is none"),
        ] {
            let expected = if why.contains("is none") { Ok(()) } else { Err(PinFault::TooSimple) };
            assert_eq!(verdict(pin, 8), expected, "{pin}: {why}");
        }
        assert_eq!(verdict("1472583691590852", 8), Err(PinFault::TooSimple), "five lines: 147, 258, 369, 159, 0852");
    }

    #[test]
    fn lengths_by_kind_and_role() {
        use PinKind::{Account, Support, Voicemail};
        let table = [
            (Account, true, 8),
            (Account, false, 6),
            (Voicemail, true, 6),
            (Voicemail, false, 6),
            (Support, true, 6),
            (Support, false, 6),
        ];
        for (kind, has_role, least) in table {
            assert_eq!(kind.digits_min(has_role), least, "{kind:?} {has_role}");
            let pin = "9048261739517284";
            assert_eq!(verdict(&pin[..least], kind.digits_min(has_role)), Ok(()));
            let short = &pin[..least - 1];
            assert_eq!(verdict(short, kind.digits_min(has_role)), Err(PinFault::TooShort(least)));
        }
        assert!(Pin::parse("90482617395172840").is_none(), "seventeen digits are no PIN");
    }

    #[test]
    fn the_pins_that_people_are_given_pass() {
        for pin in ["61849273", "52961847", "83517294", "74926185", "29618374"] {
            assert_eq!(verdict(pin, ROLE_PIN_DIGITS_MIN), Ok(()), "{pin}");
        }
        for pin in ["904826", "618049", "840296", "920471", "730185", "614093", "851730", "407193", "395062"] {
            assert_eq!(verdict(pin, PIN_DIGITS_MIN), Ok(()), "{pin}");
        }
    }

    #[test]
    fn a_pin_has_four_ancestors() {
        let of = |pin: &str| {
            let all = ancestors(&Pin::parse(pin).unwrap());
            all.iter().map(|p| p.digits().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of("618050"), ["618050", "050816", "618049", "507949"]);
        assert_eq!(of("000"), ["000", "999"]);
        assert_eq!(PinKind::Voicemail.digits_min(true), 6);
    }

    #[test]
    fn a_short_extension_and_an_empty_pin_do_no_harm() {
        let long = Extension::parse("1234567890123456").unwrap();
        assert_eq!(check(&Pin::parse("904826").unwrap(), 6, &long), Ok(()));
        assert_eq!(check(&Pin::default(), 0, &long), Err(PinFault::TooSimple));
    }
}
