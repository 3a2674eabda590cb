//! `site`: the sites that share this store.

use std::path::PathBuf;

use clap::Subcommand;

use super::recording::read_wav;
use super::{Shell, SiteArg};
use crate::store::Admin;

/// `site …`
#[derive(Debug, Subcommand)]
pub enum Site {
    /// Adds a site
    Add {
        /// Its name; usernames that are not given end with it
        #[arg(value_name = "NAME")]
        name: String,
        /// A WAV file with the name spoken: callers hear it where there is more than one site
        #[arg(long, value_name = "F.wav")]
        audio: Option<PathBuf>,
    },
    /// Lists the sites
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
}

impl Site {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            Site::Add { name, audio } => {
                let spoken_name = audio.map(|file| read_wav(&file, shell.options.recording_s_max)).transpose()?;
                let what = format!("site {name} added");
                shell.change(&SiteArg::default(), &what, Admin::AddSite { name, spoken_name }).await
            }
            Site::List { json } => list(shell, json).await,
        }
    }
}

async fn list(shell: &mut Shell<'_>, json: bool) -> anyhow::Result<()> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let rows = store.sites().await?;
    store.close().await;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 2]> = rows.into_iter().map(|row| [row.name, row.accounts.to_string()]).collect();
    Ok(shell.table(["NAME", "ACCOUNTS"], &cells)?)
}
