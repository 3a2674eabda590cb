//! `recording`: system recordings.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::{Shell, SiteArg, or_dash, yes};
use crate::model::{Audio, RecordingNumber};
use crate::store::{Admin, VersionWanted};
use crate::wire::wav::{self, WAV_BYTES_MAX};

/// `recording …`
#[derive(Debug, Subcommand)]
pub enum Recording {
    /// Adds a recording; the file is its factory version
    Add {
        #[command(flatten)]
        number: NumberArg,
        /// What it is
        #[arg(value_name = "NAME")]
        name: String,
        /// A WAV file, mono or stereo, 8000 to 48000 Hz
        #[arg(long, value_name = "F.wav")]
        file: Option<PathBuf>,
    },
    /// Lists the recordings
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Shows a recording
    Show {
        #[command(flatten)]
        number: NumberArg,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Makes a WAV file the live version
    Import {
        #[command(flatten)]
        number: NumberArg,
        /// A WAV file, mono or stereo, 8000 to 48000 Hz
        #[arg(value_name = "F.wav")]
        file: PathBuf,
    },
    /// Writes a version as a WAV file
    Export {
        #[command(flatten)]
        number: NumberArg,
        /// Where to
        #[arg(value_name = "F.wav")]
        file: PathBuf,
        /// Which version [default: the live one]
        #[arg(long, value_name = "V")]
        version: Option<u32>,
    },
    /// Lists the versions of a recording
    History {
        #[command(flatten)]
        number: NumberArg,
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Makes an older version live, the previous one where none is named
    Restore {
        #[command(flatten)]
        number: NumberArg,
        /// The version of that number
        #[arg(long, value_name = "V", conflicts_with = "factory")]
        version: Option<u32>,
        /// The factory version
        #[arg(long)]
        factory: bool,
    },
}

/// `NUMBER`
#[derive(Debug, Args)]
pub struct NumberArg {
    /// The recording's number
    #[arg(value_name = "NUMBER", value_parser = super::recording_number)]
    number: RecordingNumber,
}

impl Recording {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            Recording::Add { number: NumberArg { number }, name, file } => {
                let audio = file.map(|file| read_wav(&file, shell.options.recording_s_max)).transpose()?;
                change(shell, number, "added", Admin::AddRecording { number, name, audio }).await
            }
            Recording::List { json } => list(shell, json).await,
            Recording::Show { number: NumberArg { number }, json } => show(shell, number, json).await,
            Recording::Import { number: NumberArg { number }, file } => {
                let audio = read_wav(&file, shell.options.recording_s_max)?;
                change(shell, number, "replaced", Admin::ImportRecording { number, audio }).await
            }
            Recording::Export { number: NumberArg { number }, file, version } => {
                export(shell, number, &file, version).await
            }
            Recording::History { number: NumberArg { number }, json } => history(shell, number, json).await,
            Recording::Restore { number: NumberArg { number }, version, factory } => {
                let to = match version {
                    Some(version) => VersionWanted::Number(version),
                    None if factory => VersionWanted::Factory,
                    None => VersionWanted::Previous,
                };
                change(shell, number, "restored", Admin::RestoreRecording { number, to }).await
            }
        }
    }
}

async fn change(shell: &mut Shell<'_>, number: RecordingNumber, what: &str, admin: Admin) -> anyhow::Result<()> {
    shell.change(&SiteArg::default(), &format!("recording {} {what}", number.0), admin).await
}

/// Reads a WAV file, never more of it than is taken.
pub(super) fn read_wav(file: &Path, seconds_max: u32) -> anyhow::Result<Audio> {
    let name = file.display();
    let mut bytes = Vec::new();
    let limit = WAV_BYTES_MAX as u64 + 1;
    let opened = File::open(file).with_context(|| format!("{name} can't be read"))?;
    opened.take(limit).read_to_end(&mut bytes).with_context(|| format!("{name} can't be read"))?;
    wav::read(&bytes, seconds_max).with_context(|| format!("{name} can't be used; nothing was changed"))
}

async fn list(shell: &mut Shell<'_>, json: bool) -> anyhow::Result<()> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let rows = store.recordings().await?;
    store.close().await;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 7]> = rows
        .into_iter()
        .map(|row| {
            let (version, duration) = (or_dash(row.version), or_dash(row.duration_ms));
            let number = row.number.to_string();
            [number, row.name, version, yes(row.factory), duration, row.changed_by, row.changed_at]
        })
        .collect();
    Ok(shell.table(["NUMBER", "NAME", "VERSION", "FACTORY", "MS", "CHANGED BY", "AT"], &cells)?)
}

async fn show(shell: &mut Shell<'_>, number: RecordingNumber, json: bool) -> anyhow::Result<()> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let row = store.recording(number).await;
    store.close().await;
    let row = row?;
    if json {
        return shell.json(&row);
    }
    let lines = [
        ("number", row.number.to_string()),
        ("name", row.name),
        ("version", or_dash(row.version)),
        ("factory", yes(row.factory)),
        ("duration in ms", or_dash(row.duration_ms)),
        ("changed by", row.changed_by),
        ("changed at", row.changed_at),
        ("draft waiting", yes(row.draft)),
    ];
    Ok(shell.fields(&lines)?)
}

async fn export(
    shell: &mut Shell<'_>,
    number: RecordingNumber,
    file: &Path,
    version: Option<u32>,
) -> anyhow::Result<()> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let audio = store.recording_audio(number, version).await;
    store.close().await;
    let nothing =
        || format!("recording {} has no such audio; see `switchhook recording history {}`", number.0, number.0);
    let bytes = wav::write(&audio?.with_context(nothing)?)?;
    fs::write(file, bytes).with_context(|| format!("{} can't be written", file.display()))?;
    Ok(shell.line(format!("recording {} written to {}", number.0, file.display()))?)
}

async fn history(shell: &mut Shell<'_>, number: RecordingNumber, json: bool) -> anyhow::Result<()> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let rows = store.recording_history(number).await;
    store.close().await;
    let rows = rows?;
    if json {
        return shell.json(&rows);
    }
    let cells: Vec<[String; 8]> = rows
        .into_iter()
        .map(|row| {
            let (version, change) = (row.version.to_string(), or_dash(row.change));
            let duration = row.duration_ms.to_string();
            [version, yes(row.live), yes(row.factory), duration, row.account, row.at, change, yes(row.kept)]
        })
        .collect();
    Ok(shell.table(["VERSION", "LIVE", "FACTORY", "MS", "BY", "AT", "CHANGE", "KEPT"], &cells)?)
}
