//! The audit trail: append-only by triggers, each row's hash taken over the row and the hash before it.
//!
//! `hash = sha256(hash of the row before it, or 64 zeros ‖ "\n" ‖ JSON array [seq, at, account, source, action,
//! target, outcome, change])`, in lower-case hex.

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use super::Store;
use super::clock::rfc3339;
use super::error::StoreError;
use super::tx::Outcome;
use crate::model::Wall;

/// Rows read at once by the verification.
const VERIFY_PAGE_ROWS: i64 = 10_000;
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
}

/// Appends a row; the caller holds the write lock.
pub(super) async fn append(conn: &mut SqliteConnection, entry: &Entry<'_>) -> Result<(), StoreError> {
    let last: Option<(i64, String)> =
        sqlx::query_as("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(&mut *conn).await?;
    let (seq, before) = match last {
        Some((seq, hash)) => (seq + 1, hash),
        None => (1, BEFORE_THE_FIRST.to_owned()),
    };
    let row = Row {
        seq,
        at: entry.at,
        account: entry.account.map(str::to_owned),
        source: entry.source.to_owned(),
        action: entry.action.to_owned(),
        target: entry.target.map(str::to_owned),
        outcome: entry.outcome.name().to_owned(),
        change: entry.change,
    };
    sqlx::query(
        "INSERT INTO audit (seq, at, account, source, action, target, outcome, change_number, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(row.seq)
    .bind(row.at)
    .bind(&row.account)
    .bind(&row.source)
    .bind(&row.action)
    .bind(&row.target)
    .bind(&row.outcome)
    .bind(row.change)
    .bind(row.hash_after(&before))
    .execute(conn)
    .await?;
    Ok(())
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
}

impl Row {
    fn hash_after(&self, before: &str) -> String {
        let fields =
            json!([self.seq, self.at, self.account, self.source, self.action, self.target, self.outcome, self.change]);
        let digest = Sha256::new().chain_update(before).chain_update("\n").chain_update(fields.to_string()).finalize();
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
    /// The row, or the one before it, was altered.
    #[error("audit row {0} does not fit the hash chain: it or the row before it was altered")]
    Altered(i64),
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
    /// What does not fit.
    pub fault: Option<AuditFault>,
}

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

    /// Follows the hash chain from the first row to the last.
    pub async fn verify_audit(&self) -> Result<Verified, StoreError> {
        let mut read = self.read().await?;
        let (mut last, mut before) = (0, BEFORE_THE_FIRST.to_owned());
        loop {
            let sql = "SELECT seq, at, account, source, action, target, outcome, change_number, hash FROM audit
                       WHERE seq > $1 ORDER BY seq LIMIT $2";
            let page: Vec<AuditTuple> =
                sqlx::query_as(sql).bind(last).bind(VERIFY_PAGE_ROWS).fetch_all(&mut *read).await?;
            if page.is_empty() {
                break;
            }
            for (seq, at, account, source, action, target, outcome, change, hash) in page {
                let rows = last;
                if seq != last + 1 {
                    return Ok(Verified { rows, fault: Some(AuditFault::Gap(last + 1, seq, last)) });
                }
                let row = Row { seq, at, account, source, action, target, outcome, change };
                if row.hash_after(&before) != hash {
                    return Ok(Verified { rows, fault: Some(AuditFault::Altered(seq)) });
                }
                (last, before) = (seq, hash);
            }
        }
        let sql = "SELECT c.number FROM changes c LEFT JOIN audit a ON a.change_number = c.number
                   WHERE a.seq IS NULL ORDER BY c.number LIMIT 1";
        let lost: Option<i64> = sqlx::query_scalar(sql).fetch_optional(&mut *read).await?;
        Ok(Verified { rows: last, fault: lost.map(|change| AuditFault::CutOff { change, last }) })
    }
}
