//! One write transaction: what is changed, and the change, audit and intent rows that go with it.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::watch;

use super::error::StoreError;
use super::system::outside;
use super::wanted::Wanted;
use super::{StoreOptions, audit, clock, intents, open};
use crate::access::Context;
use crate::model::{AccountId, ChangeNumber};

/// How often `BEGIN IMMEDIATE` is tried, each up to the busy time-out.
const BEGIN_TRIES_MAX: u32 = 2;
/// How long the write lock is waited for, with the turn among this process's own requests. A caller is told after 10 s
/// that no answer came and that nobody knows what was done; what can't be begun must be refused before that.
const BEGIN_WITHIN: Duration = Duration::from_secs(8);

/// Who is named in the change and audit rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Who {
    /// The account, where it is one.
    pub(super) id: Option<i64>,
    /// Its extension, or `cli`; `None` before a login.
    pub(super) name: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Denied,
    Failed,
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Denied => "denied",
            Outcome::Failed => "failed",
        }
    }
}

/// What was changed.
pub(super) struct Change<'a> {
    pub(super) action: &'a str,
    pub(super) target: &'a str,
    pub(super) before: Option<&'a str>,
    pub(super) after: Option<&'a str>,
    /// The event's name for the hooks, and what it carries besides.
    pub(super) event: (&'a str, Value),
}

/// A write transaction; rolled back where it is dropped without [`Write::commit`].
pub(super) struct Write<'a> {
    tx: Transaction<'static, Sqlite>,
    writer: &'a SqlitePool,
    pub(super) ctx: &'a Context,
    pub(super) options: &'a StoreOptions,
    pub(super) who: Who,
    /// Where it comes from, as the change and audit rows name it.
    pub(super) source: &'a str,
    wake: &'a watch::Sender<u64>,
    has_intents: bool,
    wanted: Option<Wanted>,
    /// The hooks that this transaction tells something, so that each one's backlog is looked at once.
    told: Vec<String>,
    /// The export of this transaction, which its hooks wait for.
    export: Option<i64>,
}

impl<'a> Write<'a> {
    pub(super) async fn begin(
        writer: &'a SqlitePool,
        options: &'a StoreOptions,
        wake: &'a watch::Sender<u64>,
        ctx: &'a Context,
    ) -> Result<Self, StoreError> {
        let begun = tokio::time::timeout(BEGIN_WITHIN, begin(writer)).await.unwrap_or(Err(StoreError::Busy));
        let tx = begun.map_err(|error| error.at(&options.path))?;
        let mut write = Self {
            tx,
            writer,
            ctx,
            options,
            who: Who::default(),
            source: &ctx.source,
            wake,
            has_intents: false,
            wanted: None,
            told: Vec::new(),
            export: None,
        };
        open::must_be_known(&mut write.tx, &options.path).await?;
        write.own(true).await?;
        outside::take(&mut write).await?;
        Ok(write)
    }

    /// Says that what follows is written by us, or is not: the triggers on what others may write ask.
    async fn own(&mut self, under: bool) -> Result<(), StoreError> {
        let sql = "UPDATE own_write SET under = $1 WHERE id = 1";
        sqlx::query(sql).bind(i64::from(under)).execute(&mut *self.tx).await?;
        Ok(())
    }

    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    pub(super) fn now(&self) -> i64 {
        self.ctx.now.0
    }

    /// Writes the change row, its audit row and the intents of the hooks that listen.
    pub(super) async fn change(&mut self, change: Change<'_>) -> Result<ChangeNumber, StoreError> {
        self.change_to(None, change).await
    }

    /// The same for a change that is made to an account.
    pub(super) async fn change_to(
        &mut self,
        id: Option<AccountId>,
        change: Change<'_>,
    ) -> Result<ChangeNumber, StoreError> {
        let account = self.who.name.clone().unwrap_or_default();
        let number: i64 = sqlx::query_scalar(
            "INSERT INTO changes (at, account_id, account, source, action, target, before, after, target_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING number",
        )
        .bind(self.ctx.now.0)
        .bind(self.who.id)
        .bind(&account)
        .bind(self.source)
        .bind(change.action)
        .bind(change.target)
        .bind(change.before)
        .bind(change.after)
        .bind(id.map(|id| id.0))
        .fetch_one(&mut *self.tx)
        .await?;
        let entry = audit::Entry {
            at: self.ctx.now.0,
            account: self.who.name.as_deref(),
            source: self.source,
            action: change.action,
            target: Some(change.target),
            outcome: Outcome::Ok,
            change: Some(number),
            before: change.before,
            after: change.after,
            target_id: id.map(|id| id.0),
        };
        audit::append(&mut self.tx, &entry).await?;
        let (event, data) = change.event;
        self.event(event, change.target, Some(number), data).await?;
        Ok(ChangeNumber(number))
    }

