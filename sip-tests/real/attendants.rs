//! Branch 4: mode, attendants, hunt groups and call centers, by a Phone Administrator.

use crate::world::baresip::Phone;
use crate::world::setup::Setup;
use crate::world::tools::are_here;

const MAIN: [&str; 6] =
    ["main-my-settings", "main-recordings", "main-users", "main-attendants", "main-maintenance", "main-changes"];

#[test]
fn the_mode_is_set_for_some_hours_heard_and_undone() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    phone.hears_only("main-", &MAIN);
    phone.press("4");
    let branches = ["attendants-mode", "attendants-attendants", "attendants-groups", "attendants-call-centers"];
    phone.hears("attendants-menu");
    phone.hears_only("attendants-", &branches);
    phone.press("1");
    phone.hears_all(&["mode-day", "mode-menu", "mode-menu-day", "mode-menu-night", "mode-menu-holiday"]);
    phone.hears("mode-menu-timetable");
    phone.press("3");
    phone.hears("until-when");
    phone.press("20#");
    phone.hears("mode-holiday");
    let change = setup.hears_change(&mut phone, "1002 mode.changed system");
    assert_eq!(setup.value("SELECT mode, until IS NOT NULL FROM v_mode"), "holiday|1");
    let shown = setup.json(&["mode", "show"]);
    assert_eq!(shown["mode"], "holiday");
    let until = setup.value("SELECT round((until / 1000 - strftime('%s', 'now')) / 3600.0) FROM v_mode");
    assert_eq!(until, "20.0", "{shown}");
    let told = setup.told_of(&change).expect("told");
    assert_eq!((&told["event"], &told["data"]["mode"]), (&"mode.changed".into(), &"holiday".into()));

    phone.back_to("main-menu");
    phone.press("41");
    phone.hears_all(&["mode-holiday", "mode-ends", "mode-menu"]);
    phone.back_to("main-menu");
    phone.press(&format!("82{change}#"));
    phone.hears("change-undo-confirm");
    phone.confirms_as("1002");
    phone.hears("change-undone");
    setup.hears_change(&mut phone, "1002 mode.changed system");
    assert_eq!(setup.value("SELECT mode, until IS NOT NULL FROM v_mode"), "day|0");
    assert_eq!(setup.value(&format!("SELECT undone_by > 0 FROM v_changes WHERE number = {change}")), "1");

    // Without hours it holds until it is changed.
    phone.back_to("main-menu");
    phone.press("412");
    phone.hears("until-when");
    phone.press("#");
    phone.hears("mode-night");
    setup.hears_change(&mut phone, "1002 mode.changed system");
    assert_eq!(setup.value("SELECT mode, until IS NOT NULL FROM v_mode"), "night|0");
    setup.done(&["mode", "timetable", "set", "mon-sun 00:00-24:00"], "");
    phone.back_to("main-menu");
    phone.press("414");
    phone.hears("mode-timetable");
    setup.hears_change(&mut phone, "1002 mode.changed system");
    assert_eq!(setup.value("SELECT mode, setting FROM v_mode"), "day|timetable");
    phone.leaves_from("main-menu");
    setup.is_in_order();
}

#[test]
fn an_attendant_a_group_and_a_call_center() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    phone.press("42");
    phone.hears("item-enter-number");
    phone.press("7#");
    phone.hears_all(&["item-unknown", "item-enter-number"]);
    phone.press("1#");
    phone.hears("attendant-plays");
    assert_eq!(phone.hears_digits(1), "1");
    phone.hears("attendant-enter-recording");
    phone.press("99#");
    phone.hears_all(&["recording-unknown", "attendant-enter-recording"]);
    phone.press("5#");
    phone.hears("attendant-changed");
    setup.hears_change(&mut phone, "1002 attendant.changed 1");
    assert_eq!(setup.json(&["attendant", "show", "1"])["recording"], 5);

    phone.back_to("main-menu");
    phone.press("431#");
    phone.hears_all(&["group-menu", "group-hear", "group-add", "group-remove"]);
    phone.press("1");
    assert_eq!(phone.hears_digits(4), "1005");
    phone.hears("browse-menu");
    phone.press("#");
    assert_eq!(phone.hears_digits(4), "1006");
    phone.hears("group-menu");
    phone.press("2");
    phone.hears("group-enter-extension");
    phone.press("1004#");
    phone.hears("member-added");
    setup.hears_change(&mut phone, "1002 group.member_added 1");
    phone.hears("group-menu");
    phone.press("3");
    phone.hears("group-enter-extension");
    phone.press("1005#");
    phone.hears("member-removed");
    setup.hears_change(&mut phone, "1002 group.member_removed 1");
    let members = setup.rows("SELECT extension FROM v_group_members WHERE number = 1 ORDER BY position");
    assert_eq!(members, ["1006", "1004"]);

    // A key of somebody else's: like a key that has no function, and noted.
    phone.back_to("main-menu");
    phone.press("5");
    phone.hears_all(&["invalid-key", "main-menu"]);
    assert_eq!(setup.denied("1002"), "1");
    phone.press("*");
    phone.hears("goodbye");
    phone.hears_the_end();
    setup.is_in_order();
}

#[test]
fn a_call_center_is_chosen_from_the_list() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1002");
    phone.press("44");
    phone.hears("item-enter-number");
    phone.press("#");
    phone.hears_all(&["callcenter-number", "digit-1", "list-menu"]);
    phone.press("1");
    phone.hears_all(&["callcenter-is-closed", "callcenter-menu", "callcenter-open", "callcenter-close"]);
    phone.press("1");
    phone.hears("callcenter-opened");
    setup.hears_change(&mut phone, "1002 callcenter.opened 1");
    assert_eq!(setup.value("SELECT is_open FROM v_call_centers"), "1");
    phone.hears("callcenter-menu");
    phone.press("3");
    phone.hears_all(&["callcenter-is-open", "callcenter-menu"]);
    phone.press("2");
    phone.hears("callcenter-closed");
    setup.hears_change(&mut phone, "1002 callcenter.closed 1");
    assert_eq!(setup.json(&["callcenter", "show", "1"])["open"], false);
    phone.hang_up();
    setup.is_in_order();
}
