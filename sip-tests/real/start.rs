//! Starts that can't succeed: one clear line, and exit code 1.

use std::fs;
use std::net::{TcpListener, UdpSocket};

use crate::world::setup::{Setup, sql_rows};
use crate::world::tools::are_here;

/// What `serve` says on standard error, besides its log, before it exits with 1.
fn refusal(setup: &Setup) -> String {
    let output = setup.run(&["serve"], "");
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{said}{error}");
    assert!(!said.contains("ready:"), "{said}");
    let lines: Vec<&str> = error.lines().filter(|line| !line.starts_with("20")).collect();
    assert_eq!(lines.len(), 1, "one line, not\n{error}");
    lines[0].to_owned()
}

fn change_config(setup: &Setup, from: &str, to: &str) {
    let text = setup.text("switchhook.toml");
    assert!(text.contains(from), "{from} in\n{text}");
    fs::write(setup.config(), text.replacen(from, to, 1)).expect("the configuration");
}

#[test]
fn a_port_in_use_is_named() {
    let setup = Setup::new();
    let udp = UdpSocket::bind((setup.address(), 5060)).expect("the port");
    let said = refusal(&setup);
    assert!(said.contains(&format!("udp:{}:5060", setup.address())) && said.contains("in use"), "{said}");
    drop(udp);
    let _tcp = TcpListener::bind((setup.address(), 5060)).expect("the port");
    let said = refusal(&setup);
    assert!(said.contains(&format!("tcp:{}:5060", setup.address())) && said.contains("in use"), "{said}");
}

#[test]
fn a_broken_configuration_is_named_by_file_and_line() {
    let file = |setup: &Setup| setup.config().display().to_string();
    let setup = Setup::new();
    change_config(&setup, "drain_seconds = 60", "drain_secnods = 60");
    let said = refusal(&setup);
    assert!(said.contains(&format!("{}:6: unknown field `drain_secnods`", file(&setup))), "{said}");
    change_config(&setup, "drain_secnods = 60", "drain_seconds = \"a minute\"");
    let said = refusal(&setup);
    assert!(said.contains(&format!("{}:6: ", file(&setup))) && said.contains("u32"), "{said}");
    change_config(&setup, "drain_seconds = \"a minute\"", "drain_seconds = ");
    let said = refusal(&setup);
    assert!(said.contains(&format!("{}:6: ", file(&setup))), "{said}");
    fs::remove_file(setup.config()).expect("removed");
    let said = refusal(&setup);
    assert!(said.contains(&file(&setup)) && said.contains("No such file"), "{said}");
}

#[test]
fn a_store_from_a_newer_version_is_not_touched() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let store = setup.path("switchhook.db");
    sql_rows(&store, "UPDATE meta SET value = '99' WHERE key = 'switchhook_schema'");
    let before = fs::read(&store).expect("the store");
    let said = refusal(&setup);
    assert!(said.contains("schema 99") && said.contains("newer"), "{said}");
    assert!(fs::read(&store).expect("the store") == before, "not touched");
}

#[test]
fn a_store_that_is_missing_or_something_else_is_named() {
    let setup = Setup::new();
    let store = setup.path("switchhook.db");
    fs::write(&store, "this is no store, but somebody's letter").expect("written");
    let said = refusal(&setup);
    assert!(said.contains("switchhook.db is not a switchhook store"), "{said}");
    fs::remove_file(&store).expect("removed");
    let said = refusal(&setup);
    assert!(said.contains("switchhook.db") && said.contains("switchhook init"), "{said}");
}

#[test]
fn prompts_that_are_missing_are_named() {
    let setup = Setup::new();
    let folder = setup.path("prompts");
    change_config(&setup, &format!("folder = \"{}\"", folder.display()), "folder = \"/nonexistent/prompts\"");
    let said = refusal(&setup);
    assert!(said.contains("/nonexistent/prompts") && said.contains("[prompts]"), "{said}");
}

/// Nobody, not even root, makes a folder in /proc.
#[test]
fn a_folder_that_can_not_be_written_is_named() {
    for key in ["url = \"sqlite://", "[effects.logging]\nfolder = \"", "export_folder = \""] {
        let setup = Setup::new();
        change_config(&setup, &format!("{key}{}", setup.path("").display()), &format!("{key}/proc/switchhook/"));
        let said = refusal(&setup);
        assert!(said.contains("/proc/switchhook"), "{said}");
    }
}
