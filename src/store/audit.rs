//! The audit trail: append-only by triggers, each row's hash taken over the row and the hash before it.
//!
//! `hash = sha256(hash of the row before it, or 64 zeros ‖ "\n" ‖ JSON array [seq, at, account, source, action,
//! target, outcome, change, before, after, target_id])`, in lower-case hex; before, after and target_id are those of the
//! change, null without one. Rows of `hash_version` 1, which older programs have written, leave target_id out.
//! `audit_end` in `meta` has the number and the hash of the last row, and `sqlite_sequence` its number, so that a trail
//! that was cut is told from a whole one. Who can write the file can write all of it anew: against that helps only what
//! was kept elsewhere of the last number and hash.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use super::Store;
use super::clock::rfc3339;
use super::error::StoreError;
use super::schema;
use super::tx::Outcome;
use crate::access::Destructive;
use crate::model::{ChangeNumber, Wall};

/// Rows read at once by the verification.
const VERIFY_PAGE_ROWS: i64 = 10_000;
/// The key in `meta` of the last row's number and hash.
const END: &str = "audit_end";
/// How the hashes of new rows are taken.
const HASH_VERSION: i64 = 2;
/// The hash before the first row.
const BEFORE_THE_FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A row to be written.
pub(super) struct Entry<'a> {
    pub(super) at: i64,
    pub(super) account: Option<&'a str>,
    pub(super) source: &'a str,
    pub(super) action: &'a str,
    pub(super) target: Option<&'a str>,
    pub(super) outcome: Outcome,
    pub(super) change: Option<i64>,
    /// The change's own text.
    pub(super) before: Option<&'a str>,
    pub(super) after: Option<&'a str>,
    /// The account that the change was made to.
    pub(super) target_id: Option<i64>,
}

