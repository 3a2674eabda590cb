//! `callcenter`: call centers, open or closed.

use clap::Subcommand;

use super::item::{self, ItemArg, NewItem};
use super::{Shell, SiteArg, yes};
use crate::access::ItemKind;
use crate::model::ItemNumber;
use crate::store::{CallCenterRow, System};

/// `callcenter …`
#[derive(Debug, Subcommand)]
pub enum CallCenter {
    /// Adds a call center
    Add(NewItem),
    /// Lists the call centers
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Shows a call center
    Show {
        #[command(flatten)]
        item: ItemArg,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Opens a call center
    Open(ItemArg),
    /// Closes a call center
    Close(ItemArg),
    /// Deletes a call center
    Delete(ItemArg),
}

impl CallCenter {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            CallCenter::Add(new) => item::add(shell, ItemKind::CallCenter, new).await,
            CallCenter::List { json } => list(shell, json).await,
            CallCenter::Show { item, json } => show(shell, item.number, json).await,
            CallCenter::Open(ItemArg { number }) => {
                let system = System::SetCallCenter { number, open: true };
                item::change(shell, ItemKind::CallCenter, number, "opened", system).await
            }
            CallCenter::Close(ItemArg { number }) => {
                let system = System::SetCallCenter { number, open: false };
                item::change(shell, ItemKind::CallCenter, number, "closed", system).await
            }
            CallCenter::Delete(ItemArg { number }) => item::delete(shell, ItemKind::CallCenter, number).await,
        }
    }
}

async fn rows(shell: &mut Shell<'_>) -> anyhow::Result<Vec<CallCenterRow>> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let rows = store.call_centers().await;
    store.close().await;
    Ok(rows?)
}

async fn list(shell: &mut Shell<'_>, json: bool) -> anyhow::Result<()> {
    let rows = rows(shell).await?;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 3]> =
        rows.into_iter().map(|row| [row.number.to_string(), row.name, yes(row.open)]).collect();
    Ok(shell.table(["NUMBER", "NAME", "OPEN"], &cells)?)
}

async fn show(shell: &mut Shell<'_>, number: ItemNumber, json: bool) -> anyhow::Result<()> {
    let row = item::find(rows(shell).await?, |row| row.number, ItemKind::CallCenter, number)?;
    if json {
        return shell.json(&row);
    }
    Ok(shell.fields(&[("number", row.number.to_string()), ("name", row.name), ("open", yes(row.open))])?)
}