    /// Writes an audit row without a change.
    pub(super) async fn note(
        &mut self,
        action: &str,
        target: Option<&str>,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let entry = audit::Entry {
            at: self.ctx.now.0,
            account: self.who.name.as_deref(),
            source: self.source,
            action,
            target,
            outcome,
            change: None,
            before: None,
            after: None,
            target_id: None,
        };
        audit::append(&mut self.tx, &entry).await
    }

    /// Writes an intent for each hook that listens to the event.
    pub(super) async fn event(
        &mut self,
        event: &str,
        target: &str,
        change: Option<i64>,
        data: Value,
    ) -> Result<(), StoreError> {
        let listening: Vec<String> = self.wanted().await?.listening(event);
        for subject in listening {
            let payload = json!({
                "event": event, "at": clock::rfc3339(self.ctx.now), "account": self.who.name,
                "target": target, "change": change, "data": data,
            });
            let intent = intents::New {
                kind: intents::IntentKind::Hook,
                state: intents::IntentState::Requested,
                subject: &subject,
                payload: &payload.to_string(),
                due_at: None,
                change,
                after: self.export,
            };
            if !self.told.contains(&subject) {
                intents::cap_backlog(&mut self.tx, self.ctx.now.0, &subject).await?;
                self.told.push(subject.clone());
            }
            self.intent(&intent).await?;
        }
        Ok(())
    }

    /// Writes an intent to export a recording, where recordings are exported. Hooks of this transaction wait for it.
    pub(super) async fn export(&mut self, number: &str) -> Result<(), StoreError> {
        if !self.wanted().await?.export {
            return Ok(());
        }
        let intent = intents::New {
            kind: intents::IntentKind::Export,
            state: intents::IntentState::Requested,
            subject: number,
            payload: "",
            due_at: None,
            change: None,
            after: None,
        };
        self.export = Some(self.intent(&intent).await?);
        Ok(())
    }

    async fn wanted(&mut self) -> Result<&Wanted, StoreError> {
        let wanted = match self.wanted.take() {
            Some(wanted) => wanted,
            None => Wanted::read(&mut self.tx, self.options).await?,
        };
        Ok(self.wanted.insert(wanted))
    }

    /// Writes an intent; whoever runs them is woken after the commit.
    pub(super) async fn intent(&mut self, intent: &intents::New<'_>) -> Result<i64, StoreError> {
        self.has_intents = true;
        intents::insert(&mut self.tx, &self.who, self.ctx.now.0, intent).await
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.own(false).await?;
        if let Err(error) = self.tx.commit().await.map_err(StoreError::from) {
            if matches!(error, StoreError::Disk(_)) {
                write_over(self.writer).await;
            }
            return Err(error);
        }
        if self.has_intents {
            self.wake.send_modify(|n| *n = n.wrapping_add(1));
        }
        Ok(())
    }

    /// Takes everything back. Where SQLite has done that by itself, as it does on a full disk, it refuses the rollback:
    /// that is no failure, and why the transaction failed is what is to be told.
    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        match self.tx.rollback().await {
            Ok(()) | Err(sqlx::Error::Database(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Begins a transaction with the write lock.
async fn begin(writer: &SqlitePool) -> Result<Transaction<'static, Sqlite>, StoreError> {
    tried(|| async { Ok(writer.begin_with("BEGIN IMMEDIATE").await?) }).await
}

/// Tries again what another process keeps from beginning.
async fn tried<T, F: Future<Output = Result<T, StoreError>>>(begin: impl Fn() -> F) -> Result<T, StoreError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match begin().await {
            Err(StoreError::Busy) if tries < BEGIN_TRIES_MAX => {}
            begun => return begun,
        }
    }
}

/// Writes over what a commit that failed has left in the write-ahead log. Where only its way to the disk failed it is
/// there whole, and whoever opens the store next after all have closed it would take it for done.
async fn write_over(writer: &SqlitePool) {
    if let Err(error) = sqlx::query("UPDATE own_write SET under = 0 WHERE id = 1").execute(writer).await {
        tracing::error!(%error, "a change that failed may be there when the store is opened next");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_transaction_is_begun_twice_where_the_store_is_held() {
        for (busy, expected) in [(0, Ok(1)), (1, Ok(2)), (2, Err(2))] {
            let tries = Cell::new(0);
            let begin = || async {
                tries.set(tries.get() + 1);
                if tries.get() <= busy { Err(StoreError::Busy) } else { Ok(()) }
            };
            let begun = tried(begin).await;
            assert_eq!(begun.map(|()| tries.get()).map_err(|_| tries.get()), expected, "{busy} times busy");
        }
        let tries = Cell::new(0);
        let full = tried(|| async {
            tries.set(tries.get() + 1);
            Err::<(), _>(StoreError::Full)
        });
        assert!(matches!(full.await, Err(StoreError::Full)));
        assert_eq!(tries.get(), 1, "what else goes wrong is told at once");
    }
}
