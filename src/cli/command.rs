//! `command`: intents and their outcomes.

use clap::Subcommand;

use super::{Shell, SiteArg, or_dash};

/// `command …`
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the intents, oldest first
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        let Command::List { json } = self;
        let (store, _) = shell.open(&SiteArg::default()).await?;
        let rows = store.commands().await?;
        store.close().await;
        if json {
            return shell.json(&rows);
        }
        let cells: Vec<[String; 8]> = rows
            .into_iter()
            .map(|row| {
                let (id, finished, detail) = (row.id.to_string(), or_dash(row.finished_at), or_dash(row.detail));
                [id, row.kind, row.subject, row.state, row.requested_by, row.requested_at, finished, detail]
            })
            .collect();
        let heads = ["ID", "KIND", "WHAT", "STATE", "REQUESTED BY", "AT", "FINISHED", "DETAIL"];
        Ok(shell.table(heads, &cells)?)
    }
}
