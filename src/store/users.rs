//! Other people's accounts, by phone.

use sqlx::SqliteConnection;

use super::accounts;
use super::policy::PinKind;
use super::rights::Stop;
use crate::access::{Context, Refusal, Reply};
use crate::model::Extension;

/// Name and state; what may be done to the account is refused at its key, not here.
pub(super) async fn open(conn: &mut SqliteConnection, ctx: &Context, extension: &Extension) -> Result<Reply, Stop> {
    let account = accounts::by_extension(conn, ctx.site, extension).await?.ok_or(Refusal::Unknown)?;
    let lock = accounts::lockout(conn, account.id, PinKind::Account).await?;
    Ok(Reply::User {
        spoken_name: accounts::spoken_name(conn, account.id).await?,
        enabled: account.enabled,
        locked: lock.is_locked(ctx.now),
    })
}
