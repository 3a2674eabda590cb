//! `backup`: the whole store in one file.

use clap::{Args, Subcommand};

use super::{Shell, SiteArg, or_dash};
use crate::server::backup as server;
use crate::store::rfc3339;

/// `backup …`
#[derive(Debug, Subcommand)]
pub enum Backup {
    /// Makes a backup now and verifies it; calls go on meanwhile
    Create {
        /// One JSON object, as `list` has it
        #[arg(long)]
        json: bool,
    },
    /// Lists the backups, oldest first
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Reads a backup again from end to end
    Verify(BackupArg),
    /// Puts a backup in the store's place; refused while `serve` runs. The store before it is kept aside
    Restore(BackupArg),
}

/// `ID`
#[derive(Debug, Args)]
pub struct BackupArg {
    /// The backup's number, as `list` has it
    #[arg(value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    id: i64,
}

impl Backup {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            Backup::Create { json } => create(shell, json).await,
            Backup::List { json } => list(shell, json).await,
            Backup::Verify(BackupArg { id }) => verify(shell, id).await,
            Backup::Restore(BackupArg { id }) => restore(shell, id).await,
        }
    }
}

async fn create(shell: &mut Shell<'_>, json: bool) -> anyhow::Result<()> {
    let (store, ctx) = shell.open(&SiteArg::default()).await?;
    let made = server::create(&store, &shell.backup, &ctx).await;
    store.close().await;
    let made = made?;
    if json {
        return shell.json(&made);
    }
    let path = shell.backup.folder.join(&made.file);
    Ok(shell.line(format!("backup {} made and verified: {}, {} bytes", made.id, path.display(), made.bytes))?)
}

async fn list(shell: &mut Shell<'_>, json: bool) -> anyhow::Result<()> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let rows = server::list(&store).await;
    store.close().await;
    let rows = rows?;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 6]> = rows
        .into_iter()
        .map(|row| {
            let (id, bytes, verified_at) = (row.id.to_string(), row.bytes.to_string(), or_dash(row.verified_at));
            [id, row.at, bytes, verified_at, row.file, row.sha256]
        })
        .collect();
    Ok(shell.table(["ID", "AT", "BYTES", "VERIFIED AT", "FILE", "SHA256"], &cells)?)
}

async fn verify(shell: &mut Shell<'_>, id: i64) -> anyhow::Result<()> {
    let (store, ctx) = shell.open(&SiteArg::default()).await?;
    let verified = server::verify(&store, &shell.backup, &ctx, id).await;
    store.close().await;
    let verified = verified?;
    Ok(shell.line(format!("backup {id} is whole: {} bytes, sha256 {}", verified.bytes, verified.sha256))?)
}

async fn restore(shell: &mut Shell<'_>, id: i64) -> anyhow::Result<()> {
    let restored = server::restore(&shell.options, &shell.backup, (shell.now)(), id).await?;
    shell.line(format!("the store is backup {id} of {}", rfc3339(restored.backup.at)))?;
    if let Some(aside) = restored.kept_aside {
        shell.line(format!("the one before it is kept at {}", aside.display()))?;
    }
    Ok(())
}
