//! As a service: what systemd is told, and the unit.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::world::agent::{Agent, NO_KEYS_BY_RTP};
use crate::world::manager::Manager;
use crate::world::server::Server;
use crate::world::setup::{Options, PROGRAM, PROJECT, Setup};
use crate::world::wait::until;

/// What `systemd-analyze security` may say at most, in tenths.
const EXPOSURE_TENTHS_MAX: u32 = 20;
/// How long the manager of these tests waits for a sign of life: it is told four times as often.
const WATCHDOG_USEC: &str = "1000000";
const WATCHDOG: &str = "WATCHDOG=1";

fn watched(setup: &Setup, manager: &Manager) -> Server {
    Server::start_with(setup, &[("NOTIFY_SOCKET", manager.path()), ("WATCHDOG_USEC", WATCHDOG_USEC)])
}

#[test]
fn systemd_is_told_what_goes_on() {
    let setup = Setup::with(Options { reboot: "env > environment", ..Options::default() });
    let hook = "[[effects.hooks]]\non = [\"*\"]\nrun = [\"sh\", \"-c\", \"env > FOLDER/environment\"]\n";
    let hook = hook.replace("FOLDER", &setup.path("").display().to_string());
    fs::write(setup.config(), setup.text("switchhook.toml") + &hook).expect("the configuration");
    let manager = Manager::new(&setup);
    let mut server = watched(&setup, &manager);
    let ready = manager.hears("READY=1");
    assert!(ready.contains("STATUS=taking calls to 7000"), "{ready}");
    for _ in 0..5 {
        let alive = manager.hears(WATCHDOG);
        assert!(alive.contains("STATUS=0 calls"), "{alive}");
    }
    let mut agent = Agent::new(&setup);
    agent.new_call();
    assert_eq!(agent.call(1, NO_KEYS_BY_RTP).code(), 200);
    manager.hears("STATUS=1 call");
    agent.bye(2);

    server.signal("HUP");
    let reloading = manager.hears("RELOADING=1");
    assert!(
        reloading.lines().any(|line| line.strip_prefix("MONOTONIC_USEC=").is_some_and(|n| n.parse::<u64>().is_ok()))
    );
    manager.hears("READY=1");
    manager.hears(WATCHDOG);

    // What others are started by must not speak for us.
    setup.done(&["user", "disable", "1006"], "");
    until(Duration::from_secs(20), "the hook has run", || setup.text("environment").contains("PATH="));
    let environment = setup.text("environment");
    assert!(!environment.contains("NOTIFY_SOCKET") && !environment.contains("WATCHDOG_"), "{environment}");

    server.signal("TERM");
    let stopping = manager.hears("STOPPING=1");
    assert!(stopping.contains("STATUS=draining"), "{stopping}");
    assert!(server.ends_within(Duration::from_secs(10)).success());
}

#[test]
fn a_reload_while_it_drains_reads_nothing_and_takes_nothing_back() {
    let setup = Setup::new();
    let manager = Manager::new(&setup);
    let mut server = watched(&setup, &manager);
    manager.hears("READY=1");
    let mut agent = Agent::new(&setup);
    agent.new_call();
    assert_eq!(agent.call(1, NO_KEYS_BY_RTP).code(), 200);
    server.signal("TERM");
    manager.hears("STOPPING=1");
    server.signal("HUP");
    until(Duration::from_secs(10), "it says so", || {
        server.log_text().contains("nothing is read again while it drains")
    });
    for line in ["READY=1", "RELOADING=1"] {
        assert_eq!(manager.count(line, Duration::from_millis(500)), 0, "{line}");
    }
    assert!(!server.log_text().contains("prompts were read again"));
    assert_eq!(agent.bye(2).code(), 200);
    assert!(server.ends_within(Duration::from_secs(10)).success());
}

