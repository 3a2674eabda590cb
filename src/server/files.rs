//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The share of them that calls may use, in quarters; the rest is for connections, the store and commands that are run.
const CALLS_QUARTERS: u64 = 3;

/// Raises the limit as far as the system lets us, and gives how many of them calls may use.
///
/// Many systems begin with 1024, which is enough for 380 calls (two sockets each); calls beyond get 503.
pub fn raise_limit() -> u64 {
    let before = getrlimit(Resource::Nofile);
    if before.current != before.maximum {
        // Where it is refused, the present limit counts.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: before.maximum, maximum: before.maximum });
    }
    let now = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    tracing::debug!(files = now, "open files and sockets at most");
    now / 4 * CALLS_QUARTERS
}
