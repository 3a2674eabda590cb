//! Spanish of Latin America: "el martes tres de marzo de dos mil veintiséis, a la una y cinco de la tarde".

use super::Noun;
use super::parts::{
    BELOW_100, DIGITS, HOURS_12, HUNDREDS, MILLIONS, MONTHS, OF, ON, ONE_MILLION, Part, THOUSAND, THOUSANDS, WEEKDAYS,
    cardinal, ends_in_millions, form, forms, nth,
};
pub use super::parts::{NUMBER_MAX, digits};
use crate::model::{Civil, Clip};

/// Before a masculine noun, and before "mil": "un", "veintiún".
const MASCULINE: [(u32, Clip); 9] = forms!("number-" "-m": 1 21 31 41 51 61 71 81 91);
/// Before a feminine noun: "una", "veintiuna".
const FEMININE: [(u32, Clip); 9] = forms!("number-" "-f": 1 21 31 41 51 61 71 81 91);
/// Before a feminine noun: "doscientas".
const FEMININE_HUNDREDS: [(u32, Clip); 8] = forms!("number-" "-f": 200 300 400 500 600 700 800 900);
/// One hundred with more after it: "ciento".
const HUNDRED_AND: Clip = "number-100-and";

/// The first of a month: "primero".
const FIRST: Clip = "day-1";

/// Between the hour and the minutes: "y".
const AND: Clip = "time-and";
/// "y cuarto" and "y media".
const QUARTER: Clip = "time-quarter";
const HALF: Clip = "time-half";

const DAWN: Clip = "time-dawn";
const MORNING: Clip = "time-morning";
const NOON: Clip = "time-noon";
const AFTERNOON: Clip = "time-afternoon";
const NIGHT: Clip = "time-night";

/// What follows a number decides its ending.
#[derive(Clone, Copy)]
enum Before {
    /// "veintiuno".
    Nothing,
    /// "veintiún segundos".
    Masculine,
    /// "veintiuna llamadas".
    Feminine,
}

/// A cardinal number, up to [`NUMBER_MAX`]: 1,042 is "mil cuarenta y dos".
pub fn number(number: u32) -> Vec<Clip> {
    number_before(number, Before::Nothing)
}

/// A number and its noun: "una llamada", "veintiuna llamadas", "un millón de llamadas".
pub fn counted(count: u32, noun: Noun) -> Vec<Clip> {
    let before = match noun {
        Noun::OtherCalls | Noun::Calls | Noun::Hours | Noun::People => Before::Feminine,
        Noun::Seconds | Noun::Milliseconds | Noun::Megabytes | Noun::Members | Noun::Handsets => Before::Masculine,
        // Not shortened: "uno por ciento".
        Noun::Percent => Before::Nothing,
    };
    let mut clips = number_before(count, before);
    if ends_in_millions(count) && noun != Noun::Percent {
        clips.push(OF);
    }
    clips.push(noun.clip(count == 1));
    clips
}

/// A day and a time: "el martes tres de marzo de dos mil veintiséis, a las siete de la mañana".
pub fn moment(at: Civil) -> Vec<Clip> {
    [vec![ON], date(at), time(at)].concat()
}

/// A time of day on the 12-hour clock: 13:05 is "a la una y cinco de la tarde", 7:00 "a las siete de la mañana".
pub fn time(at: Civil) -> Vec<Clip> {
    let hour = match at.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let part_of_day = match (at.hour, at.minute) {
        (0, 0) => NIGHT,
        (0..=5, _) => DAWN,
        (6..=11, _) => MORNING,
        (12, 0) => NOON,
        (12..=18, _) => AFTERNOON,
        _ => NIGHT,
    };
    let minutes = match at.minute {
        0 => Vec::new(),
        15 => vec![QUARTER],
        30 => vec![HALF],
        minute => [vec![AND], number(u32::from(minute))].concat(),
    };
    nth(&HOURS_12, 1, hour).into_iter().chain(minutes).chain([part_of_day]).collect()
}

/// A date: weekday, day (the first as an ordinal), "de" and the month, "de" and the year; a part that no calendar has is
/// left out.
pub fn date(at: Civil) -> Vec<Clip> {
    let day = match at.day {
        1 => Some(FIRST),
        2..=31 => nth(&BELOW_100, 0, at.day),
        _ => None,
    };
    let parts = [nth(&WEEKDAYS, 0, at.weekday), day, nth(&MONTHS, 1, at.month), Some(OF)];
    parts.into_iter().flatten().chain(number(u32::from(at.year))).collect()
}

fn number_before(number: u32, before: Before) -> Vec<Clip> {
    cardinal(number, |part, place| match (place, before) {
        (Part::Last, before) => below_1000(part, before),
        (Part::Thousands, Before::Feminine) => below_1000(part, Before::Feminine),
        (Part::Thousands | Part::Millions, _) => below_1000(part, Before::Masculine),
    })
}

