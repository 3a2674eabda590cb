//! Logging in, and checking a PIN again: the same work and the same answer for an unknown extension, a wrong PIN, a
//! locked and a disabled account.

use super::accounts::{self, Account, Tried};
use super::error::StoreError;
use super::lockout::Lockout;
use super::policy::PinKind;
use super::sources::{Asker, Turn};
use super::throttle::Origin;
use super::tx::{Outcome, Who, Write};
use super::{STALE_TRIES_MAX, Store, intents, own_audio, settings};
use crate::access::{Context, Permissions, Refusal, Reply, Session};
use crate::model::{AccountId, Extension, Pin, SiteId};

/// What the audit trail calls an extension that there is none of: what was keyed may have been a PIN.
const UNKNOWN: &str = "unknown";
/// An account that there is none of.
const NOBODY: AccountId = AccountId(0);

/// What became of a PIN, decided under the write lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// It is right, no lock is on, the account is enabled; failures are forgotten.
    Right,
    /// It is not, for whichever reason; counted where it is to be.
    Wrong,
    /// It was not looked at: whoever asks has tried too often. Noted where it is to be.
    Refused,
    /// The hash is another one by now: check again.
    Stale,
}

/// What is known of a PIN before the write lock.
pub(super) struct Found<'a> {
    /// The stored hash; `None` where there is no such PIN or no such account.
    pub(super) stored: Option<&'a str>,
    /// Whether it fitted.
    pub(super) fits: bool,
}

/// A try that is being looked at.
pub(super) struct Look<'a> {
    /// The stored hash; `None` where there is no such PIN or no such account.
    pub(super) stored: Option<String>,
    /// Held until the try is counted.
    _turn: Turn<'a>,
}

/// Whose PIN of which kind is shown, and for what.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) site: SiteId,
    pub(super) extension: &'a Extension,
    pub(super) kind: PinKind,
    /// The action, for the audit trail.
    pub(super) action: &'a str,
}

impl Store {
    pub(super) async fn login(&self, ctx: &Context, extension: &Extension, pin: &Pin) -> Result<Reply, StoreError> {
        let asker = Asker::caller(ctx, extension);
        let shown = Shown { site: ctx.site, extension, kind: PinKind::Account, action: "login" };
        for _ in 0..STALE_TRIES_MAX {
            let Some(look) = self.look(ctx, &asker, shown).await? else {
                return Ok(Reply::Refused(Refusal::LoginFailed));
            };
            let stored = look.stored.as_deref();
            let fits = self.inner.pins.verify(asker.lane(), stored, pin).await?;
            let found = Found { stored, fits };
            if let Some(reply) = self.finish_login(ctx, &asker, shown, found).await? {
                return Ok(reply);
            }
        }
        Err(StoreError::Busy)
    }

    /// Begins a try; `None` for one that is refused unseen: no work is done for it.
    pub(super) async fn look(
        &self,
        ctx: &Context,
        asker: &Asker,
        shown: Shown<'_>,
    ) -> Result<Option<Look<'_>>, StoreError> {
        let mut read = self.read().await?;
        let gate = asker.gate(&mut read, shown.kind).await?;
        let stored = accounts::hash(&mut read, shown.site, shown.extension, shown.kind).await?;
        drop(read);
        let limits = &self.inner.options.login;
        if let Some(turn) = asker.turn(&self.inner.trying, shown.kind, &gate, ctx.now, limits) {
            return Ok(Some(Look { stored, _turn: turn }));
        }
        if asker.is_notable(&gate, ctx.now, limits) {
            let mut write = self.write(ctx).await?;
            refuse(&mut write, asker, shown, stored.is_some()).await?;
            write.commit().await?;
        }
        Ok(None)
    }

    /// Decides, counts, notes and gives the session; `None` where the PIN was changed meanwhile.
    pub(super) async fn finish_login(
        &self,
        ctx: &Context,
        asker: &Asker,
        shown: Shown<'_>,
        found: Found<'_>,
    ) -> Result<Option<Reply>, StoreError> {
        let mut write = self.write(ctx).await?;
        let reply = match check(&mut write, asker, shown, found).await? {
            (Checked::Stale, _) => {
                write.rollback().await?;
                return Ok(None);
            }
            (Checked::Right, _) => match accounts::by_extension(write.conn(), shown.site, shown.extension).await? {
                Some(account) => {
                    write.who = Who { id: Some(account.id.0), name: Some(account.extension.to_string()) };
                    write.note(shown.action, Some(shown.extension.as_str()), Outcome::Ok).await?;
                    Reply::LoggedIn(session(&mut write, account).await?)
                }
                None => return Err(StoreError::Inconsistent("a PIN without its account".to_owned())),
            },
            (Checked::Wrong, target) => {
                write.note(shown.action, Some(target), Outcome::Failed).await?;
                Reply::Refused(Refusal::LoginFailed)
            }
            (Checked::Refused, _) => Reply::Refused(Refusal::LoginFailed),
        };
        write.commit().await?;
        Ok(Some(reply))
    }
}

