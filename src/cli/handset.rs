//! `handset`: handsets, and whose they are.

use clap::{Args, Subcommand};

use super::user::AccountArg;
use super::{Shell, SiteArg, or_dash};
use crate::model::Mac;
use crate::store::Admin;

/// `handset …`
#[derive(Debug, Subcommand)]
pub enum Handset {
    /// Adds a handset, which belongs to nobody at first
    Add {
        #[command(flatten)]
        handset: MacArg,
        /// What it is, or where
        #[arg(long, value_name = "N", default_value = "")]
        name: String,
    },
    /// Lists the handsets, those of nobody too
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: SiteArg,
    },
    /// Gives a handset to a user
    Assign {
        #[command(flatten)]
        handset: MacArg,
        #[command(flatten)]
        account: AccountArg,
    },
    /// Takes a handset from its user
    Remove(MacArg),
    /// Deletes a handset
    Delete(MacArg),
}

/// `MAC`
#[derive(Debug, Args)]
pub struct MacArg {
    /// The hardware address, such as 00:04:f2:12:ab:cd
    #[arg(value_name = "MAC", value_parser = mac)]
    mac: Mac,
}

fn mac(text: &str) -> Result<Mac, String> {
    Mac::parse(text).ok_or_else(|| "a MAC is twelve hexadecimal digits, such as 00:04:f2:12:ab:cd".to_owned())
}

impl Handset {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        let nowhere = SiteArg::default();
        match self {
            Handset::Add { handset: MacArg { mac }, name } => {
                shell.change(&nowhere, &format!("handset {mac} added"), Admin::AddHandset { mac, name }).await
            }
            Handset::List { json, site } => list(shell, json, &site).await,
            Handset::Assign { handset: MacArg { mac }, account } => {
                let what = format!("handset {mac} belongs to {}", account.extension);
                let admin = Admin::AssignHandset { mac, extension: account.extension };
                shell.change(&account.site, &what, admin).await
            }
            Handset::Remove(MacArg { mac }) => {
                let what = format!("handset {mac} belongs to nobody");
                shell.change(&nowhere, &what, Admin::RemoveHandset { mac }).await
            }
            Handset::Delete(MacArg { mac }) => {
                shell.change(&nowhere, &format!("handset {mac} deleted"), Admin::DeleteHandset { mac }).await
            }
        }
    }
}

async fn list(shell: &mut Shell<'_>, json: bool, site: &SiteArg) -> anyhow::Result<()> {
    let (store, ctx) = shell.open(site).await?;
    let rows = store.handsets(ctx.site).await;
    store.close().await;
    let rows = rows?;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 4]> =
        rows.into_iter().map(|row| [row.mac, row.name, or_dash(row.extension), or_dash(row.site)]).collect();
    Ok(shell.table(["MAC", "NAME", "EXTENSION", "SITE"], &cells)?)
}
