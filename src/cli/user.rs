//! `user`: accounts.

use clap::{Args, Subcommand};

use super::{Shell, SiteArg, or_dash, user_csv, yes};
use crate::access::Role;
use crate::model::Extension;
use crate::store::{Admin, UserRow};

/// `user …`
#[derive(Debug, Subcommand)]
pub enum User {
    /// Adds an account; without --pin-stdin a temporary PIN is made and printed
    Add(Add),
    /// Lists the accounts
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: SiteArg,
    },
    /// Shows an account; never a PIN
    Show {
        #[command(flatten)]
        account: AccountArg,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Sets the account PIN; ends a temporary one
    SetPin {
        #[command(flatten)]
        account: AccountArg,
        /// Read the PIN from standard input
        #[arg(long, required = true)]
        pin_stdin: bool,
        /// It must be changed at the next login, within the configured hours
        #[arg(long)]
        temporary: bool,
    },
    /// Ends the locks of all PINs of an account
    Unlock(AccountArg),
    /// Lets nobody log in to an account
    Disable(AccountArg),
    /// Ends that
    Enable(AccountArg),
    /// Deletes an account
    Delete(AccountArg),
    /// Adds all accounts of a CSV file, or none; temporary PINs are made and printed
    Import(user_csv::Import),
    /// Writes the accounts as CSV that `import` takes
    Export {
        #[command(flatten)]
        site: SiteArg,
    },
}

/// `EXT [--site S]`
#[derive(Debug, Args)]
pub struct AccountArg {
    /// The extension
    #[arg(value_name = "EXT", value_parser = super::extension)]
    pub(super) extension: Extension,
    #[command(flatten)]
    pub(super) site: SiteArg,
}

/// `user add EXT …`
#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    account: AccountArg,
    /// The name of the person
    #[arg(long, value_name = "N", default_value = "")]
    name: String,
    /// Unique over all sites [default: EXT@SITE]
    #[arg(long, value_name = "U")]
    username: Option<String>,
    /// A role it is to hold; may be given several times
    #[arg(long = "role", value_name = "R", value_parser = super::role)]
    roles: Vec<Role>,
    /// Read the account PIN from standard input
    #[arg(long)]
    pin_stdin: bool,
}

impl User {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            User::Add(add) => add.run(shell).await,
            User::List { json, site } => list(shell, json, &site).await,
            User::Show { account, json } => show(shell, &account, json).await,
            User::SetPin { account, pin_stdin: _, temporary } => {
                let pin = shell.read_pin()?;
                let extension = account.extension.clone();
                let what = if temporary { "temporary PIN set" } else { "PIN set" };
                change(shell, &account, what, Admin::SetPin { extension, pin, temporary }).await
            }
            User::Unlock(account) => {
                let extension = account.extension.clone();
                change(shell, &account, "unlocked", Admin::Unlock { extension }).await
            }
            User::Disable(account) => {
                let extension = account.extension.clone();
                change(shell, &account, "disabled", Admin::SetEnabled { extension, enabled: false }).await
            }
            User::Enable(account) => {
                let extension = account.extension.clone();
                change(shell, &account, "enabled", Admin::SetEnabled { extension, enabled: true }).await
            }
            User::Delete(account) => {
                let extension = account.extension.clone();
                change(shell, &account, "deleted", Admin::DeleteUser { extension }).await
            }
            User::Import(import) => import.run(shell).await,
            User::Export { site } => user_csv::export(shell, &site).await,
        }
    }
}

impl Add {
    async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        let pin = shell.read_pin_if(self.pin_stdin)?;
        let mut roles = self.roles;
        roles.sort_unstable();
        roles.dedup();
        let extension = self.account.extension.clone();
        let user = Admin::AddUser { extension, name: self.name, username: self.username, roles, pin };
        change(shell, &self.account, "added", user).await
    }
}

/// Does it to an account, and says so.
pub(super) async fn change(
    shell: &mut Shell<'_>,
    account: &AccountArg,
    what: &str,
    admin: Admin,
) -> anyhow::Result<()> {
    shell.change(&account.site, &format!("{} {what}", account.extension), admin).await
}

async fn list(shell: &mut Shell<'_>, json: bool, site: &SiteArg) -> anyhow::Result<()> {
    let (store, ctx) = shell.open(site).await?;
    let rows = store.users(ctx.site, ctx.now).await?;
    store.close().await;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 5]> = rows
        .into_iter()
        .map(|row| {
            let state = state_of(&row);
            [row.extension, row.name, row.username, row.roles.join(", "), state]
        })
        .collect();
    Ok(shell.table(["EXTENSION", "NAME", "USERNAME", "ROLES", "STATE"], &cells)?)
}

fn state_of(row: &UserRow) -> String {
    match (row.enabled, row.locked) {
        (false, _) => "disabled",
        (true, true) => "locked",
        (true, false) => "enabled",
    }
    .to_owned()
}

async fn show(shell: &mut Shell<'_>, account: &AccountArg, json: bool) -> anyhow::Result<()> {
    let (store, ctx) = shell.open(&account.site).await?;
    let row = store.user(ctx.site, &account.extension, ctx.now).await;
    store.close().await;
    let row = row?;
    if json {
        return shell.json(&row);
    }
    let voicemail = match (row.voicemail_pin_set, row.voicemail_pin_temporary) {
        (false, _) => "none",
        (true, true) => "temporary",
        (true, false) => "set",
    };
    let lines = [
        ("extension", row.extension.clone()),
        ("name", row.name.clone()),
        ("username", row.username.clone()),
        ("site", row.site.clone()),
        ("roles", row.roles.join(", ")),
        ("state", state_of(&row)),
        ("locked until", or_dash(row.locked_until)),
        ("own phone locked until", or_dash(row.own_locked_until)),
        ("account PIN", if row.pin_temporary { "temporary" } else { "set" }.to_owned()),
        ("voicemail PIN", voicemail.to_owned()),
        ("voicemail locked until", or_dash(row.voicemail_locked_until)),
        ("forwarding always", or_dash(row.forwarding.always)),
        ("forwarding busy", or_dash(row.forwarding.busy)),
        ("forwarding no answer", or_dash(row.forwarding.no_answer)),
        ("do not disturb", yes(row.dnd)),
        ("language", or_dash(row.language)),
    ];
    Ok(shell.fields(&lines)?)
}
