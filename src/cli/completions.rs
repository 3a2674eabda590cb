//! `completions`: for the shells that clap knows.

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
        clap_complete::generate(self.shell, &mut Cli::command(), "switchhook", &mut std::io::stdout());
        Ok(())
    }
}
