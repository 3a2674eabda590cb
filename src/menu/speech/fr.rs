//! French: "le mardi trois mars deux mille vingt-six, à treize heures cinq".
//!
//! What follows a number changes how it ends: "six" alone has an /s/, "six secondes" has none, and in "six appels" it is a
//! /z/ that the noun begins with (the linked clips).

use super::Noun;
use super::parts::{
    AT, BELOW_100, DIGITS, HOURS_24, HUNDREDS, MILLIONS, MONTHS, OF, ON, ONE_MILLION, Part, THOUSAND, THOUSANDS,
    WEEKDAYS, cardinal, ends_in_millions, form, forms, nth,
};
pub use super::parts::{NUMBER_MAX, digits};
use crate::model::{Civil, Clip};

/// Before a feminine noun: "une", "vingt et une".
const FEMININE: [(u32, Clip); 7] = forms!("number-" "-f": 1 21 31 41 51 61 81);
/// Without the last consonant: "six", "huit" and "dix" before another consonant.
const SHORT: [(u32, Clip); 20] = forms!("number-" "-short": 6 8 10 18 26 28 36 38 46 48 56 58 66 68 70 78 86 88 90 98);

/// "un appel" and "un autre appel", in one clip for the /n/ between.
const ONE_CALL: Clip = "call-one";
const ONE_OTHER_CALL: Clip = "other-call-one";
/// With the /z/ of the number before it.
const CALLS_LINKED: Clip = "calls-linked";
const OTHER_CALLS_LINKED: Clip = "other-calls-linked";
const HOURS_LINKED: Clip = "hours-linked";

/// The first of a month: "premier".
const FIRST: Clip = "day-1";
/// April, August and October begin with a vowel.
const MONTHS_WITH_A_VOWEL: [u8; 3] = [4, 8, 10];

/// What follows a number decides its ending.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Consonant,
    Vowel,
}

/// A cardinal number, up to [`NUMBER_MAX`]: 1,042 is "mille quarante-deux".
pub fn number(number: u32) -> Vec<Clip> {
    number_before(number, Before::Nothing, false)
}

/// A number and its noun, in the singular below two: "zéro appel", "un appel", "vingt et une secondes".
pub fn counted(count: u32, noun: Noun) -> Vec<Clip> {
    let (feminine, linked) = match noun {
        Noun::Calls if count == 1 => return vec![ONE_CALL],
        Noun::OtherCalls if count == 1 => return vec![ONE_OTHER_CALL],
        Noun::Calls => (false, Some(CALLS_LINKED)),
        Noun::OtherCalls => (false, Some(OTHER_CALLS_LINKED)),
        Noun::Hours => (true, Some(HOURS_LINKED)),
        Noun::Seconds | Noun::Milliseconds | Noun::People => (true, None),
        Noun::Megabytes | Noun::Percent | Noun::Members | Noun::Handsets => (false, None),
    };
    let before = if linked.is_some() { Before::Vowel } else { Before::Consonant };
    let mut clips = number_before(count, before, feminine);
    // Calls and hours would need "d'", and never come in millions.
    if ends_in_millions(count) && before == Before::Consonant && noun != Noun::Percent {
        clips.push(OF);
    }
    clips.push(linked.filter(|_| links(count)).unwrap_or(noun.clip(count < 2)));
    clips
}

/// A day and a time: "le mardi trois mars deux mille vingt-six, à treize heures cinq".
pub fn moment(at: Civil) -> Vec<Clip> {
    [vec![ON], date(at), vec![AT], time(at)].concat()
}

/// A time of day on the 24-hour clock: 13:05 is "treize heures cinq", 1:21 "une heure vingt et une", 12:30 "midi trente".
pub fn time(at: Civil) -> Vec<Clip> {
    let minute = u32::from(at.minute);
    let minutes = if minute == 0 { Vec::new() } else { number_before(minute, Before::Nothing, true) };
    nth(&HOURS_24, 0, at.hour).into_iter().chain(minutes).collect()
}

/// A date: weekday, day (the first as an ordinal), month, year; a part that no calendar has is left out.
pub fn date(at: Civil) -> Vec<Clip> {
    let before = if MONTHS_WITH_A_VOWEL.contains(&at.month) { Before::Nothing } else { Before::Consonant };
    let day = match at.day {
        1 => vec![FIRST],
        2..=31 => number_before(u32::from(at.day), before, false),
        _ => Vec::new(),
    };
    let weekday = nth(&WEEKDAYS, 0, at.weekday);
    let month = nth(&MONTHS, 1, at.month);
    weekday.into_iter().chain(day).chain(month).chain(number(u32::from(at.year))).collect()
}

fn number_before(number: u32, before: Before, feminine: bool) -> Vec<Clip> {
    // "mille" and "millions", which follow the other parts, are masculine and begin with a consonant.
    cardinal(number, |part, place| match place {
        Part::Last => below_1000(part, before, feminine),
        _ => below_1000(part, Before::Consonant, false),
    })
}

fn below_1000(number: u32, before: Before, feminine: bool) -> Vec<Clip> {
    let (hundreds, rest) = (number / 100, number % 100);
    let short = match before {
        Before::Nothing => None,
        Before::Consonant => form(&SHORT, rest),
        Before::Vowel => form(&SHORT, rest).filter(|_| links(rest)),
    };
    let feminine = form(&FEMININE, rest).filter(|_| feminine);
    let rest_clip = short.or(feminine).or(nth(&BELOW_100, 0, rest)).filter(|_| rest > 0 || hundreds == 0);
    nth(&HUNDREDS, 1, hundreds).into_iter().chain(rest_clip).collect()
}

