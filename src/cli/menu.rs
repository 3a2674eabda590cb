//! `menu`: the menu tree, made from the data that runs.

use std::io::Write as _;

use clap::{Args, ValueEnum};

use crate::menu::tree;

/// Prints the menu.
#[derive(Debug, Args)]
pub struct Menu {
    /// How
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Only what is within that many choices of the main menu, without the ways back
    #[arg(long, value_name = "N")]
    levels: Option<u32>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Mermaid,
    Dot,
    Json,
}

impl Menu {
    /// Prints it.
    pub fn run(self) -> anyhow::Result<()> {
        let format = match self.format {
            Format::Text => tree::Format::Text,
            Format::Mermaid => tree::Format::Mermaid,
            Format::Dot => tree::Format::Dot,
            Format::Json => tree::Format::Json,
        };
        Ok(writeln!(std::io::stdout(), "{}", tree::render(format, self.levels).trim_end())?)
    }
}
