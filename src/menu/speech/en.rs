//! English: "Tuesday, March third, twenty twenty-six, seven oh five p m".

use super::Noun;
use crate::model::{Civil, Clip};

const DIGITS: [Clip; 10] =
    ["digit-0", "digit-1", "digit-2", "digit-3", "digit-4", "digit-5", "digit-6", "digit-7", "digit-8", "digit-9"];

/// Zero to nineteen: the numbers with a word of their own.
const SMALL: [Clip; 20] = [
    "number-0",
    "number-1",
    "number-2",
    "number-3",
    "number-4",
    "number-5",
    "number-6",
    "number-7",
    "number-8",
    "number-9",
    "number-10",
    "number-11",
    "number-12",
    "number-13",
    "number-14",
    "number-15",
    "number-16",
    "number-17",
    "number-18",
    "number-19",
];

/// Twenty to ninety.
const TENS: [Clip; 8] =
    ["number-20", "number-30", "number-40", "number-50", "number-60", "number-70", "number-80", "number-90"];

const HUNDRED: Clip = "number-hundred";
const THOUSAND: Clip = "number-thousand";
const MILLION: Clip = "number-million";

const DAYS: [Clip; 31] = [
    "day-1", "day-2", "day-3", "day-4", "day-5", "day-6", "day-7", "day-8", "day-9", "day-10", "day-11", "day-12",
    "day-13", "day-14", "day-15", "day-16", "day-17", "day-18", "day-19", "day-20", "day-21", "day-22", "day-23",
    "day-24", "day-25", "day-26", "day-27", "day-28", "day-29", "day-30", "day-31",
];

const MONTHS: [Clip; 12] = [
    "month-1", "month-2", "month-3", "month-4", "month-5", "month-6", "month-7", "month-8", "month-9", "month-10",
    "month-11", "month-12",
];

const WEEKDAYS: [Clip; 7] = ["weekday-0", "weekday-1", "weekday-2", "weekday-3", "weekday-4", "weekday-5", "weekday-6"];

const OH: Clip = "time-oh";
const AM: Clip = "time-am";
const PM: Clip = "time-pm";

/// The largest number that is said as a number; larger ones are said digit by digit.
pub const NUMBER_MAX: u32 = 999_999_999;

/// Digits one by one; what is no digit is left out.
pub fn digits(text: &str) -> Vec<Clip> {
    text.bytes().filter_map(|byte| DIGITS.get(usize::from(byte.wrapping_sub(b'0'))).copied()).collect()
}

/// A cardinal number, up to [`NUMBER_MAX`]: 1,042 is "one thousand forty-two".
pub fn number(number: u32) -> Vec<Clip> {
    if number > NUMBER_MAX {
        return digits(&number.to_string());
    }
    let mut clips = Vec::new();
    for (group, name) in [(number / 1_000_000, MILLION), (number / 1000 % 1000, THOUSAND)] {
        if group > 0 {
            push_below_1000(&mut clips, group);
            clips.push(name);
        }
    }
    let rest = number % 1000;
    if rest > 0 || number == 0 {
        push_below_1000(&mut clips, rest);
    }
    clips
}

/// A number and its noun: "one call", "two calls", "no" is up to who asks.
pub fn counted(count: u32, noun: Noun) -> Vec<Clip> {
    let mut clips = number(count);
    clips.push(noun.clip(count == 1));
    clips
}

/// A day and a time: "on Tuesday, March third, twenty twenty-six, at seven oh five p m".
pub fn moment(at: Civil) -> Vec<Clip> {
    let mut clips = vec!["date-on"];
    clips.extend(date(at));
    clips.push("time-at");
    clips.extend(time(at));
    clips
}

