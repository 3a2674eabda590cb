//! What is done to accounts: adding, deleting, enabling, unlocking, roles. The setters serve the phone, the shell and an
//! undo alike; who may is asked before.

use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::accounts::{self, Account};
use super::admin::{AdminError, NAME_CHARS_MAX};
use super::error::StoreError;
use super::own_audio;
use super::own_pins;
use super::policy::PinKind;
use super::rights::Stop;
use super::tx::{Change, Write};
use crate::access::{People, Person, Refusal, Role};
use crate::model::{AccountId, Audio, ChangeNumber, Extension, Language, Pin};

/// People that one list names; more are only counted.
const LISTED_MAX: u32 = 200;
/// Spoken names in one list, in samples (16 MB); who comes after them is named by the extension.
const LISTED_SAMPLES_MAX: usize = 8 << 20;

/// What is told of a change to an account.
pub(super) struct Told<'a> {
    /// The change's name.
    pub(super) action: &'a str,
    /// What was, and what is.
    pub(super) before: Option<&'a str>,
    pub(super) after: Option<&'a str>,
    /// The event's name for the hooks, and what it carries besides the site.
    pub(super) event: &'a str,
    pub(super) data: Value,
}

impl<'a> Told<'a> {
    /// A change of the event's own name.
    pub(super) fn new(event: &'a str, data: Value) -> Self {
        Self { action: event, before: None, after: None, event, data }
    }
}

/// Writes the rows of a change to an account; its event says of which site it is.
pub(super) async fn changed(
    write: &mut Write<'_>,
    account: &Account,
    told: Told<'_>,
) -> Result<ChangeNumber, StoreError> {
    let Told { action, before, after, event, mut data } = told;
    if let Some(fields) = data.as_object_mut() {
        fields.insert("site".to_owned(), json!(account.site_name));
    }
    let change = Change { action, target: account.extension.as_str(), before, after, event: (event, data) };
    write.change_to(Some(account.id), change).await
}

/// A user to be added.
pub(super) struct NewUser<'a> {
    pub(super) extension: &'a Extension,
    pub(super) name: &'a str,
    /// `EXT@SITE` where none is given.
    pub(super) username: Option<&'a str>,
    pub(super) roles: &'a [Role],
    pub(super) language: Option<Language>,
}

/// Adds a user with an account PIN that was hashed before.
pub(super) async fn add(
    write: &mut Write<'_>,
    user: &NewUser<'_>,
    pin: &Pin,
    hash: &str,
    temporary: bool,
) -> Result<ChangeNumber, AdminError> {
    let (account, username) = insert(write, user).await?;
    own_pins::store_pin(write, account.id, PinKind::Account, pin, hash, temporary).await?;
    let roles: Vec<&str> = user.roles.iter().map(|role| role.name()).collect();
    let data = json!({ "username": username, "name": user.name, "roles": roles });
    let told = Told { after: Some(&username), ..Told::new("user.added", data) };
    Ok(changed(write, &account, told).await?)
}

/// Adds the account and its roles, without a PIN.
pub(super) async fn insert(write: &mut Write<'_>, user: &NewUser<'_>) -> Result<(Account, String), AdminError> {
    let (site, now) = (write.ctx.site, write.now());
    if accounts::by_extension(write.conn(), site, user.extension).await?.is_some() {
        return Err(AdminError::ExtensionTaken(user.extension.clone()));
    }
    let sql = "SELECT name FROM sites WHERE id = $1";
    let site_name: Option<String> = sqlx::query_scalar(sql).bind(site.0).fetch_optional(write.conn()).await?;
    let site_name = site_name.ok_or_else(|| StoreError::Inconsistent(format!("no site of number {}", site.0)))?;
    let username = user.username.map_or_else(|| format!("{}@{site_name}", user.extension), str::to_owned);
    check_name(user.name, "name", 0)?;
    check_name(&username, "username", 1)?;
    let sql = "SELECT id FROM accounts WHERE username = $1";
    let taken: Option<i64> = sqlx::query_scalar(sql).bind(&username).fetch_optional(write.conn()).await?;
    if taken.is_some() {
        return Err(AdminError::UsernameTaken(username));
    }
    let sql = "INSERT INTO accounts (site_id, extension, username, name, language, created_at)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    let id: i64 = sqlx::query_scalar(sql)
        .bind(site.0)
        .bind(user.extension.as_str())
        .bind(&username)
        .bind(user.name)
        .bind(user.language.map(Language::code))
        .bind(now)
        .fetch_one(write.conn())
        .await?;
    for role in user.roles {
        insert_role(write, AccountId(id), *role).await?;
    }
    let (id, extension, roles) = (AccountId(id), user.extension.clone(), user.roles.to_vec());
    Ok((Account { id, site, site_name, extension, enabled: true, roles }, username))
}

