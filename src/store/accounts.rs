//! Reading accounts, their roles and the state of their PINs.

use serde::Serialize;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::clock::rfc3339;
use super::error::StoreError;
use super::lockout::{self, Lockout, LoginLimits, UNTIL_UNLOCKED};
use super::policy::PinKind;
use super::settings::Forwarding;
use super::throttle::Origin;
use super::{Store, admin::AdminError};
use crate::access::Role;
use crate::model::{AccountId, Audio, Extension, SiteId, Wall};

/// An account with its roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) id: AccountId,
    pub(super) site: SiteId,
    pub(super) site_name: String,
    pub(super) extension: Extension,
    pub(super) enabled: bool,
    pub(super) roles: Vec<Role>,
}

type AccountTuple = (i64, i64, String, String, i64);

pub(super) async fn by_id(conn: &mut SqliteConnection, id: AccountId) -> Result<Option<Account>, StoreError> {
    let sql = "SELECT a.id, a.site_id, s.name, a.extension, a.enabled FROM accounts a JOIN sites s ON s.id = a.site_id
               WHERE a.id = $1";
    let row: Option<AccountTuple> = sqlx::query_as(sql).bind(id.0).fetch_optional(&mut *conn).await?;
    with_roles(conn, row).await
}

pub(super) async fn by_extension(
    conn: &mut SqliteConnection,
    site: SiteId,
    extension: &Extension,
) -> Result<Option<Account>, StoreError> {
    let sql = "SELECT a.id, a.site_id, s.name, a.extension, a.enabled FROM accounts a JOIN sites s ON s.id = a.site_id
               WHERE a.site_id = $1 AND a.extension = $2";
    let row: Option<AccountTuple> =
        sqlx::query_as(sql).bind(site.0).bind(extension.as_str()).fetch_optional(&mut *conn).await?;
    with_roles(conn, row).await
}

async fn with_roles(conn: &mut SqliteConnection, row: Option<AccountTuple>) -> Result<Option<Account>, StoreError> {
    let Some((id, site, site_name, extension, enabled)) = row else { return Ok(None) };
    let names: Vec<String> =
        sqlx::query_scalar("SELECT role FROM roles WHERE account_id = $1").bind(id).fetch_all(conn).await?;
    Ok(Some(Account {
        id: AccountId(id),
        site: SiteId(site),
        site_name,
        extension: parse_extension(&extension)?,
        enabled: enabled != 0,
        roles: parse_roles(&names)?,
    }))
}

fn parse_extension(text: &str) -> Result<Extension, StoreError> {
    Extension::parse(text).ok_or_else(|| StoreError::Inconsistent(format!("the extension `{text}`")))
}

fn parse_roles(names: &[String]) -> Result<Vec<Role>, StoreError> {
    let mut roles = Vec::new();
    for name in names {
        roles.push(Role::parse(name).ok_or_else(|| StoreError::Inconsistent(format!("the role `{name}`")))?);
    }
    roles.sort_unstable();
    Ok(roles)
}

/// A stored PIN: never more of it than its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PinRow {
    pub(super) hash: String,
    pub(super) temporary: bool,
    pub(super) expires_at: Option<i64>,
}

impl PinRow {
    pub(super) fn is_expired(&self, now: Wall) -> bool {
        self.expires_at.is_some_and(|end| now.0 >= end)
    }
}

pub(super) async fn pin(
    conn: &mut SqliteConnection,
    id: AccountId,
    kind: PinKind,
) -> Result<Option<PinRow>, StoreError> {
    let sql = "SELECT hash, temporary, expires_at FROM pins WHERE account_id = $1 AND kind = $2";
    let row: Option<(String, i64, Option<i64>)> =
        sqlx::query_as(sql).bind(id.0).bind(kind.name()).fetch_optional(conn).await?;
    Ok(row.map(|(hash, temporary, expires_at)| PinRow { hash, temporary: temporary != 0, expires_at }))
}

