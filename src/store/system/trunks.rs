//! Lines, gateways and proxies: enabled or not, and whether they answer.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::items::{New, number_of, record, table};
use super::{Recorded, Store, SystemError};
use crate::access::{Context, ItemKind, NetworkStatus, Reach, Refusal, Reply, TrunkKind};
use crate::model::{ChangeNumber, ItemNumber, Wall};
use crate::store::accounts::{audio_of, bytes_of};
use crate::store::clock::rfc3339;
use crate::store::error::StoreError;
use crate::store::rights::Stop;
use crate::store::tx::Write;

/// What is told to be unreachable by phone, at most.
const UNREACHABLE_TOLD_MAX: i64 = 50;
/// Longest URI, in bytes.
pub(super) const URI_BYTES_MAX: usize = 255;

/// A line, a gateway or a proxy as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrunkRow {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Where it is asked; null for what can't be asked.
    pub uri: Option<String>,
    /// Whether it is used.
    pub enabled: bool,
    /// Whether it answered last; null before it was asked.
    pub reachable: Option<bool>,
    /// How long its last answer took.
    pub round_trip_ms: Option<i64>,
    /// When it was asked last; RFC 3339.
    pub checked_at: Option<String>,
}

/// What a trunk has to be asked, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Its kind.
    pub kind: TrunkKind,
    /// Its number.
    pub number: ItemNumber,
    /// The URI of the OPTIONS request.
    pub uri: String,
}

/// A URI that an OPTIONS request can be sent to.
pub(super) fn check_uri(uri: &str) -> Result<(), SystemError> {
    if uri.len() > URI_BYTES_MAX {
        return Err(SystemError::LongUri(uri.chars().count()));
    }
    let host = uri.strip_prefix("sip:").unwrap_or_default();
    let fits = !host.is_empty() && uri.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(SystemError::BadUri(uri.to_owned())) }
}

pub(super) async fn insert(
    write: &mut Write<'_>,
    kind: TrunkKind,
    number: ItemNumber,
    item: &New<'_>,
) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO {} (number, name, uri, spoken_name) VALUES ($1, $2, $3, $4)", of(kind));
    sqlx::query(AssertSqlSafe(sql))
        .bind(i64::from(number.0))
        .bind(item.name)
        .bind(item.uri)
        .bind(item.spoken_name.map(bytes_of))
        .execute(write.conn())
        .await?;
    Ok(())
}

/// Spoken name, enabled, reachable, round trip in ms.
type StateTuple = (Option<Vec<u8>>, i64, Option<i64>, Option<i64>);

pub(super) async fn open(conn: &mut SqliteConnection, kind: TrunkKind, number: ItemNumber) -> Result<Reply, Stop> {
    let sql = format!("SELECT spoken_name, enabled, reachable, round_trip_ms FROM {} WHERE number = $1", of(kind));
    let row: Option<StateTuple> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(i64::from(number.0)).fetch_optional(conn).await?;
    let (name, enabled, reachable, round_trip_ms) = row.ok_or(Refusal::Unknown)?;
    let round_trip = Duration::from_millis(round_trip_ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or_default());
    let reach = match reachable {
        None => Reach::Unknown,
        Some(0) => Reach::Unreachable,
        Some(_) => Reach::Reachable(round_trip),
    };
    Ok(Reply::Trunk { spoken_name: name.map(|bytes| audio_of(&bytes)), enabled: enabled != 0, reach })
}

async fn is_enabled(conn: &mut SqliteConnection, kind: TrunkKind, number: ItemNumber) -> Result<bool, Stop> {
    let sql = format!("SELECT enabled FROM {} WHERE number = $1", of(kind));
    let row: Option<i64> =
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(i64::from(number.0)).fetch_optional(conn).await?;
    Ok(row.ok_or(Refusal::Unknown)? != 0)
}

/// Enables or disables by phone; the last one that is enabled is not disabled so.
pub(super) async fn set(
    write: &mut Write<'_>,
    kind: TrunkKind,
    number: ItemNumber,
    enabled: bool,
) -> Result<Reply, Stop> {
    if is_enabled(write.conn(), kind, number).await? && !enabled {
        let sql = format!("SELECT COUNT(*) FROM {} WHERE enabled = 1 AND number <> $1", of(kind));
        let others: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(i64::from(number.0)).fetch_one(write.conn()).await?;
        if others == 0 {
            return Err(Refusal::LastEnabled.into());
        }
    }
    set_any(write, kind, number, enabled).await
}

/// Enables or disables, the last one too.
pub(in crate::store) async fn set_any(
    write: &mut Write<'_>,
    kind: TrunkKind,
    number: ItemNumber,
    enabled: bool,
) -> Result<Reply, Stop> {
    if is_enabled(write.conn(), kind, number).await? == enabled {
        return Err(Refusal::AlreadySo.into());
    }
    Ok(Reply::Changed(changed(write, kind, number, enabled).await?))
}

