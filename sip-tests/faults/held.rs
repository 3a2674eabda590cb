//! The store held by another process for longer than anybody waits.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

use crate::caller::{Caller, install_prompts};
use crate::state::is_whole;
use crate::strace::{Attached, Fault, Injection};
use crate::world::manager::Manager;
use crate::world::server::Server;
use crate::world::setup::{Options, Setup};
use crate::world::template::pin_of;
use crate::world::tools::are_here;
use crate::world::wait::until;

/// Prompts that end a change of do not disturb. `not-answered` would say that nobody knows whether it was done.
const ENDS: [&str; 4] = ["dnd-on", "dnd-off", "failed-try-later", "not-answered"];
/// What the manager is told.
const WATCHDOG: &str = "WATCHDOG=1";
/// What was put off is done by then.
const DONE_WITHIN: Duration = Duration::from_secs(30);

/// Another program in the middle of a transaction; it gives up when it is dropped.
struct Holder {
    child: Child,
}

impl Holder {
    fn of(setup: &Setup) -> Self {
        let mut command = Command::new("sqlite3");
        command.arg(setup.path("switchhook.db")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("sqlite3");
        let input = child.stdin.as_mut().expect("its input");
        input.write_all(b".timeout 5000\nBEGIN EXCLUSIVE;\nSELECT 'held';\n").expect("it reads");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        assert_eq!(line.trim(), "held");
        Self { child }
    }

    fn lets_go(self) {}
}

impl Drop for Holder {
    fn drop(&mut self) {
        // At the end of its input it rolls back and ends.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn whoever_waits_for_a_held_store_is_told_and_later_it_works() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = Setup::with(Options { languages: &[], ..Options::default() });
    install_prompts(&setup);
    let mut server = setup.serve();
    let mut caller = Caller::new(&setup);
    assert!(caller.call_as("1005", pin_of("1005")));
    let mut others: Vec<Caller> = (0..2).map(|_| Caller::new(&setup)).collect();
    for other in &mut others {
        assert!(other.call_as("1006", pin_of("1006")));
    }
    let holder = Holder::of(&setup);
    scope(|scope| {
        // Several wait, and none longer than the dialogue does.
        for other in &mut others {
            scope.spawn(|| {
                assert!(other.press("3"));
                assert_eq!(other.hears(&ENDS), Some("failed-try-later"));
            });
        }
        scope.spawn(|| {
            let said = setup.refused(&["mode", "set", "night"], "");
            assert!(said.contains("held by another process") && said.lines().count() == 1, "{said}");
        });
        assert!(caller.press("3"));
        assert_eq!(caller.hears(&ENDS), Some("failed-try-later"));
    });
    // What only reads goes on meanwhile.
    assert_eq!(setup.json(&["mode", "show"])["mode"], "day");
    assert_eq!(setup.value("SELECT count(*) FROM v_users WHERE dnd = 1"), "0");
    holder.lets_go();
    assert!(caller.press("3"));
    assert_eq!(caller.hears(&ENDS), Some("dnd-on"));
    assert_eq!(setup.value("SELECT extension FROM v_users WHERE dnd = 1"), "1005");
    assert!(server.is_running());
    drop(server);
    is_whole(&setup);
}

#[test]
fn a_server_that_starts_under_a_held_store_waits_for_it() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = Setup::with(Options { languages: &[], ..Options::default() });
    install_prompts(&setup);
    let holder = Holder::of(&setup);
    scope(|scope| {
        let starting = scope.spawn(|| setup.serve());
        until(DONE_WITHIN, "it waits", || setup.text("stderr").contains("held by another process"));
        holder.lets_go();
        let mut server = starting.join().expect("it takes calls");
        let mut caller = Caller::new(&setup);
        assert!(caller.call_as("1005", pin_of("1005")) && server.is_running());
        caller.hang_up();
    });
}

#[test]
fn a_hook_whose_end_could_not_be_recorded_holds_nothing_up() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = Setup::with(Options { languages: &[], ..Options::default() });
    install_prompts(&setup);
    let config = fs::read_to_string(setup.config()).expect("the configuration");
    let slow = config.replace("cat >> told", "sleep 1 && cat >> told");
    fs::write(setup.config(), slow).expect("the configuration");
    let server = setup.serve();
    let before = setup.value("SELECT max(id) FROM v_commands");
    setup.done(&["line", "disable", "2"], "");
    let states = format!("SELECT state FROM v_commands WHERE kind = 'hook' AND id > {before} ORDER BY id");
    let state = || setup.rows(&states);
    until(DONE_WITHIN, "the hook runs", || state() == ["claimed"]);
    let holder = Holder::of(&setup);
    until(DONE_WITHIN, "that could not be recorded", || {
        setup.text("stderr").contains("how it ended can't be recorded now")
    });
    holder.lets_go();
    until(DONE_WITHIN, "it is recorded", || state() == ["done"]);
    setup.done(&["line", "enable", "2"], "");
    until(DONE_WITHIN, "the next one is told", || state() == ["done", "done"]);
    assert_eq!(setup.text("told").lines().filter(|line| !line.is_empty()).count(), 2, "each once");
    drop(server);
    is_whole(&setup);
}

