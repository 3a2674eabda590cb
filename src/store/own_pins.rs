//! Everything by phone that a PIN is part of: changing one's own, resetting another's, confirming a reboot.
//!
//! ```text
//! read: rights, hash, history → argon2 workers → write: rights again, same hash and history? → change, audit
//!                                                       └ no: once more from the start
//! ```

use serde_json::json;
use sqlx::SqliteConnection;

use super::accounts::{self, Account, PinRow};
use super::error::StoreError;
use super::login::{self, Checked};
use super::pins::{self, Chosen};
use super::policy::{self, PIN_DIGITS_MIN, PinFault, PinKind, ROLE_PIN_DIGITS_MIN};
use super::rights::{self, Stop};
use super::tx::{Change, Outcome, Write};
use super::{STALE_TRIES_MAX, Store, reboot};
use crate::access::{Action, Actor, Context, Destructive, RebootWhen, Refusal, Reply};
use crate::model::{AccountId, Extension, Pin};

/// PINs of one kind that are remembered, the present one among them.
const HISTORY_PINS: i64 = 5;

/// What a PIN is checked against, and must still be when it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PinState {
    pub(super) present: Option<PinRow>,
    pub(super) history: Vec<String>,
}

impl PinState {
    pub(super) async fn read(conn: &mut SqliteConnection, id: AccountId, kind: PinKind) -> Result<Self, StoreError> {
        Ok(Self {
            present: accounts::pin(conn, id, kind).await?,
            history: accounts::pin_history(conn, id, kind).await?,
        })
    }

    pub(super) fn hash(&self) -> Option<&str> {
        self.present.as_ref().map(|pin| pin.hash.as_str())
    }
}

impl From<PinFault> for Refusal {
    fn from(fault: PinFault) -> Self {
        match fault {
            PinFault::TooShort(_) => Refusal::PinTooShort,
            PinFault::TooSimple => Refusal::PinTooSimple,
            PinFault::UsedBefore => Refusal::PinUsedBefore,
        }
    }
}

impl Store {
    pub(super) async fn apply_with_pin(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
    ) -> Result<Reply, StoreError> {
        for _ in 0..STALE_TRIES_MAX {
            let outcome = match self.pin_action(ctx, actor, action).await {
                Ok(Some(reply)) => Ok(reply),
                Ok(None) => continue,
                Err(stop) => Err(stop),
            };
            return self.settle(ctx, actor, action, outcome).await;
        }
        Err(StoreError::Busy)
    }

    /// One attempt; `None` where the PIN was changed by someone else meanwhile.
    async fn pin_action(&self, ctx: &Context, actor: &Actor, action: &Action) -> Result<Option<Reply>, Stop> {
        match action {
            Action::SetOwnVoicemailPin { new } => self.set_own(ctx, actor, action, PinKind::Voicemail, new).await,
            Action::ReplaceTemporaryPin { new } => self.set_own(ctx, actor, action, PinKind::Account, new).await,
            Action::SetOwnAccountPin { current, new } => match self.confirm_own(ctx, actor, action, current).await? {
                Checked::Right => self.set_own(ctx, actor, action, PinKind::Account, new).await,
                Checked::Wrong => Ok(Some(Reply::Refused(Refusal::PinWrong))),
                Checked::Stale => Ok(None),
            },
            Action::ResetVoicemailPin { extension } => self.reset_voicemail(ctx, actor, action, extension).await,
            Action::Confirm(Destructive::Reboot { when }, pin) => self.reboot(ctx, actor, action, *when, pin).await,
            _ => Err(Refusal::NotAllowed.into()),
        }
    }

    async fn set_own(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        kind: PinKind,
        new: &Pin,
    ) -> Result<Option<Reply>, Stop> {
        let mut read = self.read().await?;
        let caller = rights::authorise(&mut read, actor, action).await?;
        let account = caller.own()?;
        let state = PinState::read(&mut read, account.id, kind).await?;
        drop(read);
        let hash = self.choose_pin(account, kind, new, &state).await?.map_err(Refusal::from)?;

        let mut write = self.write(ctx).await?;
        let caller = rights::authorise(write.conn(), actor, action).await?;
        let account = caller.own()?;
        write.who = caller.who();
        if PinState::read(write.conn(), account.id, kind).await? != state {
            return Ok(None);
        }
        check_policy(account, kind, new).map_err(Refusal::from)?;
        store_pin(&mut write, account.id, kind, new, &hash, false).await?;
        let target = account.extension.to_string();
        let event = (pin_event(kind), json!({ "temporary": false }));
        let change = Change { action: action.name(), target: &target, before: None, after: None, event };
        let number = write.change(change).await?;
        write.commit().await?;
        Ok(Some(Reply::Changed(number)))
    }

    /// Checks the policy and the history, and hashes.
    pub(super) async fn choose_pin(
        &self,
        account: &Account,
        kind: PinKind,
        new: &Pin,
        state: &PinState,
    ) -> Result<Result<String, PinFault>, StoreError> {
        if let Err(fault) = check_policy(account, kind, new) {
            return Ok(Err(fault));
        }
        match self.inner.pins.choose(new, &state.history).await? {
            Chosen::Hash(hash) => Ok(Ok(hash)),
            Chosen::UsedBefore => Ok(Err(PinFault::UsedBefore)),
        }
    }

    /// Asks for the caller's own account PIN again; a wrong one counts.
    async fn confirm_own(&self, ctx: &Context, actor: &Actor, action: &Action, pin: &Pin) -> Result<Checked, Stop> {
        let (state, fits) = self.verify_own(actor, action, pin).await?;
        let mut write = self.write(ctx).await?;
        let checked = settle_own(&mut write, actor, action, &state, fits).await?;
        write.commit().await?;
        Ok(checked)
    }