fn below_1000(number: u32, before: Before) -> Vec<Clip> {
    let (hundreds, rest) = (number / 100 * 100, number % 100);
    let own = |masculine, feminine, number| match before {
        Before::Nothing => None,
        Before::Masculine => form(masculine, number),
        Before::Feminine => form(feminine, number),
    };
    let hundreds_clip = match (hundreds, rest) {
        (100, 1..) => Some(HUNDRED_AND),
        _ => own(&[], &FEMININE_HUNDREDS, hundreds).or(nth(&HUNDREDS, 1, hundreds / 100)),
    };
    let rest_clip = own(&MASCULINE, &FEMININE, rest).or(nth(&BELOW_100, 0, rest));
    hundreds_clip.into_iter().chain(rest_clip.filter(|_| rest > 0 || hundreds == 0)).collect()
}

/// Every clip that these rules can ask for, but for the nouns.
pub fn clips() -> impl Iterator<Item = Clip> {
    let tables: [&'static [Clip]; 7] = [&DIGITS, &BELOW_100, &HUNDREDS, &THOUSANDS, &HOURS_12, &MONTHS, &WEEKDAYS];
    let forms = [&MASCULINE[..], &FEMININE, &FEMININE_HUNDREDS].into_iter().flatten().map(|(_, clip)| *clip);
    let numbers = [HUNDRED_AND, THOUSAND, ONE_MILLION, MILLIONS, OF];
    let times = [FIRST, ON, AND, QUARTER, HALF, DAWN, MORNING, NOON, AFTERNOON, NIGHT];
    tables.into_iter().flatten().copied().chain(forms).chain(numbers).chain(times)
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
            (31, "31"),
            (100, "100"),
            (101, "100-and 1"),
            (121, "100-and 21"),
            (200, "200"),
            (521, "500 21"),
            (1000, "1000"),
            (1001, "1000 1"),
            (1100, "1000 100"),
            (1101, "1000 100-and 1"),
            (2026, "2000 26"),
            (21_021, "21-m thousand 21"),
            (31_000, "31-m thousand"),
            (100_000, "100 thousand"),
            (101_000, "100-and 1-m thousand"),
            (200_000, "200 thousand"),
            (1_000_000, "1000000"),
            (1_001_000, "1000000 1000"),
            (21_000_000, "21-m millions"),
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
            (1, Noun::Calls, "1-f call"),
            (2, Noun::Calls, "2 calls"),
            (11, Noun::Calls, "11 calls"),
            (21, Noun::Calls, "21-f calls"),
            (31, Noun::OtherCalls, "31-f other-calls"),
            (100, Noun::Calls, "100 calls"),
            (101, Noun::Calls, "100-and 1-f calls"),
            (200, Noun::Calls, "200-f calls"),
            (221, Noun::People, "200-f 21-f people"),
            (200_021, Noun::Hours, "200-f thousand 21-f hours"),
            (200_000_000, Noun::Calls, "200 millions of calls"),
            (1, Noun::Seconds, "1-m second"),
            (21, Noun::Seconds, "21-m seconds"),
            (200, Noun::Megabytes, "200 megabytes"),
            (1_000_000, Noun::Seconds, "1000000 of seconds"),
            (1_000_001, Noun::Seconds, "1000000 1-m seconds"),
            (1, Noun::Percent, "1 percent"),
            (21, Noun::Percent, "21 percent"),
            (100, Noun::Percent, "100 percent"),
        ] {
            assert_eq!(line(&counted(count, noun)), expected, "{count} {noun:?}");
        }
    }

    #[test]
    fn times() {
        for (hour, minute, expected) in [
            (0, 0, "hour-12 time-night"),
            (0, 5, "hour-12 time-and 5 time-dawn"),
            (1, 0, "hour-1 time-dawn"),
            (1, 5, "hour-1 time-and 5 time-dawn"),
            (7, 0, "hour-7 time-morning"),
            (11, 59, "hour-11 time-and 59 time-morning"),
            (12, 0, "hour-12 time-noon"),
            (12, 30, "hour-12 time-half time-afternoon"),
            (13, 0, "hour-1 time-afternoon"),
            (18, 15, "hour-6 time-quarter time-afternoon"),
            (19, 0, "hour-7 time-night"),
            (23, 9, "hour-11 time-and 9 time-night"),
        ] {
            assert_eq!(line(&time(at(hour, minute))), expected, "{hour}:{minute:02}");
        }
    }

    #[test]
    fn dates() {
        for (civil, expected) in [
            (on(2026, 3, 3, 1), "weekday-1 3 month-3 of 2000 26"),
            (on(2026, 1, 1, 3), "weekday-3 day-1 month-1 of 2000 26"),
            (on(2028, 2, 21, 0), "weekday-0 21 month-2 of 2000 28"),
            (on(2000, 12, 31, 6), "weekday-6 31 month-12 of 2000"),
            (on(1999, 6, 7, 0), "weekday-0 7 month-6 of 1000 900 99"),
            (on(2005, 6, 7, 1), "weekday-1 7 month-6 of 2000 5"),
        ] {
            assert_eq!(line(&date(civil)), expected, "{civil:?}");
        }
        assert_eq!(line(&moment(at(13, 5))), "date-on weekday-1 3 month-3 of 2000 26 hour-1 time-and 5 time-afternoon");
    }
}
