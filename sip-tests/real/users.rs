//! Branch 3: users, their PINs, handsets, forwarding and names, by a Phone Administrator.

use crate::world::baresip::Phone;
use crate::world::setup::Setup;
use crate::world::story::words;
use crate::world::template::pin_of;
use crate::world::tools::are_here;

#[test]
fn a_new_colleague_is_added_and_logs_in() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    phone.press("3");
    phone.hears("users-enter-extension");
    phone.press("1100#");
    phone.hears_all(&["extension-free", "extension-free-add"]);
    phone.press("1");
    phone.hears("user-added");
    setup.hears_change(&mut phone, "1002 user.added 1100");
    phone.hears("temporary-pin-is");
    let pin = phone.hears_digits(8);
    phone.hears("temporary-pin-menu");
    phone.press("#");
    phone.hears("user-name-menu");
    phone.press("1");
    phone.records(&words(2));
    phone.press("2");
    phone.hears("name-saved");
    setup.hears_change(&mut phone, "1002 name.changed 1100");
    phone.hang_up();
    assert_eq!(setup.json(&["user", "show", "1100"])["pin_temporary"], true);

    phone.dial(&server.uri);
    phone.press(&format!("1100#{pin}#"));
    phone.hears_all(&["pin-must-change", "enter-new-pin"]);
    phone.press("840517#");
    phone.hears("enter-again");
    phone.press("840517#");
    phone.hears_all(&["account-pin-changed", "my-menu"]);
    phone.hang_up();
    assert_eq!(setup.json(&["user", "show", "1100"])["pin_temporary"], false);
    setup.never_writes(&[&pin, "840517"]);
    setup.is_in_order();
}

#[test]
fn an_account_is_unlocked_disabled_enabled_and_its_pin_reset() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    for _ in 0..5 {
        assert!(!setup.voicemail_pin_is("1006", "918273"));
    }
    assert!(!setup.voicemail_pin_is("1006", "395062"), "locked: the right one counts for nothing");
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    phone.press("31006#");
    phone.hears("user-menu");
    let choices = ["voicemail-pin", "account-pin", "unlock", "enable-or-disable", "handsets", "forwarding", "name"];
    let choices: Vec<String> = choices.iter().chain(&["delete"]).map(|choice| format!("user-{choice}")).collect();
    phone.hears_only("user-", &choices.iter().map(String::as_str).collect::<Vec<_>>());
    phone.press("3");
    phone.hears("user-unlocked");
    setup.hears_change(&mut phone, "1002 user.unlocked 1006");
    assert!(setup.voicemail_pin_is("1006", "395062"));

    phone.hears("user-menu");
    phone.press("4");
    phone.hears("user-disabled");
    setup.hears_change(&mut phone, "1002 user.disabled 1006");
    assert_eq!(setup.json(&["user", "show", "1006"])["enabled"], false);
    phone.hears("user-menu");
    phone.press("4");
    phone.hears("user-enabled");
    setup.hears_change(&mut phone, "1002 user.enabled 1006");
    phone.hears("user-menu");
    phone.press("2");
    phone.hears("account-pin-reset");
    setup.hears_change(&mut phone, "1002 account_pin.reset 1006");
    phone.hears("temporary-pin-is");
    let pin = phone.hears_digits(8);
    phone.hang_up();

    phone.dial(&server.uri);
    phone.press(&format!("1006#{}#", pin_of("1006")));
    phone.hears_all(&["login-failed", "enter-extension"]);
    phone.press(&format!("1006#{pin}#"));
    phone.hears("pin-must-change");
    phone.hang_up();
    setup.is_in_order();
}

#[test]
fn handsets_forwarding_and_the_end_of_a_user() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    setup.done(&["forward", "set", "1005", "busy", "5550100"], "");
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    phone.press("31005#");
    phone.hears("user-menu");
    phone.press("5");
    phone.hears_all(&["handset-menu", "handset-hear", "handset-assign", "handset-remove"]);
    phone.press("1");
    phone.hears_all(&["handset-number", "digit-1", "digit-2", "letter-a", "letter-b", "letter-c", "letter-d"]);
    phone.hears("handset-menu");
    phone.press("2");
    phone.hears_all(&["handset-number", "digit-3", "digit-9", "digit-0", "digit-5", "letter-e", "letter-f"]);
    phone.hears("list-menu");
    phone.press("1");
    phone.hears("handset-assigned");
    setup.hears_change(&mut phone, "1002 handset.assigned");
    let handsets = "SELECT mac FROM v_handsets WHERE extension = '1005' ORDER BY mac";
    assert_eq!(setup.rows(handsets), ["00:04:f2:12:ab:cd", "00:04:f2:39:05:ef"]);
    phone.hears("handset-menu");
    phone.press("3");
    phone.hears_all(&["handset-number", "list-menu"]);
    phone.press("1");
    phone.hears("handset-removed");
    setup.hears_change(&mut phone, "1002 handset.removed");
    assert_eq!(setup.rows(handsets), ["00:04:f2:39:05:ef"]);

    phone.back_to("main-menu");
    phone.press("31005#");
    phone.hears("user-menu");
    phone.press("6");
    phone.hears_all(&["settings-forward-busy", "forward-is-to"]);
    assert_eq!(phone.hears_digits(7), "5550100");
    phone.hears("user-forward-menu");
    phone.press("2");
    phone.hears("forward-off");
    setup.hears_change(&mut phone, "1002 forwarding.changed 1005");
    let forwarding = setup.json(&["forward", "show", "1005"]);
    assert_eq!(forwarding["busy"], serde_json::Value::Null, "{forwarding}");

    phone.back_to("main-menu");
    phone.press("31005#");
    phone.hears("user-menu");
    phone.press("9");
    phone.hears("user-delete-confirm");
    assert_eq!(phone.hears_digits(4), "1005");
    // What is keyed before the question does not answer it.
    phone.confirms_as("1002");
    phone.hears("user-deleted");
    setup.hears_change(&mut phone, "1002 user.deleted 1005");
    assert_eq!(setup.value("SELECT count(*) FROM v_users WHERE extension = '1005'"), "0");
    assert_eq!(setup.rows("SELECT extension FROM v_group_members"), ["1006"]);
    phone.hang_up();
    setup.is_in_order();
}
