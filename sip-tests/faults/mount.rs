//! Disks of a test's own: a small one in memory, and one in a file whose power can be cut. Only root may have them.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::world::setup::Setup;
use crate::world::wait::becomes;

/// What of a test's folder is on its own disk.
const ON_DISK: [&str; 5] = ["switchhook.db", "switchhook.db-wal", "switchhook.db-shm", "exported", "backups"];
/// Stops a file system at once, and throws away what it has not sent to its device (`FS_IOC_SHUTDOWN` with
/// `EXT4_GOING_FLAGS_NOLOGFLUSH`, linux/fs/ext4/ext4.h).
const CUT: &str =
    r#"open(F, "<", $ARGV[0]) or die "$!"; my $how = pack("L", 2); ioctl(F, 0x8004587d, $how) or die "$!";"#;
/// When a disk that was let go is taken away.
const UNUSED_WITHIN: Duration = Duration::from_secs(10);

/// Whether this test may have disks; where not, it is skipped, and says so.
pub fn may_mount(setup: &Setup) -> bool {
    let folder = setup.path("may-mount");
    fs::create_dir_all(&folder).expect("a folder");
    let mounted = run("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs", text(&folder)]).is_ok();
    if mounted {
        let _ = run("umount", &[text(&folder)]);
    } else {
        // Past libtest, which keeps what a test that passes prints.
        let _ = writeln!(std::io::stderr(), "SKIPPED: only root may mount the disks that this test fills and cuts");
    }
    mounted
}

/// A disk that is there as long as this is.
pub struct Disk {
    folder: PathBuf,
    image: Option<PathBuf>,
}

impl Disk {
    /// A disk in memory with so many KiB.
    pub fn in_memory(folder: PathBuf, kib: usize) -> Self {
        fs::create_dir_all(&folder).expect("a folder");
        run("mount", &["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs", text(&folder)]).expect("a tmpfs");
        Self { folder, image: None }
    }

    /// A disk with ext4 in a file of so many MiB.
    pub fn in_file(folder: PathBuf, image: PathBuf, mib: u64) -> Self {
        fs::create_dir_all(&folder).expect("a folder");
        fs::File::create(&image).and_then(|file| file.set_len(mib << 20)).expect("an image");
        run("mkfs.ext4", &["-q", "-F", text(&image)]).expect("a file system");
        let disk = Self { folder, image: Some(image) };
        disk.mount();
        disk
    }

    /// Moves the store and what goes with it there; what is in the test's folder points to it.
    pub fn takes_the_store_of(&self, setup: &Setup) {
        for name in ON_DISK {
            let (from, to) = (setup.path(name), self.folder.join(name));
            match (from.is_dir(), from.exists()) {
                (false, true) => {
                    fs::copy(&from, &to).expect("a copy");
                    fs::remove_file(&from).expect("it goes");
                }
                (false, false) if name.starts_with("switchhook") => continue,
                _ => {
                    fs::create_dir_all(&to).expect("a folder");
                    let _ = fs::remove_dir_all(&from);
                }
            }
            // The database follows it, and has its log beside the real file.
            symlink(&to, &from).expect("a link");
        }
        run("sync", &["-f", text(&self.folder)]).expect("synced");
    }

    /// Cuts the power: from now on every call fails, and what was not sent to the device is lost.
    pub fn cut(&self) {
        run("perl", &["-e", CUT, text(&self.folder)]).expect("the file system is stopped");
    }

    /// The power comes back: the journal is replayed.
    pub fn power_on(&self) {
        let gone = becomes(UNUSED_WITHIN, || run("umount", &[text(&self.folder)]).is_ok());
        assert!(gone, "somebody still uses {}", self.folder.display());
        self.mount();
    }

    /// A file that leaves so many KiB free.
    pub fn fill(&self, kib: usize) -> PathBuf {
        let file = self.folder.join("filler");
        let free = Command::new("df").args(["-k", "--output=avail", text(&self.folder)]).output().expect("df");
        let free =
            String::from_utf8_lossy(&free.stdout).lines().last().and_then(|line| line.trim().parse::<usize>().ok());
        let bytes = free.expect("how much is free").saturating_sub(kib) << 10;
        fs::write(&file, vec![1; bytes]).expect("it fits");
        file
    }

    /// A path on it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn mount(&self) {
        let image = self.image.as_deref().expect("an image");
        run("mount", &["-o", "loop", text(image), text(&self.folder)]).expect("it is mounted");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What still uses it may go on until it ends.
        let _ = run("umount", &["-l", text(&self.folder)]);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().map_err(|why| why.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