/// Whether the account PIN is temporary, and how often somebody else than its owner has set it.
pub(super) async fn account_pin_state(conn: &mut SqliteConnection, id: AccountId) -> Result<(bool, i64), StoreError> {
    let sql = "SELECT temporary, resets FROM pins WHERE account_id = $1 AND kind = $2";
    let row: Option<(i64, i64)> =
        sqlx::query_as(sql).bind(id.0).bind(PinKind::Account.name()).fetch_optional(conn).await?;
    Ok(row.map_or((false, 0), |(temporary, resets)| (temporary == 1, resets)))
}

/// Whether the account PIN is shorter than a role holder's must be. No account PIN lets nobody in.
pub(super) async fn has_short_pin(conn: &mut SqliteConnection, id: AccountId) -> Result<bool, StoreError> {
    let sql = "SELECT long FROM pins WHERE account_id = $1 AND kind = $2";
    let long: Option<i64> =
        sqlx::query_scalar(sql).bind(id.0).bind(PinKind::Account.name()).fetch_optional(conn).await?;
    Ok(long == Some(0))
}

/// The hashes of the last PINs of a kind, newest last.
pub(super) async fn pin_history(
    conn: &mut SqliteConnection,
    id: AccountId,
    kind: PinKind,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT hash FROM pin_history WHERE account_id = $1 AND kind = $2 ORDER BY id";
    Ok(sqlx::query_scalar(sql).bind(id.0).bind(kind.name()).fetch_all(conn).await?)
}

/// The hash of the PIN of an extension; `None` where there is no such PIN or no such account. One query either way.
pub(super) async fn hash(
    conn: &mut SqliteConnection,
    site: SiteId,
    extension: &Extension,
    kind: PinKind,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT p.hash FROM accounts a JOIN pins p ON p.account_id = a.id AND p.kind = $3
               WHERE a.site_id = $1 AND a.extension = $2";
    let query = sqlx::query_scalar(sql).bind(site.0).bind(extension.as_str()).bind(kind.name());
    Ok(query.fetch_optional(conn).await?)
}

/// An account whose PIN is tried.
pub(super) struct Tried {
    pub(super) id: AccountId,
    pub(super) is_enabled: bool,
    pub(super) pin: Option<PinRow>,
    pub(super) lock: Lockout,
}

type TriedTuple = (i64, i64, Option<String>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

/// All that is to be known of an account whose PIN is tried, by one query, whether it is there or not.
pub(super) async fn tried(
    conn: &mut SqliteConnection,
    site: SiteId,
    extension: &Extension,
    kind: PinKind,
    origin: Origin,
) -> Result<Option<Tried>, StoreError> {
    let sql = "SELECT a.id, a.enabled, p.hash, p.temporary, p.expires_at, l.failures, l.locks, l.locked_until
               FROM accounts a LEFT JOIN pins p ON p.account_id = a.id AND p.kind = $3
               LEFT JOIN lockouts l ON l.account_id = a.id AND l.kind = $3 AND l.origin = $4
               WHERE a.site_id = $1 AND a.extension = $2";
    let query = sqlx::query_as(sql).bind(site.0).bind(extension.as_str()).bind(kind.name()).bind(origin.name());
    let row: Option<TriedTuple> = query.fetch_optional(conn).await?;
    let Some((id, enabled, hash, temporary, expires_at, failures, locks, until)) = row else { return Ok(None) };
    let count = |count: Option<i64>| u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX);
    Ok(Some(Tried {
        id: AccountId(id),
        is_enabled: enabled != 0,
        pin: hash.map(|hash| PinRow { hash, temporary: temporary == Some(1), expires_at }),
        lock: Lockout { failures: count(failures), locks: count(locks), locked_until: until.map(Wall) },
    }))
}