/// How often the manager is told this within that time.
fn count(manager: &Manager, line: &str, time: Duration) -> usize {
    let (end, mut count) = (Instant::now() + time, 0);
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        let told = manager.next(left).unwrap_or_default();
        count += told.lines().filter(|found| *found == line).count();
    }
    count
}

/// A server whose service manager waits so long for a sign of life, in microseconds.
fn watched(setup: &Setup, manager: &Manager, within: &str) -> Server {
    Server::start_with(setup, &[("NOTIFY_SOCKET", manager.path()), ("WATCHDOG_USEC", within)])
}

#[test]
fn the_watchdog_is_fed_while_another_program_holds_the_store() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = Setup::with(Options { languages: &[], ..Options::default() });
    install_prompts(&setup);
    let manager = Manager::new(&setup);
    // The longest turn of the writer is 5 s.
    let mut server = watched(&setup, &manager, "12000000");
    let mut callers: Vec<Caller> = (0..3).map(|_| Caller::new(&setup)).collect();
    for caller in &mut callers {
        assert!(caller.call_as("1005", pin_of("1005")));
    }
    let holder = Holder::of(&setup);
    let is_over = AtomicBool::new(false);
    scope(|scope| {
        for caller in &mut callers {
            // There is always somebody who waits for the writer.
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    assert!(caller.press("3"));
                    assert_eq!(caller.hears(&ENDS), Some("failed-try-later"));
                }
            });
        }
        count(&manager, WATCHDOG, Duration::from_secs(4));
        for _ in 0..3 {
            manager.hears(WATCHDOG);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    holder.lets_go();
    assert!(callers[0].press("3"));
    assert_eq!(callers[0].hears(&ENDS), Some("dnd-on"));
    assert!(server.is_running());
}

#[test]
fn the_watchdog_is_not_fed_while_the_writer_hangs() {
    if !are_here(&["strace"]) {
        return;
    }
    let setup = Setup::with(Options { languages: &[], ..Options::default() });
    install_prompts(&setup);
    let manager = Manager::new(&setup);
    let server = watched(&setup, &manager, "1000000");
    let mut caller = Caller::new(&setup);
    assert!(caller.call_as("1005", pin_of("1005")));
    manager.hears(WATCHDOG);
    let hangs = Fault::Delay(Duration::from_secs(20));
    let injection = Injection { calls: "fsync,fdatasync", fault: hangs, nth: 1, on: &[] };
    let attached = Attached::to(&setup, server.id(), &injection);
    assert!(caller.press("3"));
    // The SIP task goes on, and the timer, and all the same.
    let is_silent = || count(&manager, WATCHDOG, Duration::from_millis(1500)) == 0;
    assert!((0..5).any(|_| is_silent()), "it is fed on and on");
    drop(attached);
    manager.hears(WATCHDOG);
}
