//! `man`: the manual pages, made from the command line's own description.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_mangen::Man as Page;

use super::Cli;

/// Prints the manual page.
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for each verb into this folder instead
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Man {
    /// Prints or writes them.
    pub fn run(self) -> anyhow::Result<()> {
        let Some(folder) = self.folder else {
            let mut page = Vec::new();
            Page::new(Cli::command()).render(&mut page)?;
            return Ok(std::io::stdout().write_all(&page)?);
        };
        let name = folder.display();
        fs::create_dir_all(&folder).with_context(|| format!("{name} can't be made"))?;
        clap_mangen::generate_to(Cli::command(), &folder).with_context(|| format!("{name} can't be written"))
    }
}