/// A time of day on the 12-hour clock: 13:05 is "one oh five p m", 13:00 "one p m".
pub fn time(at: Civil) -> Vec<Clip> {
    let hour = match at.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let mut clips = number(u32::from(hour));
    match at.minute {
        0 => {}
        1..=9 => {
            clips.push(OH);
            clips.extend(number(u32::from(at.minute)));
        }
        minute => clips.extend(number(u32::from(minute))),
    }
    clips.push(if at.hour < 12 { AM } else { PM });
    clips
}

/// A date: weekday, month, day as an ordinal, year as two pairs; a part that no calendar has is left out.
pub fn date(at: Civil) -> Vec<Clip> {
    let day = |table: &'static [Clip], index: Option<u8>| index.and_then(|i| table.get(usize::from(i)).copied());
    let mut clips: Vec<Clip> =
        [day(&WEEKDAYS, Some(at.weekday)), day(&MONTHS, at.month.checked_sub(1)), day(&DAYS, at.day.checked_sub(1))]
            .into_iter()
            .flatten()
            .collect();
    clips.extend(year(at.year));
    clips
}

/// 2026 is "twenty twenty-six", 2005 "twenty oh five", 1900 "nineteen hundred", 2000 "two thousand".
fn year(year: u16) -> Vec<Clip> {
    let (century, rest) = (u32::from(year / 100), u32::from(year % 100));
    if year < 1000 || year.is_multiple_of(1000) {
        return number(u32::from(year));
    }
    let mut clips = number(century);
    match rest {
        0 => clips.push(HUNDRED),
        1..=9 => {
            clips.push(OH);
            clips.extend(number(rest));
        }
        rest => clips.extend(number(rest)),
    }
    clips
}

fn push_below_1000(clips: &mut Vec<Clip>, number: u32) {
    let small = |n: u32| SMALL.get(n as usize).copied();
    let (hundreds, rest) = (number / 100, number % 100);
    if hundreds > 0 {
        clips.extend(small(hundreds));
        clips.push(HUNDRED);
    }
    if rest >= 20 {
        clips.extend(TENS.get((rest / 10 - 2) as usize).copied());
        if rest % 10 > 0 {
            clips.extend(small(rest % 10));
        }
    } else if rest > 0 || hundreds == 0 {
        clips.extend(small(rest));
    }
}

