//! Branch 6: what a System Administrator and a Support Technician do there besides backing up and rebooting at once.

use std::fs;
use std::time::Duration;

use crate::world::agent::Agent;
use crate::world::baresip::Phone;
use crate::world::setup::Setup;
use crate::world::tools::are_here;
use crate::world::wait::{becomes, until};

const LOGGED_WITHIN: Duration = Duration::from_secs(10);
/// How long a line that must not be written is looked for.
const NOT_WITHIN: Duration = Duration::from_secs(2);

#[test]
fn a_system_administrator_backs_up_looks_at_the_system_and_at_all_changes() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1001");
    let branches = ["my-settings", "recordings", "users", "attendants", "network", "maintenance", "changes"];
    let branches = branches.map(|branch| format!("main-{branch}"));
    phone.hears_only("main-", &branches.each_ref().map(String::as_str));
    phone.press("62");
    phone.hears_all(&["backup-none", "maintenance-menu"]);
    phone.press("1");
    phone.hears("backup-started");
    let backup = setup.hears_change(&mut phone, "1001 backup.requested");
    phone.hears_all(&["backup-finished", "backup-size", "maintenance-menu"]);
    phone.press("2");
    phone.hears_all(&["backup-last", "date-on", "backup-size", "less-than-a-megabyte", "maintenance-menu"]);
    phone.press("6");
    phone.hears_all(&["status-version", "number-0", "status-started", "date-on", "number-1", "call"]);
    phone.hears_all(&["status-disk", "percent", "status-store", "maintenance-menu"]);

    // Those of the shell too, and those of others.
    setup.done(&["callcenter", "open", "1"], "");
    phone.back_to("main-menu");
    phone.press("81");
    phone.hears_all(&["change-number", "change-callcenter-opened", "change-by-shell", "change-number"]);
    assert_eq!(phone.hears_digits(backup.len()), backup);
    phone.hears_all(&["change-backup", "change-by"]);
    assert_eq!(phone.hears_digits(4), "1001");
    // Roles are nothing for this caller.
    phone.back_to("main-menu");
    phone.press("7");
    phone.hears_all(&["invalid-key", "main-menu"]);
    assert_eq!(setup.denied("1001"), "1");
    phone.press("*");
    phone.hears("goodbye");
    phone.hears_the_end();
    setup.is_in_order();
}

#[test]
fn a_technician_verifies_a_support_pin_and_thinks_better_of_a_reboot() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut user = Phone::new(&setup, "user");
    user.call_as(&server.uri, "1005");
    user.press("7730592#730592#");
    user.hears("support-pin-changed");

    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1004");
    phone.hears_only("main-", &["main-my-settings", "main-maintenance", "main-changes"]);
    phone.press("6");
    phone.hears("maintenance-menu");
    let choices = ["backup", "last-backup", "reboot", "logging", "support-pin", "status"];
    let choices = choices.map(|choice| format!("maintenance-{choice}"));
    phone.hears_only("maintenance-", &choices.each_ref().map(String::as_str));
    phone.press("5");
    phone.hears("support-enter-extension");
    phone.press("1005#");
    phone.hears("support-enter-pin");
    phone.press("730593#");
    phone.hears_all(&["support-pin-invalid", "maintenance-menu"]);
    // There is nobody with that extension: nothing tells that.
    phone.press("51999#");
    phone.hears("support-enter-pin");
    phone.press("730592#");
    phone.hears_all(&["support-pin-invalid", "maintenance-menu"]);
    phone.press("51005#730592#");
    phone.hears_all(&["support-pin-valid", "maintenance-menu"]);
    let verified =
        "SELECT outcome FROM v_audit WHERE account = '1004' AND action = 'support_pin.verified' ORDER BY seq";
    let outcomes = setup.rows(verified);
    assert_eq!((outcomes.len(), outcomes.last().map(String::as_str)), (3, Some("ok")), "{outcomes:?}");

    phone.press("3");
    phone.hears_all(&["number-1", "other-call", "reboot-menu"]);
    phone.press("2");
    phone.hears("reboot-when-idle-confirm");
    phone.confirms_as("1004");
    phone.hears("reboot-waiting");
    setup.hears_change(&mut phone, "1004 reboot.requested system");
    phone.back_to("main-menu");
    phone.press("63");
    phone.hears_all(&["reboot-is-waiting", "reboot-menu"]);
    phone.press("3");
    phone.hears("reboot-cancelled");
    user.hang_up();
    phone.hang_up();
    let state = "SELECT state FROM v_commands WHERE kind = 'reboot'";
    assert_eq!(setup.value(state), "cancelled");
    assert!(!becomes(NOT_WITHIN, || !setup.text("reboots").is_empty()), "it was cancelled");
    setup.never_writes(&["730592", "730593"]);
    setup.is_in_order();
}

#[test]
fn a_technician_logs_in_detail_for_an_hour_over_a_restart() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let mut server = setup.serve();
    let mut agent = Agent::new(&setup);
    agent.new_call();
    let malformed = agent.request(&agent.line("OPTIONS"), 1, &[("CSeq", "one OPTIONS")], "");
    // A malformed request is worth a line only where it is logged in detail.
    let details = |within: Duration| {
        let before = log_text(&setup).matches("DEBUG").count();
        agent.send(&malformed);
        becomes(within, || log_text(&setup).matches("DEBUG").count() > before)
    };
    assert!(!details(NOT_WITHIN));
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1004");
    phone.press("6");
    phone.hears("maintenance-menu");
    phone.press("4");
    phone.hears_all(&["logging-menu", "logging-menu-normal", "logging-menu-detailed", "logging-menu-new-file"]);
    phone.press("2");
    phone.hears("logging-detailed");
    setup.hears_change(&mut phone, "1004 logging.detailed");
    assert!(details(LOGGED_WITHIN));
    phone.hang_up();

    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(20)).success());
    drop(server);
    let server = setup.serve();
    assert!(details(LOGGED_WITHIN), "the hour is not over");

    phone.call_as(&server.uri, "1004");
    let files = log_files(&setup).len();
    phone.press("643");
    phone.hears("log-file-closed");
    setup.hears_change(&mut phone, "1004 logging.file_closed");
    until(LOGGED_WITHIN, "the other file is begun", || log_files(&setup).len() > files);
    let closed: Vec<_> = log_files(&setup).into_iter().rev().skip(1).collect();
    let sizes = || closed.iter().map(|file| fs::metadata(file).map(|file| file.len()).ok()).collect::<Vec<_>>();
    let before = sizes();
    assert!(details(LOGGED_WITHIN), "it goes to the other file");
    assert_eq!(sizes(), before, "what is closed grows no more");

    phone.hears("logging-menu");
    phone.press("1");
    phone.hears("logging-normal");
    setup.hears_change(&mut phone, "1004 logging.normal");
    assert!(!details(NOT_WITHIN));
    phone.hang_up();
    setup.is_in_order();
}

/// The log files, oldest first: their names have the time in them.
fn log_files(setup: &Setup) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(setup.path("log")).expect("the log folder").flatten();
    let mut files: Vec<_> = files.map(|file| file.path()).collect();
    files.sort();
    files
}

fn log_text(setup: &Setup) -> String {
    log_files(setup).iter().map(|file| fs::read_to_string(file).unwrap_or_default()).collect()
}
