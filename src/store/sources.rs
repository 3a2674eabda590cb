//! Who tries a PIN, and the rows that are kept of the sources. What they mean is in [`super::throttle`].

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::SqliteConnection;

use super::error::StoreError;
use super::lockout::{Lockout, LoginLimits};
use super::pins::Lane;
use super::policy::PinKind;
use super::throttle::{Bucket, Gate, Origin, SOURCE_REMEMBERED_MS, Source, Total, Try, UnderWay};
use super::tx::{Outcome, Write};
use crate::access::{Context, place_of};
use crate::model::{Extension, Wall};

/// Sources that are remembered; for a new one those go first that are not locked and have done nothing for longest.
pub(super) const SOURCES_MAX: i64 = 10_000;
/// The audit trail's name for many wrong PINs of the own handsets of one place.
const MANY_WRONG: &str = "login.many_wrong";
/// How many go at a time, so that looking for them is rare.
const SOURCES_DROPPED: i64 = 100;

/// Tries of this process that are being looked at, by source, and those of all strangers by kind of PIN.
#[derive(Default)]
pub(super) struct Trying(Mutex<HashMap<String, u32>>);

impl Trying {
    fn counts(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.counts().is_empty()
    }
}

/// A try that is being looked at, for as long as this lives.
pub(super) struct Turn<'a> {
    trying: &'a Trying,
    keys: Vec<String>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut counts = self.trying.counts();
        for key in &self.keys {
            match counts.get_mut(key) {
                Some(count) if *count > 1 => *count -= 1,
                Some(_) | None => {
                    counts.remove(key);
                }
            }
        }
    }
}

/// Who tries a PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    /// By what its tries are told from those of others; `None` where only the account's lock-outs count.
    source: Option<String>,
    /// Where the own handsets are watched that fail, whichever of them it is.
    handsets: Option<String>,
    who: Try,
}

impl Asker {
    /// A caller who is not logged in, and tries the PIN of that extension.
    pub(super) fn caller(ctx: &Context, extension: &Extension) -> Self {
        let is_own = ctx.caller.as_ref() == Some(extension);
        let who = Try { origin: if is_own { Origin::Own } else { Origin::Other }, is_stranger: !is_own };
        // No caller can have this name: there is a space in it.
        let handsets = is_own.then(|| format!("{} (own handsets)", place_of(&ctx.source)));
        Self { source: Some(ctx.source.clone()), handsets, who }
    }

    /// Somebody who is logged in to the account and shows its PIN again. Nobody else can be locked out by that, and no
    /// other account be guessed at.
    pub(super) fn session() -> Self {
        Self { source: None, handsets: None, who: Try { origin: Origin::Own, is_stranger: false } }
    }

    /// Somebody who is logged in to one account and tries the PIN of another: known, wherever they call from.
    pub(super) fn account(id: Option<i64>) -> Self {
        let source = id.map_or_else(|| "shell".to_owned(), |id| format!("account {id}"));
        Self { source: Some(source), handsets: None, who: Try { origin: Origin::Other, is_stranger: false } }
    }

    /// The PBX, by the shell. All its callers come from one place: only where it says who calls can they be told apart.
    pub(super) fn shell(ctx: &Context, extension: &Extension, is_told_who_calls: bool) -> Self {
        let source = is_told_who_calls.then(|| ctx.source.clone());
        Self { source, ..Self::caller(ctx, extension) }
    }

    /// Where its failures are counted.
    pub(super) fn origin(&self) -> Origin {
        self.who.origin
    }

    /// Where its PINs wait to be checked.
    pub(super) fn lane(&self) -> Lane {
        if self.who.is_stranger { Lane::Strangers } else { Lane::Known }
    }

