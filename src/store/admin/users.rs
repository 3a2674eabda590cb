//! Users, as the shell adds, imports and gives PINs to them.

use serde_json::json;

use super::{AdminError, AdminReply, ImportedUser, find};
use crate::access::{Context, Role, source};
use crate::model::{Extension, Pin};
use crate::store::error::StoreError;
use crate::store::login::{self, Checked, Found, Shown};
use crate::store::own_pins::{self, PinState};
use crate::store::people::{self, NewUser, Told};
use crate::store::pins::{self, Chosen};
use crate::store::policy::{self, PinFault, PinKind, ROLE_PIN_DIGITS_MIN};
use crate::store::rights::Caller;
use crate::store::sources::Asker;
use crate::store::{STALE_TRIES_MAX, Store, accounts};

/// Users that one import takes; each PIN is hashed, which takes its time.
pub(in crate::store) const IMPORTED_MAX: usize = 10_000;

impl Store {
    pub(super) async fn add_user(
        &self,
        ctx: &Context,
        user: NewUser<'_>,
        pin: Option<&Pin>,
    ) -> Result<AdminReply, AdminError> {
        people::check_name(user.name, "name", 0)?;
        let made = match pin {
            Some(_) => None,
            None => Some(pins::random_pin(ROLE_PIN_DIGITS_MIN, user.extension)?),
        };
        let pin = pin.or(made.as_ref()).ok_or(StoreError::NoRandom)?;
        let hash = self.hash_first(&user, pin).await?;

        let mut write = self.write(ctx).await?;
        write.who = Caller::shell().who();
        let change = people::add(&mut write, &user, pin, &hash, made.is_some()).await?;
        write.commit().await?;
        Ok(AdminReply::Added { change, temporary: made })
    }

    /// All of them, each with a temporary PIN, or none.
    pub(super) async fn import(&self, ctx: &Context, rows: &[ImportedUser]) -> Result<AdminReply, AdminError> {
        if rows.len() > IMPORTED_MAX {
            return Err(AdminError::ImportTooLong(IMPORTED_MAX));
        }
        let at = |row: &ImportedUser| {
            let line = row.line;
            move |why: AdminError| match why {
                AdminError::Store(error) => AdminError::Store(error),
                why => AdminError::ImportLine { line, why: Box::new(why) },
            }
        };
        // Once without PINs, taken back: a wrong line is told before the long work of hashing.
        let mut write = self.write(ctx).await?;
        for row in rows {
            people::insert(&mut write, &row.user()).await.map_err(at(row))?;
        }
        write.rollback().await?;

        let mut made = Vec::with_capacity(rows.len());
        for row in rows {
            let pin = pins::random_pin(ROLE_PIN_DIGITS_MIN, &row.extension)?;
            let hash = self.hash_first(&row.user(), &pin).await.map_err(at(row))?;
            made.push((pin, hash));
        }
        let mut write = self.write(ctx).await?;
        write.who = Caller::shell().who();
        for (row, (pin, hash)) in rows.iter().zip(&made) {
            people::add(&mut write, &row.user(), pin, hash, true).await.map_err(at(row))?;
        }
        write.commit().await?;
        let imported = rows.iter().zip(made).map(|(row, (pin, _))| (row.extension.clone(), pin));
        Ok(AdminReply::Imported(imported.collect()))
    }

    /// Checks and hashes the first account PIN of a user.
    async fn hash_first(&self, user: &NewUser<'_>, pin: &Pin) -> Result<String, AdminError> {
        policy::check(pin, PinKind::Account.digits_min(!user.roles.is_empty()), user.extension)?;
        match self.inner.pins.choose(pin, &[]).await? {
            Chosen::Hash(hash) => Ok(hash),
            Chosen::UsedBefore => Err(PinFault::UsedBefore.into()),
        }
    }

    pub(super) async fn set_pin(
        &self,
        ctx: &Context,
        extension: &Extension,
        kind: PinKind,
        pin: &Pin,
        temporary: bool,
    ) -> Result<AdminReply, AdminError> {
        for _ in 0..STALE_TRIES_MAX {
            let mut read = self.read().await?;
            let account = accounts::by_extension(&mut read, ctx.site, extension).await?;
            let account = account.ok_or_else(|| AdminError::UnknownExtension(extension.clone()))?;
            let state = PinState::read(&mut read, account.id, kind).await?;
            drop(read);
            let hash = self.choose_pin(&account, kind, pin, &state).await??;

            let mut write = self.write(ctx).await?;
            write.who = Caller::shell().who();
            let account = find(&mut write, extension).await?;
            if PinState::read(write.conn(), account.id, kind).await? != state {
                continue;
            }
            own_pins::check_policy(&account, kind, pin)?;
            own_pins::store_pin(&mut write, account.id, kind, pin, &hash, temporary).await?;
            let data = json!({ "temporary": temporary });
            let after = temporary.then_some("temporary");
            let told = Told { after, ..Told::new(own_pins::pin_event(kind), data) };
            let number = people::changed(&mut write, &account, told).await?;
            write.commit().await?;
            return Ok(AdminReply::Changed(number));
        }
        Err(StoreError::Busy.into())
    }

    pub(super) async fn verify_voicemail(
        &self,
        ctx: &Context,
        extension: &Extension,
        pin: &Pin,
        caller: Option<&str>,
    ) -> Result<AdminReply, AdminError> {
        let ctx =
            &Context { source: source(&ctx.source, caller), caller: caller.and_then(Extension::parse), ..ctx.clone() };
        let asker = Asker::shell(ctx, extension, caller.is_some());
        let shown = Shown { site: ctx.site, extension, kind: PinKind::Voicemail, action: "voicemail_pin.verified" };
        for _ in 0..STALE_TRIES_MAX {
            let Some(look) = self.look(ctx, &asker, shown).await? else {
                return Ok(AdminReply::Verified { right: false });
            };
            let stored = look.stored.as_deref();
            let fits = self.inner.pins.verify(asker.lane(), stored, pin).await?;
            let mut write = self.write(ctx).await?;
            write.who = Caller::shell().who();
            let found = Found { stored, fits };
            let right = match login::check_shown(&mut write, &asker, shown, found).await? {
                Checked::Stale => continue,
                Checked::Right => true,
                Checked::Wrong | Checked::Refused => false,
            };
            write.commit().await?;
            return Ok(AdminReply::Verified { right });
        }
        Err(StoreError::Busy.into())
    }
}

impl ImportedUser {
    fn user(&self) -> NewUser<'_> {
        NewUser {
            extension: &self.extension,
            name: &self.name,
            username: self.username.as_deref(),
            roles: &self.roles,
            language: self.language,
        }
    }
}

/// Roles, each once, in their order.
pub(super) fn each_once(roles: &[Role]) -> Vec<Role> {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    roles
}