async fn changed(
    write: &mut Write<'_>,
    kind: TrunkKind,
    number: ItemNumber,
    enabled: bool,
) -> Result<ChangeNumber, StoreError> {
    let sql = format!("UPDATE {} SET enabled = $2 WHERE number = $1", of(kind));
    let query = sqlx::query(AssertSqlSafe(sql)).bind(i64::from(number.0)).bind(i64::from(enabled));
    query.execute(write.conn()).await?;
    let text = (Some(state(!enabled)), Some(state(enabled)));
    let data = json!({ "number": number.0, "enabled": enabled });
    record(write, ItemKind::Trunk(kind), state(enabled), number, text, data).await
}

fn state(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "disabled" }
}

fn of(kind: TrunkKind) -> &'static str {
    table(ItemKind::Trunk(kind))
}

/// The kind that an action has enabled or disabled.
pub(super) fn switched(action: &str) -> Option<TrunkKind> {
    let (kind, what) = action.split_once('.')?;
    let kind = TrunkKind::ALL.into_iter().find(|known| known.name() == kind)?;
    matches!(what, "enabled" | "disabled").then_some(kind)
}

/// Puts back whether it was enabled.
pub(super) async fn undo(write: &mut Write<'_>, kind: TrunkKind, change: &Recorded) -> Result<ChangeNumber, Stop> {
    let number = number_of(&change.target)?;
    let present = is_enabled(write.conn(), kind, number).await?;
    if change.after.as_deref() != Some(state(present)) {
        return Err(Refusal::ChangedSince.into());
    }
    Ok(changed(write, kind, number, !present).await?)
}

/// What does not answer, of what is enabled.
pub(super) async fn status(conn: &mut SqliteConnection) -> Result<Reply, Stop> {
    let mut unreachable = Vec::new();
    for kind in TrunkKind::ALL {
        let sql =
            format!("SELECT number FROM {} WHERE enabled = 1 AND reachable = 0 ORDER BY number LIMIT $1", of(kind));
        let numbers: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(UNREACHABLE_TOLD_MAX).fetch_all(&mut *conn).await?;
        let numbers = numbers.into_iter().filter_map(|number| u32::try_from(number).ok());
        unreachable.extend(numbers.map(|number| (kind, ItemNumber(number))));
    }
    unreachable.truncate(usize::try_from(UNREACHABLE_TOLD_MAX).unwrap_or_default());
    Ok(Reply::Network(NetworkStatus { addresses: Vec::new(), unreachable }))
}

impl Store {
    /// All trunks of a kind, by number.
    pub async fn trunks(&self, kind: TrunkKind) -> Result<Vec<TrunkRow>, StoreError> {
        let mut read = self.read().await?;
        let sql = format!(
            "SELECT number, name, uri, enabled, reachable, round_trip_ms, checked_at FROM {} ORDER BY number",
            of(kind)
        );
        type Tuple = (i64, String, Option<String>, i64, Option<i64>, Option<i64>, Option<i64>);
        let rows: Vec<Tuple> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *read).await?;
        let row = |(number, name, uri, enabled, reachable, round_trip_ms, checked_at): Tuple| TrunkRow {
            number,
            name,
            uri,
            enabled: enabled != 0,
            reachable: reachable.map(|reachable| reachable != 0),
            round_trip_ms,
            checked_at: checked_at.map(|at| rfc3339(Wall(at))),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// What is to be asked whether it is there: all that is enabled and has a URI.
    pub async fn probes(&self) -> Result<Vec<Probe>, StoreError> {
        let mut read = self.read().await?;
        let mut probes = Vec::new();
        for kind in TrunkKind::ALL {
            let sql =
                format!("SELECT number, uri FROM {} WHERE enabled = 1 AND uri IS NOT NULL ORDER BY number", of(kind));
            let rows: Vec<(i64, String)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *read).await?;
            let probe = |(number, uri)| Some(Probe { kind, number: ItemNumber(u32::try_from(number).ok()?), uri });
            probes.extend(rows.into_iter().filter_map(probe));
        }
        Ok(probes)
    }

    /// Notes how a probe went: the time to the answer, or `None` where there was none that counts. No change of anybody's; the
    /// hooks are told `line.reachable`, `gateway.unreachable` and so on where it differs from the last time.
    pub async fn probed(&self, ctx: &Context, probe: &Probe, answered_in: Option<Duration>) -> Result<(), StoreError> {
        let mut write = self.write(ctx).await?;
        let sql = format!("SELECT reachable FROM {} WHERE number = $1 AND uri = $2", of(probe.kind));
        let before: Option<Option<i64>> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(i64::from(probe.number.0))
            .bind(&probe.uri)
            .fetch_optional(write.conn())
            .await?;
        // Deleted, or another by now.
        let Some(before) = before else { return Ok(()) };
        let reachable = answered_in.is_some();
        let sql = format!(
            "UPDATE {} SET reachable = $2, round_trip_ms = $3, checked_at = $4 WHERE number = $1",
            of(probe.kind)
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(i64::from(probe.number.0))
            .bind(i64::from(reachable))
            .bind(answered_in.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
            .bind(write.now())
            .execute(write.conn())
            .await?;
        if before != Some(i64::from(reachable)) {
            let what = if reachable { "reachable" } else { "unreachable" };
            let event = format!("{}.{what}", probe.kind.name());
            let data = json!({ "number": probe.number.0, "uri": probe.uri });
            write.event(&event, &probe.number.0.to_string(), None, data).await?;
        }
        write.commit().await
    }
}