    async fn verify_own(&self, actor: &Actor, action: &Action, pin: &Pin) -> Result<(PinState, bool), Stop> {
        let mut read = self.read().await?;
        let caller = rights::authorise(&mut read, actor, action).await?;
        let state = PinState::read(&mut read, caller.own()?.id, PinKind::Account).await?;
        drop(read);
        let fits = self.inner.pins.verify(state.hash(), pin).await?;
        Ok((state, fits))
    }

    async fn reset_voicemail(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        extension: &Extension,
    ) -> Result<Option<Reply>, Stop> {
        let kind = PinKind::Voicemail;
        let mut read = self.read().await?;
        let caller = rights::authorise(&mut read, actor, action).await?;
        let account = accounts::by_extension(&mut read, ctx.site, extension).await?.ok_or(Refusal::Unknown)?;
        rights::not_reaching_up(&caller, &account)?;
        let state = PinState::read(&mut read, account.id, kind).await?;
        drop(read);
        let pin = pins::random_pin(PIN_DIGITS_MIN, extension)?;
        // Made by chance, and one of the last five: make another.
        let Ok(hash) = self.choose_pin(&account, kind, &pin, &state).await? else { return Ok(None) };

        let mut write = self.write(ctx).await?;
        let caller = rights::authorise(write.conn(), actor, action).await?;
        write.who = caller.who();
        let account = accounts::by_extension(write.conn(), ctx.site, extension).await?.ok_or(Refusal::Unknown)?;
        rights::not_reaching_up(&caller, &account)?;
        if PinState::read(write.conn(), account.id, kind).await? != state {
            return Ok(None);
        }
        store_pin(&mut write, account.id, kind, &pin, &hash, true).await?;
        let event = (pin_event(kind), json!({ "temporary": true }));
        let target = extension.as_str();
        let change = Change { action: action.name(), target, before: None, after: Some("temporary"), event };
        let change = write.change(change).await?;
        write.commit().await?;
        Ok(Some(Reply::TemporaryPin { pin, change }))
    }

    async fn reboot(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        when: RebootWhen,
        pin: &Pin,
    ) -> Result<Option<Reply>, Stop> {
        let (state, fits) = self.verify_own(actor, action, pin).await?;
        let mut write = self.write(ctx).await?;
        let reply = match settle_own(&mut write, actor, action, &state, fits).await? {
            Checked::Stale => return Ok(None),
            Checked::Wrong => Reply::Refused(Refusal::PinWrong),
            Checked::Right => reboot::request(&mut write, action, when).await?,
        };
        write.commit().await?;
        Ok(Some(reply))
    }
}

/// Reads the rights again, decides about the caller's own account PIN, and notes a failure.
async fn settle_own(
    write: &mut Write<'_>,
    actor: &Actor,
    action: &Action,
    state: &PinState,
    fits: bool,
) -> Result<Checked, Stop> {
    let caller = rights::authorise(write.conn(), actor, action).await?;
    write.who = caller.who();
    let checked = login::check(write, caller.own()?, PinKind::Account, state.hash(), fits).await?;
    if checked == Checked::Wrong {
        write.note(action.name(), rights::target(action).as_deref(), Outcome::Failed).await?;
    }
    Ok(checked)
}

pub(super) fn check_policy(account: &Account, kind: PinKind, new: &Pin) -> Result<(), PinFault> {
    policy::check(new, kind.digits_min(!account.roles.is_empty()), &account.extension)
}

/// The event that tells the hooks of a new PIN.
pub(super) fn pin_event(kind: PinKind) -> &'static str {
    match kind {
        PinKind::Account => "account_pin.changed",
        PinKind::Voicemail => "voicemail_pin.changed",
    }
}

/// Replaces a PIN, remembers it, and forgets failures: guesses at the old one are worth nothing any more.
pub(super) async fn store_pin(
    write: &mut Write<'_>,
    id: AccountId,
    kind: PinKind,
    pin: &Pin,
    hash: &str,
    temporary: bool,
) -> Result<(), StoreError> {
    let now = write.now();
    let good_for_ms = i64::from(write.options.login.temporary_pin_hours) * 3_600_000;
    sqlx::query(
        "INSERT INTO pins (account_id, kind, hash, temporary, expires_at, changed_at, long)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, kind)
         DO UPDATE SET hash = $3, temporary = $4, expires_at = $5, changed_at = $6, long = $7",
    )
    .bind(id.0)
    .bind(kind.name())
    .bind(hash)
    .bind(i64::from(temporary))
    .bind(temporary.then_some(now.saturating_add(good_for_ms)))
    .bind(now)
    .bind(i64::from(pin.digits().len() >= ROLE_PIN_DIGITS_MIN))
    .execute(write.conn())
    .await?;
    sqlx::query("INSERT INTO pin_history (account_id, kind, hash) VALUES ($1, $2, $3)")
        .bind(id.0)
        .bind(kind.name())
        .bind(hash)
        .execute(write.conn())
        .await?;
    sqlx::query(
        "DELETE FROM pin_history WHERE account_id = $1 AND kind = $2 AND id NOT IN
         (SELECT id FROM pin_history WHERE account_id = $1 AND kind = $2 ORDER BY id DESC LIMIT $3)",
    )
    .bind(id.0)
    .bind(kind.name())
    .bind(HISTORY_PINS)
    .execute(write.conn())
    .await?;
    let sql = "DELETE FROM lockouts WHERE account_id = $1 AND kind = $2";
    sqlx::query(sql).bind(id.0).bind(kind.name()).execute(write.conn()).await?;
    Ok(())
}