/// Whether a number ends in an /s/ or /x/ of its spelling, which a vowel makes heard: "deux", "dix", "quatre-vingts".
fn links(number: u32) -> bool {
    match number % 100 {
        0 => number % 1000 >= 200,
        10 | 70 | 80 | 90 => true,
        11..=19 | 71..=79 | 91..=99 => false,
        rest => matches!(rest % 10, 2 | 3 | 6),
    }
}

/// Every clip that these rules can ask for, but for the nouns that all languages have.
pub fn clips() -> impl Iterator<Item = Clip> {
    let tables: [&'static [Clip]; 7] = [&DIGITS, &BELOW_100, &HUNDREDS, &THOUSANDS, &HOURS_24, &MONTHS, &WEEKDAYS];
    let forms = [&FEMININE[..], &SHORT].into_iter().flatten().map(|(_, clip)| *clip);
    let nouns = [ONE_CALL, ONE_OTHER_CALL, CALLS_LINKED, OTHER_CALLS_LINKED, HOURS_LINKED];
    let others = [THOUSAND, ONE_MILLION, MILLIONS, OF, FIRST, ON, AT];
    tables.into_iter().flatten().copied().chain(forms).chain(nouns).chain(others)
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
            (6, "6"),
            (16, "16"),
            (21, "21"),
            (71, "71"),
            (80, "80"),
            (81, "81"),
            (91, "91"),
            (100, "100"),
            (101, "100 1"),
            (200, "200"),
            (201, "200 1"),
            (1000, "1000"),
            (1001, "1000 1"),
            (1100, "1000 100"),
            (6000, "6000"),
            (10_000, "10-short thousand"),
            (21_021, "21 thousand 21"),
            (80_000, "80 thousand"),
            (100_000, "100 thousand"),
            (206_000, "200 6-short thousand"),
            (1_000_000, "1000000"),
            (2_000_000, "2 millions"),
            (8_000_008, "8-short millions 8"),
            (NUMBER_MAX, "900 99 millions 900 99 thousand 900 99"),
        ] {
            assert_eq!(line(&number(value)), expected, "{value}");
        }
        assert_eq!(number(1_000_000_000), digits("1000000000"));
    }

    #[test]
    fn a_number_agrees_with_its_noun() {
        for (count, noun, expected) in [
            (0, Noun::Calls, "0 call"),
            (1, Noun::Calls, "call-one"),
            (1, Noun::OtherCalls, "other-call-one"),
            (2, Noun::Calls, "2 calls-linked"),
            (4, Noun::Calls, "4 calls"),
            (6, Noun::OtherCalls, "6-short other-calls-linked"),
            (8, Noun::Calls, "8 calls"),
            (21, Noun::Calls, "21 calls"),
            (80, Noun::Calls, "80 calls-linked"),
            (200, Noun::Calls, "200 calls-linked"),
            (1000, Noun::Calls, "1000 calls"),
            (0, Noun::Seconds, "0 second"),
            (1, Noun::Seconds, "1-f second"),
            (2, Noun::Seconds, "2 seconds"),
            (6, Noun::Seconds, "6-short seconds"),
            (10, Noun::Seconds, "10-short seconds"),
            (11, Noun::Seconds, "11 seconds"),
            (16, Noun::Seconds, "16 seconds"),
            (21, Noun::Seconds, "21-f seconds"),
            (71, Noun::Seconds, "71 seconds"),
            (81, Noun::Seconds, "81-f seconds"),
            (91, Noun::Seconds, "91 seconds"),
            (101, Noun::People, "100 1-f people"),
            (21_000, Noun::Milliseconds, "21 thousand milliseconds"),
            (1, Noun::Hours, "1-f hour"),
            (3, Noun::Hours, "3 hours-linked"),
            (24, Noun::Hours, "24 hours"),
            (1, Noun::Megabytes, "1 megabyte"),
            (1_000_000, Noun::Megabytes, "1000000 of megabytes"),
            (98, Noun::Percent, "98-short percent"),
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
            (1, 5, "hour-1 5"),
            (1, 1, "hour-1 1-f"),
            (7, 21, "hour-7 21-f"),
            (12, 0, "hour-12"),
            (12, 30, "hour-12 30"),
            (13, 0, "hour-13"),
            (23, 9, "hour-23 9"),
        ] {
            assert_eq!(line(&time(at(hour, minute))), expected, "{hour}:{minute:02}");
        }
    }

    #[test]
    fn dates() {
        for (civil, expected) in [
            (on(2026, 3, 3, 1), "weekday-1 3 month-3 2000 26"),
            (on(2026, 1, 1, 3), "weekday-3 day-1 month-1 2000 26"),
            (on(2026, 3, 6, 4), "weekday-4 6-short month-3 2000 26"),
            (on(2026, 10, 6, 1), "weekday-1 6 month-10 2000 26"),
            (on(2026, 8, 21, 4), "weekday-4 21 month-8 2000 26"),
            (on(2000, 12, 31, 6), "weekday-6 31 month-12 2000"),
            (on(1999, 6, 7, 0), "weekday-0 7 month-6 1000 900 99"),
            (on(2005, 6, 7, 1), "weekday-1 7 month-6 2000 5"),
        ] {
            assert_eq!(line(&date(civil)), expected, "{civil:?}");
        }
        assert_eq!(line(&moment(at(13, 5))), "date-on weekday-1 3 month-3 2000 26 time-at hour-13 5");
    }
}
