//! Logging in, and PINs.

use crate::world::baresip::Phone;
use crate::world::setup::{Options, Setup};
use crate::world::template::PEOPLE;
use crate::world::tools::are_here;

const CHANGES: &str =
    "SELECT number || ' ' || account || ' ' || action || ' ' || target FROM v_changes ORDER BY number";

#[test]
fn a_user_changes_the_own_voicemail_pin() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::with(Options { log_level: "trace", ..Options::default() });
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.hears_all(&["welcome", "enter-extension"]);
    phone.press("1005#");
    phone.hears("enter-pin");
    phone.press("904826#");
    phone.hears_all(&["logged-in", "my-menu", "my-voicemail-pin", "my-account-pin"]);
    phone.press("1");
    phone.hears("enter-new-voicemail-pin");
    phone.press("731946#");
    phone.hears("enter-again");
    phone.press("731964#");
    phone.hears_all(&["pins-differ", "enter-new-voicemail-pin"]);
    phone.press("731946#731946#");
    phone.hears_all(&["voicemail-pin-changed", "change-number"]);
    let (count, last) = (setup.rows(CHANGES).len(), setup.rows(CHANGES).pop().expect("a change"));
    assert_eq!(last, format!("{count} 1005 voicemail_pin.changed 1005"));
    assert_eq!(phone.hears_digits(count.to_string().len()), count.to_string());
    phone.hears("my-menu");
    assert!(setup.voicemail_pin_is("1005", "731946"));
    assert!(!setup.voicemail_pin_is("1005", "407193"), "the old one");
    assert!(!setup.voicemail_pin_is("1005", "904826"), "the account PIN is another one");
    phone.press("*");
    phone.hears("goodbye");
    phone.hears_the_end();

    setup.done(&["audit", "verify"], "");
    let told = setup.text("told");
    assert!(told.contains("voicemail_pin.changed"), "{told}");
    let written = [server.log_text(), log_files(&setup), told].concat();
    assert!(written.contains("call answered") && written.contains("TRACE"));
    for pin in ["904826", "731946", "731964", "407193"] {
        assert!(!written.contains(pin), "{pin} is in a log or was told to a hook");
    }
}

#[test]
fn an_administrator_resets_the_voicemail_pin_of_another() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.log_in("1002", "83517294");
    phone.press("3");
    phone.hears("users-enter-extension");
    phone.press("1005#");
    phone.hears("extension-is");
    assert_eq!(phone.hears_digits(4), "1005");
    phone.hears_all(&["user-state-enabled", "user-menu", "user-voicemail-pin"]);
    phone.press("1");
    phone.hears_all(&["voicemail-pin-reset", "change-number", "temporary-pin-is"]);
    let pin = phone.hears_digits(6);
    phone.hears("temporary-pin-menu");
    phone.press("1");
    phone.hears("temporary-pin-is");
    assert_eq!(phone.hears_digits(6), pin);
    phone.press("#");
    phone.hears("user-menu");
    assert!(setup.voicemail_pin_is("1005", &pin), "{pin} was heard");
    assert!(!setup.voicemail_pin_is("1005", "407193"), "the old one");
    assert_eq!(setup.json(&["user", "show", "1005"])["voicemail_pin_temporary"], true);
    let changed = setup.rows(CHANGES).pop().expect("a change");
    assert!(changed.ends_with("1002 voicemail_pin.reset 1005"), "{changed}");
    phone.hang_up();
    setup.done(&["audit", "verify"], "");
    assert!(!server.log_text().contains(&pin));
}

#[test]
fn nobody_reaches_up() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.log_in("1002", "83517294");
    phone.press("31000#");
    phone.hears("user-menu");
    phone.press("1");
    phone.hears("not-allowed-for-this-account");
    assert!(setup.voicemail_pin_is("1000", "840296"));
    let denied = "SELECT account || ' ' || target FROM v_audit WHERE outcome = 'denied'";
    assert_eq!(setup.value(denied), "1002 1000");
    phone.hang_up();
}

#[test]
fn three_wrong_pins_end_the_call_and_all_sound_the_same() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.hears("enter-extension");
    phone.press("1005#904827#");
    phone.hears_all(&["login-failed", "enter-extension"]);
    phone.press("1999#904826#");
    phone.hears_all(&["login-failed", "enter-extension"]);
    phone.press("1000#904826#");
    phone.hears_all(&["login-failed", "goodbye"]);
    phone.hears_the_end();
    let failed = "SELECT count(*) FROM v_audit WHERE action LIKE 'login%' AND outcome != 'ok'";
    assert_eq!(setup.value(failed), "3");
    for (_, _, pin, _) in PEOPLE {
        assert!(!server.log_text().contains(pin));
    }
}

#[test]
fn a_known_caller_behind_a_nat_needs_no_extension_but_the_pin() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::behind_nat(&setup, "1006");
    phone.dial(&server.uri);
    phone.hears_all(&["welcome", "enter-extension-or-pound"]);
    phone.press("#");
    phone.hears("enter-pin");
    phone.press("618049#");
    phone.hears_all(&["logged-in", "my-menu"]);
    phone.hang_up();
    let logins = "SELECT account FROM v_audit WHERE action = 'login' AND outcome = 'ok'";
    assert_eq!(setup.value(logins), "1006");
}

#[test]
fn where_there_are_several_sites_the_caller_hears_which_this_is() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    setup.done(&["site", "add", "branch"], "");
    let added = setup.done(&["user", "add", "1005", "--site", "branch"], "");
    let temporary = added.split("temporary PIN: ").nth(1).expect("a temporary PIN").trim();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.hears_all(&["welcome", "site-number", "digit-1", "enter-extension"]);
    // The same extension elsewhere is somebody else.
    phone.press(&format!("1005#{temporary}#"));
    phone.hears_all(&["login-failed", "enter-extension"]);
    phone.press("1005#904826#");
    phone.hears_all(&["logged-in", "my-menu"]);
    phone.hang_up();
    let sites = setup.rows("SELECT site, username FROM v_users WHERE extension = '1005' ORDER BY site");
    assert_eq!(sites, ["branch|1005@branch", "main|1005@main"]);
}

fn log_files(setup: &Setup) -> String {
    let files = std::fs::read_dir(setup.path("log")).expect("the log folder").flatten();
    files.map(|file| std::fs::read_to_string(file.path()).expect("a log file")).collect()
}
