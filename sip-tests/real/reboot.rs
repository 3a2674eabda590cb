//! Reboots, with a command that only says that it was run.

use std::thread::sleep;
use std::time::Duration;

use crate::world::baresip::Phone;
use crate::world::server::Server;
use crate::world::setup::{Options, Setup};
use crate::world::tools::are_here;
use crate::world::wait::until;

const TECHNICIAN: (&str, &str) = ("1004", "29618374");

/// The technician's call, up to the countdown.
fn ask_for_reboot(setup: &Setup, server: &Server, seconds: &str) -> Phone {
    let mut phone = Phone::new(setup, "caller");
    phone.dial(&server.uri);
    phone.log_in(TECHNICIAN.0, TECHNICIAN.1);
    phone.press("6");
    phone.hears_all(&["maintenance-menu", "maintenance-reboot"]);
    phone.press("3");
    phone.hears_all(&["reboot-no-other-calls", "reboot-menu", "reboot-now"]);
    phone.press("1");
    phone.hears_all(&["reboot-now-confirm", "reboot-no-other-calls", "confirm-with-pin"]);
    assert_eq!(setup.text("reboots"), "", "not before the PIN");
    phone.press(&format!("{}#", TECHNICIAN.1));
    phone.hears_all(&["reboot-in", seconds, "seconds"]);
    phone
}

fn reboot_state(setup: &Setup) -> String {
    let commands = setup.json(&["command", "list"]);
    let commands = commands.as_array().expect("a list");
    let reboots: Vec<_> = commands.iter().filter(|command| command["kind"] == "reboot").collect();
    assert!(reboots.len() <= 1, "{reboots:?}");
    reboots.first().and_then(|reboot| reboot["state"].as_str()).unwrap_or("none").to_owned()
}

#[test]
fn a_reboot_is_run_once_and_done_when_the_machine_is_back() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let reboot = "echo reboot >> reboots && echo second > boot-id";
    let setup = Setup::with(Options { reboot, reboot_delay_s: 5, ..Options::default() });
    let server = setup.serve();
    let mut phone = ask_for_reboot(&setup, &server, "number-5");
    phone.hears("press-star-to-cancel");
    until(Duration::from_secs(20), "the command is run", || setup.text("reboots") == "reboot\n");
    until(Duration::from_secs(20), "it is done", || reboot_state(&setup) == "done");
    phone.hears_all(&["reboot-started", "goodbye"]);
    phone.hears_the_end();

    phone.dial(&server.uri);
    phone.press(&format!("{}#{}#", TECHNICIAN.0, TECHNICIAN.1));
    phone.hears_all(&["logged-in", "news-reboot-done", "main-menu"]);
    phone.hang_up();
    phone.dial(&server.uri);
    phone.log_in(TECHNICIAN.0, TECHNICIAN.1);
    assert!(!phone.heard().iter().any(|(_, name)| *name == "news-reboot-done"), "news is told once");
    phone.hang_up();
    assert_eq!(setup.text("reboots"), "reboot\n", "at most once");
    setup.done(&["audit", "verify"], "");
}

#[test]
fn a_reboot_that_did_not_happen_is_unknown_and_never_run_again() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    // It goes on sending to a call that is gone.
    let _phone = ask_for_reboot(&setup, &server, "number-2");
    until(Duration::from_secs(20), "the command is run", || setup.text("reboots") == "reboot\n");
    server.signal("KILL");
    drop(server);

    let server = setup.serve();
    until(Duration::from_secs(20), "it is unknown", || reboot_state(&setup) == "unknown");
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.press(&format!("{}#{}#", TECHNICIAN.0, TECHNICIAN.1));
    phone.hears_all(&["logged-in", "news-reboot-unknown", "main-menu"]);
    assert_eq!(setup.text("reboots"), "reboot\n", "never again by itself");
    phone.hang_up();
}

#[test]
fn a_reboot_is_cancelled_by_star() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::with(Options { reboot_delay_s: 12, ..Options::default() });
    let server = setup.serve();
    let mut phone = ask_for_reboot(&setup, &server, "number-12");
    phone.press("*");
    phone.hears("reboot-cancelled");
    assert_eq!(reboot_state(&setup), "cancelled");
    sleep(Duration::from_secs(12));
    assert_eq!(setup.text("reboots"), "");
    phone.hang_up();
}

#[test]
fn a_wrong_pin_twice_changes_nothing() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.log_in(TECHNICIAN.0, TECHNICIAN.1);
    phone.press("63");
    phone.hears("reboot-menu");
    phone.press("1");
    phone.hears("confirm-with-pin");
    phone.press("29618375#");
    phone.hears_all(&["pin-wrong", "confirm-with-pin"]);
    phone.press("29618376#");
    phone.hears("nothing-changed");
    sleep(Duration::from_secs(4));
    assert_eq!((setup.text("reboots"), reboot_state(&setup)), (String::new(), "none".to_owned()));
    phone.hang_up();
}
