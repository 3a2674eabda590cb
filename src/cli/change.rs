//! `change`: changes by number.

use clap::Subcommand;

use super::{Shell, SiteArg, or_dash};
use crate::model::Extension;

/// `change …`
#[derive(Debug, Subcommand)]
pub enum Change {
    /// Lists the changes, oldest first
    List {
        /// Only those of one extension, or of `cli`
        #[arg(long, value_name = "EXT", value_parser = account)]
        account: Option<String>,
        /// Only the last ones
        #[arg(long, value_name = "N")]
        last: Option<u32>,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
}

/// What the changes name: an extension, or the shell.
fn account(text: &str) -> Result<String, String> {
    match text {
        "cli" => Ok(text.to_owned()),
        _ => Extension::parse(text).map(|_| text.to_owned()).ok_or_else(|| "an extension, or `cli`".to_owned()),
    }
}

impl Change {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        let Change::List { account, last, json } = self;
        let (store, _) = shell.open(&SiteArg::default()).await?;
        let rows = store.changes(account.as_deref(), last).await?;
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
