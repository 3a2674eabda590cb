//! Everything by phone that a PIN is part of: changing one's own, and confirming what is destructive. PINs that the
//! store makes for others are in [`super::made_pins`].
//!
//! ```text
//! read: rights, hash, history → argon2 workers → write: rights again, same hash and history? → change, audit
//!                                                       └ no: once more from the start
//! ```

use serde_json::json;
use sqlx::SqliteConnection;

use super::accounts::{self, Account, PinRow};
use super::error::StoreError;
use super::login::{self, Checked, Found, Shown};
use super::people::{self, Told};
use super::pins::{Chosen, Lane};
use super::policy::{self, PinFault, PinKind, ROLE_PIN_DIGITS_MIN};
use super::rights::{self, Caller, Stop};
use super::sources::Asker;
use super::tx::{Outcome, Write};
use super::{STALE_TRIES_MAX, Store, destructive};
use crate::access::{Action, Actor, Context, Destructive, Refusal, Reply};
use crate::model::{AccountId, Pin};

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
                Checked::Wrong | Checked::Refused => Ok(Some(Reply::Refused(Refusal::PinWrong))),
                Checked::Stale => Ok(None),
            },
            Action::SetOwnSupportPin { new } => self.set_own(ctx, actor, action, PinKind::Support, new).await,
            Action::AddUser { extension } => self.add_by_phone(ctx, actor, action, extension).await,
            Action::ResetVoicemailPin { .. } => self.reset(ctx, actor, action, PinKind::Voicemail).await,
            Action::ResetAccountPin { .. } => self.reset(ctx, actor, action, PinKind::Account).await,
            Action::VerifySupportPin { extension, pin } => {
                self.verify_support(ctx, actor, action, extension, pin).await
            }
            Action::Confirm(what, pin) => self.confirm(ctx, actor, action, what, pin).await,
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
        let caller = rights::authorise(&mut read, ctx, actor, action).await?;
        let account = caller.own()?;
        let state = PinState::read(&mut read, account.id, kind).await?;
        drop(read);
        let hash = self.choose_pin(account, kind, new, &state).await?.map_err(Refusal::from)?;

        let mut write = self.write(ctx).await?;
        let caller = rights::authorise(write.conn(), ctx, actor, action).await?;
        let account = caller.own()?;
        write.who = caller.who();
        if PinState::read(write.conn(), account.id, kind).await? != state {
            return Ok(None);
        }
        check_policy(account, kind, new).map_err(Refusal::from)?;
        store_pin(&mut write, account.id, kind, new, &hash, false).await?;
        let told = Told { action: action.name(), ..Told::new(pin_event(kind), json!({ "temporary": false })) };
        let number = people::changed(&mut write, account, told).await?;
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
        let (state, fits) = self.verify_own(ctx, actor, action, pin).await?;
        let mut write = self.write(ctx).await?;
        let (checked, _) = settle_own(&mut write, actor, action, &state, fits).await?;
        write.commit().await?;
        Ok(checked)
    }

    async fn verify_own(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        pin: &Pin,
    ) -> Result<(PinState, bool), Stop> {
        let mut read = self.read().await?;
        let caller = rights::authorise(&mut read, ctx, actor, action).await?;
        let state = PinState::read(&mut read, caller.own()?.id, PinKind::Account).await?;
        drop(read);
        let fits = self.inner.pins.verify(Lane::Known, state.hash(), pin).await?;
        Ok((state, fits))
    }

    /// Checks the caller's own account PIN, and does what is destructive in the same transaction. A right PIN is
    /// remembered as right even where the deed is refused.
    async fn confirm(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        what: &Destructive,
        pin: &Pin,
    ) -> Result<Option<Reply>, Stop> {
        let (state, fits) = self.verify_own(ctx, actor, action, pin).await?;
        let mut write = self.write(ctx).await?;
        let (checked, caller) = settle_own(&mut write, actor, action, &state, fits).await?;
        let outcome = match checked {
            Checked::Stale => return Ok(None),
            Checked::Wrong | Checked::Refused => Ok(Reply::Refused(Refusal::PinWrong)),
            Checked::Right => destructive::carry_out_or_nothing(&mut write, &caller, what).await,
        };
        if let Err(Stop::Fault(_)) = outcome {
            return outcome.map(Some);
        }
        write.commit().await?;
        outcome.map(Some)
    }
}

/// Reads the rights again, decides about the caller's own account PIN, and notes a failure.
async fn settle_own(
    write: &mut Write<'_>,
    actor: &Actor,
    action: &Action,
    state: &PinState,
    fits: bool,
) -> Result<(Checked, Caller), Stop> {
    let ctx = write.ctx;
    let caller = rights::authorise(write.conn(), ctx, actor, action).await?;
    write.who = caller.who();
    let account = caller.own()?;
    let (site, extension) = (account.site, &account.extension);
    let shown = Shown { site, extension, kind: PinKind::Account, action: action.name() };
    let found = Found { stored: state.hash(), fits };
    let (checked, _) = login::check(write, &Asker::session(), shown, found).await?;
    if checked == Checked::Wrong {
        write.note(action.name(), rights::target(action).as_deref(), Outcome::Failed).await?;
    }
    Ok((checked, caller))
}

pub(super) fn check_policy(account: &Account, kind: PinKind, new: &Pin) -> Result<(), PinFault> {
    policy::check(new, kind.digits_min(!account.roles.is_empty()), &account.extension)
}

/// The event that tells the hooks of a new PIN.
pub(super) fn pin_event(kind: PinKind) -> &'static str {
    match kind {
        PinKind::Account => "account_pin.changed",
        PinKind::Voicemail => "voicemail_pin.changed",
        PinKind::Support => "support_pin.changed",
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
        "INSERT INTO pins (account_id, kind, hash, temporary, expires_at, changed_at, long, resets)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, kind)
         DO UPDATE SET hash = $3, temporary = $4, expires_at = $5, changed_at = $6, long = $7, resets = pins.resets + $8",
    )
    .bind(id.0)
    .bind(kind.name())
    .bind(hash)
    .bind(i64::from(temporary))
    .bind(temporary.then_some(now.saturating_add(good_for_ms)))
    .bind(now)
    .bind(i64::from(pin.digits().len() >= ROLE_PIN_DIGITS_MIN))
    .bind(i64::from(write.who.id != Some(id.0)))
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