/// Appends a row; the caller holds the write lock.
pub(super) async fn append(conn: &mut SqliteConnection, entry: &Entry<'_>) -> Result<(), StoreError> {
    // Where the trail was cut, the gap stays to be seen.
    let (last, hash_before) = match end(conn).await? {
        Some(end) => end,
        None => last_row(conn).await?,
    };
    let row = Row {
        seq: last + 1,
        at: entry.at,
        account: entry.account.map(str::to_owned),
        source: entry.source.to_owned(),
        action: entry.action.to_owned(),
        target: entry.target.map(str::to_owned),
        outcome: entry.outcome.name().to_owned(),
        change: entry.change,
        before: entry.before.map(str::to_owned),
        after: entry.after.map(str::to_owned),
        target_id: entry.target_id,
        hash_version: HASH_VERSION,
    };
    let hash = row.hash_after(&hash_before);
    sqlx::query(
        "INSERT INTO audit (seq, at, account, source, action, target, outcome, change_number, hash, hash_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(row.seq)
    .bind(row.at)
    .bind(&row.account)
    .bind(&row.source)
    .bind(&row.action)
    .bind(&row.target)
    .bind(&row.outcome)
    .bind(row.change)
    .bind(&hash)
    .bind(row.hash_version)
    .execute(&mut *conn)
    .await?;
    let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2";
    sqlx::query(sql).bind(END).bind(format!("{} {hash}", row.seq)).execute(conn).await?;
    Ok(())
}

/// The end of the trail as `meta` has it.
pub(super) async fn end(conn: &mut SqliteConnection) -> Result<Option<(i64, String)>, StoreError> {
    let sql = "SELECT value FROM meta WHERE key = $1";
    let text: Option<String> = sqlx::query_scalar(sql).bind(END).fetch_optional(conn).await?;
    Ok(text
        .as_deref()
        .and_then(|text| text.split_once(' '))
        .and_then(|(seq, hash)| Some((seq.parse().ok()?, hash.to_owned()))))
}

async fn last_row(conn: &mut SqliteConnection) -> Result<(i64, String), StoreError> {
    let sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
    let last: Option<(i64, String)> = sqlx::query_as(sql).fetch_optional(conn).await?;
    Ok(last.unwrap_or_else(|| (0, BEFORE_THE_FIRST.to_owned())))
}

struct Row {
    seq: i64,
    at: i64,
    account: Option<String>,
    source: String,
    action: String,
    target: Option<String>,
    outcome: String,
    change: Option<i64>,
    before: Option<String>,
    after: Option<String>,
    target_id: Option<i64>,
    hash_version: i64,
}

impl Row {
    fn hash_after(&self, hash_before: &str) -> String {
        let (who, what) = ((&self.account, &self.source), (&self.action, &self.target, &self.outcome));
        let mut fields =
            json!([self.seq, self.at, who.0, who.1, what.0, what.1, what.2, self.change, self.before, self.after]);
        if let Some(fields) = fields.as_array_mut().filter(|_| self.hash_version > 1) {
            fields.push(json!(self.target_id));
        }
        let digest =
            Sha256::new().chain_update(hash_before).chain_update("\n").chain_update(fields.to_string()).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A row as `audit list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// 1, 2, 3 …
    pub seq: i64,
    /// RFC 3339.
    pub at: String,
    /// An extension, or `cli`; null before a login.
    pub account: Option<String>,
    /// An address, or `cli`.
    pub source: String,
    /// The action's name.
    pub action: String,
    /// What it was about.
    pub target: Option<String>,
    /// `ok`, `denied` or `failed`.
    pub outcome: String,
    /// The number of the change.
    pub change: Option<i64>,
    /// The chained hash.
    pub hash: String,
}

/// The first row that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// Numbers are missing before this row.
    #[error("audit row {0} is missing: row {1} follows row {2}")]
    Gap(i64, i64, i64),
    /// The row, its change, or the one before it, was altered.
    #[error("audit row {0} does not fit the hash chain: it, its change or the row before it was altered")]
    Altered(i64),
    /// A change is not as its audit row says, or is gone.
    #[error("change {change} is missing, or is not what audit row {seq} says")]
    Change {
        /// The row.
        seq: i64,
        /// The change's number.
        change: i64,
    },
    /// The trail does not end where the store remembers its end.
    #[error(
        "the audit trail ends at row {last}, and the store remembers row {remembered} as its end: rows were cut off or added"
    )]
    End {
        /// The last row.
        last: i64,
        /// The one that should be the last; 0 where the store remembers none.
        remembered: i64,
    },
    /// More rows were written than there are.
    #[error("the audit trail ends at row {last}, and {written} were written: its end was cut off")]
    Written {
        /// The last row.
        last: i64,
        /// The highest number that was given.
        written: i64,
    },
    /// What a change says of its undo is not what the trail says.
    #[error("change {0} is marked as undone, or is not, and the audit trail says something else")]
    Undone(i64),
    /// The trail is whole, and other hands have put something into the store, or taken something out, that acts in it.
    #[error(
        "what acts in the store is not what switchhook has made: {0}; see who has done that, then restore a backup"
    )]
    Schema(String),
    /// A change without its audit row: the end of the trail was cut off.
    #[error("the audit trail ends at row {last} without a row for change {change}: its end was cut off")]
    CutOff {
        /// The change's number.
        change: i64,
        /// The last row.
        last: i64,
    },
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Rows that fit, from the first one on.
    pub rows: i64,
    /// The hash of the last of them: kept elsewhere, it shows later whether the rows up to it are still the same.
    pub hash: String,
    /// What does not fit.
    pub fault: Option<AuditFault>,
}

/// The row, then before, after and target_id of its change, and what that says of who, when and what: `none` (there is
/// to be none), `gone`, `same` or `other`.
type VerifyTuple = (
    i64,
    i64,
    Option<String>,
    String,
    String,
    Option<String>,
    String,
    Option<i64>,
    String,
    i64,
    Option<String>,
    Option<String>,
    Option<i64>,
    String,
);
type AuditTuple = (i64, i64, Option<String>, String, String, Option<String>, String, Option<i64>, String);

impl Store {
    /// The last `last` rows (all where `None`), oldest first.
    pub async fn audit(&self, last: Option<u32>) -> Result<Vec<AuditRow>, StoreError> {
        let mut read = self.read().await?;
        let sql = "SELECT seq, at, account, source, action, target, outcome, change_number, hash FROM audit
                   ORDER BY seq DESC LIMIT $1";
        let limit = last.map_or(i64::MAX, i64::from);
        let rows: Vec<AuditTuple> = sqlx::query_as(sql).bind(limit).fetch_all(&mut *read).await?;
        let shown = |(seq, at, account, source, action, target, outcome, change, hash): AuditTuple| AuditRow {
            seq,
            at: rfc3339(Wall(at)),
            account,
            source,
            action,
            target,
            outcome,
            change,
            hash,
        };
        Ok(rows.into_iter().rev().map(shown).collect())
    }

    /// Follows the hash chain from the first row to the last, and compares each change with its row; then whether the end
    /// is where it must be, what the changes say of their undos, and that nothing else acts in the store.
    pub async fn verify_audit(&self) -> Result<Verified, StoreError> {
        let mut read = self.read().await?;
        let (mut last, mut hash, mut version) = (0, BEFORE_THE_FIRST.to_owned(), 1);
        let mut undone = Undone::default();
        loop {
            let page = verify_page(&mut read, last).await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                let rows = last;
                undone.note(&row);
                match fits(row, last, &hash, version) {
                    Ok(next) => (last, hash, version) = next,
                    Err(fault) => return Ok(Verified { rows, hash, fault: Some(fault) }),
                }
            }
        }
        let fault = match end_fault(&mut read, last, &hash).await? {
            None => undone.fault(&mut read).await?,
            fault => fault,
        };
        let fault = match fault {
            None => schema::foreign(&mut read).await?.map(AuditFault::Schema),
            fault => fault,
        };
        Ok(Verified { rows: last, hash, fault })
    }
}

/// What the trail says of undos: the row of one comes right after that of the change by which it was done.
#[derive(Default)]
struct Undone {
    by_change: HashMap<i64, i64>,
    change_before: Option<i64>,
}

impl Undone {
    fn note(&mut self, row: &VerifyTuple) {
        let (_, _, _, _, action, target, outcome, change, ..) = row;
        let name = Destructive::Undo { number: ChangeNumber(0) }.name();
        let number = target.as_deref().and_then(|target| target.parse().ok());
        if let (Some(number), Some(by)) = (number, self.change_before)
            && action == name
            && outcome == Outcome::Ok.name()
        {
            self.by_change.insert(number, by);
        }
        self.change_before = *change;
    }

    async fn fault(mut self, conn: &mut SqliteConnection) -> Result<Option<AuditFault>, StoreError> {
        let sql = "SELECT number, undone_by FROM changes WHERE undone_by IS NOT NULL ORDER BY number";
        let marked: Vec<(i64, i64)> = sqlx::query_as(sql).fetch_all(conn).await?;
        for (number, by) in marked {
            if self.by_change.remove(&number) != Some(by) {
                return Ok(Some(AuditFault::Undone(number)));
            }
        }
        Ok(self.by_change.into_keys().min().map(AuditFault::Undone))
    }
}

async fn verify_page(conn: &mut SqliteConnection, after: i64) -> Result<Vec<VerifyTuple>, StoreError> {
    let sql = "SELECT a.seq, a.at, a.account, a.source, a.action, a.target, a.outcome, a.change_number, a.hash,
               a.hash_version, c.before, c.after, c.target_id, CASE WHEN a.change_number IS NULL THEN 'none' WHEN c.number IS NULL THEN 'gone'
               WHEN c.at = a.at AND c.source = a.source AND c.action = a.action AND c.target = a.target
               AND c.account = COALESCE(a.account, '') THEN 'same' ELSE 'other' END
               FROM audit a LEFT JOIN changes c ON c.number = a.change_number
               WHERE a.seq > $1 ORDER BY a.seq LIMIT $2";
    Ok(sqlx::query_as(sql).bind(after).bind(VERIFY_PAGE_ROWS).fetch_all(conn).await?)
}

/// The number, the hash and the version of a row that fits the one before it.
fn fits(row: VerifyTuple, last: i64, hash_before: &str, version: i64) -> Result<(i64, String, i64), AuditFault> {
    let (seq, at, account, source, action, target, outcome, change, hash, hash_version, before, after, target_id, told) =
        row;
    if seq != last + 1 {
        return Err(AuditFault::Gap(last + 1, seq, last));
    }
    let wrong = AuditFault::Change { seq, change: change.unwrap_or(0) };
    if told == "gone" {
        return Err(wrong);
    }
    let row = Row { seq, at, account, source, action, target, outcome, change, before, after, target_id, hash_version };
    // A later row is never of an older kind.
    if !(version..=HASH_VERSION).contains(&hash_version) || row.hash_after(hash_before) != hash {
        return Err(AuditFault::Altered(seq));
    }
    if told == "other" { Err(wrong) } else { Ok((seq, hash, hash_version)) }
}

/// What is wrong after the last row.
async fn end_fault(conn: &mut SqliteConnection, last: i64, hash: &str) -> Result<Option<AuditFault>, StoreError> {
    let sql = "SELECT c.number FROM changes c LEFT JOIN audit a ON a.change_number = c.number
               WHERE a.seq IS NULL ORDER BY c.number LIMIT 1";
    let lost: Option<i64> = sqlx::query_scalar(sql).fetch_optional(&mut *conn).await?;
    if let Some(change) = lost {
        return Ok(Some(AuditFault::CutOff { change, last }));
    }
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'audit'";
    let written: Option<i64> = sqlx::query_scalar(sql).fetch_optional(&mut *conn).await?;
    let written = written.unwrap_or(0);
    match end(conn).await? {
        None if last == 0 && written == 0 => Ok(None),
        Some((seq, remembered)) if seq == last && remembered == hash && written == last => Ok(None),
        Some((seq, remembered)) if seq == last && remembered == hash => Ok(Some(AuditFault::Written { last, written })),
        Some((seq, _)) if seq == last => Ok(Some(AuditFault::Altered(last))),
        end => Ok(Some(AuditFault::End { last, remembered: end.map_or(0, |(seq, _)| seq) })),
    }
}
