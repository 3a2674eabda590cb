//! Auto attendants: which recording each one plays.

use serde::Serialize;
use serde_json::json;
use sqlx::SqliteConnection;

use super::items::{self, number_of, record};
use super::{Recorded, Store};
use crate::access::{ItemKind, Refusal, Reply};
use crate::model::{ChangeNumber, ItemNumber, RecordingNumber};
use crate::store::error::StoreError;
use crate::store::rights::Stop;
use crate::store::tx::Write;

/// An attendant as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttendantRow {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// The number of the recording that it plays.
    pub recording: Option<i64>,
}

async fn recording(conn: &mut SqliteConnection, number: ItemNumber) -> Result<Option<RecordingNumber>, Stop> {
    let sql = "SELECT recording FROM attendants WHERE number = $1";
    let row: Option<Option<i64>> = sqlx::query_scalar(sql).bind(i64::from(number.0)).fetch_optional(conn).await?;
    let recording = row.ok_or(Refusal::Unknown)?;
    Ok(recording.and_then(|number| u32::try_from(number).ok()).map(RecordingNumber))
}

pub(super) async fn open(conn: &mut SqliteConnection, number: ItemNumber) -> Result<Reply, Stop> {
    Ok(Reply::Attendant { recording: recording(conn, number).await? })
}

pub(super) async fn set(write: &mut Write<'_>, number: ItemNumber, new: RecordingNumber) -> Result<Reply, Stop> {
    let before = recording(write.conn(), number).await?;
    match items::must_be(write.conn(), ItemKind::Recording, ItemNumber(new.0)).await {
        Err(Stop::Refused(Refusal::Unknown)) => return Err(Refusal::OtherUnknown.into()),
        found => found?,
    }
    if before == Some(new) {
        return Err(Refusal::AlreadySo.into());
    }
    Ok(Reply::Changed(changed(write, number, before, Some(new)).await?))
}

async fn changed(
    write: &mut Write<'_>,
    number: ItemNumber,
    before: Option<RecordingNumber>,
    after: Option<RecordingNumber>,
) -> Result<ChangeNumber, StoreError> {
    sqlx::query("UPDATE attendants SET recording = $2 WHERE number = $1")
        .bind(i64::from(number.0))
        .bind(after.map(|recording| i64::from(recording.0)))
        .execute(write.conn())
        .await?;
    let data = json!({ "number": number.0, "recording": after.map(|recording| recording.0) });
    let text = |recording: Option<RecordingNumber>| recording.map(|recording| recording.0.to_string());
    let (before, after) = (text(before), text(after));
    record(write, ItemKind::Attendant, "changed", number, (before.as_deref(), after.as_deref()), data).await
}

/// Puts back the recording that was played before.
pub(super) async fn undo(write: &mut Write<'_>, change: &Recorded) -> Result<ChangeNumber, Stop> {
    let number = number_of(&change.target)?;
    let recorded = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok()).map(RecordingNumber);
    let present = recording(write.conn(), number).await?;
    if present != recorded(&change.after) {
        return Err(Refusal::ChangedSince.into());
    }
    let before = recorded(&change.before);
    if let Some(before) = before {
        items::must_be(write.conn(), ItemKind::Recording, ItemNumber(before.0)).await?;
    }
    Ok(changed(write, number, present, before).await?)
}

impl Store {
    /// All auto attendants, by number.
    pub async fn attendants(&self) -> Result<Vec<AttendantRow>, StoreError> {
        let mut read = self.read().await?;
        let sql = "SELECT number, name, recording FROM attendants ORDER BY number";
        let rows: Vec<(i64, String, Option<i64>)> = sqlx::query_as(sql).fetch_all(&mut *read).await?;
        Ok(rows.into_iter().map(|(number, name, recording)| AttendantRow { number, name, recording }).collect())
    }
}
