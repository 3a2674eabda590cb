//! Several processes on one store: a call works on things while the command line and a PBX change them.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::world::baresip::Phone;
use crate::world::ear::{best_correlation, wav};
use crate::world::setup::{PROJECT, Setup, sql_rows};
use crate::world::story::words;
use crate::world::tools::are_here;
use crate::world::wait::until;

/// What others write has become changes by then.
const TAKEN_WITHIN: Duration = Duration::from_secs(20);
/// What was recorded must be in what is played.
const ALIKE: f32 = 0.8;
/// How often the PBX writes while a call goes on.
const WRITES: usize = 60;

#[test]
fn a_caller_hears_the_present_state_whoever_made_it() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    phone.press("41");
    phone.hears_all(&["mode-day", "mode-menu"]);
    setup.done(&["mode", "set", "night"], "");
    phone.back_to("attendants-menu");
    phone.press("1");
    phone.hears_all(&["mode-night", "mode-menu"]);

    // The PBX's own program, with the plainest of tools.
    phone.back_to("main-menu");
    phone.press("441#");
    phone.hears_all(&["callcenter-is-closed", "callcenter-menu"]);
    setup.rows("UPDATE call_centers SET is_open = 1 WHERE number = 1");
    phone.press("3");
    phone.hears_all(&["callcenter-is-open", "callcenter-menu"]);
    let outside = "SELECT number FROM v_changes WHERE account = 'outside' AND action = 'callcenter.opened'";
    until(TAKEN_WITHIN, "it is a change with a number", || setup.rows(outside).len() == 1);
    let change = setup.value(outside);
    until(TAKEN_WITHIN, "the hook is told", || setup.told_of(&change).is_some());
    phone.press("1");
    phone.hears_all(&["already-so", "callcenter-menu"]);
    phone.back_to("main-menu");
    phone.press("81");
    phone.hears_all(&["changes-none", "changes-menu"]);
    phone.hang_up();

    // An administrator who hears all changes puts it back.
    phone.call_as(&server.uri, "1001");
    phone.press("81");
    phone.hears("change-number");
    assert_eq!(phone.hears_digits(change.len()), change);
    phone.hears_all(&["change-callcenter-opened", "change-by-shell"]);
    phone.back_to("main-menu");
    phone.press(&format!("82{change}#"));
    phone.confirms_as("1001");
    phone.hears("change-undone");
    setup.hears_change(&mut phone, "1001 callcenter.closed 1");
    assert_eq!(setup.value("SELECT is_open FROM call_centers"), "0");
    phone.hang_up();
    setup.is_in_order();
}

#[test]
fn what_is_gone_meanwhile_is_refused_and_a_role_that_was_taken_away_too() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    phone.press("31006#");
    phone.hears("user-menu");
    setup.done(&["user", "delete", "1006"], "");
    phone.press("1");
    phone.hears_all(&["extension-unknown", "users-enter-extension"]);
    phone.back_to("main-menu");
    phone.press("431#");
    phone.hears("group-menu");
    setup.done(&["group", "delete", "1"], "");
    phone.press("21005#");
    phone.hears_all(&["item-unknown", "item-enter-number"]);

    phone.back_to("main-menu");
    phone.press("41");
    phone.hears("mode-menu");
    setup.done(&["role", "remove", "phone-administrator", "1002"], "");
    phone.press("1#");
    phone.hears_all(&["no-longer-allowed", "main-menu", "main-my-settings"]);
    assert_eq!(setup.value("SELECT mode FROM v_mode"), "day");
    assert_ne!(setup.denied("1002"), "0");
    // What everybody may do goes on.
    phone.press("13");
    phone.hears("dnd-on");
    setup.hears_change(&mut phone, "1002 dnd.changed 1002");
    phone.hang_up();
    setup.is_in_order();
}

#[test]
fn two_who_record_at_a_time_lose_neither_take() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    phone.press("21#2");
    phone.records(&words(3));
    let other = Path::new(PROJECT).join("prompts/demo/5.wav");
    setup.done(&["recording", "import", "1", other.to_str().expect("UTF-8")], "");
    phone.press("2");
    phone.hears("recording-saved");
    setup.hears_change(&mut phone, "1002 recording.changed 1");
    assert_eq!(setup.json(&["recording", "show", "1"])["version"], 3);
    let exported = |version: &str| {
        let file = setup.path(&format!("version-{version}.wav"));
        setup.done(&["recording", "export", "1", file.to_str().expect("UTF-8"), "--version", version], "");
        wav(&file)
    };
    let alike = best_correlation(&exported("3"), &words(3));
    assert!(alike > ALIKE, "what was kept by phone is live: {alike}");
    let alike = best_correlation(&exported("2"), &wav(&other));
    assert!(alike > ALIKE, "what was imported is still there: {alike}");
    phone.hears("recording-menu");
    phone.press("3");
    phone.hears("recording-restored");
    setup.hears_change(&mut phone, "1002 recording.restored 1");
    let alike = best_correlation(&exported("2"), &wav(&setup.path("exported/recording-1.wav")));
    assert!(alike > ALIKE, "the one before is live again: {alike}");
    phone.hang_up();
    setup.is_in_order();
}

#[test]
fn nothing_is_lost_where_three_processes_write_at_once() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let before = setup.rows("SELECT number FROM v_changes").len();
    let store = setup.path("switchhook.db");
    let pbx = thread::spawn(move || {
        for write in 0..WRITES {
            sql_rows(&store, &format!("UPDATE lines SET enabled = {} WHERE number = 2", write % 2));
        }
    });
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    let by_shell = ["1000", "1001", "1003", "1004"];
    phone.press("431#");
    phone.hears("group-menu");
    for extension in by_shell {
        setup.done(&["group", "add-member", "1", extension], "");
    }
    phone.press("2");
    phone.hears("group-enter-extension");
    phone.press("1002#");
    phone.hears_all(&["member-added", "change-number", "group-menu"]);
    phone.back_to("main-menu");
    let keyed = 6;
    for _ in 0..keyed / 2 {
        phone.press("13");
        phone.hears_all(&["dnd-on", "my-menu"]);
        phone.press("3");
        phone.hears_all(&["dnd-off", "my-menu"]);
        phone.back_to("main-menu");
    }
    pbx.join().expect("nothing was refused to the PBX");
    let outside = || setup.value("SELECT count(*) FROM v_changes WHERE account = 'outside'");
    until(TAKEN_WITHIN, "all that the PBX wrote has a number", || outside() == WRITES.to_string());
    assert_eq!(setup.value("SELECT enabled FROM lines WHERE number = 2"), "1");
    let members = setup.rows("SELECT extension FROM v_group_members ORDER BY extension");
    assert_eq!(members, ["1000", "1001", "1002", "1003", "1004", "1005", "1006"]);
    let toggled = "SELECT count(*) FROM v_changes WHERE action = 'dnd.changed' AND account = '1002'";
    assert_eq!(setup.value(toggled), keyed.to_string());
    // A number for each, none twice and none left out, and each is in the audit trail.
    let numbers = setup.rows("SELECT number FROM v_changes ORDER BY number");
    assert_eq!(numbers.len(), before + WRITES + by_shell.len() + 1 + keyed);
    assert_eq!(numbers.last().map(String::as_str), Some(numbers.len().to_string().as_str()));
    let audited = "SELECT count(*) FROM v_audit WHERE change_number IS NOT NULL";
    assert_eq!(setup.value(audited), numbers.len().to_string());
    phone.hang_up();
    setup.is_in_order();
}
