//! Waiting for what must come, with a limit that is far beyond what it takes.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Looks again and again until it is so; fails where it isn't within that time.
pub fn until(time: Duration, what: &str, is_so: impl FnMut() -> bool) {
    assert!(becomes(time, is_so), "not within {time:?}: {what}");
}

/// Looks again and again until it is so; `false` where it isn't within that time.
pub fn becomes(time: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + time;
    while !is_so() {
        if Instant::now() > end {
            return false;
        }
        sleep(Duration::from_millis(50));
    }
    true
}
