//! The recordings as files for the PBX: a projection of the store, each file replaced in one step.
//!
//! A new file under a name of its own → fsync → rename → fsync of the folder: who reads `recording-1.wav` finds the
//! old one or the new one, whole, at any time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::backup::open_regular;
use super::{EffectError, Runner};
use crate::model::{Audio, RecordingNumber};
use crate::store::{AdminError, IntentState, RETRY_S_MAX, StoreError};
use crate::wire::wav;

/// From the first tries to the next, in seconds. It is never given up: a folder that was full for a day must not keep the
/// PBX on the old recording after that.
const RETRY_AFTER_S: [i64; 3] = [2, 10, 60];
const TEMPORARY_BEGIN: &str = ".recording-";
const TEMPORARY_END: &str = ".tmp";

impl Runner {
    /// At the start: writes what is missing or differs. Where the folder can be written, one recording that can't is no
    /// wrong configuration: the others are written, calls are taken, and it is tried again.
    pub(super) async fn export_all(&self) -> Result<(), EffectError> {
        let Some(folder) = self.options.export_folder.clone() else { return Ok(()) };
        let made = folder.clone();
        blocking(&folder, move || make_folder(&made)).await?;
        for row in self.store.recordings().await? {
            let number = RecordingNumber(row.number);
            match self.export(&folder, number).await {
                Err(error @ (EffectError::Export { .. } | EffectError::Wav { .. })) => {
                    tracing::error!(%error, "a recording is not exported yet");
                    self.store.export_again(&self.context(), number).await?;
                }
                exported => exported?,
            }
        }
        Ok(())
    }

    pub(super) async fn exports(self, folder: PathBuf) {
        let mut commits = self.store.intents_changed();
        loop {
            commits.mark_unchanged();
            match self.export_once(&folder).await {
                Ok(true) => {}
                Ok(false) => self.wait(&mut commits).await,
                Err(error) => {
                    tracing::error!(%error, "exports can't be looked for now");
                    self.wait(&mut commits).await;
                }
            }
        }
    }

    pub(super) async fn export_once(&self, folder: &Path) -> Result<bool, StoreError> {
        let Some(due) = self.store.claim_export(&self.context()).await? else { return Ok(false) };
        let exported = match due.subject.parse() {
            Ok(number) => self.export(folder, RecordingNumber(number)).await,
            Err(_) => Ok(()),
        };
        match exported {
            Ok(()) => self.ended(&due, IntentState::Done, &due.subject).await,
            Err(error) => {
                tracing::error!(%error, "a recording was not exported");
                let tried = usize::try_from(due.tries).unwrap_or(usize::MAX);
                let seconds = RETRY_AFTER_S.get(tried.saturating_sub(1)).copied().unwrap_or(RETRY_S_MAX);
                self.again(&due, seconds, &error.to_string()).await;
            }
        }
        Ok(true)
    }

    /// Writes the live version, where the file is not the same already.
    async fn export(&self, folder: &Path, number: RecordingNumber) -> Result<(), EffectError> {
        let audio = match self.store.recording_audio(number, None).await {
            Ok(Some(audio)) => audio,
            Ok(None) | Err(AdminError::UnknownRecording(_)) => return Ok(()),
            Err(AdminError::Store(error)) => return Err(error.into()),
            Err(error) => return Err(EffectError::Wav { number: number.0, why: error.to_string() }),
        };
        let bytes = encode(number, &audio)?;
        let path = folder.join(format!("recording-{}.wav", number.0));
        let target = path.clone();
        blocking(&path, move || replace(&target, number, &bytes)).await
    }
}

/// What whoever reads that an export failed is to do.
pub(super) fn to_do(why: &io::Error) -> &'static str {
    match why.kind() {
        io::ErrorKind::IsADirectory => "a folder has that name: move or remove it, and the recording is written",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room there, and it is written",
        _ => "give this user the right to write there, or set recordings.export_folder",
    }
}

fn encode(number: RecordingNumber, audio: &Audio) -> Result<Vec<u8>, EffectError> {
    wav::write(audio).map_err(|why| EffectError::Wav { number: number.0, why: why.to_string() })
}

async fn blocking(path: &Path, work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<(), EffectError> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|why| Err(io::Error::other(why)));
    done.map_err(|why| EffectError::Export { path: path.to_owned(), why })
}

/// Makes the folder, proves that it can be written, and takes away what an earlier process left half-written.
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(TEMPORARY_BEGIN) && name.ends_with(TEMPORARY_END) {
            // Whoever has put there what can't be removed so does not keep the service from starting.
            if let Err(why) = fs::remove_file(entry.path()) {
                tracing::warn!(path = %entry.path().display(), %why, "what was left there was not removed");
            }
        }
    }
    let (file, probe) = temporary(folder, RecordingNumber(0))?;
    drop(file);
    fs::remove_file(probe)
}

fn replace(path: &Path, number: RecordingNumber, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if is_there(path, bytes) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let (mut file, temporary) = temporary(folder, number)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&temporary, path));
    if let Err(why) = written {
        // Best effort: what is left is taken away at the next start.
        let _ = fs::remove_file(&temporary);
        return Err(why);
    }
    File::open(folder)?.sync_all()
}

/// Whether a file of that name has these bytes and no others. What others may have put there instead (a pipe that nobody
/// writes, a link to a file without an end) is not waited for and not read.
fn is_there(path: &Path, bytes: &[u8]) -> bool {
    let Ok(file) = open_regular(path) else { return false };
    let is_like_it = |is: fs::Metadata| usize::try_from(is.len()).is_ok_and(|len| len == bytes.len());
    let mut present = Vec::new();
    file.metadata().is_ok_and(is_like_it)
        && file.take(bytes.len() as u64 + 1).read_to_end(&mut present).is_ok()
        && present == bytes
}

/// A new file that nobody else writes.
fn temporary(folder: &Path, number: RecordingNumber) -> io::Result<(File, PathBuf)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (pid, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = folder.join(format!("{TEMPORARY_BEGIN}{}-{pid}-{count}{TEMPORARY_END}", number.0));
    Ok((OpenOptions::new().write(true).create_new(true).open(&path)?, path))
}
