//! Logging in, and checking a PIN again: the same work and the same answer for an unknown extension, a wrong PIN, a
//! locked and a disabled account.

use super::accounts::{self, Account};
use super::error::StoreError;
use super::policy::PinKind;
use super::tx::{Outcome, Who, Write};
use super::{STALE_TRIES_MAX, Store, intents, own_audio, settings};
use crate::access::{Context, Permissions, Refusal, Reply, Session};
use crate::model::{Extension, Pin};

/// What the audit trail calls an extension that there is none of: what was keyed may have been a PIN.
const UNKNOWN: &str = "unknown";

/// What became of a PIN, decided under the write lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// It is right, no lock is on, the account is enabled; failures are forgotten.
    Right,
    /// It is not, for whichever reason; counted where it is to be.
    Wrong,
    /// The hash is another one by now: check again.
    Stale,
}

impl Store {
    pub(super) async fn login(&self, ctx: &Context, extension: &Extension, pin: &Pin) -> Result<Reply, StoreError> {
        for _ in 0..STALE_TRIES_MAX {
            let stored = self.stored_pin(ctx, extension, PinKind::Account).await?;
            let fits = self.inner.pins.verify(stored.as_deref(), pin).await?;
            if let Some(reply) = self.finish_login(ctx, extension, stored.as_deref(), fits).await? {
                return Ok(reply);
            }
        }
        Err(StoreError::Busy)
    }

    pub(super) async fn stored_pin(
        &self,
        ctx: &Context,
        extension: &Extension,
        kind: PinKind,
    ) -> Result<Option<String>, StoreError> {
        let mut read = self.read().await?;
        let Some(account) = accounts::by_extension(&mut read, ctx.site, extension).await? else { return Ok(None) };
        Ok(accounts::pin(&mut read, account.id, kind).await?.map(|pin| pin.hash))
    }

    /// Decides, counts, notes and gives the session; `None` where the PIN was changed meanwhile.
    pub(super) async fn finish_login(
        &self,
        ctx: &Context,
        extension: &Extension,
        stored: Option<&str>,
        fits: bool,
    ) -> Result<Option<Reply>, StoreError> {
        let mut write = self.write(ctx).await?;
        let account = accounts::by_extension(write.conn(), ctx.site, extension).await?;
        let checked = match &account {
            Some(account) => check(&mut write, account, PinKind::Account, stored, fits).await?,
            None => Checked::Wrong,
        };
        let reply = match (account, checked) {
            (_, Checked::Stale) => {
                write.rollback().await?;
                return Ok(None);
            }
            (Some(account), Checked::Right) => {
                write.who = Who { id: Some(account.id.0), name: Some(account.extension.to_string()) };
                write.note("login", Some(extension.as_str()), Outcome::Ok).await?;
                Reply::LoggedIn(session(&mut write, account).await?)
            }
            (account, _) => {
                let target = if account.is_some() { extension.as_str() } else { UNKNOWN };
                write.note("login", Some(target), Outcome::Failed).await?;
                Reply::Refused(Refusal::LoginFailed)
            }
        };
        write.commit().await?;
        Ok(Some(reply))
    }
}

/// Decides about a PIN that somebody shows for an extension, under the lock-outs of its kind, and notes it as `action`;
/// an extension that there is none of is answered like a wrong PIN. `found` is the stored hash and whether it fitted.
pub(super) async fn check_shown(
    write: &mut Write<'_>,
    extension: &Extension,
    kind: PinKind,
    action: &str,
    found: (Option<&str>, bool),
) -> Result<Checked, StoreError> {
    let site = write.ctx.site;
    let account = accounts::by_extension(write.conn(), site, extension).await?;
    let (checked, target) = match &account {
        Some(account) => (check(write, account, kind, found.0, found.1).await?, extension.as_str()),
        None => (Checked::Wrong, UNKNOWN),
    };
    let outcome = match checked {
        Checked::Stale => return Ok(checked),
        Checked::Right => Outcome::Ok,
        Checked::Wrong => Outcome::Failed,
    };
    write.note(action, Some(target), outcome).await?;
    Ok(checked)
}

/// Decides about a PIN of which `stored` was found to fit or not, and counts a failure.
pub(super) async fn check(
    write: &mut Write<'_>,
    account: &Account,
    kind: PinKind,
    stored: Option<&str>,
    fits: bool,
) -> Result<Checked, StoreError> {
    let present = accounts::pin(write.conn(), account.id, kind).await?;
    if present.as_ref().map(|pin| pin.hash.as_str()) != stored {
        return Ok(Checked::Stale);
    }
    let before = accounts::lockout(write.conn(), account.id, kind).await?;
    if before.is_locked(write.ctx.now) {
        return Ok(Checked::Wrong);
    }
    let valid = present.is_some_and(|pin| !pin.is_expired(write.ctx.now));
    if fits && valid && account.enabled {
        let sql = "DELETE FROM lockouts WHERE account_id = $1 AND kind = $2";
        sqlx::query(sql).bind(account.id.0).bind(kind.name()).execute(write.conn()).await?;
        return Ok(Checked::Right);
    }
    let after = before.after_failure(write.ctx.now, &write.options.login);
    sqlx::query(
        "INSERT INTO lockouts (account_id, kind, failures, locks, locked_until) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, kind) DO UPDATE SET failures = $3, locks = $4, locked_until = $5",
    )
    .bind(account.id.0)
    .bind(kind.name())
    .bind(i64::from(after.failures))
    .bind(i64::from(after.locks))
    .bind(after.locked_until.map(|end| end.0))
    .execute(write.conn())
    .await?;
    Ok(Checked::Wrong)
}

async fn session(write: &mut Write<'_>, account: Account) -> Result<Session, StoreError> {
    let must_change_pin = accounts::has_temporary_pin(write.conn(), account.id, PinKind::Account).await?;
    Ok(Session {
        language: settings::language(write.conn(), account.id).await?,
        spoken_name: own_audio::spoken_name(write.conn(), account.id).await?,
        must_change_pin,
        news: intents::take_news(write, account.id).await?,
        id: account.id,
        granted: Permissions::of(&account.roles),
        has_role: !account.roles.is_empty(),
        extension: account.extension,
    })
}
