//! The built program under faults: killed at each system call and at random, the power cut, system calls that fail, a
//! full disk, a store that others hold or write. What counts is what was acknowledged, by phone or by the command line:
//! it must be there afterwards, and nothing half.
//!
//! The tests whose names begin with `soak_` are the long runs of the short ones beside them.
#![allow(clippy::disallowed_methods, reason = "the tests wait for a program that has a real clock")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "these are tests"
)]

#[path = "faults/caller.rs"]
mod caller;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/held.rs"]
mod held;
#[path = "faults/kills.rs"]
mod kills;
#[path = "faults/load.rs"]
mod load;
#[path = "faults/mount.rs"]
mod mount;
#[path = "faults/power.rs"]
mod power;
#[path = "faults/serving.rs"]
mod serving;
#[path = "faults/state.rs"]
mod state;
#[path = "faults/steps.rs"]
mod steps;
#[path = "faults/strace.rs"]
mod strace;
#[path = "faults/verbs.rs"]
mod verbs;
#[allow(dead_code, reason = "each target takes its part of what they share")]
#[path = "world/faults.rs"]
mod world;
#[path = "faults/writers.rs"]
mod writers;
