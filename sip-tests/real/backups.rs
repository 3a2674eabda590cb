//! Backups by phone while calls go on, and the way back.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::world::baresip::Phone;
use crate::world::setup::{Setup, sql_rows};
use crate::world::template::pin_of;
use crate::world::tools::are_here;
use crate::world::wait::until;

const ENDED_WITHIN: Duration = Duration::from_secs(30);

#[test]
fn a_backup_by_phone_is_whole_and_another_call_goes_on() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut other = Phone::new(&setup, "other");
    other.call_as(&server.uri, "1005");
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1004");
    phone.press("61");
    phone.hears("backup-started");
    other.press("1731946#731946#");
    setup.hears_change(&mut phone, "1004 backup.requested");
    phone.hears_all(&["backup-finished", "backup-size", "maintenance-menu"]);
    other.hears("voicemail-pin-changed");
    other.hang_up();

    let listed = setup.json(&["backup", "list"]);
    let backups = listed.as_array().expect("a list");
    assert_eq!(backups.len(), 1, "{listed}");
    assert!(backups[0]["verified_at"].is_string(), "{listed}");
    let file = only_backup(&setup);
    assert_eq!(backups[0]["bytes"], fs::metadata(&file).expect("the backup").len(), "{listed}");
    assert_eq!(sql_rows(&file, "PRAGMA integrity_check"), ["ok"]);
    assert_eq!(sql_rows(&file, "SELECT count(*) FROM v_users"), ["7"]);
    let told = setup.hook_hears("backup.done");
    assert_eq!(told["data"]["sha256"], backups[0]["sha256"], "{told}");
    let state = "SELECT state FROM v_commands WHERE kind = 'backup'";
    assert_eq!(setup.value(state), "done");

    // Who goes on without waiting is told at the next login, once.
    phone.press("1");
    phone.hears_all(&["backup-started", "backup-wait"]);
    phone.press("#");
    phone.hears("maintenance-menu");
    phone.hang_up();
    until(ENDED_WITHIN, "it has ended", || setup.rows(state) == ["done", "done"]);
    phone.dial(&server.uri);
    phone.log_in("1004", pin_of("1004"));
    let news = phone.heard().iter().filter(|(_, clip)| *clip == "news-backup-done").count();
    assert_eq!(news, 1, "the one that was not waited for");
    phone.hang_up();
    phone.call_as(&server.uri, "1004");
    assert!(!phone.heard().iter().any(|(_, clip)| *clip == "news-backup-done"), "news is told once");
    phone.hang_up();

    let id = backups[0]["id"].to_string();
    setup.done(&["backup", "verify", &id], "");
    let mut bytes = fs::read(&file).expect("the backup");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&file, bytes).expect("a bit of it is broken");
    let said = setup.refused(&["backup", "verify", &id], "");
    assert!(said.contains(&id) && said.lines().count() == 1, "{said}");
    setup.is_in_order();
}

#[test]
fn a_restore_is_refused_while_calls_are_answered_and_brings_everything_back() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let mut server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1004");
    phone.press("61");
    phone.hears_all(&["backup-finished", "maintenance-menu"]);
    // A reboot that waited when the store was copied must not come with it.
    phone.press("32");
    phone.confirms_as("1004");
    phone.hears("reboot-waiting");
    let created = setup.done(&["backup", "create"], "");
    assert!(!created.is_empty());
    phone.back_to("main-menu");
    phone.press("633");
    phone.hears("reboot-cancelled");
    phone.hang_up();
    let listed = setup.json(&["backup", "list"]);
    let id = listed.as_array().and_then(|list| list.last()).expect("two backups")["id"].to_string();

    setup.done(&["mode", "set", "holiday"], "");
    setup.done(&["user", "add", "1200"], "");
    let said = setup.refused(&["backup", "restore", &id], "");
    assert!(said.contains("serv") && said.lines().count() == 1, "{said}");
    assert_eq!(setup.value("SELECT mode FROM v_mode"), "holiday", "nothing was touched");
    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(20)).success());
    drop(server);

    setup.done(&["backup", "restore", &id], "");
    assert_eq!(setup.value("SELECT mode FROM v_mode"), "day");
    assert_eq!(setup.value("SELECT count(*) FROM v_users WHERE extension = '1200'"), "0");
    setup.done(&["audit", "verify"], "");
    let aside: Vec<PathBuf> =
        entries(&setup, "").into_iter().filter(|path| name(path).contains("before-restore")).collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(sql_rows(&aside[0], "SELECT count(*) FROM v_users WHERE extension = '1200'"), ["1"]);
    let noted = "SELECT count(*) FROM v_audit WHERE action LIKE '%restore%' AND outcome = 'ok'";
    assert_eq!(setup.value(noted), "1", "the store knows that it was restored");

    let server = setup.serve();
    let open = "SELECT count(*) FROM v_commands WHERE kind = 'reboot' AND state IN ('requested', 'waiting', 'claimed')";
    assert_eq!(setup.value(open), "0");
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    phone.press("41");
    phone.hears_all(&["mode-day", "mode-menu"]);
    phone.hang_up();
    assert_eq!(setup.text("reboots"), "", "no reboot of before");
    setup.is_in_order();
}

fn only_backup(setup: &Setup) -> PathBuf {
    let files = entries(setup, "backups");
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

fn entries(setup: &Setup, folder: &str) -> Vec<PathBuf> {
    fs::read_dir(setup.path(folder)).expect("the folder").flatten().map(|entry| entry.path()).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
