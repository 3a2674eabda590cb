//! The programs that are not ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Whether all of them are installed. Where one is not, the test that asks is skipped, and says so; in CI it fails.
pub fn are_here(programs: &[&str]) -> bool {
    let missing: Vec<&&str> = programs.iter().filter(|program| !is_here(program)).collect();
    if missing.is_empty() {
        let can_run = !programs.contains(&"strace") || may_trace();
        if !can_run {
            let _ = writeln!(std::io::stderr(), "SKIPPED: no program may be traced here");
        }
        return can_run;
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "not installed: {missing:?}");
    // Past libtest, which keeps what a test that passes prints.
    let _ = writeln!(std::io::stderr(), "SKIPPED, not installed: {missing:?}");
    false
}

/// Some containers let no program be traced.
fn may_trace() -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-o", "/dev/null", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    strace.status().is_ok_and(|status| status.success())
}

fn is_here(program: &str) -> bool {
    let mut which = Command::new("sh");
    which.args(["-c", "command -v \"$0\"", program]).stdin(Stdio::null()).stdout(Stdio::null());
    which.status().is_ok_and(|status| status.success())
}
