//! The toll policy: which numbers calls may be forwarded to.

use std::fmt;
use std::str::FromStr;

use regex::bytes::{Regex, RegexBuilder};

use crate::model::PhoneNumber;

/// Numbers that calls may be forwarded to, where the configuration says nothing: extensions and national numbers.
const ALLOWED: [&str; 1] = ["[0-9]{2,11}"];
/// Of these, the ones that they may not be forwarded to: international ones and premium rates.
const DENIED: [&str; 3] = ["00.*", "011.*", "1?900.*"];
/// The most memory that one compiled pattern may take, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// A regular expression that a whole number fits or does not.
#[derive(Clone, Debug)]
pub struct NumberPattern {
    text: String,
    whole: Regex,
}

impl NumberPattern {
    /// Whether the whole number fits.
    pub fn fits(&self, number: &PhoneNumber) -> bool {
        self.whole.is_match(number.as_str().as_bytes())
    }
}

impl FromStr for NumberPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Numbers are ASCII digits: no pattern needs the tables of Unicode.
        let compile = |text: &str| RegexBuilder::new(text).unicode(false).size_limit(PATTERN_BYTES_MAX).build();
        // Alone first: `2)|(3` must not become right by what is put around it.
        let both = compile(text).and_then(|_| compile(&format!(r"\A(?:{text})\z")));
        let whole = both.map_err(|why| {
            let why = why.to_string();
            let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("`{text}`: expected a regular expression, such as 011.*: {last}")
        })?;
        Ok(Self { text: text.to_owned(), whole })
    }
}

impl fmt::Display for NumberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for NumberPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Where calls may be forwarded to (`[forwarding]` in the configuration); one that names no pattern allows nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TollPolicy {
    /// A number must fit one of these.
    pub allowed: Vec<NumberPattern>,
    /// And none of these.
    pub denied: Vec<NumberPattern>,
}

impl TollPolicy {
    /// What holds where the configuration says nothing.
    pub fn standard() -> Self {
        let parsed = |list: &[&str]| list.iter().map(|text| text.parse()).collect::<Result<Vec<_>, String>>();
        match (parsed(&ALLOWED), parsed(&DENIED)) {
            (Ok(allowed), Ok(denied)) => Self { allowed, denied },
            (Err(_), _) | (_, Err(_)) => Self::default(),
        }
    }

    /// Whether calls may be forwarded to that number.
    pub fn allows(&self, number: &PhoneNumber) -> bool {
        let fits = |list: &[NumberPattern]| list.iter().any(|pattern| pattern.fits(number));
        fits(&self.allowed) && !fits(&self.denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allowed: &[&str], denied: &[&str]) -> TollPolicy {
        let parsed = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        TollPolicy { allowed: parsed(allowed), denied: parsed(denied) }
    }

    #[test]
    fn the_standard_policy() {
        let table = [
            ("10", true),
            ("1005", true),
            ("5551234", true),
            ("2125551234", true),
            ("12125551234", true),
            ("90", true),
            ("0", false),
            ("123456789012", false),
            ("00", false),
            ("0049891234", false),
            ("011", false),
            ("0114930123", false),
            ("900", false),
            ("9005551234", false),
            ("19005551234", false),
            ("29005551234", true),
            ("01", true),
            ("0901", true),
        ];
        let standard = TollPolicy::standard();
        for (number, allowed) in table {
            assert_eq!(standard.allows(&PhoneNumber::parse(number).unwrap()), allowed, "{number}");
        }
    }

    #[test]
    fn whole_numbers_and_denied_wins() {
        let number = |text| PhoneNumber::parse(text).unwrap();
        let some = policy(&["1", r"2\d|3"], &["29"]);
        for (text, allowed) in [("1", true), ("11", false), ("21", true), ("3", true), ("23", true), ("29", false)] {
            assert_eq!(some.allows(&number(text)), allowed, "{text}");
        }
        assert!(!some.allows(&number("213")), "no part of a number counts");
        assert!(!TollPolicy::default().allows(&number("1005")), "nothing is allowed where nothing is said");
        assert!(policy(&["[0-9]+"], &[]).allows(&number("0049891234")));
    }

    #[test]
    fn what_is_no_expression_is_told() {
        for wrong in ["[0-9", "2)|(3", "(", "*", "(1{1000}){1000}"] {
            let why = wrong.parse::<NumberPattern>().expect_err(wrong);
            assert!(
                why.starts_with(&format!("`{wrong}`: expected a regular expression")) && !why.contains('\n'),
                "{why}"
            );
        }
        assert_eq!("011.*".parse::<NumberPattern>().unwrap().to_string(), "011.*");
    }
}
