//! The mode of the whole phone system: a setting that holds until it is changed, one that passes, and the timetable.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use sqlx::SqliteConnection;

use super::timetable::{Date, Span, Timetable, TimetableEdit};
use super::{Recorded, SYSTEM};
use crate::access::{Context, Mode, ModeSetting, Refusal, Reply};
use crate::model::{ChangeNumber, Wall};
use crate::store::clock::{civil, rfc3339};
use crate::store::error::StoreError;
use crate::store::rights::Stop;
use crate::store::tx::{Change, Write};
use crate::store::{AdminError, AdminReply, Store};

/// The longest passing mode that is set by phone, in hours.
pub const MODE_HOURS_MAX: u32 = 8760;
/// The name of a change of the mode, and of its event.
pub(in crate::store) const CHANGED: &str = "mode.changed";

/// The mode as it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set {
    /// What holds until it is changed.
    setting: ModeSetting,
    /// What holds instead until that time.
    passing: Option<(ModeSetting, Wall)>,
}

/// The mode as `mode show` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModeRow {
    /// What holds now: day, night or holiday.
    pub mode: &'static str,
    /// How it is set: one of these, or timetable.
    pub setting: &'static str,
    /// When the setting ends; null where it holds until it is changed. RFC 3339.
    pub until: Option<String>,
}

impl Set {
    async fn read(conn: &mut SqliteConnection) -> Result<Self, StoreError> {
        let sql = "SELECT setting, passing, passing_until FROM mode WHERE id = 1";
        let row: Option<(String, Option<String>, Option<i64>)> = sqlx::query_as(sql).fetch_optional(conn).await?;
        let (setting, passing, until) = row.ok_or_else(|| StoreError::Inconsistent("no mode".to_owned()))?;
        let passing = match (passing, until) {
            (Some(passing), Some(until)) => Some((parse(&passing)?, Wall(until))),
            _ => None,
        };
        Ok(Self { setting: parse(&setting)?, passing })
    }

    async fn write(self, write: &mut Write<'_>) -> Result<(), StoreError> {
        sqlx::query("UPDATE mode SET setting = $1, passing = $2, passing_until = $3 WHERE id = 1")
            .bind(self.setting.name())
            .bind(self.passing.map(|(setting, _)| setting.name()))
            .bind(self.passing.map(|(_, until)| until.0))
            .execute(write.conn())
            .await?;
        Ok(())
    }

    /// What holds at a time, and until when that is set.
    fn at(self, now: Wall) -> (ModeSetting, Option<Wall>) {
        match self.passing {
            Some((setting, until)) if now < until => (setting, Some(until)),
            Some(_) | None => (self.setting, None),
        }
    }

    /// As changes have it: `day`, or `holiday until 2026-12-26T07:00:00Z, then day`.
    fn text(self) -> String {
        match self.passing {
            Some((passing, until)) => {
                let until = Timestamp::from_second(until.0 / 1000).unwrap_or(Timestamp::UNIX_EPOCH);
                format!("{} until {until}, then {}", passing.name(), self.setting.name())
            }
            None => self.setting.name().to_owned(),
        }
    }

    /// What [`Set::text`] has written.
    fn parse(text: &str) -> Option<Self> {
        let Some((passing, setting)) = text.split_once(", then ") else {
            return Some(Self { setting: ModeSetting::parse(text)?, passing: None });
        };
        let (passing, until) = passing.split_once(" until ")?;
        let until: Timestamp = until.parse().ok()?;
        let passing = (ModeSetting::parse(passing)?, Wall(until.as_millisecond()));
        Some(Self { setting: ModeSetting::parse(setting)?, passing: Some(passing) })
    }
}

fn parse(name: &str) -> Result<ModeSetting, StoreError> {
    ModeSetting::parse(name).ok_or_else(|| StoreError::Inconsistent(format!("the mode `{name}`")))
}

/// What holds at a time, by the timetable where it is set so.
async fn effective(conn: &mut SqliteConnection, setting: ModeSetting, now: Wall) -> Result<Mode, StoreError> {
    match setting {
        ModeSetting::Fixed(mode) => Ok(mode),
        ModeSetting::Timetable => {
            let table = read_timetable(conn).await?;
            // A time that no calendar has is no reason to close.
            Ok(civil(now).map_or(Mode::Day, |at| table.mode_at(at)))
        }
    }
}

