//! `completions`: for the shells that clap knows.

use std::io::Write as _;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

/// Prints completions.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints them.
    pub fn run(self) -> anyhow::Result<()> {
        // Into memory first: the generator panics where it can't write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "switchhook", &mut script);
        Ok(std::io::stdout().write_all(&script)?)
    }
}
