//! Temporary PINs that the store makes, by phone: for a new user and for one who has forgotten theirs; and the support
//! PIN that somebody shows.

use serde_json::json;

use super::Store;
use super::admin::AdminError;
use super::error::StoreError;
use super::login::{self, Checked, Found, Shown};
use super::own_pins::{self, PinState};
use super::people::{self, NewUser, Told};
use super::pins::{self, Chosen};
use super::policy::{PIN_DIGITS_MIN, PinKind, ROLE_PIN_DIGITS_MIN};
use super::rights::{self, Stop};
use super::sources::Asker;
use crate::access::{Action, Actor, Context, Refusal, Reply};
use crate::model::{Extension, Pin};

impl Store {
    /// Adds a user with a temporary account PIN of 8 digits. Taken is also an extension whose username `EXT@SITE` is
    /// another account's.
    pub(super) async fn add_by_phone(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        extension: &Extension,
    ) -> Result<Option<Reply>, Stop> {
        let mut read = self.read().await?;
        rights::authorise(&mut read, ctx, actor, action).await?;
        drop(read);
        let pin = pins::random_pin(ROLE_PIN_DIGITS_MIN, extension)?;
        let Chosen::Hash(hash) = self.inner.pins.choose(&pin, &[]).await? else { return Ok(None) };

        let mut write = self.write(ctx).await?;
        let caller = rights::authorise(write.conn(), ctx, actor, action).await?;
        write.who = caller.who();
        let user = NewUser { extension, name: "", username: None, roles: &[], language: None };
        let change = match people::add(&mut write, &user, &pin, &hash, true).await {
            Ok(change) => change,
            Err(AdminError::Store(error)) => return Err(error.into()),
            Err(AdminError::ExtensionTaken(_) | AdminError::UsernameTaken(_)) => {
                return Err(Refusal::AlreadySo.into());
            }
            Err(other) => return Err(StoreError::Inconsistent(other.to_string()).into()),
        };
        write.commit().await?;
        Ok(Some(Reply::TemporaryPin { pin, change }))
    }

    /// Makes a temporary PIN for another user. One's own account PIN is not reset but changed, by whoever knows it.
    pub(super) async fn reset(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        kind: PinKind,
    ) -> Result<Option<Reply>, Stop> {
        let mut read = self.read().await?;
        let caller = rights::authorise(&mut read, ctx, actor, action).await?;
        let account = caller.other()?;
        let digits = match kind {
            PinKind::Account => {
                caller.is_not(account)?;
                ROLE_PIN_DIGITS_MIN
            }
            PinKind::Voicemail | PinKind::Support => PIN_DIGITS_MIN,
        };
        let state = PinState::read(&mut read, account.id, kind).await?;
        drop(read);
        let pin = pins::random_pin(digits, &account.extension)?;
        // Made by chance, and one of the last five: make another.
        let Ok(hash) = self.choose_pin(account, kind, &pin, &state).await? else { return Ok(None) };

        let mut write = self.write(ctx).await?;
        let caller = rights::authorise(write.conn(), ctx, actor, action).await?;
        write.who = caller.who();
        let account = caller.other()?;
        if PinState::read(write.conn(), account.id, kind).await? != state {
            return Ok(None);
        }
        own_pins::store_pin(&mut write, account.id, kind, &pin, &hash, true).await?;
        let told = Told::new(own_pins::pin_event(kind), json!({ "temporary": true }));
        let told = Told { action: action.name(), after: Some("temporary"), ..told };
        let change = people::changed(&mut write, account, told).await?;
        write.commit().await?;
        Ok(Some(Reply::TemporaryPin { pin, change }))
    }

    /// Whether that is the support PIN of that user. Wrong, unknown, locked, disabled and none at all are one answer,
    /// after the same work.
    pub(super) async fn verify_support(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        extension: &Extension,
        pin: &Pin,
    ) -> Result<Option<Reply>, Stop> {
        let mut read = self.read().await?;
        let caller = rights::authorise(&mut read, ctx, actor, action).await?;
        drop(read);
        let asker = Asker::account(caller.who().id);
        let shown = Shown { site: ctx.site, extension, kind: PinKind::Support, action: action.name() };
        let Some(look) = self.look(ctx, &asker, shown).await? else {
            return Ok(Some(Reply::Refused(Refusal::Unknown)));
        };
        let stored = look.stored.as_deref();
        let fits = self.inner.pins.verify(asker.lane(), stored, pin).await?;

        let mut write = self.write(ctx).await?;
        let caller = rights::authorise(write.conn(), ctx, actor, action).await?;
        write.who = caller.who();
        let found = Found { stored, fits };
        let reply = match login::check_shown(&mut write, &asker, shown, found).await? {
            Checked::Stale => return Ok(None),
            Checked::Right => Reply::Done,
            Checked::Wrong | Checked::Refused => Reply::Refused(Refusal::Unknown),
        };
        write.commit().await?;
        Ok(Some(reply))
    }
}
