//! One `serve` a store: a lock on a file beside it, which the system gives back when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};

/// Held for as long as the process serves.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock of a store, or says which process has it.
pub fn take(store: &Path) -> anyhow::Result<Lock> {
    let mut path = store.as_os_str().to_owned();
    path.push(".serving");
    let path = Path::new(&path);
    let options = File::options().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = options.with_context(|| format!("{}: can't be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())?;
            Ok(Lock { _file: file })
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = (&mut file).take(20).read_to_string(&mut holder);
            bail!("{} is served by process {holder} already; stop that one first", store.display());
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("{}: can't be locked", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_served_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("switchhook.db");
        let first = take(&store).expect("the lock");
        let refused = take(&store).expect_err("taken").to_string();
        assert!(refused.contains(&format!("process {} already", std::process::id())), "{refused}");
        drop(first);
        take(&store).expect("free again");
    }
}
