//! Which effects are wanted: what the process that carries them out has said at its start, so that a command line
//! with another environment asks for the same.

use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use super::error::StoreError;
use super::{HookOn, StoreOptions, intents};

/// The key in `meta`.
const KEY: &str = "effects";

/// What intents are written for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// Whether changed recordings are exported.
    pub(super) export: bool,
    /// Who is told what.
    pub(super) hooks: Vec<HookOn>,
}

impl Wanted {
    /// What the serving process has said; this process's own options where none ever did.
    pub(super) async fn read(conn: &mut SqliteConnection, own: &StoreOptions) -> Result<Self, StoreError> {
        let sql = "SELECT value FROM meta WHERE key = $1";
        let said: Option<String> = sqlx::query_scalar(sql).bind(KEY).fetch_optional(conn).await?;
        match said {
            Some(text) => serde_json::from_str(&text)
                .map_err(|why| StoreError::Inconsistent(format!("unreadable effects in `meta`: {why}"))),
            None => Ok(Self { export: own.export, hooks: own.hooks.clone() }),
        }
    }

    /// The programs that listen to an event, each once.
    pub(super) fn listening(&self, event: &str) -> Vec<String> {
        let mut programs = Vec::new();
        for hook in self.hooks.iter().filter(|hook| hook.on.iter().any(|on| intents::matches(on, event))) {
            let program = intents::hook_key(&hook.run);
            if !programs.contains(&program) {
                programs.push(program);
            }
        }
        programs
    }

    pub(super) async fn write(&self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        let text = serde_json::to_string(self).map_err(|why| StoreError::Inconsistent(why.to_string()))?;
        let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2";
        sqlx::query(sql).bind(KEY).bind(text).execute(conn).await?;
        Ok(())
    }
}
