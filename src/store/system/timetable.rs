//! When it is day, night or a holiday by the timetable. Pure: the local time is an argument.

use std::fmt;

use serde::Serialize;

use crate::access::Mode;
use crate::model::Civil;

/// The names of the days, Monday first.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;
/// Most spans of a timetable.
pub const SPANS_MAX: usize = 200;
/// Most holidays of a timetable.
pub const HOLIDAYS_MAX: usize = 1000;

/// A span of a weekday in which it is day: local time, the end not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// 0 (Monday) to 6 (Sunday).
    pub weekday: u8,
    /// 0 to 1439.
    pub from_minute: u16,
    /// 1 to 1440, after `from_minute`.
    pub to_minute: u16,
}

/// A local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// 1970 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// The timetable: day in its spans, night else; a holiday on its holidays. Without any span it is day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Timetable {
    /// Ascending, none of a day overlapping another.
    pub spans: Vec<Span>,
    /// Ascending.
    pub holidays: Vec<Date>,
}

/// What is done to a timetable, whatever it is by then: two who edit at a time lose nothing of each other's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimetableEdit {
    /// These spans instead of the present ones.
    Spans(Vec<Span>),
    /// One more holiday; no change where it is one.
    AddHoliday(Date),
    /// One holiday less; no change where it is none.
    RemoveHoliday(Date),
    /// Neither spans nor holidays.
    Clear,
}

impl Timetable {
    /// The timetable after an edit; an error as [`Timetable::checked`].
    pub fn edited(&self, edit: TimetableEdit) -> Result<Self, String> {
        let mut table = self.clone();
        match edit {
            TimetableEdit::Spans(spans) => table.spans = spans,
            TimetableEdit::AddHoliday(date) => table.holidays.push(date),
            TimetableEdit::RemoveHoliday(date) => table.holidays.retain(|day| *day != date),
            TimetableEdit::Clear => table = Self::default(),
        }
        table.checked()
    }

    /// The mode at a local time.
    pub fn mode_at(&self, at: Civil) -> Mode {
        let today = Date { year: at.year, month: at.month, day: at.day };
        if self.holidays.contains(&today) {
            return Mode::Holiday;
        }
        let minute = u16::from(at.hour) * 60 + u16::from(at.minute);
        let is_in = |s: &Span| s.weekday == at.weekday && (s.from_minute..s.to_minute).contains(&minute);
        if self.spans.is_empty() || self.spans.iter().any(is_in) { Mode::Day } else { Mode::Night }
    }

    /// Takes `mon-fri 08:00-17:00` or `sat 09:00-12:00`: a day or a run of days (also over the end of the week), and
    /// from when to when; 24:00 is the end of a day.
    pub fn parse_span(text: &str) -> Result<Vec<Span>, String> {
        let expected = || format!("`{text}`: expected DAYS FROM-TO, such as \"mon-fri 08:00-17:00\"");
        let (days, times) = text.trim().split_once(' ').ok_or_else(expected)?;
        let (from, to) = times.trim().split_once('-').ok_or_else(expected)?;
        let (from_minute, to_minute) = (minute(from).ok_or_else(expected)?, minute(to).ok_or_else(expected)?);
        if from_minute >= to_minute {
            return Err(format!(
                "`{text}`: it must end after it begins; a span over midnight is two, one for each day"
            ));
        }
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (first, last) = (weekday(first).ok_or_else(expected)?, weekday(last).ok_or_else(expected)?);
        let length = (last + 7 - first) % 7;
        Ok((0..=length).map(|n| Span { weekday: (first + n) % 7, from_minute, to_minute }).collect())
    }

    /// The spans and holidays in their order; an error where spans overlap or there are too many.
    pub fn checked(mut self) -> Result<Self, String> {
        self.spans.sort_unstable();
        self.holidays.sort_unstable();
        self.holidays.dedup();
        if self.spans.len() > SPANS_MAX || self.holidays.len() > HOLIDAYS_MAX {
            return Err(format!("a timetable has at most {SPANS_MAX} spans and {HOLIDAYS_MAX} holidays"));
        }
        match self.spans.windows(2).find(|w| w[0].weekday == w[1].weekday && w[1].from_minute < w[0].to_minute) {
            Some(both) => Err(format!("{} and {} overlap: write them as one", both[0], both[1])),
            None => Ok(self),
        }
    }
}

impl Date {
    /// Takes `2026-12-25`; a day that no calendar has is an error.
    pub fn parse(text: &str) -> Result<Self, String> {
        let date: jiff::civil::Date =
            text.parse().map_err(|_| format!("`{text}`: expected a day such as 2026-12-25"))?;
        let year = u16::try_from(date.year()).ok().filter(|year| (1970..=9999).contains(year));
        let year = year.ok_or_else(|| format!("`{text}`: expected a year from 1970 to 9999"))?;
        Ok(Self { year, month: date.month().unsigned_abs(), day: date.day().unsigned_abs() })
    }
}

