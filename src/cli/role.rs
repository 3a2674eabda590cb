//! `role`: roles and who holds them.

use clap::Subcommand;

use super::user::{AccountArg, change};
use super::{Shell, SiteArg};
use crate::access::Role;
use crate::store::Admin;

/// `role …`
#[derive(Debug, Subcommand)]
pub enum RoleVerb {
    /// Lists the roles and the extensions that hold them
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: SiteArg,
    },
    /// Gives a role; it takes effect at the next login
    Assign {
        /// The role's name
        #[arg(value_name = "ROLE", value_parser = super::role)]
        role: Role,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Takes a role away; it takes effect at once
    Remove {
        /// The role's name
        #[arg(value_name = "ROLE", value_parser = super::role)]
        role: Role,
        #[command(flatten)]
        account: AccountArg,
    },
}

impl RoleVerb {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            RoleVerb::List { json, site } => list(shell, json, &site).await,
            RoleVerb::Assign { role, account } => {
                let extension = account.extension.clone();
                let what = format!("is {}", role.name());
                change(shell, &account, &what, Admin::AssignRole { role, extension }).await
            }
            RoleVerb::Remove { role, account } => {
                let extension = account.extension.clone();
                let what = format!("is not {}", role.name());
                change(shell, &account, &what, Admin::RemoveRole { role, extension }).await
            }
        }
    }
}

async fn list(shell: &mut Shell<'_>, json: bool, site: &SiteArg) -> anyhow::Result<()> {
    let (store, ctx) = shell.open(site).await?;
    let rows = store.role_holders(ctx.site).await?;
    store.close().await;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 2]> = rows.into_iter().map(|row| [row.role.to_owned(), row.holders.join(", ")]).collect();
    Ok(shell.table(["ROLE", "HELD BY"], &cells)?)
}
