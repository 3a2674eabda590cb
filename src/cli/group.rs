//! `group`: hunt groups and their members.

use clap::Subcommand;

use super::item::{self, ItemArg, NewItem};
use super::user::AccountArg;
use super::{Shell, SiteArg};
use crate::access::ItemKind;
use crate::model::ItemNumber;
use crate::store::{Admin, GroupRow, System};

/// `group …`
#[derive(Debug, Subcommand)]
pub enum Group {
    /// Adds a hunt group, without members
    Add(NewItem),
    /// Lists the hunt groups
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Shows a hunt group and its members in their order
    Show {
        #[command(flatten)]
        item: ItemArg,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Adds a member at the end
    AddMember {
        #[command(flatten)]
        item: ItemArg,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Takes a member out
    RemoveMember {
        #[command(flatten)]
        item: ItemArg,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Deletes a hunt group
    Delete(ItemArg),
}

impl Group {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            Group::Add(new) => item::add(shell, ItemKind::Group, new).await,
            Group::List { json } => list(shell, json).await,
            Group::Show { item, json } => show(shell, item.number, json).await,
            Group::AddMember { item: ItemArg { number }, account } => {
                let what = format!("group {}: member {} added", number.0, account.extension);
                let system = System::AddMember { number, extension: account.extension };
                shell.change(&account.site, &what, Admin::System(system)).await
            }
            Group::RemoveMember { item: ItemArg { number }, account } => {
                let what = format!("group {}: member {} removed", number.0, account.extension);
                let system = System::RemoveMember { number, extension: account.extension };
                shell.change(&account.site, &what, Admin::System(system)).await
            }
            Group::Delete(ItemArg { number }) => item::delete(shell, ItemKind::Group, number).await,
        }
    }
}

async fn rows(shell: &mut Shell<'_>) -> anyhow::Result<Vec<GroupRow>> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let rows = store.groups().await;
    store.close().await;
    Ok(rows?)
}

async fn list(shell: &mut Shell<'_>, json: bool) -> anyhow::Result<()> {
    let rows = rows(shell).await?;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 3]> =
        rows.into_iter().map(|row| [row.number.to_string(), row.name, row.members.join(", ")]).collect();
    Ok(shell.table(["NUMBER", "NAME", "MEMBERS"], &cells)?)
}

async fn show(shell: &mut Shell<'_>, number: ItemNumber, json: bool) -> anyhow::Result<()> {
    let row = item::find(rows(shell).await?, |row| row.number, ItemKind::Group, number)?;
    if json {
        return shell.json(&row);
    }
    let lines = [("number", row.number.to_string()), ("name", row.name), ("members", row.members.join(", "))];
    Ok(shell.fields(&lines)?)
}
