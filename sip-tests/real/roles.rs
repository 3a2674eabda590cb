//! Branches 7 and 8: roles and recent changes, by a Server Administrator.

use crate::world::baresip::Phone;
use crate::world::setup::Setup;
use crate::world::tools::are_here;

#[test]
fn roles_are_heard_given_and_taken() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let roles =
        "SELECT role FROM roles r JOIN accounts a ON a.id = r.account_id WHERE a.extension = '1002' ORDER BY role";
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1000");
    let branches = ["my-settings", "recordings", "users", "attendants", "network", "maintenance", "roles", "changes"];
    let branches = branches.map(|branch| format!("main-{branch}"));
    phone.hears_only("main-", &branches.each_ref().map(String::as_str));
    phone.press("7");
    phone.hears("roles-menu");
    let known = ["server-administrator", "system-administrator", "phone-administrator", "network-administrator"];
    let known: Vec<String> = known.iter().chain(&["support-technician"]).map(|role| format!("roles-{role}")).collect();
    phone.hears_only("roles-", &known.iter().map(String::as_str).collect::<Vec<_>>());
    phone.press("5");
    phone.hears_all(&["role-held-by", "number-1", "person", "role-menu", "role-hear", "role-assign", "role-remove"]);
    phone.press("1");
    assert_eq!(phone.hears_digits(4), "1004");
    phone.hears("role-menu");
    // An ordinary user's PIN may be too short for a role: said before the own PIN is asked for.
    phone.press("2");
    phone.hears("role-enter-extension");
    phone.press("1005#");
    phone.hears_all(&["pin-too-short-for-role", "role-menu"]);
    phone.press("21002#");
    phone.hears_all(&["role-assign-confirm", "role-support-technician"]);
    assert_eq!(phone.hears_digits(4), "1002");
    phone.confirms_as("1000");
    phone.hears("role-assigned");
    setup.hears_change(&mut phone, "1000 role.assigned 1002");
    assert_eq!(setup.rows(roles), ["phone-administrator", "support-technician"]);
    phone.hears("role-menu");
    phone.press("31002#");
    phone.hears_all(&["role-remove-confirm", "role-support-technician"]);
    phone.confirms_as("1000");
    phone.hears("role-removed");
    let removed = setup.hears_change(&mut phone, "1000 role.removed 1002");
    assert_eq!(setup.rows(roles), ["phone-administrator"]);

    // The last Server Administrator stays, and no PIN is asked for.
    phone.back_to("main-menu");
    phone.press("71");
    phone.hears("role-menu");
    phone.press("31000#");
    phone.hears_all(&["last-server-administrator", "role-menu"]);

    // What was done can be heard and put back, once.
    phone.back_to("main-menu");
    phone.press("81");
    phone.hears("change-number");
    assert_eq!(phone.hears_digits(removed.len()), removed);
    phone.hears_all(&["change-role-removed", "change-number", "change-role-assigned"]);
    phone.back_to("main-menu");
    phone.press(&format!("82{removed}#"));
    phone.hears_all(&["change-undo-confirm", "change-role-removed"]);
    phone.confirms_as("1000");
    phone.hears("change-undone");
    setup.hears_change(&mut phone, "1000 role.assigned 1002");
    assert_eq!(setup.rows(roles), ["phone-administrator", "support-technician"]);
    phone.hears("changes-menu");
    phone.press(&format!("2{removed}#"));
    phone.hears_all(&["change-already-undone", "changes-menu"]);
    phone.press("299999#");
    phone.hears_all(&["change-unknown", "changes-enter-number"]);
    phone.leaves_from("main-menu");
    setup.is_in_order();
}

#[test]
fn what_can_not_be_put_back_says_so() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    setup.done(&["callcenter", "open", "1"], "");
    let opened = setup.value("SELECT max(number) FROM v_changes");
    setup.done(&["callcenter", "close", "1"], "");
    setup.done(&["voicemail", "set-pin", "1005", "--pin-stdin"], "731946");
    let pin = setup.value("SELECT max(number) FROM v_changes");
    phone.call_as(&server.uri, "1000");
    phone.press("8");
    phone.hears_all(&["changes-menu", "changes-hear", "changes-undo"]);
    phone.press(&format!("2{pin}#"));
    phone.hears_all(&["change-cannot-be-undone", "changes-menu"]);
    phone.press(&format!("2{opened}#"));
    phone.hears_all(&["change-changed-since", "changes-menu"]);
    assert!(setup.voicemail_pin_is("1005", "731946"));
    assert_eq!(setup.value("SELECT is_open FROM v_call_centers"), "0");
    // The shell's changes are undone too, once the caller's own PIN is right.
    let closed = (opened.parse::<u32>().expect("a number") + 1).to_string();
    phone.press(&format!("2{closed}#"));
    phone.hears_all(&["change-undo-confirm", "change-callcenter-closed"]);
    phone.confirms_as("1000");
    phone.hears("change-undone");
    setup.hears_change(&mut phone, "1000 callcenter.opened 1");
    assert_eq!(setup.value("SELECT is_open FROM v_call_centers"), "1");
    phone.hang_up();
    setup.is_in_order();
}
