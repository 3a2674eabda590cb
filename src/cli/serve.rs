//! `serve`: answers the extension.

use clap::Args;

use crate::config::Config;
use crate::server;

/// Answers the extension until SIGTERM.
#[derive(Debug, Args)]
pub struct Serve {
    /// A throw-away store on 127.0.0.1 with demo accounts and harmless effects
    #[arg(long)]
    demo: bool,
}

impl Serve {
    /// Serves.
    pub async fn run(self, config: Config) -> anyhow::Result<()> {
        server::serve(config, self.demo).await
    }
}
