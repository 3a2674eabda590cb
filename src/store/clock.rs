//! Times as programs write them and as people say them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{Civil, Wall};

/// RFC 3339 in UTC, always with milliseconds, such as `2026-01-31T08:15:00.123Z`; a time that no calendar has is the epoch.
pub fn rfc3339(at: Wall) -> String {
    format!("{:.3}", Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// The local date and time, by the system's time zone.
pub(super) fn civil(at: Wall) -> Option<Civil> {
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
}
