//! Telling other programs: one JSON object on standard input, at least once, with the intent's id as the key.

use serde_json::{Value, json};

use super::command::{self, AtTheLimit, Ended};
use super::{Hook, Runner};
use crate::store::{Due, IntentState, StoreError};

/// From one try to the next, in seconds; after the last one it has failed.
const RETRY_AFTER_S: [i64; 3] = [5, 30, 120];

impl Runner {
    /// Runs one hook's intents, one after the other in their order.
    pub(super) async fn hook(self, hook: Hook) {
        let mut commits = self.store.intents_changed();
        loop {
            commits.mark_unchanged();
            match self.hook_once(&hook).await {
                Ok(true) => {}
                Ok(false) => self.wait(&mut commits).await,
                Err(error) => {
                    tracing::error!(%error, "hooks can't be looked for now");
                    self.wait(&mut commits).await;
                }
            }
        }
    }

    async fn hook_once(&self, hook: &Hook) -> Result<bool, StoreError> {
        let Some(due) = self.store.claim_hook(&self.context(), &hook.run).await? else { return Ok(false) };
        let finished = command::run(&hook.run, input(&due).as_bytes(), hook.timeout, AtTheLimit::Kill).await;
        let detail = finished.detail();
        if matches!(finished.ended, Ended::Exit(0)) {
            self.ended(&due, IntentState::Done, &detail).await;
            return Ok(true);
        }
        tracing::warn!(intent = due.id, tries = due.tries, "a hook did not succeed");
        self.again_or_failed(&due, &detail, &RETRY_AFTER_S).await;
        Ok(true)
    }

    /// Puts it back for another try, a bounded number of times.
    pub(super) async fn again_or_failed(&self, due: &Due, detail: &str, after_s: &[i64]) {
        let tried = usize::try_from(due.tries).unwrap_or(usize::MAX);
        match after_s.get(tried.saturating_sub(1)) {
            Some(seconds) => self.again(due, *seconds, detail).await,
            None => self.ended(due, IntentState::Failed, detail).await,
        }
    }
}

/// The event with the key by which the program knows one that it was told before.
fn input(due: &Due) -> String {
    let mut event: Value = serde_json::from_str(&due.payload).unwrap_or_else(|_| json!({}));
    if let Some(fields) = event.as_object_mut() {
        fields.insert("id".to_owned(), json!(due.id));
    }
    format!("{event}\n")
}