/// Whether a PIN is locked for anybody.
pub(super) async fn is_locked(
    conn: &mut SqliteConnection,
    id: AccountId,
    kind: PinKind,
    now: Wall,
    limits: &LoginLimits,
) -> Result<bool, StoreError> {
    let sql = "SELECT locked_until FROM lockouts WHERE account_id = $1 AND kind = $2 AND locked_until IS NOT NULL";
    let ends: Vec<i64> = sqlx::query_scalar(sql).bind(id.0).bind(kind.name()).fetch_all(conn).await?;
    Ok(ends.into_iter().any(|end| lockout::is_on(Wall(end), now, limits)))
}

/// Audio as it is stored: 16-bit little-endian samples.
pub(super) fn audio_of(bytes: &[u8]) -> Audio {
    let sample = |pair: &[u8]| match pair {
        [low, high] => i16::from_le_bytes([*low, *high]),
        _ => 0,
    };
    Audio(bytes.chunks_exact(2).map(sample).collect())
}

pub(super) fn bytes_of(audio: &Audio) -> Vec<u8> {
    audio.0.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// An account as it is shown; never a PIN or a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserRow {
    /// The extension.
    pub extension: String,
    /// Unique over all sites.
    pub username: String,
    /// The display name.
    pub name: String,
    /// The site's name.
    pub site: String,
    /// Names of roles, in the order of the roles menu.
    pub roles: Vec<&'static str>,
    /// Whether it may log in.
    pub enabled: bool,
    /// Whether the account PIN is locked now, for its own handset or for anybody else.
    pub locked: bool,
    /// The end of that lock, of the later one where there are two; the year 9999 where only an administrator ends it.
    pub locked_until: Option<String>,
    /// The end of the lock for its own handset; null where that gets in.
    pub own_locked_until: Option<String>,
    /// As [`UserRow::locked_until`], for the voicemail PIN.
    pub voicemail_locked_until: Option<String>,
    /// Whether the account PIN must be changed at the next login.
    pub pin_temporary: bool,
    /// Whether there is a voicemail PIN.
    pub voicemail_pin_set: bool,
    /// Whether the voicemail PIN must be changed at first use.
    pub voicemail_pin_temporary: bool,
    /// Call forwarding.
    pub forwarding: Forwarding,
    /// Do not disturb.
    pub dnd: bool,
    /// The language of its calls; null for the configured one.
    pub language: Option<String>,
}

/// Someone who holds a role (`role list`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleHolder {
    /// The role's name.
    pub role: &'static str,
    /// The extensions that hold it.
    pub holders: Vec<String>,
}

impl Store {
    /// All users of a site, by extension.
    pub async fn users(&self, site: SiteId, now: Wall) -> Result<Vec<UserRow>, StoreError> {
        let mut read = self.read().await?;
        user_rows(&mut read, site, None, now, &self.inner.options.login).await
    }

    /// One user.
    pub async fn user(&self, site: SiteId, extension: &Extension, now: Wall) -> Result<UserRow, AdminError> {
        let mut read = self.read().await?;
        let found = user_rows(&mut read, site, Some(extension), now, &self.inner.options.login).await?.pop();
        found.ok_or_else(|| AdminError::UnknownExtension(extension.clone()))
    }

    /// Who holds each role at a site.
    pub async fn role_holders(&self, site: SiteId) -> Result<Vec<RoleHolder>, StoreError> {
        let mut read = self.read().await?;
        let mut all = Vec::new();
        for role in Role::ALL {
            let sql = "SELECT a.extension FROM roles r CROSS JOIN accounts a
                       WHERE r.role = $1 AND a.id = r.account_id AND a.site_id = $2 ORDER BY length(a.extension), a.extension";
            let holders = sqlx::query_scalar(sql).bind(role.name()).bind(site.0).fetch_all(&mut *read).await?;
            all.push(RoleHolder { role: role.name(), holders });
        }
        Ok(all)
    }
}

