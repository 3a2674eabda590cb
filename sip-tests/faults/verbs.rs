//! Each verb of the command line, hurt at each of its system calls: the process killed, or the call failing. It goes
//! through the same door of the store as what is asked for by phone.

use std::fs;

use crate::state::{Kept, difference, dump, is_whole, state};
use crate::strace::{Ended, Fault, Injection, WRITES, run};
use crate::world::setup::{PROJECT, Setup};
use crate::world::tools::are_here;

/// More calls of one kind than a verb makes.
const CALLS_MAX: usize = 3000;
/// A voice of another length than those of the template.
const OTHER_VOICE: &str = "prompts/demo/5.wav";

/// A verb with its arguments, and its standard input.
type Verb = (&'static [&'static str], &'static str);

/// All verbs that change something in one step, on the template's store.
const ALL: [Verb; 43] = [
    (&["user", "add", "1100", "--pin-stdin"], "719305"),
    (&["user", "add", "1101", "--name", "Somebody", "--role", "support-technician"], ""),
    (&["user", "set-pin", "1005", "--pin-stdin"], "719305"),
    (&["user", "unlock", "1005"], ""),
    (&["user", "disable", "1006"], ""),
    (&["user", "delete", "1006"], ""),
    (&["user", "import", "{users}"], ""),
    (&["role", "assign", "phone-administrator", "1001"], ""),
    (&["role", "remove", "phone-administrator", "1002"], ""),
    (&["voicemail", "set-pin", "1005", "--pin-stdin"], "719305"),
    (&["voicemail", "verify", "1005", "--pin-stdin"], "407193"),
    (&["recording", "add", "6", "another", "--file", "{voice}"], ""),
    (&["recording", "import", "1", "{voice}"], ""),
    (&["recording", "restore", "2", "--factory"], ""),
    (&["forward", "set", "1005", "always", "1006"], ""),
    (&["forward", "set", "1005", "busy", "1006"], ""),
    (&["forward", "off", "1000", "all"], ""),
    (&["mode", "set", "night"], ""),
    (&["mode", "set", "holiday", "--until", "3h"], ""),
    (&["mode", "timetable", "set", "mon-fri 08:00-18:00"], ""),
    (&["mode", "timetable", "holiday", "add", "2030-12-25"], ""),
    (&["mode", "timetable", "clear"], ""),
    (&["line", "add", "3", "third line"], ""),
    (&["line", "disable", "2"], ""),
    (&["line", "enable", "2"], ""),
    (&["line", "delete", "2"], ""),
    (&["gateway", "add", "2", "another office"], ""),
    (&["proxy", "add", "2", "another provider"], ""),
    (&["attendant", "add", "2", "second"], ""),
    (&["attendant", "set", "1", "--recording", "2"], ""),
    (&["attendant", "delete", "1"], ""),
    (&["group", "add", "2", "service"], ""),
    (&["group", "add-member", "1", "1001"], ""),
    (&["group", "remove-member", "1", "1006"], ""),
    (&["group", "delete", "1"], ""),
    (&["callcenter", "open", "1"], ""),
    (&["callcenter", "delete", "1"], ""),
    (&["handset", "add", "00:04:f2:00:00:01"], ""),
    (&["handset", "assign", "00:04:f2:39:05:ef", "1006"], ""),
    (&["handset", "remove", "00:04:f2:12:ab:cd"], ""),
    (&["handset", "delete", "00:04:f2:39:05:ef"], ""),
    (&["site", "add", "branch"], ""),
    (&["change", "undo", "{last}"], ""),
];

/// What is run at each push: a plain change, one with a file, one with a PIN.
const SHORT: [Verb; 3] = [ALL[14], ALL[12], ALL[2]];
/// At each push every so many calls are hurt; by an odd number, so that writes of a page's header and of the page have a turn.
const SHORT_STEP: usize = 9;

/// A store in which one verb is run again and again, each time from the same state.
struct Stage<'a> {
    setup: &'a Setup,
    arguments: Vec<String>,
    input: &'static str,
    kept: Kept,
    before: String,
    after: String,
    dumped: String,
}

impl<'a> Stage<'a> {
    fn new(setup: &'a Setup, verb: Verb) -> Self {
        let voice = format!("{PROJECT}/{OTHER_VOICE}");
        let users = setup.path("users.csv").display().to_string();
        fs::write(&users, "extension,name\n1110,One\n1111,Two\n1112,Three\n").expect("a list of users");
        let last = setup.value("SELECT max(number) FROM changes WHERE action = 'handset.assigned'");
        let known = [("{voice}", voice), ("{users}", users), ("{last}", last)];
        let filled = |argument: &&str| {
            known.iter().find(|(name, _)| name == argument).map_or((*argument).to_owned(), |(_, value)| value.clone())
        };
        let arguments: Vec<String> = verb.0.iter().map(filled).collect();
        let kept = Kept::of(setup);
        let store = setup.path("switchhook.db");
        let dumped = dump(&store);
        let before = state(&store, Some(&dumped));
        let mut stage = Self { setup, arguments, input: verb.1, kept, before, after: String::new(), dumped };
        setup.done(&stage.arguments(), stage.input);
        stage.after = stage.now();
        stage
    }