/// Checks a name of a person, an account, a recording, a handset.
pub(super) fn check_name(name: &str, what: &'static str, chars_min: usize) -> Result<(), AdminError> {
    let chars = name.chars().count();
    let fits = (chars_min..=NAME_CHARS_MAX).contains(&chars) && !name.chars().any(is_control);
    if fits { Ok(()) } else { Err(AdminError::BadName(what)) }
}

/// Whether a character changes how those around it are shown: control characters, and what turns the direction of
/// writing round (Unicode Standard Annex 9, section 2), by which a name can be made to look like another.
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Deletes an account, and all that is its own with it.
pub(super) async fn delete(write: &mut Write<'_>, account: &Account) -> Result<ChangeNumber, Stop> {
    keep_one_server_administrator(write, account).await?;
    // What goes with it has no change of its own, so this one says what it was.
    let sql = "SELECT number FROM hunt_group_members WHERE account_id = $1 ORDER BY number";
    let groups: Vec<i64> = sqlx::query_scalar(sql).bind(account.id.0).fetch_all(write.conn()).await?;
    let sql = "SELECT mac FROM handsets WHERE account_id = $1 ORDER BY mac";
    let handsets: Vec<String> = sqlx::query_scalar(sql).bind(account.id.0).fetch_all(write.conn()).await?;
    let sql = "DELETE FROM accounts WHERE id = $1 RETURNING username";
    let username: String = sqlx::query_scalar(sql).bind(account.id.0).fetch_one(write.conn()).await?;
    let mut before = username.clone();
    for group in &groups {
        before.push_str(&format!(", in group {group}"));
    }
    for mac in &handsets {
        before.push_str(&format!(", handset {mac}"));
    }
    let data = json!({ "username": username, "groups": groups, "handsets": handsets });
    let told = Told { before: Some(&before), ..Told::new("user.deleted", data) };
    Ok(changed(write, account, told).await?)
}

/// Ends the locks of all PINs of an account.
pub(super) async fn unlock(write: &mut Write<'_>, account: &Account) -> Result<ChangeNumber, StoreError> {
    let sql = "DELETE FROM lockouts WHERE account_id = $1";
    sqlx::query(sql).bind(account.id.0).execute(write.conn()).await?;
    changed(write, account, Told::new("user.unlocked", json!({}))).await
}

/// Enables or disables an account; `None` where it was so already.
pub(super) async fn set_enabled(
    write: &mut Write<'_>,
    account: &Account,
    enabled: bool,
) -> Result<Option<ChangeNumber>, Stop> {
    if account.enabled == enabled {
        return Ok(None);
    }
    if !enabled {
        keep_one_server_administrator(write, account).await?;
    }
    let sql = "UPDATE accounts SET enabled = $2 WHERE id = $1";
    sqlx::query(sql).bind(account.id.0).bind(i64::from(enabled)).execute(write.conn()).await?;
    let (before, after) = if enabled { ("disabled", "enabled") } else { ("enabled", "disabled") };
    let event = if enabled { "user.enabled" } else { "user.disabled" };
    let told = Told { before: Some(before), after: Some(after), ..Told::new(event, json!({})) };
    Ok(Some(changed(write, account, told).await?))
}

/// Gives a role; `None` where the account holds it already.
pub(super) async fn assign_role(
    write: &mut Write<'_>,
    account: &Account,
    role: Role,
) -> Result<Option<ChangeNumber>, Stop> {
    if account.roles.contains(&role) {
        return Ok(None);
    }
    if accounts::has_short_pin(write.conn(), account.id).await? {
        return Err(Refusal::PinTooShortForRole.into());
    }
    insert_role(write, account.id, role).await?;
    let data = json!({ "role": role.name() });
    let told = Told { after: Some(role.name()), ..Told::new("role.assigned", data) };
    Ok(Some(changed(write, account, told).await?))
}

