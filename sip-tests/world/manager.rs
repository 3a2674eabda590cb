//! A service manager that only listens: what systemd would be told.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use super::setup::Setup;

/// What must come comes within this.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// Where the notifications go.
pub struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    /// One that listens in the test's folder.
    pub fn new(setup: &Setup) -> Self {
        let path = setup.path("notify");
        Self { socket: UnixDatagram::bind(&path).expect("the manager's socket"), path }
    }

    /// Where, for `NOTIFY_SOCKET`.
    pub fn path(&self) -> &str {
        self.path.to_str().expect("UTF-8")
    }

    /// The next notification; `None` where none comes in that time.
    pub fn next(&self, within: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(within)).expect("a time-out");
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// Waits for the one that has this line in it, and gives it.
    pub fn hears(&self, line: &str) -> String {
        let mut others = Vec::new();
        while let Some(told) = self.next(TOLD_WITHIN) {
            if told.lines().any(|found| found == line) {
                return told;
            }
            others.push(told);
            // Those that come for ever are not waited out.
            assert!(others.len() < 1000, "{line} was not told");
        }
        panic!("{line} was not told, but {others:?}");
    }
}
