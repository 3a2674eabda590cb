//! `serve`, hurt while a caller changes something: killed at each call that follows the last key, or a call failing.
//! What the caller hears is the truth: after `failed-try-later` the old state stands, after a confirmation the new one,
//! and what is done outside is done as often as it should be.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::caller::{Caller, install_prompts};
use crate::state::{Kept, is_whole};
use crate::strace::{Attached, Fault, Injection};
use crate::world::setup::{Options, PROJECT, Setup};
use crate::world::template::pin_of;
use crate::world::tools::are_here;
use crate::world::wait::{becomes, until};

/// More calls than a change and its effects make.
const CALLS_MAX: usize = 400;
/// What is done after a change is done by then.
const DONE_WITHIN: Duration = Duration::from_secs(20);
/// How long it is watched after the caller was told, for the effects.
const WATCHED: Duration = Duration::from_millis(1500);
/// How often that, for a caller who hears nothing of a server that still runs.
const HEARD_TRIES_MAX: u32 = 8;
/// At each push every so many calls are hurt.
const SHORT_STEP: usize = 13;
/// Groups of calls that are counted apart.
const WRITES: [&str; 4] =
    ["pwrite64,fsync,ftruncate", "?rename,?renameat,renameat2", "?unlink,unlinkat", "clone3,?vfork"];

/// A change by phone.
struct Change {
    extension: &'static str,
    /// Keys up to the one that is pressed when all is watched, each with what is heard after it.
    keys: &'static [(&'static str, &'static str)],
    /// The last keys; the very last one is not waited for.
    last: &'static str,
    /// What tells that it is done.
    done: &'static str,
    /// How often it was done, as SQL.
    count: &'static str,
}

const DND: Change = Change {
    extension: "1005",
    keys: &[],
    last: "3",
    done: "dnd-on",
    count: "SELECT count(*) FROM changes WHERE action = 'dnd.changed'",
};
const RESTORE: Change = Change {
    extension: "1002",
    keys: &[("21#", "recording-menu")],
    last: "3",
    done: "recording-restored",
    count: "SELECT count(*) FROM changes WHERE action = 'recording.restored'",
};
const REBOOT: Change = Change {
    extension: "1004",
    keys: &[("6", "maintenance-menu"), ("3", "reboot-menu"), ("1", "confirm-with-pin")],
    last: "29618374#",
    done: "reboot-in",
    count: "SELECT count(*) FROM changes WHERE action = 'reboot.requested'",
};

fn world() -> Setup {
    let setup = Setup::with(Options { reboot_delay_s: 1, languages: &[], ..Options::default() });
    install_prompts(&setup);
    let voice = format!("{PROJECT}/prompts/demo/5.wav");
    setup.done(&["recording", "import", "1", &voice], "");
    // So that the start has nothing to export any more.
    drop(setup.serve());
    setup
}

fn count(setup: &Setup, sql: &str) -> usize {
    setup.value(sql).parse().expect("a number")
}

/// Goes to where the last keys are pressed.
fn go(setup: &Setup, caller: &mut Caller, change: &Change) {
    let _ = setup;
    assert!(caller.call_as(change.extension, pin_of(change.extension)), "logged in");
    for (keys, heard) in change.keys {
        assert!(caller.press(keys));
        assert_eq!(caller.hears(&[heard]), Some(*heard));
    }
}

/// Presses the last keys; the server may be gone before it answers the very last.
fn press_last(caller: &mut Caller, change: &Change) {
    let (keys, last) = change.last.split_at(change.last.len() - 1);
    assert!(caller.press(keys));
    caller.press_and_go(last.chars().next().expect("a key"));
}