/// Takes a role away; `None` where the account does not hold it.
pub(super) async fn remove_role(
    write: &mut Write<'_>,
    account: &Account,
    role: Role,
) -> Result<Option<ChangeNumber>, Stop> {
    if !account.roles.contains(&role) {
        return Ok(None);
    }
    if role == Role::ServerAdministrator {
        keep_one_server_administrator(write, account).await?;
    }
    let sql = "DELETE FROM roles WHERE account_id = $1 AND role = $2";
    sqlx::query(sql).bind(account.id.0).bind(role.name()).execute(write.conn()).await?;
    let data = json!({ "role": role.name() });
    let told = Told { before: Some(role.name()), ..Told::new("role.removed", data) };
    Ok(Some(changed(write, account, told).await?))
}

async fn insert_role(write: &mut Write<'_>, id: AccountId, role: Role) -> Result<(), StoreError> {
    let now = write.now();
    let sql = "INSERT INTO roles (account_id, role, granted_at) VALUES ($1, $2, $3)
               ON CONFLICT (account_id, role) DO NOTHING";
    sqlx::query(sql).bind(id.0).bind(role.name()).bind(now).execute(write.conn()).await?;
    Ok(())
}

/// Refuses to take away the last enabled Server Administrator of a site.
async fn keep_one_server_administrator(write: &mut Write<'_>, account: &Account) -> Result<(), Stop> {
    if !account.enabled || !account.roles.contains(&Role::ServerAdministrator) {
        return Ok(());
    }
    // CROSS: from the few who hold the role to their accounts, not through all accounts of the site.
    let sql = "SELECT a.id FROM roles r CROSS JOIN accounts a
               WHERE r.role = 'server-administrator' AND a.id = r.account_id AND a.site_id = $1 AND a.enabled = 1 AND a.id <> $2 LIMIT 1";
    let other: Option<i64> =
        sqlx::query_scalar(sql).bind(account.site.0).bind(account.id.0).fetch_optional(write.conn()).await?;
    if other.is_some() { Ok(()) } else { Err(Refusal::LastServerAdministrator.into()) }
}

/// Someone of whom callers hear.
pub(super) async fn person(conn: &mut SqliteConnection, account: &Account) -> Result<Person, StoreError> {
    let spoken_name = own_audio::spoken_name(conn, account.id).await?;
    Ok(Person { extension: account.extension.clone(), spoken_name })
}

/// Who holds a role at a site, by extension.
pub(super) async fn holders(conn: &mut SqliteConnection, site: i64, role: Role) -> Result<People, StoreError> {
    // CROSS: as above.
    let sql = "SELECT COUNT(*) FROM roles r CROSS JOIN accounts a
               WHERE r.role = $1 AND a.id = r.account_id AND a.site_id = $2";
    let count: i64 = sqlx::query_scalar(sql).bind(role.name()).bind(site).fetch_one(&mut *conn).await?;
    let sql = "SELECT a.id, a.extension FROM roles r CROSS JOIN accounts a
               WHERE r.role = $1 AND a.id = r.account_id AND a.site_id = $2 ORDER BY length(a.extension), a.extension LIMIT $3";
    let rows: Vec<(i64, String)> =
        sqlx::query_as(sql).bind(role.name()).bind(site).bind(i64::from(LISTED_MAX)).fetch_all(&mut *conn).await?;
    Ok(People { count: u32::try_from(count).unwrap_or(u32::MAX), listed: named(conn, rows).await? })
}

/// The people of a list, by number and extension, with their spoken names.
pub(super) async fn named(conn: &mut SqliteConnection, rows: Vec<(i64, String)>) -> Result<Vec<Person>, StoreError> {
    let mut samples_left = LISTED_SAMPLES_MAX;
    let mut listed = Vec::new();
    for (id, extension) in rows {
        let Some(extension) = Extension::parse(&extension) else { continue };
        let spoken_name = own_audio::spoken_name(conn, AccountId(id)).await?;
        let spoken_name = spoken_name.filter(|Audio(samples)| samples.len() <= samples_left);
        samples_left -= spoken_name.as_ref().map_or(0, |Audio(samples)| samples.len());
        listed.push(Person { extension, spoken_name });
    }
    Ok(listed)
}