pub(in crate::store) async fn read(conn: &mut SqliteConnection, ctx: &Context) -> Result<Reply, Stop> {
    let (setting, until) = Set::read(conn).await?.at(ctx.now);
    let mode = effective(conn, setting, ctx.now).await?;
    Ok(Reply::Mode { mode, setting, until: until.and_then(civil) })
}

/// Sets the mode by phone, for so many hours or until it is changed.
pub(in crate::store) async fn set(
    write: &mut Write<'_>,
    setting: ModeSetting,
    hours: Option<u32>,
) -> Result<Reply, Stop> {
    let until = match hours {
        Some(hours) if (1..=MODE_HOURS_MAX).contains(&hours) => {
            Some(Wall(write.now().saturating_add(i64::from(hours) * 3_600_000)))
        }
        Some(_) => return Err(Refusal::Unknown.into()),
        None => None,
    };
    Ok(Reply::Changed(set_until(write, setting, until).await?))
}

/// Sets the mode from the shell.
pub(super) async fn set_by_shell(
    write: &mut Write<'_>,
    setting: ModeSetting,
    until: Option<Wall>,
) -> Result<AdminReply, AdminError> {
    if until.is_some_and(|until| until.0 <= write.now()) {
        return Err(super::SystemError::PastUntil.into());
    }
    Ok(AdminReply::Changed(set_until(write, setting, until).await?))
}

/// A setting with an end passes; what held before holds again afterwards.
async fn set_until(
    write: &mut Write<'_>,
    setting: ModeSetting,
    until: Option<Wall>,
) -> Result<ChangeNumber, StoreError> {
    let before = Set::read(write.conn()).await?;
    let after = match until {
        // Whole seconds, as changes are written.
        Some(until) => Set { passing: Some((setting, Wall(until.0 / 1000 * 1000))), ..before },
        None => Set { setting, passing: None },
    };
    changed(write, before, after).await
}

async fn changed(write: &mut Write<'_>, before: Set, after: Set) -> Result<ChangeNumber, StoreError> {
    after.write(write).await?;
    let now = write.ctx.now;
    let (setting, until) = after.at(now);
    let mode = effective(write.conn(), setting, now).await?;
    tell(write, mode).await?;
    let (before, after) = (before.text(), after.text());
    let event = (CHANGED, data(mode, setting, until));
    let change = Change { action: CHANGED, target: SYSTEM, before: Some(&before), after: Some(&after), event };
    write.change(change).await
}

fn data(mode: Mode, setting: ModeSetting, until: Option<Wall>) -> serde_json::Value {
    json!({ "mode": mode.name(), "setting": setting.name(), "until": until.map(rfc3339) })
}

/// Notes the mode that the hooks are being told.
async fn tell(write: &mut Write<'_>, mode: Mode) -> Result<(), StoreError> {
    sqlx::query("UPDATE mode SET told = $1 WHERE id = 1").bind(mode.name()).execute(write.conn()).await?;
    Ok(())
}

/// Puts back what a change of the mode had changed.
pub(in crate::store) async fn undo(write: &mut Write<'_>, change: &Recorded) -> Result<ChangeNumber, Stop> {
    let present = Set::read(write.conn()).await?;
    if change.after.as_deref() != Some(present.text().as_str()) {
        return Err(Refusal::ChangedSince.into());
    }
    let before = change.before.as_deref().and_then(Set::parse).ok_or(Refusal::CannotUndo)?;
    // What had an end that is over by now is not put back, only what followed it.
    let before = match before.passing {
        Some((_, until)) if until.0 <= write.now() => Set { passing: None, ..before },
        Some(_) | None => before,
    };
    Ok(changed(write, present, before).await?)
}

pub(super) async fn edit_timetable(write: &mut Write<'_>, edit: &TimetableEdit) -> Result<AdminReply, AdminError> {
    let before = read_timetable(write.conn()).await?;
    let table = before.edited(edit.clone()).map_err(super::SystemError::Timetable)?;
    if before == table {
        return Ok(AdminReply::Unchanged);
    }
    sqlx::query("DELETE FROM mode_spans").execute(write.conn()).await?;
    sqlx::query("DELETE FROM mode_holidays").execute(write.conn()).await?;
    for span in &table.spans {
        sqlx::query("INSERT INTO mode_spans (weekday, from_minute, to_minute) VALUES ($1, $2, $3)")
            .bind(i64::from(span.weekday))
            .bind(i64::from(span.from_minute))
            .bind(i64::from(span.to_minute))
            .execute(write.conn())
            .await?;
    }
    for day in &table.holidays {
        let sql = "INSERT INTO mode_holidays (day) VALUES ($1)";
        sqlx::query(sql).bind(day.to_string()).execute(write.conn()).await?;
    }
    let (before, after) = (timetable_text(&before), timetable_text(&table));
    let event = ("mode.timetable_changed", json!(table));
    let change =
        Change { action: "mode.timetable_changed", target: SYSTEM, before: Some(&before), after: Some(&after), event };
    Ok(AdminReply::Changed(write.change(change).await?))
}

