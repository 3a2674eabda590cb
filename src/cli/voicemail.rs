//! `voicemail`: voicemail PINs, for the PBX.

use anyhow::Context as _;
use clap::Subcommand;

use super::Shell;
use super::user::{AccountArg, change};
use crate::store::Admin;

/// `voicemail …`
#[derive(Debug, Subcommand)]
pub enum Voicemail {
    /// Sets a voicemail PIN
    SetPin {
        #[command(flatten)]
        account: AccountArg,
        /// Read the PIN from standard input
        #[arg(long, required = true)]
        pin_stdin: bool,
    },
    /// Exits 0 where the PIN is right, 1 where not, where there is none, and while it is locked
    Verify {
        #[command(flatten)]
        account: AccountArg,
        /// Read the PIN from standard input
        #[arg(long, required = true)]
        pin_stdin: bool,
        /// The number that calls, as the PBX knows it: failures of others then lock out others, and not the extension's own
        /// handset
        #[arg(long, allow_hyphen_values = true)]
        caller: Option<String>,
    },
}

impl Voicemail {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        let pin = shell.read_pin()?;
        match self {
            Voicemail::SetPin { account, pin_stdin: _ } => {
                let extension = account.extension.clone();
                change(shell, &account, "voicemail PIN set", Admin::SetVoicemailPin { extension, pin }).await
            }
            Voicemail::Verify { account, pin_stdin: _, caller } => {
                let extension = account.extension.clone();
                let (store, ctx) = shell.open(&account.site).await?;
                let verified = store.admin(&ctx, Admin::VerifyVoicemailPin { extension, pin, caller }).await;
                store.close().await;
                let verified = verified.context("the PIN was not checked")?;
                shell.done(&format!("{} voicemail PIN is right", account.extension), &verified)
            }
        }
    }
}
