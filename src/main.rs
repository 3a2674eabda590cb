//! The program.

use std::path::Path;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let file = args.iter().position(|a| a == "--config").and_then(|at| args.get(at + 1)).map(Path::new);
    let config = switchhook::config::Config::load(file)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(switchhook::server::serve(config, args.iter().any(|a| a == "--demo")))
}
