//! The program: reads the command line and does what it says.

use std::process::ExitCode;

use clap::Parser as _;
use switchhook::cli::Cli;

#[allow(clippy::print_stderr)]
fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("switchhook: {error:#}");
            ExitCode::FAILURE
        }
    }
}
