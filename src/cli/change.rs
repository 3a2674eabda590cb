//! `change`: changes by number.

use clap::Subcommand;

use super::{Shell, SiteArg, or_dash};
use crate::model::Extension;

/// `change …`
#[derive(Debug, Subcommand)]
pub enum Change {
    /// Lists the changes, oldest first
    List {
        /// Only those of one extension
        #[arg(long, value_name = "EXT", value_parser = super::extension)]
        account: Option<Extension>,
        /// Only the last ones
        #[arg(long, value_name = "N")]
        last: Option<u32>,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
}

impl Change {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        let Change::List { account, last, json } = self;
        let (store, _) = shell.open(&SiteArg::default()).await?;
        let rows = store.changes(account.as_ref().map(Extension::as_str), last).await?;
        store.close().await;
        if json {
            return shell.json(&rows);
        }
        let cells: Vec<[String; 7]> = rows
            .into_iter()
            .map(|row| {
                let (before, after) = (or_dash(row.before), or_dash(row.after));
                [row.number.to_string(), row.at, row.account, row.action, row.target, before, after]
            })
            .collect();
        Ok(shell.table(["NUMBER", "AT", "ACCOUNT", "ACTION", "TARGET", "BEFORE", "AFTER"], &cells)?)
    }
}
