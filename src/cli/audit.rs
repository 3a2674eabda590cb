//! `audit`: the audit trail.

use anyhow::bail;
use clap::Subcommand;

use super::{Shell, SiteArg, or_dash};

/// `audit …`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Lists the rows, oldest first
    List {
        /// Only the last ones
        #[arg(long, value_name = "N")]
        last: Option<u32>,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Checks the hash chain and names the first row that does not fit; then that no trigger or view of other hands is there
    Verify,
}

impl Audit {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            Audit::List { last, json } => list(shell, last, json).await,
            Audit::Verify => verify(shell).await,
        }
    }
}

async fn list(shell: &mut Shell<'_>, last: Option<u32>, json: bool) -> anyhow::Result<()> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let rows = store.audit(last).await?;
    store.close().await;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 8]> = rows
        .into_iter()
        .map(|row| {
            let (account, target, change) = (or_dash(row.account), or_dash(row.target), or_dash(row.change));
            [row.seq.to_string(), row.at, account, row.source, row.action, target, row.outcome, change]
        })
        .collect();
    let heads = ["SEQ", "AT", "ACCOUNT", "SOURCE", "ACTION", "TARGET", "OUTCOME", "CHANGE"];
    Ok(shell.table(heads, &cells)?)
}

async fn verify(shell: &mut Shell<'_>) -> anyhow::Result<()> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let verified = store.verify_audit().await?;
    store.close().await;
    match verified.fault {
        Some(fault) => bail!("{fault}; the {} rows before it fit", verified.rows),
        None => {
            let (rows, hash) = (verified.rows, verified.hash);
            shell.line(format!("the audit trail is whole: {rows} rows"))?;
            Ok(shell.line(format!("the last one is {rows}, with the hash {hash}: keep that elsewhere"))?)
        }
    }
}
