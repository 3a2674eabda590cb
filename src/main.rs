//! The program: reads the command line and does what it says.

use std::process::ExitCode;

use clap::Parser as _;
use switchhook::cli::{Cli, told};

#[allow(clippy::print_stderr)]
fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads the output has read enough (`switchhook audit list | head`).
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("switchhook: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