/// Every clip that these rules can ask for.
pub fn clips() -> impl Iterator<Item = Clip> {
    let tables: [&'static [Clip]; 6] = [&DIGITS, &SMALL, &TENS, &DAYS, &MONTHS, &WEEKDAYS];
    let nouns = Noun::ALL.into_iter().flat_map(|noun| [noun.clip(true), noun.clip(false)]).filter({
        let mut last = "";
        // What has one form for every number is listed once.
        move |clip| std::mem::replace(&mut last, clip) != *clip
    });
    let words = [HUNDRED, THOUSAND, MILLION, OH, AM, PM, "date-on", "time-at"];
    tables.into_iter().flatten().copied().chain(words).chain(nouns)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clips without the repeated part of their names, as one line.
    fn line(clips: &[Clip]) -> String {
        clips.iter().map(|clip| clip.trim_start_matches("number-")).collect::<Vec<_>>().join(" ")
    }

    fn at(hour: u8, minute: u8) -> Civil {
        Civil { year: 2026, month: 3, day: 3, weekday: 1, hour, minute }
    }

    #[test]
    fn numbers() {
        for (value, expected) in [
            (0, "0"),
            (1, "1"),
            (10, "10"),
            (19, "19"),
            (20, "20"),
            (21, "20 1"),
            (71, "70 1"),
            (99, "90 9"),
            (100, "1 hundred"),
            (101, "1 hundred 1"),
            (110, "1 hundred 10"),
            (342, "3 hundred 40 2"),
            (1000, "1 thousand"),
            (1001, "1 thousand 1"),
            (1042, "1 thousand 40 2"),
            (21_100, "20 1 thousand 1 hundred"),
            (100_000, "1 hundred thousand"),
            (1_000_000, "1 million"),
            (1_000_001, "1 million 1"),
            (71_071_071, "70 1 million 70 1 thousand 70 1"),
            (NUMBER_MAX, "9 hundred 90 9 million 9 hundred 90 9 thousand 9 hundred 90 9"),
        ] {
            assert_eq!(line(&number(value)), expected, "{value}");
        }
    }

    #[test]
    fn a_number_too_large_for_words_is_said_digit_by_digit() {
        assert_eq!(number(1_000_000_000), digits("1000000000"));
        assert_eq!(number(u32::MAX).len(), 10);
    }

    #[test]
    fn digits_are_said_one_by_one() {
        assert_eq!(digits("1042"), ["digit-1", "digit-0", "digit-4", "digit-2"]);
        assert_eq!(digits("-1a"), ["digit-1"]);
    }

    #[test]
    fn times() {
        for (hour, minute, expected) in [
            (0, 0, "12 time-am"),
            (0, 5, "12 time-oh 5 time-am"),
            (1, 0, "1 time-am"),
            (7, 5, "7 time-oh 5 time-am"),
            (9, 10, "9 10 time-am"),
            (11, 59, "11 50 9 time-am"),
            (12, 0, "12 time-pm"),
            (12, 30, "12 30 time-pm"),
            (13, 0, "1 time-pm"),
            (21, 21, "9 20 1 time-pm"),
            (23, 9, "11 time-oh 9 time-pm"),
        ] {
            assert_eq!(line(&time(at(hour, minute))), expected, "{hour}:{minute:02}");
        }
    }

    #[test]
    fn dates() {
        let on = |year, month, day, weekday| Civil { year, month, day, weekday, hour: 0, minute: 0 };
        for (civil, expected) in [
            (on(2026, 3, 3, 1), "weekday-1 month-3 day-3 20 20 6"),
            (on(2026, 1, 1, 3), "weekday-3 month-1 day-1 20 20 6"),
            (on(2028, 2, 29, 1), "weekday-1 month-2 day-29 20 20 8"),
            (on(2099, 12, 31, 3), "weekday-3 month-12 day-31 20 90 9"),
            (on(2000, 1, 1, 5), "weekday-5 month-1 day-1 2 thousand"),
            (on(2005, 6, 7, 1), "weekday-1 month-6 day-7 20 time-oh 5"),
            (on(1900, 1, 1, 0), "weekday-0 month-1 day-1 19 hundred"),
            (on(2010, 5, 21, 4), "weekday-4 month-5 day-21 20 10"),
            (on(2100, 5, 21, 4), "weekday-4 month-5 day-21 20 1 hundred"),
        ] {
            assert_eq!(line(&date(civil)), expected, "{civil:?}");
        }
    }

    #[test]
    fn a_date_that_no_calendar_has_is_no_panic() {
        let nonsense = Civil { year: 0, month: 0, day: 0, weekday: 7, hour: 99, minute: 255 };
        assert_eq!(line(&date(nonsense)), "0");
        assert_eq!(line(&time(nonsense)), "3 2 hundred 50 5 time-pm");
    }

    #[test]
    fn every_clip_that_is_said_is_listed() {
        let listed: Vec<Clip> = clips().collect();
        let said = (0..2000).flat_map(number).chain((0..24).flat_map(|h| (0..60).flat_map(move |m| time(at(h, m)))));
        let days = (1..=31).flat_map(|day| date(Civil { day, month: day.min(12), weekday: day % 7, ..at(0, 0) }));
        let counts = Noun::ALL.into_iter().flat_map(|noun| [counted(1, noun), counted(2, noun)]).flatten();
        for clip in said.chain(days).chain(counts).chain(moment(at(0, 0))) {
            assert!(listed.contains(&clip), "{clip}");
        }
        assert_eq!(listed.len(), 10 + 20 + 8 + 31 + 12 + 7 + 8 + 19);
    }
}