    /// What it has to pass.
    pub(super) async fn gate(&self, conn: &mut SqliteConnection, kind: PinKind) -> Result<Gate, StoreError> {
        let sql =
            "SELECT t.tokens_at, t.noted_at, s.tokens_at, s.failures, s.locks, s.locked_until, s.noted_at, s.changed_at
                   FROM login_totals t LEFT JOIN login_sources s ON s.source = $2 WHERE t.kind = $1";
        let row: Option<GateTuple> =
            sqlx::query_as(sql).bind(kind.name()).bind(self.source.as_deref()).fetch_optional(conn).await?;
        let Some((total_at, total_noted, tokens_at, failures, locks, until, noted_at, changed_at)) = row else {
            return Err(StoreError::Inconsistent(format!("no row for {} PINs in login_totals", kind.name())));
        };
        let count = |count: Option<i64>| u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX);
        let lock = Lockout { failures: count(failures), locks: count(locks), locked_until: until.map(Wall) };
        let (bucket, noted_at, changed_at) =
            (Bucket(tokens_at.unwrap_or(0)), noted_at.unwrap_or(0), changed_at.unwrap_or(0));
        let source = Source { bucket, lock, noted_at, changed_at };
        Ok(Gate { source, total: Total { bucket: Bucket(total_at), noted_at: total_noted } })
    }

    /// Watches the own handsets of the place that it comes from: one wrong PIN on each of many accounts is seen, though none
    /// of them is kept out for what others do.
    async fn watch(&self, write: &mut Write<'_>, right: bool) -> Result<(), StoreError> {
        let Some(place) = self.handsets.as_deref() else { return Ok(()) };
        let sql = "SELECT tokens_at, failures, locks, noted_at, changed_at FROM login_sources WHERE source = $1";
        let row: Option<(i64, i64, i64, i64, i64)> =
            sqlx::query_as(sql).bind(place).fetch_optional(write.conn()).await?;
        let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        let before = row.map_or_else(Source::default, |(tokens_at, failures, locks, noted_at, changed_at)| Source {
            bucket: Bucket(tokens_at),
            lock: Lockout { failures: count(failures), locks: count(locks), locked_until: None },
            noted_at,
            changed_at,
        });
        let (after, is_told) = before.watched(write.ctx.now, right, &write.options.login);
        keep_source(write, place, &before, &after).await?;
        if is_told {
            write.note(MANY_WRONG, Some(place), Outcome::Failed).await?;
            tracing::warn!(source = place, "many PINs that own handsets show are wrong: somebody may be guessing");
        }
        Ok(())
    }

    /// Begins a try, where it is looked at.
    pub(super) fn turn<'a>(
        &self,
        trying: &'a Trying,
        kind: PinKind,
        gate: &Gate,
        now: Wall,
        limits: &LoginLimits,
    ) -> Option<Turn<'a>> {
        let Some(source) = self.source.clone() else { return Some(Turn { trying, keys: Vec::new() }) };
        let all = format!("strangers' {} PINs", kind.name());
        let mut counts = trying.counts();
        let count = |key: &String| counts.get(key).copied().unwrap_or(0);
        let others = UnderWay { source: count(&source), total: count(&all) };
        if !gate.lets_in_besides(now, self.who, limits, others) {
            return None;
        }
        let keys = if self.who.is_stranger { vec![source, all] } else { vec![source] };
        for key in &keys {
            *counts.entry(key.clone()).or_insert(0) += 1;
        }
        Some(Turn { trying, keys })
    }

    /// Whether a try is looked at.
    pub(super) fn passes(&self, gate: &Gate, now: Wall, limits: &LoginLimits) -> bool {
        self.source.is_none() || gate.lets_in(now, self.who, limits)
    }

    /// Counts a try that was looked at.
    pub(super) async fn count(
        &self,
        write: &mut Write<'_>,
        kind: PinKind,
        gate: Gate,
        right: bool,
    ) -> Result<(), StoreError> {
        let after = gate.after(write.ctx.now, self.who, right, &write.options.login);
        self.keep(write, kind, &gate, &after).await?;
        self.watch(write, right).await?;
        if after.source.lock.locks > gate.source.lock.locks {
            let (source, failures) = (self.source.as_deref(), after.source.lock.failures);
            tracing::warn!(source, failures, "too many wrong PINs in a row: this source is locked out for a while");
        }
        Ok(())
    }

    /// Whether a try that is refused unseen is to be noted, as far as the rows say.
    pub(super) fn is_notable(&self, gate: &Gate, now: Wall, limits: &LoginLimits) -> bool {
        gate.noted(now, self.who, limits).is_some()
    }

    /// Notes a try that is refused unseen, unless one was not long ago: a flood must not fill the audit trail.
    pub(super) async fn note_refused(
        &self,
        write: &mut Write<'_>,
        kind: PinKind,
        gate: Gate,
        action: &str,
        target: &str,
    ) -> Result<(), StoreError> {
        let Some(after) = gate.noted(write.ctx.now, self.who, &write.options.login) else { return Ok(()) };
        self.keep(write, kind, &gate, &after).await?;
        write.note(action, Some(target), Outcome::Denied).await?;
        tracing::warn!(source = self.source.as_deref(), action, "PINs are tried too often: tries are refused unseen");
        Ok(())
    }

    async fn keep(&self, write: &mut Write<'_>, kind: PinKind, before: &Gate, after: &Gate) -> Result<(), StoreError> {
        let Some(name) = self.source.as_deref() else { return Ok(()) };
        keep_source(write, name, &before.source, &after.source).await?;
        if after.total != before.total {
            let sql = "UPDATE login_totals SET tokens_at = $2, noted_at = $3 WHERE kind = $1";
            let Total { bucket, noted_at } = after.total;
            sqlx::query(sql).bind(kind.name()).bind(bucket.0).bind(noted_at).execute(write.conn()).await?;
        }
        Ok(())
    }
}

async fn keep_source(write: &mut Write<'_>, name: &str, before: &Source, after: &Source) -> Result<(), StoreError> {
    if after == before {
        return Ok(());
    }
    if *before == Source::default() {
        make_room(write).await?;
    }
    let Source { bucket, lock, noted_at, changed_at } = after;
    sqlx::query(
        "INSERT INTO login_sources (source, tokens_at, failures, locks, locked_until, noted_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (source) DO UPDATE SET
         tokens_at = $2, failures = $3, locks = $4, locked_until = $5, noted_at = $6, changed_at = $7",
    )
    .bind(name)
    .bind(bucket.0)
    .bind(i64::from(lock.failures))
    .bind(i64::from(lock.locks))
    .bind(lock.locked_until.map(|end| end.0))
    .bind(noted_at)
    .bind(changed_at)
    .execute(write.conn())
    .await?;
    Ok(())
}

/// Takes out the sources that mean nothing any more, and where there are too many the oldest.
async fn make_room(write: &mut Write<'_>) -> Result<(), StoreError> {
    let now = write.now();
    let sql = "DELETE FROM login_sources WHERE changed_at < $1 AND (locked_until IS NULL OR locked_until <= $2)";
    sqlx::query(sql).bind(now - SOURCE_REMEMBERED_MS).bind(now).execute(write.conn()).await?;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM login_sources").fetch_one(write.conn()).await?;
    if count < SOURCES_MAX {
        return Ok(());
    }
    let sql = "DELETE FROM login_sources WHERE source IN (SELECT source FROM login_sources
               ORDER BY CASE WHEN locked_until > $1 THEN 1 ELSE 0 END, changed_at LIMIT $2)";
    let dropped = count - SOURCES_MAX + SOURCES_DROPPED;
    sqlx::query(sql).bind(now).bind(dropped).execute(write.conn()).await?;
    Ok(())
}

/// Everybody's bucket, then the source's row.
type GateTuple = (i64, i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>);
