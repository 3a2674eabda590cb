//! The level of the log, and its files, as people ask for them by phone.
//!
//! What the level is to be is in the store: so it is found again after a restart, and goes back when its hour is over.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::Runner;
use crate::store::{Due, IntentState, NEW_FILE, StoreError};

/// The log of this process, as far as the effects have to do with it.
pub trait Log: Send + Sync {
    /// Logs in detail, or as it is configured.
    ///
    /// # Errors
    /// The log has ended.
    fn set_detailed(&self, is_detailed: bool) -> io::Result<()>;

    /// Closes the present file and begins another, whose path is given. May block.
    ///
    /// # Errors
    /// There is no log folder, or it can't be written; the present file goes on.
    fn begin_another_file(&self) -> io::Result<PathBuf>;
}

impl Runner {
    pub(super) async fn logging(self, log: Arc<dyn Log>) {
        let mut commits = self.store.intents_changed();
        let mut is_detailed = false;
        loop {
            commits.mark_unchanged();
            match self.logging_once(&log, &mut is_detailed).await {
                Ok(true) => {}
                Ok(false) => self.wait(&mut commits).await,
                Err(error) => {
                    tracing::error!(%error, "how much is to be logged can't be looked for now");
                    self.wait(&mut commits).await;
                }
            }
        }
    }

    async fn logging_once(&self, log: &Arc<dyn Log>, is_detailed: &mut bool) -> Result<bool, StoreError> {
        let due = self.store.claim_logging(&self.context()).await?;
        let wanted = self.store.is_logging_detailed(&self.context()).await?;
        let set = if wanted == *is_detailed { Ok(()) } else { log.set_detailed(wanted) };
        match &set {
            Ok(()) => *is_detailed = wanted,
            Err(why) => tracing::error!(%why, "the log's level was not changed"),
        }
        let Some(due) = due else { return Ok(false) };
        let done =
            if due.subject == NEW_FILE { begin_another_file(log, &due).await } else { set.map(|()| String::new()) };
        let (state, detail) = match done {
            Ok(detail) => (IntentState::Done, detail),
            Err(why) => (IntentState::Failed, why.to_string()),
        };
        self.ended(&due, state, &detail).await;
        Ok(true)
    }
}

/// The path of the new file.
async fn begin_another_file(log: &Arc<dyn Log>, due: &Due) -> io::Result<String> {
    tracing::info!(intent = due.id, "the log goes on in another file");
    let log = Arc::clone(log);
    let begun = tokio::task::spawn_blocking(move || log.begin_another_file()).await;
    let path = begun.unwrap_or_else(|why| Err(io::Error::other(why)))?;
    Ok(path.display().to_string())
}
