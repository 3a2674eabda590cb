//! `line`, `gateway` and `proxy`: the ways out of the phone system.

use std::path::PathBuf;

use clap::Subcommand;

use super::item::{self, ItemArg, NewItem};
use super::recording::read_wav;
use super::{Shell, SiteArg, or_dash, yes};
use crate::access::{ItemKind, TrunkKind};
use crate::model::ItemNumber;
use crate::store::{System, TrunkRow};

/// `line …`, `gateway …`, `proxy …`
#[derive(Debug, Subcommand)]
pub enum Trunk {
    /// Adds one, enabled
    Add {
        #[command(flatten)]
        new: NewItem,
        /// Where it answers OPTIONS, such as sip:192.0.2.7:5060; without it nobody asks whether it is reachable
        #[arg(long, value_name = "URI")]
        uri: Option<String>,
        /// A WAV file with the name spoken, for callers who work with it
        #[arg(long, value_name = "F.wav")]
        audio: Option<PathBuf>,
    },
    /// Lists them
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Shows one, with the last answer and its round trip
    Show {
        #[command(flatten)]
        item: ItemArg,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Enables one
    Enable(ItemArg),
    /// Disables one, even the last of its kind
    Disable(ItemArg),
    /// Deletes one
    Delete(ItemArg),
}

impl Trunk {
    pub(super) async fn run(self, shell: &mut Shell<'_>, kind: TrunkKind) -> anyhow::Result<()> {
        let item_kind = ItemKind::Trunk(kind);
        match self {
            Trunk::Add { new, uri, audio } => {
                let spoken_name = audio.map(|file| read_wav(&file, shell.options.recording_s_max)).transpose()?;
                let (number, name) = (new.item.number, new.name);
                let system = System::AddItem { kind: item_kind, number, name, uri, spoken_name };
                item::change(shell, item_kind, number, "added", system).await
            }
            Trunk::List { json } => list(shell, kind, json).await,
            Trunk::Show { item, json } => show(shell, kind, item.number, json).await,
            Trunk::Enable(ItemArg { number }) => {
                let system = System::SetTrunk { kind, number, enabled: true };
                item::change(shell, item_kind, number, "enabled", system).await
            }
            Trunk::Disable(ItemArg { number }) => {
                let system = System::SetTrunk { kind, number, enabled: false };
                item::change(shell, item_kind, number, "disabled", system).await
            }
            Trunk::Delete(ItemArg { number }) => item::delete(shell, item_kind, number).await,
        }
    }
}

async fn rows(shell: &mut Shell<'_>, kind: TrunkKind) -> anyhow::Result<Vec<TrunkRow>> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let rows = store.trunks(kind).await;
    store.close().await;
    Ok(rows?)
}

/// What `reachable` is for people.
fn reach(reachable: Option<bool>) -> String {
    or_dash(reachable.map(yes))
}

async fn list(shell: &mut Shell<'_>, kind: TrunkKind, json: bool) -> anyhow::Result<()> {
    let rows = rows(shell, kind).await?;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 7]> = rows
        .into_iter()
        .map(|row| {
            let (number, uri, enabled) = (row.number.to_string(), or_dash(row.uri), yes(row.enabled));
            let (reachable, round_trip) = (reach(row.reachable), or_dash(row.round_trip_ms));
            [number, row.name, uri, enabled, reachable, round_trip, or_dash(row.checked_at)]
        })
        .collect();
    Ok(shell.table(["NUMBER", "NAME", "URI", "ENABLED", "REACHABLE", "MS", "CHECKED AT"], &cells)?)
}

async fn show(shell: &mut Shell<'_>, kind: TrunkKind, number: ItemNumber, json: bool) -> anyhow::Result<()> {
    let row = item::find(rows(shell, kind).await?, |row| row.number, ItemKind::Trunk(kind), number)?;
    if json {
        return shell.json(&row);
    }
    let lines = [
        ("number", row.number.to_string()),
        ("name", row.name),
        ("URI", or_dash(row.uri)),
        ("enabled", yes(row.enabled)),
        ("reachable", reach(row.reachable)),
        ("round trip in ms", or_dash(row.round_trip_ms)),
        ("checked at", or_dash(row.checked_at)),
    ];
    Ok(shell.fields(&lines)?)
}