fn timetable_text(table: &Timetable) -> String {
    let spans = table.spans.iter().map(Span::to_string);
    spans.chain(table.holidays.iter().map(Date::to_string)).collect::<Vec<_>>().join(", ")
}

async fn read_timetable(conn: &mut SqliteConnection) -> Result<Timetable, StoreError> {
    let sql = "SELECT weekday, from_minute, to_minute FROM mode_spans ORDER BY weekday, from_minute";
    let spans: Vec<(i64, i64, i64)> = sqlx::query_as(sql).fetch_all(&mut *conn).await?;
    let days: Vec<String> = sqlx::query_scalar("SELECT day FROM mode_holidays ORDER BY day").fetch_all(conn).await?;
    let span = |(weekday, from, to): (i64, i64, i64)| {
        Some(Span {
            weekday: u8::try_from(weekday).ok()?,
            from_minute: u16::try_from(from).ok()?,
            to_minute: u16::try_from(to).ok()?,
        })
    };
    Ok(Timetable {
        spans: spans.into_iter().filter_map(span).collect(),
        // A day that no calendar has never comes.
        holidays: days.iter().filter_map(|day| Date::parse(day).ok()).collect(),
    })
}

impl Store {
    /// The mode that holds at a time.
    pub async fn mode(&self, now: Wall) -> Result<ModeRow, StoreError> {
        let mut read = self.read().await?;
        let (setting, until) = Set::read(&mut read).await?.at(now);
        let mode = effective(&mut read, setting, now).await?;
        Ok(ModeRow { mode: mode.name(), setting: setting.name(), until: until.map(rfc3339) })
    }

    /// The timetable.
    pub async fn timetable(&self) -> Result<Timetable, StoreError> {
        let mut read = self.read().await?;
        read_timetable(&mut read).await
    }

    /// Tells the hooks where the mode has changed by itself: by the timetable, or because a passing one is over. To be
    /// called now and then by the one process that serves.
    pub async fn tell_mode(&self, ctx: &Context) -> Result<(), StoreError> {
        let mut read = self.read().await?;
        let is_told = told_mode(&mut read, ctx.now).await?.is_none();
        drop(read);
        if is_told {
            return Ok(());
        }
        let mut write = self.write(ctx).await?;
        let Some((mode, setting, until)) = told_mode(write.conn(), ctx.now).await? else { return Ok(()) };
        tell(&mut write, mode).await?;
        write.event(CHANGED, SYSTEM, None, data(mode, setting, until)).await?;
        write.commit().await
    }
}

/// What holds now, where the hooks were told something else.
async fn told_mode(
    conn: &mut SqliteConnection,
    now: Wall,
) -> Result<Option<(Mode, ModeSetting, Option<Wall>)>, StoreError> {
    let (setting, until) = Set::read(conn).await?.at(now);
    let mode = effective(conn, setting, now).await?;
    let told: Option<String> = sqlx::query_scalar("SELECT told FROM mode WHERE id = 1").fetch_optional(conn).await?;
    Ok((told.as_deref() != Some(mode.name())).then_some((mode, setting, until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_back_from_its_text() {
        let day = ModeSetting::Fixed(Mode::Day);
        let holiday = ModeSetting::Fixed(Mode::Holiday);
        let passing = Set { setting: day, passing: Some((holiday, Wall(1_769_847_300_000))) };
        assert_eq!(passing.text(), "holiday until 2026-01-31T08:15:00Z, then day");
        for set in [Set { setting: ModeSetting::Timetable, passing: None }, passing] {
            assert_eq!(Set::parse(&set.text()), Some(set));
        }
        assert_eq!(Set::parse("holiday until tomorrow, then day"), None);
        assert_eq!(passing.at(Wall(1_769_847_299_999)).0, holiday);
        assert_eq!(passing.at(Wall(1_769_847_300_000)), (day, None));
    }
}
