//! Times as programs write them and as people say them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::{Civil, Wall};

/// How the names of files tell a time.
const FILE_TIME: &str = "%Y%m%dT%H%M%S";

/// RFC 3339 in UTC, always with milliseconds, such as `2026-01-31T08:15:00.123Z`; a time that no calendar has is the epoch.
pub fn rfc3339(at: Wall) -> String {
    format!("{:.3}", Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// UTC to the second as the names of files have it, such as `20260131T081500`; a time that no calendar has is the epoch.
pub fn file_time(at: Wall) -> String {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).strftime(FILE_TIME).to_string()
}

/// The moment that [`file_time`] has written; `None` for any other text.
pub fn parse_file_time(text: &str) -> Option<Wall> {
    let at = DateTime::strptime(FILE_TIME, text).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Wall(at.as_millisecond())).filter(|at| file_time(*at) == text)
}

/// The local date and time, by the system's time zone; `None` for a time that no calendar has.
pub fn civil(at: Wall) -> Option<Civil> {
    civil_in(at, &TimeZone::system())
}

fn civil_in(at: Wall, zone: &TimeZone) -> Option<Civil> {
    let local = Timestamp::from_millisecond(at.0).ok()?.to_zoned(zone.clone());
    Some(Civil {
        year: u16::try_from(local.year()).ok()?,
        month: u8::try_from(local.month()).ok()?,
        day: u8::try_from(local.day()).ok()?,
        weekday: u8::try_from(local.weekday().to_monday_zero_offset()).ok()?,
        hour: u8::try_from(local.hour()).ok()?,
        minute: u8::try_from(local.minute()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_is_by_the_zone() {
        // 2026-03-01T23:30:00Z, a Sunday; half past midnight on Monday in Berlin.
        let at = Wall(1_772_407_800_000);
        let berlin = TimeZone::fixed(jiff::tz::offset(1));
        let expected = Civil { year: 2026, month: 3, day: 2, weekday: 0, hour: 0, minute: 30 };
        assert_eq!(civil_in(at, &berlin), Some(expected));
        assert_eq!(rfc3339(at), "2026-03-01T23:30:00.000Z");
    }

    #[test]
    fn the_names_of_files_have_utc() {
        let at = Wall(1_772_407_800_000);
        assert_eq!(file_time(at), "20260301T233000");
        assert_eq!(parse_file_time("20260301T233000"), Some(at));
        for other in ["", "20260301", "20260301T233000Z", "2026-03-01T23:30:00", "20260231T000000", "+2026301T233000"] {
            assert_eq!(parse_file_time(other), None, "{other}");
        }
    }
}
