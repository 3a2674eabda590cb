//! The words that every room shares: extensions, PINs, keys, sounds and the two kinds of time.

mod bucket;
mod network;
mod prefix;

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroize;

pub use bucket::{Bucket, Rate};
pub use network::Network;
pub use prefix::Prefix;

/// Longest extension, in digits.
pub const EXTENSION_DIGITS_MAX: usize = 16;
/// Longest number that calls are forwarded to, in digits.
pub const PHONE_NUMBER_DIGITS_MAX: usize = 32;
/// Longest PIN, in digits.
pub const PIN_DIGITS_MAX: usize = 16;

/// An extension of the phone system: 1 to 16 digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Extension(String);

impl Extension {
    /// Takes 1 to [`EXTENSION_DIGITS_MAX`] ASCII digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.len() <= EXTENSION_DIGITS_MAX;
        (fits && text.bytes().all(|b| b.is_ascii_digit())).then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A PIN as it was keyed: 0 to 16 digits, wiped when dropped; its `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Pin(String);

impl Pin {
    /// Takes at most [`PIN_DIGITS_MAX`] ASCII digits (none is a PIN that is wrong everywhere); anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() <= PIN_DIGITS_MAX && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self(text.to_owned()))
    }

    /// The digits, for the policy, the hash and the one announcement of a temporary PIN.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

/// The store's number of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub i64);

/// The store's number of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub i64);

/// The number by which callers key a system recording (1 to 99,999,999).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordingNumber(pub u32);

/// The number by which callers key an attendant, a hunt group, a call center, a line, a gateway or a proxy (1 to
/// 99,999,999).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemNumber(pub u32);

/// A number that calls can be forwarded to: 1 to 32 digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Takes 1 to [`PHONE_NUMBER_DIGITS_MAX`] ASCII digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=PHONE_NUMBER_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The hardware address of a handset (EUI-48).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Takes twelve hexadecimal digits, with `:`, `-` or `.` between them or nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
        let fits = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let value = fits.then(|| u64::from_str_radix(&digits, 16).ok()).flatten()?;
        let [_, _, bytes @ ..] = value.to_be_bytes();
        Some(Self(bytes))
    }
}

/// Six pairs of small hexadecimal digits, `:` between them.
impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A language that prompts are spoken in; adding one is in `docs/languages.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Spanish.
    Spanish,
    /// French.
    French,
    /// German.
    German,
}

impl Language {
    /// All languages, in the order of the language menu (keys 1 to 4).
    pub const ALL: [Language; 4] = [Language::English, Language::Spanish, Language::French, Language::German];

    /// The name of its folder of prompts, and its name in the store (ISO 639-1).
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Spanish => "es",
            Language::French => "fr",
            Language::German => "de",
        }
    }

    /// The language of that code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let codes = Self::ALL.map(Self::code).join(", ");
        Self::parse(text).ok_or_else(|| format!("`{text}`: expected one of {codes}"))
    }
}

/// The number of a change, spoken when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChangeNumber(pub i64);

/// This process's number of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// A number for each thing begun in a call (a play, a recording, a request); a completion that carries an old one is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u32);

/// One of the twelve keys of a handset (events 0 to 11 of RFC 4733 table 7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A digit, 0 to 9.
    Digit(u8),
    /// `*`.
    Star,
    /// `#`.
    Pound,
}

impl Key {
    /// All twelve keys, in the order of their RFC 4733 events.
    pub const ALL: [Key; 12] = [
        Key::Digit(0),
        Key::Digit(1),
        Key::Digit(2),
        Key::Digit(3),
        Key::Digit(4),
        Key::Digit(5),
        Key::Digit(6),
        Key::Digit(7),
        Key::Digit(8),
        Key::Digit(9),
        Key::Star,
        Key::Pound,
    ];

    /// The key of an RFC 4733 event code; `None` for A to D, flash and all above.
    pub fn from_event(event: u8) -> Option<Self> {
        Self::ALL.get(usize::from(event)).copied()
    }

    /// The key that a character names (`0` to `9`, `*`, `#`).
    pub fn from_char(c: char) -> Option<Self> {
        match c {
            '0'..='9' => Some(Key::Digit(c as u8 - b'0')),
            '*' => Some(Key::Star),
            '#' => Some(Key::Pound),
            _ => None,
        }
    }