/// An account, the ends of its locks, its PINs' states and one of its roles.
type ShownTuple = (
    String,
    String,
    String,
    String,
    i64,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

/// A row for each role of each account of a site (`$1`), or one for an account without any. Of locks only those that end by
/// `$2`, or at `$3`, which is when an administrator ends them.
const SHOWN: &str = "SELECT a.extension, a.username, a.name, s.name, a.enabled, a.dnd, a.language, a.forward_always,
    a.forward_busy, a.forward_no_answer,
    (SELECT max(l.locked_until) FROM lockouts l WHERE l.account_id = a.id AND l.kind = 'account'
     AND (l.locked_until <= $2 OR l.locked_until = $3)),
    (SELECT l.locked_until FROM lockouts l WHERE l.account_id = a.id AND l.kind = 'account' AND l.origin = 'own'
     AND (l.locked_until <= $2 OR l.locked_until = $3)),
    (SELECT max(l.locked_until) FROM lockouts l WHERE l.account_id = a.id AND l.kind = 'voicemail'
     AND (l.locked_until <= $2 OR l.locked_until = $3)),
    ap.temporary, vp.temporary, r.role
    FROM accounts a JOIN sites s ON s.id = a.site_id
    LEFT JOIN pins ap ON ap.account_id = a.id AND ap.kind = 'account'
    LEFT JOIN pins vp ON vp.account_id = a.id AND vp.kind = 'voicemail'
    LEFT JOIN roles r ON r.account_id = a.id
    WHERE a.site_id = $1";

/// The query for the accounts of a site, or for the one of an extension (`$4`): that has a text of its own, as only so it
/// goes by the index, however many accounts there are.
pub(super) fn shown_by(extension: Option<&Extension>) -> String {
    let one = if extension.is_some() { " AND a.extension = $4" } else { "" };
    format!("{SHOWN}{one} ORDER BY length(a.extension), a.extension")
}

/// The accounts of a site, or the one of that extension, by one query.
async fn user_rows(
    conn: &mut SqliteConnection,
    site: SiteId,
    extension: Option<&Extension>,
    now: Wall,
    limits: &LoginLimits,
) -> Result<Vec<UserRow>, StoreError> {
    let query = sqlx::query_as(AssertSqlSafe(shown_by(extension))).bind(site.0);
    let query = query.bind(lockout::latest(now, limits).0).bind(UNTIL_UNLOCKED.0);
    let query = match extension {
        Some(extension) => query.bind(extension.as_str().to_owned()),
        None => query,
    };
    let shown: Vec<ShownTuple> = query.fetch_all(conn).await?;
    let mut users: Vec<(UserRow, Vec<String>)> = Vec::new();
    for mut row in shown {
        let role = row.15.take();
        match users.last_mut() {
            Some((user, roles)) if user.extension == row.0 => roles.extend(role),
            _ => users.push((user_row(row, now), role.into_iter().collect())),
        }
    }
    let with_roles = |(user, roles): (UserRow, Vec<String>)| {
        let roles = parse_roles(&roles)?.into_iter().map(Role::name).collect();
        Ok(UserRow { roles, ..user })
    };
    users.into_iter().map(with_roles).collect()
}

fn user_row(shown: ShownTuple, now: Wall) -> UserRow {
    let (extension, username, name, site, enabled, dnd, language, always, busy, no_answer, ..) = shown;
    let until = |end: Option<i64>| end.map(Wall).filter(|end| now < *end).map(rfc3339);
    let (locked_until, own_locked_until) = (until(shown.10), until(shown.11));
    UserRow {
        extension,
        username,
        name,
        site,
        roles: Vec::new(),
        enabled: enabled != 0,
        locked: locked_until.is_some(),
        locked_until,
        own_locked_until,
        voicemail_locked_until: until(shown.12),
        pin_temporary: shown.13 == Some(1),
        voicemail_pin_set: shown.14.is_some(),
        voicemail_pin_temporary: shown.14 == Some(1),
        forwarding: Forwarding { always, busy, no_answer },
        dnd: dnd != 0,
        language,
    }
}
