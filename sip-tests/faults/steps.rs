//! What takes several steps, killed at each of its system calls: a store that is made, a backup, a restore, and an import
//! that the server exports.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::caller::install_prompts;
use crate::serving::exports_are_as_their_rows;
use crate::state::{Kept, difference, dump, is_whole, state};
use crate::strace::{Ended, Fault, Injection, WRITES, run};
use crate::world::setup::{Options, PROJECT, Setup, sql_rows};
use crate::world::tools::are_here;
use crate::world::wait::until;

/// More calls of one kind than a verb makes.
const CALLS_MAX: usize = 20_000;
/// At each push every so many calls are hurt.
const SHORT_STEP: usize = 29;
/// What is done after a change is done by then.
const DONE_WITHIN: Duration = Duration::from_secs(20);

/// Kills a verb at each of its calls, or at every `step`-th; `looks` at what is left of each.
fn kill_at_each_call(
    setup: &Setup,
    arguments: &[&str],
    input: &str,
    step: usize,
    before: impl Fn(),
    looks: impl Fn(&Ended, &str),
) -> usize {
    let mut kills = 0;
    for calls in WRITES {
        for nth in (1..CALLS_MAX).step_by(step) {
            before();
            let ended = run(setup, arguments, input, &Injection { calls, fault: Fault::Kill, nth, on: &[] });
            looks(&ended, &format!("{arguments:?} killed at {calls} {nth}"));
            if !ended.was_hurt {
                assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.error);
                break;
            }
            kills += 1;
        }
    }
    kills
}

/// A store that was begun is begun again, until there is one with its administrator.
fn init(step: usize) -> usize {
    let setup = Setup::without_store();
    let arguments = ["init", "1000", "--pin-stdin"];
    let before = || {
        for file in fs::read_dir(setup.path("")).expect("the folder").flatten().map(|entry| entry.path()) {
            if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("switchhook.db")) {
                fs::remove_file(file).expect("it goes");
            }
        }
    };
    let looks = |ended: &Ended, what: &str| {
        let again = setup.run(&arguments, "61849273");
        if ended.said.contains("added") {
            assert_eq!(again.status.code(), Some(1), "{what}: it was there");
        }
        assert_eq!(setup.json(&["user", "list"]).as_array().map(Vec::len), Some(1), "{what}");
        is_whole(&setup);
    };
    kill_at_each_call(&setup, &arguments, "61849273", step, before, looks)
}

fn backups(setup: &Setup) -> Vec<PathBuf> {
    let files = fs::read_dir(setup.path("backups")).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|file| file.extension() == Some("db".as_ref())).collect()
}

/// A backup under its name is whole, and one that was said to be made is there.
fn backup(step: usize) -> usize {
    let setup = Setup::new();
    let kept = Kept::of(&setup);
    let looks = |ended: &Ended, what: &str| {
        is_whole(&setup);
        for file in backups(&setup) {
            assert_eq!(sql_rows(&file, "PRAGMA integrity_check"), ["ok"], "{what}: {}", file.display());
        }
        let listed = setup.json(&["backup", "list"]);
        let ids: Vec<String> = listed.as_array().expect("a list").iter().map(|row| row["id"].to_string()).collect();
        assert!(ended.said.is_empty() || !ids.is_empty(), "{what}: it said {}", ended.said);
        for id in ids {
            setup.done(&["backup", "verify", &id], "");
        }
        // Whatever was left, the next one is made.
        setup.done(&["backup", "create"], "");
    };
    kill_at_each_call(&setup, &["backup", "create"], "", step, || kept.put_back(&setup), looks)
}

/// The store is the old one or the backup, and never none.
fn restore(step: usize) -> usize {
    let setup = Setup::new();
    setup.done(&["backup", "create"], "");
    setup.done(&["mode", "set", "night"], "");
    let kept = Kept::of(&setup);
    let store = setup.path("switchhook.db");
    let dumped = dump(&store);
    let before = state(&store, Some(&dumped));
    setup.done(&["backup", "restore", "1"], "");
    let after = state(&store, Some(&dumped));
    assert_ne!(before, after);
    let looks = |ended: &Ended, what: &str| {
        is_whole(&setup);
        let now = state(&store, Some(&dumped));
        assert!(now == before || now == after, "{what}: neither\n{}", difference(&after, &now));
        assert!(ended.said.is_empty() || now == after, "{what}: it said {}", ended.said);
        if now == after {
            let aside = fs::read_dir(setup.path("")).expect("the folder").flatten();
            let is_aside = |name: String| name.contains("before-restore");
            assert!(aside.into_iter().any(|file| is_aside(file.file_name().to_string_lossy().into_owned())), "{what}");
        }
        setup.done(&["backup", "restore", "1"], "");
        assert_eq!(setup.json(&["mode", "show"])["mode"], "day", "{what}: restored the second time");
    };
    kill_at_each_call(&setup, &["backup", "restore", "1"], "", step, || kept.put_back(&setup), looks)
}

/// What is imported beside a server is exported by it, whole, or not at all.
fn import(step: usize) -> usize {
    let setup = Setup::with(Options { languages: &[], ..Options::default() });
    install_prompts(&setup);
    let _server = setup.serve();
    let voice = format!("{PROJECT}/prompts/demo/5.wav");
    let version = || setup.value("SELECT max(version) FROM recording_versions WHERE number = 1");
    let before = std::cell::RefCell::new(String::new());
    let looks = |ended: &Ended, what: &str| {
        is_whole(&setup);
        let is_new = version() != *before.borrow();
        assert!(ended.said.is_empty() || is_new, "{what}: it said {}", ended.said);
        let open = "SELECT count(*) FROM intents WHERE state IN ('requested', 'claimed')";
        until(DONE_WITHIN, what, || setup.value(open) == "0");
        exports_are_as_their_rows(&setup);
    };
    let arguments = ["recording", "import", "1", &voice];
    kill_at_each_call(&setup, &arguments, "", step, || *before.borrow_mut() = version(), looks)
}

#[test]
fn what_takes_several_steps_is_whole_wherever_it_is_killed() {
    if !are_here(&["strace", "sqlite3"]) {
        return;
    }
    let kills = (restore(SHORT_STEP), import(SHORT_STEP));
    assert!(kills.0 > 4 && kills.1 > 2, "{kills:?}");
}

#[test]
#[ignore = "a long run"]
fn soak_init_backup_restore_and_import_killed_at_each_call() {
    if !are_here(&["strace", "sqlite3"]) {
        return;
    }
    let kills = [init(1), backup(1), restore(1), import(1)];
    println!("figure: init, backup, restore, import killed at each call = {kills:?} kills, 0 half, 0 lost");
}
