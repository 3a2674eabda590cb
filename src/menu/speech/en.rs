//! English: "Tuesday, March third, twenty twenty-six, seven oh five p m".

use super::Noun;
use super::parts::{AT, BELOW_100, DAYS, DIGITS, HUNDRED, MILLION, MONTHS, ON, THOUSAND, WEEKDAYS, nth};
pub use super::parts::{NUMBER_MAX, digits};
use crate::model::{Civil, Clip};

/// Zero to nineteen have a word of their own.
const SMALL_NUMBERS: usize = 20;
/// Twenty to ninety.
const TENS: [Clip; 8] =
    ["number-20", "number-30", "number-40", "number-50", "number-60", "number-70", "number-80", "number-90"];

const OH: Clip = "time-oh";
const AM: Clip = "time-am";
const PM: Clip = "time-pm";

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
    let mut clips = vec![ON];
    clips.extend(date(at));
    clips.push(AT);
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
    let parts = [nth(&WEEKDAYS, 0, at.weekday), nth(&MONTHS, 1, at.month), nth(&DAYS, 1, at.day)];
    let mut clips: Vec<Clip> = parts.into_iter().flatten().collect();
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
    let small = |n: u32| nth(&BELOW_100, 0, n);
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

/// Every clip that these rules can ask for, but for the nouns.
pub fn clips() -> impl Iterator<Item = Clip> {
    let small = BELOW_100.into_iter().take(SMALL_NUMBERS);
    let tables: [&'static [Clip]; 5] = [&DIGITS, &TENS, &DAYS, &MONTHS, &WEEKDAYS];
    let others = [HUNDRED, THOUSAND, MILLION, OH, AM, PM, ON, AT];
    small.chain(tables.into_iter().flatten().copied()).chain(others)
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
    fn one_call_and_two_calls() {
        for (count, expected) in [(0, "0 calls"), (1, "1 call"), (2, "2 calls"), (21, "20 1 calls")] {
            assert_eq!(line(&counted(count, Noun::Calls)), expected);
        }
    }
}
