//! `change`: changes by number.

use clap::Subcommand;

use super::{Shell, SiteArg, or_dash};
use crate::model::{ChangeNumber, Extension};
use crate::store::Admin;

/// `change …`
#[derive(Debug, Subcommand)]
pub enum Change {
    /// Lists the changes, oldest first
    List {
        /// Only those of one extension, of `cli`, or of `outside` (other programs)
        #[arg(long, value_name = "EXT", value_parser = account)]
        account: Option<String>,
        /// Only the last ones
        #[arg(long, value_name = "N")]
        last: Option<u32>,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Puts back what a change had changed, as a change of its own
    Undo {
        /// The number of the change
        #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..))]
        number: i64,
    },
}

/// What the changes name: an extension, the shell, or other programs.
fn account(text: &str) -> Result<String, String> {
    match text {
        "cli" | "outside" => Ok(text.to_owned()),
        _ => {
            let known = || "an extension, `cli` or `outside`".to_owned();
            Extension::parse(text).map(|_| text.to_owned()).ok_or_else(known)
        }
    }
}

impl Change {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            Change::List { account, last, json } => list(shell, account.as_deref(), last, json).await,
            Change::Undo { number } => {
                let undo = Admin::Undo { number: ChangeNumber(number) };
                shell.change(&SiteArg::default(), &format!("change {number} undone"), undo).await
            }
        }
    }
}

async fn list(shell: &mut Shell<'_>, account: Option<&str>, last: Option<u32>, json: bool) -> anyhow::Result<()> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let rows = store.changes(account, last).await?;
    store.close().await;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 8]> = rows
        .into_iter()
        .map(|row| {
            let (before, after, undone_by) = (or_dash(row.before), or_dash(row.after), or_dash(row.undone_by));
            [row.number.to_string(), row.at, row.account, row.action, row.target, before, after, undone_by]
        })
        .collect();
    Ok(shell.table(["NUMBER", "AT", "ACCOUNT", "ACTION", "TARGET", "BEFORE", "AFTER", "UNDONE BY"], &cells)?)
}
