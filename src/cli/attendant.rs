//! `attendant`: auto attendants and the recordings that they play.

use clap::Subcommand;

use super::item::{self, ItemArg, NewItem};
use super::{Shell, SiteArg, or_dash};
use crate::access::ItemKind;
use crate::model::{ItemNumber, RecordingNumber};
use crate::store::{AttendantRow, System};

/// `attendant …`
#[derive(Debug, Subcommand)]
pub enum Attendant {
    /// Adds an auto attendant
    Add(NewItem),
    /// Lists the auto attendants
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Shows an auto attendant
    Show {
        #[command(flatten)]
        item: ItemArg,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Chooses the recording that it plays
    Set {
        #[command(flatten)]
        item: ItemArg,
        /// The recording's number
        #[arg(long, value_name = "M", value_parser = super::recording_number)]
        recording: RecordingNumber,
    },
    /// Deletes an auto attendant
    Delete(ItemArg),
}

impl Attendant {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            Attendant::Add(new) => item::add(shell, ItemKind::Attendant, new).await,
            Attendant::List { json } => list(shell, json).await,
            Attendant::Show { item, json } => show(shell, item.number, json).await,
            Attendant::Set { item: ItemArg { number }, recording } => {
                let what = format!("plays recording {}", recording.0);
                let system = System::SetAttendant { number, recording };
                item::change(shell, ItemKind::Attendant, number, &what, system).await
            }
            Attendant::Delete(ItemArg { number }) => item::delete(shell, ItemKind::Attendant, number).await,
        }
    }
}

async fn rows(shell: &mut Shell<'_>) -> anyhow::Result<Vec<AttendantRow>> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let rows = store.attendants().await;
    store.close().await;
    Ok(rows?)
}

async fn list(shell: &mut Shell<'_>, json: bool) -> anyhow::Result<()> {
    let rows = rows(shell).await?;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 3]> =
        rows.into_iter().map(|row| [row.number.to_string(), row.name, or_dash(row.recording)]).collect();
    Ok(shell.table(["NUMBER", "NAME", "RECORDING"], &cells)?)
}

async fn show(shell: &mut Shell<'_>, number: ItemNumber, json: bool) -> anyhow::Result<()> {
    let row = item::find(rows(shell).await?, |row| row.number, ItemKind::Attendant, number)?;
    if json {
        return shell.json(&row);
    }
    let lines = [("number", row.number.to_string()), ("name", row.name), ("recording", or_dash(row.recording))];
    Ok(shell.fields(&lines)?)
}