/// Decides about a PIN that somebody shows for an extension, under the lock-outs of its kind, and notes it; an extension
/// that there is none of is answered like a wrong PIN.
pub(super) async fn check_shown(
    write: &mut Write<'_>,
    asker: &Asker,
    shown: Shown<'_>,
    found: Found<'_>,
) -> Result<Checked, StoreError> {
    let (checked, target) = check(write, asker, shown, found).await?;
    let outcome = match checked {
        Checked::Stale | Checked::Refused => return Ok(checked),
        Checked::Right => Outcome::Ok,
        Checked::Wrong => Outcome::Failed,
    };
    write.note(shown.action, Some(target), outcome).await?;
    Ok(checked)
}

/// Decides about a PIN that was found to fit or not, counts a failure, and gives what the audit trail is to name.
///
/// The same statements for whichever reason it is wrong, so that none can be told by the time that it takes.
pub(super) async fn check<'a>(
    write: &mut Write<'_>,
    asker: &Asker,
    shown: Shown<'a>,
    found: Found<'_>,
) -> Result<(Checked, &'a str), StoreError> {
    let now = write.ctx.now;
    let gate = asker.gate(write.conn(), shown.kind).await?;
    let tried = accounts::tried(write.conn(), shown.site, shown.extension, shown.kind, asker.origin()).await?;
    let target = if tried.is_some() { shown.extension.as_str() } else { UNKNOWN };
    let present = tried.as_ref().and_then(|tried| tried.pin.as_ref());
    if present.map(|pin| pin.hash.as_str()) != found.stored {
        return Ok((Checked::Stale, target));
    }
    if !asker.passes(&gate, now, &write.options.login) {
        asker.note_refused(write, shown.kind, gate, shown.action, target).await?;
        return Ok((Checked::Refused, target));
    }
    let is_valid = found.fits && present.is_some_and(|pin| !pin.is_expired(now));
    let limits = &write.options.login;
    let is_locked = tried.as_ref().is_some_and(|tried| tried.lock.is_locked(now, limits));
    let is_right = tried.as_ref().is_some_and(|tried| is_valid && tried.is_enabled && !is_locked);
    count(write, shown, asker.origin(), tried.as_ref(), is_right).await?;
    asker.count(write, shown.kind, gate, is_right).await?;
    Ok((if is_right { Checked::Right } else { Checked::Wrong }, target))
}

/// Notes a try that is refused unseen, where under the write lock it still is to be noted.
async fn refuse(write: &mut Write<'_>, asker: &Asker, shown: Shown<'_>, exists: bool) -> Result<(), StoreError> {
    let gate = asker.gate(write.conn(), shown.kind).await?;
    let target = if exists { shown.extension.as_str() } else { UNKNOWN };
    asker.note_refused(write, shown.kind, gate, shown.action, target).await
}

/// Counts for the account; a failure that is not to be counted is written like one that is.
async fn count(
    write: &mut Write<'_>,
    shown: Shown<'_>,
    origin: Origin,
    tried: Option<&Tried>,
    is_right: bool,
) -> Result<(), StoreError> {
    let (now, kind) = (write.ctx.now, shown.kind);
    let (id, lock) = tried.map_or((NOBODY, Lockout::default()), |tried| (tried.id, tried.lock));
    if is_right {
        let sql = "DELETE FROM lockouts WHERE account_id = $1 AND kind = $2 AND origin = $3";
        sqlx::query(sql).bind(id.0).bind(kind.name()).bind(origin.name()).execute(write.conn()).await?;
        return Ok(());
    }
    let limits = &write.options.login;
    let is_counted = tried.is_some() && !lock.is_locked(now, limits);
    let (sql, lock) = if is_counted {
        let sql = "INSERT INTO lockouts (account_id, kind, origin, failures, locks, locked_until)
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account_id, kind, origin)
                   DO UPDATE SET failures = $4, locks = $5, locked_until = $6";
        (sql, lock.after_failure(now, limits))
    } else {
        let sql = "UPDATE lockouts SET failures = $4, locks = $5, locked_until = $6
                   WHERE account_id = $1 AND kind = $2 AND origin = $3";
        (sql, lock)
    };
    sqlx::query(sql)
        .bind(id.0)
        .bind(kind.name())
        .bind(origin.name())
        .bind(i64::from(lock.failures))
        .bind(i64::from(lock.locks))
        .bind(lock.locked_until.map(|end| end.0))
        .execute(write.conn())
        .await?;
    if is_counted && lock.is_locked(now, limits) {
        let (extension, kind, origin) = (shown.extension.as_str(), kind.name(), origin.name());
        tracing::warn!(extension, kind, origin, "too many wrong PINs: this account is locked for that origin");
    }
    Ok(())
}

async fn session(write: &mut Write<'_>, account: Account) -> Result<Session, StoreError> {
    let (must_change_pin, pin_resets) = accounts::account_pin_state(write.conn(), account.id).await?;
    Ok(Session {
        language: settings::language(write.conn(), account.id).await?,
        spoken_name: own_audio::spoken_name(write.conn(), account.id).await?,
        must_change_pin,
        pin_resets,
        news: intents::take_news(write, account.id).await?,
        id: account.id,
        granted: Permissions::of(&account.roles),
        has_role: !account.roles.is_empty(),
        extension: account.extension,
    })
}
