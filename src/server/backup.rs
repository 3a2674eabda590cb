//! Backups for the command line.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::config::Config;
pub use crate::effects::backup::{BackupError, BackupOptions, Restored, create, list, verify};
use crate::model::Wall;
use crate::store::StoreOptions;

/// Where backups go, by the configuration.
pub fn options(config: &Config) -> BackupOptions {
    BackupOptions { folder: PathBuf::from(&config.effects.backup.folder), keep: config.effects.backup.keep }
}

/// Makes backup `id` the store, and keeps the store that was there aside.
///
/// # Errors
/// The store is served, or the backup can't be made the store; the store is as it was.
pub async fn restore(store: &StoreOptions, options: &BackupOptions, now: Wall, id: i64) -> anyhow::Result<Restored> {
    if let Some(folder) = store.path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{}: can't be made", folder.display()))?;
    }
    Ok(crate::effects::backup::restore(store, &options.folder, now, id).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Context;
    use crate::store::{PinCost, Serving, Store};

    #[tokio::test]
    async fn nothing_is_restored_while_the_store_is_served() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("switchhook.db");
        let store = StoreOptions { pin_cost: PinCost::CHEAP_FOR_TESTS, ..StoreOptions::new(&path) };
        let options = BackupOptions { folder: folder.path().join("backups"), keep: 14 };
        let open = Store::create(store.clone()).await.expect("a store");
        let ctx = Context::without_call(Wall(0), open.site(), "cli");
        let made = create(&open, &options, &ctx).await.expect("a backup");
        open.close().await;
        let serving = Serving::take(&path).expect("the lock");
        let before = std::fs::read(&path).expect("the store");
        let refused = restore(&store, &options, Wall(1000), made.id).await.expect_err("served").to_string();
        assert!(refused.contains("is served by process"), "{refused}");
        assert!(std::fs::read(&path).expect("the store") == before);
        drop(serving);
        let restored = restore(&store, &options, Wall(1000), made.id).await.expect("free again");
        assert!(restored.kept_aside.is_some_and(|path| path.exists()));
    }
}
