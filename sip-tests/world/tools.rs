//! The programs that are not ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Whether all of them are installed. Where one is not, the test that asks is skipped, and says so; in CI it fails.
pub fn are_here(programs: &[&str]) -> bool {
    let missing: Vec<&&str> = programs.iter().filter(|program| !is_here(program)).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "not installed: {missing:?}");
    // Past libtest, which keeps what a test that passes prints.
    let _ = writeln!(std::io::stderr(), "SKIPPED, not installed: {missing:?}");
    false
}

fn is_here(program: &str) -> bool {
    let mut which = Command::new("sh");
    which.args(["-c", "command -v \"$0\"", program]).stdin(Stdio::null()).stdout(Stdio::null());
    which.status().is_ok_and(|status| status.success())
}