/// The unit's settings, `NAME=VALUE`.
fn unit() -> Vec<(String, String)> {
    let text = fs::read_to_string(Path::new(PROJECT).join("packaging/switchhook.service")).expect("the unit");
    let lines = text.lines().filter(|line| !line.starts_with(['#', '['])).filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn setting(name: &str) -> String {
    let found: Vec<String> = unit().into_iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect();
    assert_eq!(found.len(), 1, "{name}= once");
    found.concat()
}

#[test]
fn the_unit_names_verbs_that_there_are_and_waits_for_the_drain() {
    for (name, value) in unit().into_iter().filter(|(name, _)| name.starts_with("Exec") && name != "ExecReload") {
        let words: Vec<&str> = value.split(' ').collect();
        assert_eq!(words[0], "/usr/local/bin/switchhook", "{name}={value}");
        let help = Command::new(PROGRAM).args(&words[1..]).arg("--help").output().expect("the program");
        assert!(help.status.success(), "{name}={value}: {}", String::from_utf8_lossy(&help.stderr));
    }
    assert_eq!(setting("Type"), "notify");
    assert_eq!(setting("ExecReload"), "/bin/kill -HUP $MAINPID");
    assert_eq!(setting("Restart"), "on-failure");
    let seconds = |name: &str| setting(name).parse::<u32>().unwrap_or_else(|_| panic!("{name}= in seconds"));
    assert!(seconds("WatchdogSec") > 10, "the writer may wait for another program for ten seconds");
    assert!(seconds("TimeoutStopSec") > Options::default().drain_s + 2);
}

/// Whoever opens the store first makes the files beside it: they have to be the group's, not that one's own.
#[test]
fn what_the_pbx_makes_beside_the_store_is_the_group_s() {
    assert_eq!(setting("StateDirectoryMode"), "2770");
    let page = fs::read_to_string(Path::new(PROJECT).join("docs/operations.md")).expect("the page");
    let made: Vec<&str> = page.lines().filter(|line| line.ends_with(" /var/lib/switchhook")).collect();
    assert_eq!(made, ["install -d -m 2770 -o switchhook -g switchhook /var/lib/switchhook"]);
}

#[test]
fn the_units_exposure_is_at_most_two() {
    if Command::new("systemd-analyze").arg("--version").stdout(Stdio::null()).status().is_err() {
        let _ =
            writeln!(std::io::stderr(), "SKIPPED, systemd-analyze is not installed: the unit's exposure is not known");
        return;
    }
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=yes", "--no-pager", "packaging/switchhook.service"]).current_dir(PROJECT);
    let output = analyze.output().expect("systemd-analyze");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let said = text.lines().find_map(|line| line.split_once("Overall exposure level for switchhook.service: "));
    let level = said.and_then(|(_, level)| level.split(' ').next()).unwrap_or_else(|| panic!("no level in: {text}"));
    let tenths: u32 = level.replace('.', "").parse().unwrap_or_else(|_| panic!("{level}"));
    println!("figure: unit_exposure_tenths = {tenths}");
    assert!(tenths <= EXPOSURE_TENTHS_MAX, "{text}");
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    if Command::new("systemd-analyze").arg("--version").stdout(Stdio::null()).status().is_err() {
        let _ =
            writeln!(std::io::stderr(), "SKIPPED, systemd-analyze is not installed: the unit was not read by systemd");
        return;
    }
    let setup = Setup::without_store();
    let text = fs::read_to_string(Path::new(PROJECT).join("packaging/switchhook.service")).expect("the unit");
    // It looks for the program and for its manual page.
    let text = text.replace("/usr/local/bin/switchhook", PROGRAM).replace("man:switchhook(1)", "https://localhost/");
    let path = setup.path("switchhook.service");
    fs::write(&path, text).expect("a copy");
    let output = Command::new("systemd-analyze").arg("verify").arg(&path).output().expect("systemd-analyze");
    let said = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("switchhook.service")).collect();
    assert!(ours.is_empty(), "{said}");
}
