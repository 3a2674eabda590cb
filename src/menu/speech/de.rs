//! German: "Dienstag, dritter März zweitausendsechsundzwanzig, sieben Uhr fünf".

use super::Noun;
use super::parts::{
    BELOW_100, DAYS, DIGITS, HOURS_24, HUNDRED, HUNDREDS, MILLIONS, MONTHS, ONE_MILLION, Part, THOUSAND, THOUSANDS,
    WEEKDAYS, cardinal, nth,
};
pub use super::parts::{NUMBER_MAX, digits};
use crate::model::{Civil, Clip};

/// "eins", where nothing follows or a plural does.
const ONE: Clip = "number-1";
/// "ein", before a masculine or neuter noun, and before "tausend".
const ONE_MASCULINE: Clip = "number-1-m";
/// "eine", before a feminine noun.
const ONE_FEMININE: Clip = "number-1-f";

/// The years that are said by hundreds: "neunzehnhundertneunundneunzig".
const YEARS_BY_HUNDREDS: std::ops::RangeInclusive<u16> = 1100..=1999;

/// A cardinal number, up to [`NUMBER_MAX`]: 1,042 is "eintausend zweiundvierzig".
pub fn number(number: u32) -> Vec<Clip> {
    cardinal(number, |part, place| {
        let one = match place {
            Part::Last => ONE,
            Part::Thousands => ONE_MASCULINE,
            Part::Millions => ONE_FEMININE,
        };
        below_1000(part, one)
    })
}

/// A number and its noun: "ein Anruf", "eine Sekunde", "einundzwanzig Anrufe".
pub fn counted(count: u32, noun: Noun) -> Vec<Clip> {
    let one = match noun {
        Noun::Seconds | Noun::Milliseconds | Noun::Hours | Noun::People => ONE_FEMININE,
        Noun::OtherCalls | Noun::Calls | Noun::Megabytes | Noun::Percent | Noun::Members | Noun::Handsets => {
            ONE_MASCULINE
        }
    };
    let mut clips = if count == 1 { vec![one] } else { number(count) };
    clips.push(noun.clip(count == 1));
    clips
}

/// A day and a time: "Dienstag, dritter März zweitausendsechsundzwanzig, sieben Uhr fünf". It stands for itself, so that
/// it fits after any words.
pub fn moment(at: Civil) -> Vec<Clip> {
    [date(at), time(at)].concat()
}

/// A time of day on the 24-hour clock: 13:05 is "dreizehn Uhr fünf", 1:00 "ein Uhr", 0:00 "null Uhr".
pub fn time(at: Civil) -> Vec<Clip> {
    let minutes = if at.minute == 0 { Vec::new() } else { number(u32::from(at.minute)) };
    nth(&HOURS_24, 0, at.hour).into_iter().chain(minutes).collect()
}

/// A date: weekday, day as an ordinal, month, year; a part that no calendar has is left out.
pub fn date(at: Civil) -> Vec<Clip> {
    let parts = [nth(&WEEKDAYS, 0, at.weekday), nth(&DAYS, 1, at.day), nth(&MONTHS, 1, at.month)];
    parts.into_iter().flatten().chain(year(at.year)).collect()
}

/// 2026 is "zweitausendsechsundzwanzig", 1999 "neunzehnhundertneunundneunzig".
fn year(year: u16) -> Vec<Clip> {
    if !YEARS_BY_HUNDREDS.contains(&year) {
        return number(u32::from(year));
    }
    let rest = u32::from(year % 100);
    let last = if rest == 0 { Vec::new() } else { number(rest) };
    [number(u32::from(year / 100)), vec![HUNDRED], last].concat()
}

/// `one` is what is said for a one at the end.
fn below_1000(number: u32, one: Clip) -> Vec<Clip> {
    let (hundreds, rest) = (number / 100, number % 100);
    let rest_clip = match rest {
        0 if hundreds > 0 => None,
        1 => Some(one),
        _ => nth(&BELOW_100, 0, rest),
    };
    nth(&HUNDREDS, 1, hundreds).into_iter().chain(rest_clip).collect()
}