/// Kills the server at each call after the last key; gives how many kills there were.
fn kill_at_each_call(setup: &Setup, change: &Change, step: usize) -> usize {
    let kept = Kept::of(setup);
    let mut kills = 0;
    for calls in WRITES {
        for nth in (1..CALLS_MAX).step_by(step) {
            kept.put_back(setup);
            let _ = fs::remove_file(setup.path("reboots"));
            let what = format!("{}: killed at {calls} {nth}", change.done);
            let before = count(setup, change.count);
            let mut server = setup.serve();
            let mut caller = Caller::new(setup);
            go(setup, &mut caller, change);
            let injection = Injection { calls, fault: Fault::Kill, nth, on: &[] };
            let attached = Attached::to(setup, server.id(), &injection);
            press_last(&mut caller, change);
            let mut tries = 0..HEARD_TRIES_MAX;
            let heard = loop {
                let heard = caller.hears_within(&[change.done, "failed-try-later"], WATCHED);
                if heard.is_some() || !server.is_running() || tries.next().is_none() {
                    break heard;
                }
            };
            let was_killed = becomes(WATCHED, || !server.is_running());
            drop(attached);
            drop(server);
            is_whole(setup);
            let done = count(setup, change.count) - before;
            assert!(
                done <= 1 && (heard != Some(change.done) || done == 1),
                "{what}: heard {heard:?}, done {done} times"
            );
            after_the_restart(setup, done, &what);
            if !was_killed {
                assert_eq!((heard, done), (Some(change.done), 1), "{what}: unhurt");
                break;
            }
            kills += 1;
        }
    }
    kept.put_back(setup);
    kills
}

/// What holds when the server runs again: every export is as its row, a hook was told, a reboot ran once at most.
fn after_the_restart(setup: &Setup, done: usize, what: &str) {
    let server = setup.serve();
    let open = "SELECT count(*) FROM intents WHERE state IN ('requested', 'waiting', 'claimed') AND kind <> 'reboot'";
    until(DONE_WITHIN, what, || setup.value(open) == "0");
    exports_are_as_their_rows(setup);
    let told =
        "SELECT max(number) FROM changes WHERE action IN ('dnd.changed', 'recording.restored', 'reboot.requested')";
    if done > 0 {
        let number = setup.value(told);
        assert!(
            setup.text("told").contains(&format!("\"change\":{number},")),
            "{what}: the hook was not told of {number}"
        );
    }
    let started = count(setup, "SELECT count(*) FROM audit WHERE action = 'reboot.started'");
    let ran = setup.text("reboots").lines().count();
    assert!(ran <= 1 && ran <= started, "{what}: {ran} reboots ran, {started} are in the audit trail");
    drop(server);
    is_whole(setup);
}

/// Each exported file is what `recording export` gives.
pub fn exports_are_as_their_rows(setup: &Setup) {
    for row in setup.json(&["recording", "list"]).as_array().expect("a list") {
        let number = row["number"].to_string();
        let file = setup.path("compared.wav");
        let _ = fs::remove_file(&file);
        setup.done(&["recording", "export", &number, file.to_str().expect("UTF-8")], "");
        let exported = setup.path(&format!("exported/recording-{number}.wav"));
        assert!(fs::read(&file).expect("a file") == fs::read(&exported).unwrap_or_default(), "{}", exported.display());
    }
    let left = fs::read_dir(setup.path("exported")).expect("the folder").flatten();
    let left: Vec<PathBuf> =
        left.map(|entry| entry.path()).filter(|path| path.extension() != Some("wav".as_ref())).collect();
    assert!(left.is_empty(), "half files: {left:?}");
}

#[test]
fn what_a_caller_heard_confirmed_is_there_wherever_the_server_is_killed() {
    if !are_here(&["strace", "sqlite3"]) {
        return;
    }
    let setup = world();
    assert!(kill_at_each_call(&setup, &RESTORE, SHORT_STEP) >= 3);
}

