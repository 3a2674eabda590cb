//! Root and the backups of a store that is somebody else's: who may write that one's folders could put a link, a pipe or
//! another file under any name there while root works with it.

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::backup::BackupError;
use crate::store::folder_of;

/// Where the system has the names of its users.
const USERS: &str = "/etc/passwd";
/// What is read of it, in bytes.
const USERS_BYTES_MAX: u64 = 1 << 20;

/// Refuses where this process is root's and the store is not; where there is no store, its folder counts.
pub(super) fn must_be_ours(store: &Path) -> Result<(), BackupError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    match other_owner(store) {
        None => Ok(()),
        Some(owner) => {
            let mut users = String::new();
            // Without names there are numbers.
            let _ = File::open(USERS).and_then(|file| file.take(USERS_BYTES_MAX).read_to_string(&mut users));
            Err(BackupError::OtherOwner { run_as: run_as(&users, owner) })
        }
    }
}

/// User and group of who owns the store, or a link to it, and is not root.
fn other_owner(store: &Path) -> Option<(u32, u32)> {
    let named: Vec<Metadata> = [fs::symlink_metadata(store), fs::metadata(store)].into_iter().flatten().collect();
    let found = if named.is_empty() { fs::metadata(folder_of(store)).into_iter().collect() } else { named };
    found.iter().map(|is| (is.uid(), is.gid())).find(|(user, _)| *user != 0)
}

/// What runs a command as that user.
fn run_as(users: &str, (user, group): (u32, u32)) -> String {
    let number = user.to_string();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then_some(name)
    });
    match name {
        Some(name) => format!("runuser -u {name} --"),
        None => format!("setpriv --reuid={user} --regid={group} --clear-groups --"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_do_it_is_named() {
        let users = "root:x:0:0:root:/root:/bin/bash\nnonsense\nswitchhook:x:12:13::/var/lib/switchhook:/bin/false\n";
        assert_eq!(run_as(users, (12, 13)), "runuser -u switchhook --");
        assert_eq!(run_as(users, (1, 13)), "setpriv --reuid=1 --regid=13 --clear-groups --");
    }
}
