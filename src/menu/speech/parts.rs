//! What the rules of several languages share: names of clips, and numbers taken apart.

use crate::model::Clip;

/// The largest number that is said as a number; larger ones are said digit by digit.
pub const NUMBER_MAX: u32 = 999_999_999;

/// Names of clips, made of what comes before the numbers and the numbers.
macro_rules! names {
    ($before:literal: $($number:literal)*) => { [$(concat!($before, $number)),*] };
}

/// The clips that some numbers have in a certain place: each number with the clip's name, made of what comes before the
/// number, the number, and what comes after it.
macro_rules! forms {
    ($before:literal $after:literal: $($number:literal)*) => { [$(($number, concat!($before, $number, $after))),*] };
}

pub(super) use forms;

/// Zero to nine, one by one.
pub(super) const DIGITS: [Clip; 10] = names!("digit-": 0 1 2 3 4 5 6 7 8 9);

/// Zero to ninety-nine, each in one clip.
pub(super) const BELOW_100: [Clip; 100] = names!("number-":
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
    40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77
    78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99);

/// One hundred to nine hundred, each in one clip.
pub(super) const HUNDREDS: [Clip; 9] = names!("number-": 100 200 300 400 500 600 700 800 900);

/// One thousand to nine thousand, each in one clip.
pub(super) const THOUSANDS: [Clip; 9] = names!("number-": 1000 2000 3000 4000 5000 6000 7000 8000 9000);

/// After how many hundreds, thousands, millions there are.
pub(super) const HUNDRED: Clip = "number-hundred";
pub(super) const THOUSAND: Clip = "number-thousand";
pub(super) const MILLION: Clip = "number-million";
pub(super) const MILLIONS: Clip = "number-millions";
/// One million, in one clip.
pub(super) const ONE_MILLION: Clip = "number-1000000";
/// Between millions and their noun, and before a year: "un millón de llamadas", "marzo de dos mil".
pub(super) const OF: Clip = "number-of";

/// The first to the thirty-first.
pub(super) const DAYS: [Clip; 31] =
    names!("day-": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);

/// January to December.
pub(super) const MONTHS: [Clip; 12] = names!("month-": 1 2 3 4 5 6 7 8 9 10 11 12);

/// Monday to Sunday.
pub(super) const WEEKDAYS: [Clip; 7] = names!("weekday-": 0 1 2 3 4 5 6);

/// The hours of the 24-hour clock with their word: "sieben Uhr".
pub(super) const HOURS_24: [Clip; 24] = names!("hour-": 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23);

/// The hours of the 12-hour clock with their words: "a las siete".
pub(super) const HOURS_12: [Clip; 12] = names!("hour-": 1 2 3 4 5 6 7 8 9 10 11 12);

/// Before a date, and between it and a time.
pub(super) const ON: Clip = "date-on";
pub(super) const AT: Clip = "time-at";

/// Digits one by one; what is no digit is left out.
pub fn digits(text: &str) -> Vec<Clip> {
    text.bytes().filter_map(|byte| DIGITS.get(usize::from(byte.wrapping_sub(b'0'))).copied()).collect()
}

/// The clip of a number in a table that begins at `first`; `None` outside of it.
pub(super) fn nth(table: &'static [Clip], first: u32, number: impl Into<u32>) -> Option<Clip> {
    let index = number.into().checked_sub(first)?;
    table.get(usize::try_from(index).ok()?).copied()
}

/// The clip that a number has in a certain place, where it has one of its own.
pub(super) fn form(forms: &'static [(u32, Clip)], number: u32) -> Option<Clip> {
    forms.iter().find(|(with_form, _)| *with_form == number).map(|(_, clip)| *clip)
}

/// Which part of a number is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// How many millions.
    Millions,
    /// How many thousands.
    Thousands,
    /// What is below a thousand.
    Last,
}

/// A cardinal number in a language that has whole clips up to 99, for the round hundreds and for one to nine thousand.
/// `below_1000` says a part of it, 1 to 999, or 0 where that is all.
pub(super) fn cardinal(number: u32, below_1000: impl Fn(u32, Part) -> Vec<Clip>) -> Vec<Clip> {
    if number > NUMBER_MAX {
        return digits(&number.to_string());
    }
    let (millions, thousands, last) = (number / 1_000_000, number / 1000 % 1000, number % 1000);
    let mut clips = match millions {
        0 => Vec::new(),
        1 => vec![ONE_MILLION],
        _ => [below_1000(millions, Part::Millions), vec![MILLIONS]].concat(),
    };
    match nth(&THOUSANDS, 1, thousands) {
        Some(whole) => clips.push(whole),
        None if thousands == 0 => {}
        None => clips.extend([below_1000(thousands, Part::Thousands), vec![THOUSAND]].concat()),
    }
    if last > 0 || number == 0 {
        clips.extend(below_1000(last, Part::Last));
    }
    clips
}

/// Whether a number is said as nothing but millions.
pub(super) fn ends_in_millions(number: u32) -> bool {
    number > 0 && number <= NUMBER_MAX && number.is_multiple_of(1_000_000)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::model::{Civil, Clip};

    /// The clips without the repeated part of their names, as one line.
    pub fn line(clips: &[Clip]) -> String {
        clips.iter().map(|clip| clip.trim_start_matches("number-")).collect::<Vec<_>>().join(" ")
    }

    /// A time of day on Tuesday, 3 March 2026.
    pub fn at(hour: u8, minute: u8) -> Civil {
        Civil { hour, minute, ..on(2026, 3, 3, 1) }
    }

    /// A date, at midnight.
    pub fn on(year: u16, month: u8, day: u8, weekday: u8) -> Civil {
        Civil { year, month, day, weekday, hour: 0, minute: 0 }
    }
}