fn weekday(name: &str) -> Option<u8> {
    let name = name.trim().to_ascii_lowercase();
    WEEKDAYS.iter().position(|known| *known == name).and_then(|n| u8::try_from(n).ok())
}

fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |digits: &str| (digits.len() <= 2).then(|| digits.parse::<u16>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let fits = hours <= 24 && minutes < 60;
    fits.then_some(hours * 60 + minutes).filter(|minute| *minute <= DAY_MINUTES)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = WEEKDAYS.get(usize::from(self.weekday)).copied().unwrap_or_default();
        let (from, to) = (self.from_minute, self.to_minute);
        write!(f, "{day} {:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(spans: &[&str], holidays: &[&str]) -> Timetable {
        let spans = spans.iter().flat_map(|text| Timetable::parse_span(text).expect(text)).collect();
        let holidays = holidays.iter().map(|text| Date::parse(text).expect(text)).collect();
        Timetable { spans, holidays }.checked().expect("a timetable")
    }

    #[test]
    fn day_night_and_holidays() {
        let table = table(&["mon-fri 08:00-17:00", "sat 09:00-12:30"], &["2026-12-25"]);
        for (day, weekday, hour, minute, expected) in [
            (21, 0, 8, 0, Mode::Day),
            (21, 0, 7, 59, Mode::Night),
            (21, 0, 16, 59, Mode::Day),
            (21, 0, 17, 0, Mode::Night),
            (25, 4, 10, 0, Mode::Holiday),
            (26, 5, 12, 29, Mode::Day),
            (26, 5, 12, 30, Mode::Night),
            (27, 6, 10, 0, Mode::Night),
        ] {
            let at = Civil { year: 2026, month: 12, day, weekday, hour, minute };
            assert_eq!(table.mode_at(at), expected, "{at:?}");
        }
        let at = Civil { year: 2026, month: 12, day: 27, weekday: 6, hour: 3, minute: 0 };
        assert_eq!(Timetable::default().mode_at(at), Mode::Day, "without a timetable it is day");
    }

    #[test]
    fn spans_are_read_and_written() {
        let written =
            |text| Timetable::parse_span(text).map(|spans| spans.iter().map(Span::to_string).collect::<Vec<_>>());
        assert_eq!(
            written("fri-mon 22:00-24:00").expect("a span").join(", "),
            "fri 22:00-24:00, sat 22:00-24:00, sun 22:00-24:00, mon 22:00-24:00"
        );
        assert_eq!(written("Sun 8:00-9:05").expect("a span"), ["sun 08:00-09:05"]);
        for wrong in [
            "",
            "mon",
            "mon 8-9",
            "mon 08:00",
            "xyz 08:00-09:00",
            "mon 08:60-09:00",
            "mon 08:00-24:01",
            "mon 09:00-08:00",
            "mon-xyz 08:00-09:00",
        ] {
            assert!(Timetable::parse_span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn overlaps_and_days_that_there_are_not() {
        let spans = ["mon 08:00-12:00", "mon-tue 11:59-13:00"];
        let spans = spans.iter().flat_map(|text| Timetable::parse_span(text).expect(text)).collect();
        let error = Timetable { spans, holidays: Vec::new() }.checked().expect_err("an overlap");
        assert_eq!(error, "mon 08:00-12:00 and mon 11:59-13:00 overlap: write them as one");
        assert!(Date::parse("2026-02-29").is_err());
        assert!(Date::parse("25.12.2026").is_err());
        assert_eq!(Date::parse("2028-02-29").map(|d| d.to_string()), Ok("2028-02-29".to_owned()));
    }
    #[test]
    fn a_timetable_has_so_many_spans_and_holidays_and_no_more() {
        let spans = |count: u16| -> Vec<Span> {
            let span = |n| Span { weekday: (n % 7) as u8, from_minute: n / 7 * 2, to_minute: n / 7 * 2 + 1 };
            (0..count).map(span).collect()
        };
        let holidays =
            |count: u16| -> Vec<Date> { (0..count).map(|n| Date { year: 2000 + n, month: 12, day: 25 }).collect() };
        let mut full = Timetable { spans: spans(200), holidays: holidays(1000) }.checked().expect("so many");
        full = full.edited(TimetableEdit::AddHoliday(holidays(1)[0])).expect("that is one already");
        assert_eq!((full.spans.len(), full.holidays.len()), (200, 1000));
        for one_more in [TimetableEdit::Spans(spans(201)), TimetableEdit::AddHoliday(holidays(1001)[1000])] {
            let why = full.edited(one_more).expect_err("one more");
            assert_eq!(why, "a timetable has at most 200 spans and 1000 holidays");
        }
    }
}