#[test]
#[ignore = "a long run"]
fn soak_the_server_killed_at_each_call_of_a_change_by_phone() {
    if !are_here(&["strace", "sqlite3"]) {
        return;
    }
    let setup = world();
    let kills: usize = [DND, RESTORE, REBOOT].iter().map(|change| kill_at_each_call(&setup, change, 1)).sum();
    println!(
        "figure: serve killed at each write, fsync and rename of a change by phone = {kills} kills, 0 lost, 0 half"
    );
}

/// Lets calls of the server fail, one kind and error after the other, while one caller changes something each time.
fn fail_calls(setup: &Setup, nths: &[usize]) -> (usize, usize) {
    // `strace` follows what a hook starts, and does not let go of it while it is being started.
    let config = fs::read_to_string(setup.config()).expect("the configuration");
    let lines = config.lines().filter(|line| !line.starts_with("[[effects.hooks]]") && !line.starts_with("on = "));
    let without = lines.filter(|line| !line.contains("told")).collect::<Vec<_>>().join("\n");
    // All goes on in one call, whose caller sends no RTP.
    fs::write(setup.config(), format!("{without}\n[menu]\nrtp_silence_s = 3600\n")).expect("the configuration");
    let server = setup.serve();
    let mut caller = Caller::new(setup);
    go(setup, &mut caller, &DND);
    let state = || setup.value("SELECT dnd FROM v_users WHERE extension = '1005'") == "1";
    let store = setup.path("switchhook.db");
    let files: Vec<PathBuf> =
        ["", "-wal", "-shm"].map(|end| store.with_file_name(format!("switchhook.db{end}"))).into();
    let (mut failed, mut refused) = (0, 0);
    for error in ["EIO", "ENOSPC", "EINTR"] {
        for calls in ["pwrite64", "fsync,fdatasync", "ftruncate", "pread64", "openat"] {
            for nth in nths {
                let was = state();
                let what = format!("{calls} {nth} fails with {error}");
                let attached = Attached::to(
                    setup,
                    server.id(),
                    &Injection { calls, fault: Fault::Error(error), nth: *nth, on: &files },
                );
                assert!(caller.press("3"), "{what}: the key is taken");
                let heard = caller.hears(&["dnd-on", "dnd-off", "failed-try-later", "not-answered"]);
                failed += usize::from(attached.has_failed_one());
                drop(attached);
                let now = state();
                match heard {
                    Some("dnd-on") => assert!(now && !was, "{what}: heard that it is on"),
                    Some("dnd-off") => assert!(!now && was, "{what}: heard that it is off"),
                    Some("failed-try-later") => {
                        refused += 1;
                        assert_eq!(now, was, "{what}: heard that it failed");
                    }
                    heard => panic!("{what}: heard {heard:?}"),
                }
                // The next one works, whatever the one before has met.
                assert!(caller.press("3"), "{what}: the next key is taken");
                let expected = if now { "dnd-off" } else { "dnd-on" };
                let heard = caller.hears(&["dnd-on", "dnd-off", "failed-try-later", "not-answered"]);
                assert_eq!(heard, Some(expected), "after {what}");
                assert_eq!(state(), !now, "after {what}");
            }
        }
    }
    caller.hang_up();
    drop(server);
    is_whole(setup);
    (failed, refused)
}

#[test]
fn a_caller_is_told_where_the_disk_fails_and_the_next_change_works() {
    if !are_here(&["strace", "sqlite3"]) {
        return;
    }
    let setup = world();
    let (failed, refused) = fail_calls(&setup, &[1]);
    assert!(failed >= 4 && refused >= 3, "{failed} calls failed, {refused} changes were refused");
}

#[test]
#[ignore = "a long run"]
fn soak_a_caller_is_told_where_any_call_fails() {
    if !are_here(&["strace", "sqlite3"]) {
        return;
    }
    let setup = world();
    let nths: Vec<usize> = (1..=24).collect();
    let (failed, refused) = fail_calls(&setup, &nths);
    println!(
        "figure: calls of serve failed under a caller = {failed} failed, {refused} times failed-try-later, 0 untrue"
    );
}
