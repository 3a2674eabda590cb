//! `forward`: call forwarding.

use clap::Subcommand;

use super::user::{AccountArg, change};
use super::{Shell, or_dash};
use crate::access::ForwardKind;
use crate::model::{PHONE_NUMBER_DIGITS_MAX, PhoneNumber};
use crate::store::Admin;

/// `forward …`
#[derive(Debug, Subcommand)]
pub enum Forward {
    /// Shows where a user's calls go
    Show {
        #[command(flatten)]
        account: AccountArg,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Forwards a user's calls, where the configured toll policy lets them go there
    Set {
        #[command(flatten)]
        account: AccountArg,
        /// Which calls: always, busy, no-answer
        #[arg(value_name = "WHEN", value_parser = kind)]
        kind: ForwardKind,
        /// Where to
        #[arg(value_name = "NUMBER", value_parser = phone_number)]
        to: PhoneNumber,
    },
    /// Ends forwarding
    Off {
        #[command(flatten)]
        account: AccountArg,
        /// Of which calls: always, busy, no-answer, all
        #[arg(value_name = "WHEN", value_parser = kinds)]
        kinds: Kinds,
    },
}

/// One kind of forwarding, or all.
#[derive(Clone, Copy, Debug)]
pub enum Kinds {
    /// This one.
    One(ForwardKind),
    /// `all`
    All,
}

impl Kinds {
    fn list(self) -> Vec<ForwardKind> {
        match self {
            Kinds::One(kind) => vec![kind],
            Kinds::All => ForwardKind::ALL.to_vec(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kinds::One(kind) => kind.name(),
            Kinds::All => "all",
        }
    }
}

fn kind(text: &str) -> Result<ForwardKind, String> {
    let known = || format!("forwarding is one of {}", ForwardKind::ALL.map(ForwardKind::name).join(", "));
    ForwardKind::parse(text).ok_or_else(known)
}

fn kinds(text: &str) -> Result<Kinds, String> {
    match text {
        "all" => Ok(Kinds::All),
        _ => kind(text).map(Kinds::One).map_err(|known| format!("{known}, or all")),
    }
}

fn phone_number(text: &str) -> Result<PhoneNumber, String> {
    PhoneNumber::parse(text).ok_or_else(|| format!("a number is 1 to {PHONE_NUMBER_DIGITS_MAX} digits, nothing else"))
}

impl Forward {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            Forward::Show { account, json } => show(shell, &account, json).await,
            Forward::Set { account, kind, to } => {
                let what = format!("forwarded to {} ({})", to.as_str(), kind.name());
                let extension = account.extension.clone();
                change(shell, &account, &what, Admin::SetForwarding { extension, kind, to }).await
            }
            Forward::Off { account, kinds } => {
                let what = format!("not forwarded ({})", kinds.name());
                let extension = account.extension.clone();
                change(shell, &account, &what, Admin::ForwardingOff { extension, kinds: kinds.list() }).await
            }
        }
    }
}

async fn show(shell: &mut Shell<'_>, account: &AccountArg, json: bool) -> anyhow::Result<()> {
    let (store, ctx) = shell.open(&account.site).await?;
    let forwarding = store.forwarding(ctx.site, &account.extension).await;
    store.close().await;
    let forwarding = forwarding?;
    if json {
        return shell.json(&forwarding);
    }
    let lines = [
        (ForwardKind::Always, forwarding.always),
        (ForwardKind::Busy, forwarding.busy),
        (ForwardKind::NoAnswer, forwarding.no_answer),
    ];
    Ok(shell.fields(&lines.map(|(kind, to)| (kind.name(), or_dash(to))))?)
}