    fn arguments(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }

    fn now(&self) -> String {
        state(&self.setup.path("switchhook.db"), Some(&self.dumped))
    }

    /// Runs it once, hurt like that, from the state before.
    fn hurt(&self, injection: &Injection<'_>) -> Ended {
        self.kept.put_back(self.setup);
        run(self.setup, &self.arguments(), self.input, injection)
    }

    /// Whether it is done now; it must be that, or as it was before.
    fn is_done(&self, what: &str) -> bool {
        is_whole(self.setup);
        let now = self.now();
        let verb = self.arguments.join(" ");
        let half = now != self.before && now != self.after;
        assert!(!half, "{verb}, {what}: half done\n{}", difference(&self.before, &now));
        now == self.after
    }
}

/// Kills a verb at each of its calls, or at every `step`-th; gives how many kills there were.
fn kill_at_each_call(setup: &Setup, verb: Verb, step: usize) -> usize {
    let stage = Stage::new(setup, verb);
    let changes = stage.before != stage.after;
    let mut kills = 0;
    for calls in WRITES {
        for nth in (1..CALLS_MAX).step_by(step) {
            let ended = stage.hurt(&Injection { calls, fault: Fault::Kill, nth, on: &[] });
            let what = format!("killed at {calls} {nth}");
            let is_done = stage.is_done(&what);
            if !ended.was_hurt {
                assert!(is_done, "{:?}: unhurt and not done: {}", stage.arguments, ended.error);
                break;
            }
            kills += 1;
            assert!(
                ended.said.is_empty() || is_done || !changes,
                "{:?}, {what}: it said {:?}, and it is not there",
                stage.arguments,
                ended.said
            );
        }
    }
    stage.kept.put_back(setup);
    kills
}

/// Lets each call of a verb fail once; gives how many failed.
fn fail_each_call(setup: &Setup, verb: Verb, step: usize) -> usize {
    let stage = Stage::new(setup, verb);
    let store = setup.path("switchhook.db");
    let opened: Vec<_> = ["", "-wal", "-shm"].map(|end| store.with_file_name(format!("switchhook.db{end}"))).into();
    let mut failed = 0;
    for error in ["EIO", "ENOSPC", "EINTR"] {
        // What is written to a terminal or a pipe is not the store's.
        for calls in WRITES.into_iter().filter(|calls| *calls != "write").chain(["openat", "pread64"]) {
            let on = if ["openat", "pread64"].contains(&calls) { &opened[..] } else { &[] };
            for nth in (1..CALLS_MAX).step_by(step) {
                let ended = stage.hurt(&Injection { calls, fault: Fault::Error(error), nth, on });
                if !ended.was_hurt {
                    break;
                }
                failed += 1;
                let what = format!("{calls} {nth} fails with {error}");
                let is_done = stage.is_done(&what);
                let verb = &stage.arguments;
                match ended.code {
                    Some(0) => assert!(is_done, "{verb:?}, {what}: not done, and it said {}", ended.said),
                    Some(1) => {
                        let line = ended.error.trim();
                        assert!(!line.is_empty() && line.lines().count() == 1, "{verb:?}, {what}: {line:?}");
                        assert!(!is_done || stage.before == stage.after, "{verb:?}, {what}: done, and it said {line}");
                    }
                    code => panic!("{verb:?}, {what}: {code:?} {}", ended.error),
                }
            }
        }
    }
    stage.kept.put_back(setup);
    failed
}

#[test]
fn a_change_is_whole_or_not_there_wherever_it_is_killed() {
    if !are_here(&["strace", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    for verb in SHORT {
        assert!(kill_at_each_call(&setup, verb, SHORT_STEP) > 5, "{verb:?}");
    }
}

#[test]
fn a_call_that_fails_leaves_the_old_state_and_says_why() {
    if !are_here(&["strace", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    assert!(fail_each_call(&setup, SHORT[0], SHORT_STEP) > 10);
}

#[test]
#[ignore = "a long run"]
fn soak_each_verb_killed_at_each_call() {
    if !are_here(&["strace", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let kills: usize = ALL.iter().map(|verb| kill_at_each_call(&setup, *verb, 1)).sum();
    println!(
        "figure: verbs killed at each write, fsync and rename = {} verbs, {kills} kills, 0 lost, 0 half",
        ALL.len()
    );
}

#[test]
#[ignore = "a long run"]
fn soak_each_call_of_a_verb_fails() {
    if !are_here(&["strace", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let failed: usize = SHORT.iter().map(|verb| fail_each_call(&setup, *verb, 1)).sum();
    println!("figure: calls failed with EIO, ENOSPC, EINTR = {failed}, the old state stood or the change was whole");
}