/// Every clip that these rules can ask for, but for the nouns.
pub fn clips() -> impl Iterator<Item = Clip> {
    let tables: [&'static [Clip]; 8] =
        [&DIGITS, &BELOW_100, &HUNDREDS, &THOUSANDS, &HOURS_24, &DAYS, &MONTHS, &WEEKDAYS];
    let others = [ONE_MASCULINE, ONE_FEMININE, HUNDRED, THOUSAND, ONE_MILLION, MILLIONS];
    tables.into_iter().flatten().copied().chain(others)
}

#[cfg(test)]
mod tests {
    use super::super::parts::tests::{at, line, on};
    use super::*;

    #[test]
    fn numbers() {
        for (value, expected) in [
            (0, "0"),
            (1, "1"),
            (16, "16"),
            (21, "21"),
            (71, "71"),
            (100, "100"),
            (101, "100 1"),
            (200, "200"),
            (1000, "1000"),
            (1001, "1000 1"),
            (1100, "1000 100"),
            (21_021, "21 thousand 21"),
            (101_000, "100 1-m thousand"),
            (1_000_000, "1000000"),
            (2_000_001, "2 millions 1"),
            (101_000_000, "100 1-f millions"),
            (NUMBER_MAX, "900 99 millions 900 99 thousand 900 99"),
        ] {
            assert_eq!(line(&number(value)), expected, "{value}");
        }
        assert_eq!(number(1_000_000_000), digits("1000000000"));
    }

    #[test]
    fn a_number_agrees_with_its_noun() {
        for (count, noun, expected) in [
            (0, Noun::Calls, "0 calls"),
            (1, Noun::Calls, "1-m call"),
            (1, Noun::OtherCalls, "1-m other-call"),
            (2, Noun::Calls, "2 calls"),
            (21, Noun::Calls, "21 calls"),
            (101, Noun::Calls, "100 1 calls"),
            (1_000_000, Noun::Calls, "1000000 calls"),
            (1, Noun::Seconds, "1-f second"),
            (1, Noun::Hours, "1-f hour"),
            (1, Noun::People, "1-f person"),
            (21, Noun::Seconds, "21 seconds"),
            (1, Noun::Percent, "1-m percent"),
            (1, Noun::Members, "1-m member"),
            (1, Noun::Handsets, "1-m handset"),
        ] {
            assert_eq!(line(&counted(count, noun)), expected, "{count} {noun:?}");
        }
    }

    #[test]
    fn times() {
        for (hour, minute, expected) in [
            (0, 0, "hour-0"),
            (0, 5, "hour-0 5"),
            (1, 0, "hour-1"),
            (1, 1, "hour-1 1"),
            (7, 5, "hour-7 5"),
            (12, 0, "hour-12"),
            (12, 30, "hour-12 30"),
            (13, 0, "hour-13"),
            (21, 21, "hour-21 21"),
            (23, 9, "hour-23 9"),
        ] {
            assert_eq!(line(&time(at(hour, minute))), expected, "{hour}:{minute:02}");
        }
    }

    #[test]
    fn dates() {
        for (civil, expected) in [
            (on(2026, 3, 3, 1), "weekday-1 day-3 month-3 2000 26"),
            (on(2026, 1, 1, 3), "weekday-3 day-1 month-1 2000 26"),
            (on(2000, 12, 31, 6), "weekday-6 day-31 month-12 2000"),
            (on(1999, 6, 7, 0), "weekday-0 day-7 month-6 19 hundred 99"),
            (on(1900, 6, 7, 0), "weekday-0 day-7 month-6 19 hundred"),
            (on(2005, 6, 7, 1), "weekday-1 day-7 month-6 2000 5"),
            (on(2100, 6, 7, 0), "weekday-0 day-7 month-6 2000 100"),
        ] {
            assert_eq!(line(&date(civil)), expected, "{civil:?}");
        }
        assert_eq!(line(&moment(at(7, 5))), "weekday-1 day-3 month-3 2000 26 hour-7 5");
    }
}
