//! Other people's accounts, by phone. Who may touch which was asked by [`super::rights::authorise`].

use sqlx::SqliteConnection;

use super::lockout::LoginLimits;
use super::policy::PinKind;
use super::rights::{Caller, Stop};
use super::tx::Write;
use super::{accounts, handsets, own_audio, people, settings};
use crate::access::{Action, Context, ForwardKind, OwnAudio, Refusal, Reply};
use crate::model::Extension;

/// What a caller asks of other accounts.
pub(super) async fn read(
    conn: &mut SqliteConnection,
    ctx: &Context,
    limits: &LoginLimits,
    caller: &Caller,
    action: &Action,
) -> Result<Reply, Stop> {
    match action {
        Action::OpenUser { extension } => open(conn, ctx, limits, extension).await,
        Action::CheckUser { .. } => caller.other().map(|_| Reply::Done),
        Action::ListHandsets { .. } => Ok(Reply::Handsets(handsets::list(conn, Some(caller.other()?.id)).await?)),
        Action::ListUnassignedHandsets => Ok(Reply::Handsets(handsets::list(conn, None).await?)),
        Action::ReadUserForwarding { .. } => {
            Ok(Reply::Forwardings(settings::forwards(conn, caller.other()?.id).await?))
        }
        Action::RoleHolders { role } => Ok(Reply::People(people::holders(conn, ctx.site.0, *role).await?)),
        _ => Err(Refusal::NotAllowed.into()),
    }
}

/// What a caller does to other accounts.
pub(super) async fn write(write: &mut Write<'_>, caller: &Caller, action: &Action) -> Result<Reply, Stop> {
    let other = caller.other()?;
    let change = match action {
        Action::UnlockUser { .. } => people::unlock(write, other).await?,
        Action::SetUserEnabled { enabled, .. } => {
            if !enabled {
                caller.is_not(other)?;
            }
            people::set_enabled(write, other, *enabled).await?.ok_or(Refusal::AlreadySo)?
        }
        Action::AssignHandset { mac, .. } => handsets::assign(write, *mac, other).await?,
        Action::RemoveHandset { mac, .. } => handsets::remove(write, *mac, other).await?,
        Action::UserForwardingOff { .. } => {
            let all = ForwardKind::ALL.map(|kind| (kind, None));
            settings::set_forwarding(write, other, &all).await?.ok_or(Refusal::NothingThere)?
        }
        Action::KeepUserName { audio, .. } => own_audio::keep(write, other, OwnAudio::Name, audio).await?,
        _ => return Err(Refusal::NotAllowed.into()),
    };
    Ok(Reply::Changed(change))
}

/// Name and state; what may be done to the account is refused at its key, not here.
async fn open(
    conn: &mut SqliteConnection,
    ctx: &Context,
    limits: &LoginLimits,
    extension: &Extension,
) -> Result<Reply, Stop> {
    let account = accounts::by_extension(conn, ctx.site, extension).await?.ok_or(Refusal::Unknown)?;
    Ok(Reply::User {
        spoken_name: own_audio::spoken_name(conn, account.id).await?,
        enabled: account.enabled,
        locked: accounts::is_locked(conn, account.id, PinKind::Account, ctx.now, limits).await?,
    })
}
