//! `init`: the store and the first Server Administrator.

use clap::Args;

use super::Shell;
use crate::access::Role;
use crate::model::Extension;
use crate::store::{Admin, Store};

/// `init [EXT] [--name N] [--pin-stdin]`
#[derive(Debug, Args)]
pub struct Init {
    /// The extension of the first Server Administrator
    #[arg(value_name = "EXT", value_parser = super::extension, default_value = "1000")]
    extension: Extension,
    /// The name of the first Server Administrator
    #[arg(long, value_name = "N", default_value = "")]
    name: String,
    /// Read the account PIN from standard input; without it a temporary one is made and printed
    #[arg(long)]
    pin_stdin: bool,
}

impl Init {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        let pin = shell.read_pin_if(self.pin_stdin)?;
        let store = Store::create(shell.options.clone()).await?;
        let ctx = shell.context(&store);
        let user = Admin::AddUser {
            extension: self.extension.clone(),
            name: self.name,
            username: None,
            roles: vec![Role::ServerAdministrator],
            pin,
        };
        let reply = store.admin(&ctx, user).await?;
        store.close().await;
        let place = format!("store: {}\n", shell.options.path.display());
        shell.done_at(&place, &format!("Server Administrator {} added", self.extension), &reply)
    }
}