    /// The character on the key.
    pub fn to_char(self) -> char {
        match self {
            Key::Digit(d) => char::from(b'0' + d),
            Key::Star => '*',
            Key::Pound => '#',
        }
    }
}

/// Leaves `#` where a digit was.
impl Zeroize for Key {
    fn zeroize(&mut self) {
        if let Key::Digit(digit) = self {
            digit.zeroize();
        }
        *self = Key::Pound;
    }
}

/// Prints nothing of the key: keys may be digits of a PIN.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// A moment on the monotonic clock, in microseconds since the process's own epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mono(pub u64);

impl Mono {
    /// The time from `earlier` to this moment; zero where `earlier` is later.
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, d: Duration) -> Mono {
        Mono(self.0.saturating_add(u64::try_from(d.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Mono {
    type Output = Mono;
    fn sub(self, d: Duration) -> Mono {
        Mono(self.0.saturating_sub(u64::try_from(d.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// A moment on the wall clock, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wall(pub i64);

/// A moment as the people at the site say it: local date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Civil {
    /// The year, such as 2026.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 (Monday) to 6 (Sunday).
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// The sample rate of everything inside, in hertz.
pub const SAMPLE_RATE: u32 = 8000;

/// Mono audio, 16-bit linear samples at [`SAMPLE_RATE`], shared and never changed.
#[derive(Clone, PartialEq, Eq)]
pub struct Audio(pub Arc<[i16]>);

impl Audio {
    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.0.len() as u64 * 125)
    }
}

impl fmt::Debug for Audio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audio({} ms)", self.0.len() / 8)
    }
}

/// The name of a recorded prompt, `prompts/<language>/<clip>.wav` without its ending.
pub type Clip = &'static str;

/// One thing that a caller hears; of a spoken digit its `Debug` does not print which, for it may be a temporary PIN's.
#[derive(Clone, PartialEq, Eq)]
pub enum Sound {
    /// A recorded prompt, in the language of the call.
    Clip(Clip),
    /// A system recording, a take or a spoken name.
    Audio(Audio),
}

/// How the names of the clips of single digits begin.
pub const DIGIT_CLIP: &str = "digit-";

impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sound::Clip(clip) if clip.starts_with(DIGIT_CLIP) => f.write_str("Clip(a digit)"),
            Sound::Clip(clip) => write!(f, "Clip({clip})"),
            Sound::Audio(audio) => audio.fmt(f),
        }
    }
}

/// What is wrong with a take, spoken before its review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Shorter than half a second of speech.
    TooShort,
    /// So quiet that levelling would lift its noise too.
    TooQuiet,
    /// Samples at full scale.
    Clipped,
    /// No speech at all.
    Silent,
}

/// A finished recording: ends trimmed, brought to the common loudness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// What is left after trimming; empty where there was nothing but silence.
    pub audio: Audio,
    /// What the caller is told about it before the review.
    pub verdict: Option<Verdict>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_of_a_pin_is_printed() {
        let pin = Pin::parse("61849273").expect("a PIN");
        assert_eq!(format!("{pin:?} {:?}", Key::Digit(7)), "Pin Key");
    }

    #[test]
    fn an_extension_is_one_to_sixteen_digits() {
        assert!(Extension::parse("1000").is_some());
        for wrong in ["", "10a", "12345678901234567", "١٢"] {
            assert_eq!(Extension::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_number_that_calls_are_forwarded_to_is_one_to_32_digits() {
        let of = |digits: usize| PhoneNumber::parse(&"1".repeat(digits)).is_some();
        assert!(of(1) && of(PHONE_NUMBER_DIGITS_MAX));
        assert!(!of(0) && !of(PHONE_NUMBER_DIGITS_MAX + 1));
        assert_eq!(PhoneNumber::parse("+49301234"), None);
    }

    #[test]
    fn a_mac_is_read_with_and_without_separators() {
        for text in ["00:04:F2:12:ab:cd", "00-04-f2-12-ab-cd", "0004.f212.abcd", "0004f212abcd"] {
            assert_eq!(Mac::parse(text).expect(text).to_string(), "00:04:f2:12:ab:cd");
        }
        for wrong in ["", "0004f212abc", "0004f212abcde", "0004f212abcg", "+004f212abcd"] {
            assert_eq!(Mac::parse(wrong), None, "{wrong}");
        }
    }
}
