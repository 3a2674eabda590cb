//! A user goes through all of *My settings*.

use std::path::Path;

use crate::world::baresip::Phone;
use crate::world::ear::{best_correlation, wav};
use crate::world::setup::{PROJECT, Setup};
use crate::world::story::words;
use crate::world::template::pin_of;
use crate::world::tools::are_here;

/// What was recorded must be in what is played.
const ALIKE: f32 = 0.8;

const FORWARDING: &str = "SELECT always, busy, no_answer, dnd FROM v_forwarding WHERE extension = '1005'";

#[test]
fn forwarding_do_not_disturb_language_and_all_that_is_set() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.press(&format!("1005#{}#", pin_of("1005")));
    phone.hears_all(&["logged-in", "my-menu"]);
    let choices = ["voicemail-pin", "forwarding", "dnd", "greeting", "account-pin", "name", "support-pin"];
    let choices = choices.iter().chain(&["language", "hear-all"]).map(|choice| format!("my-{choice}"));
    let choices: Vec<String> = choices.collect();
    phone.hears_only("my-", &choices.iter().map(String::as_str).collect::<Vec<_>>());

    phone.press("2");
    phone.hears_all(&["forward-kinds-menu", "forward-kinds-always", "forward-kinds-busy", "forward-kinds-no-answer"]);
    phone.press("1");
    phone.hears_all(&["forward-is-off", "forward-menu", "forward-menu-set", "forward-menu-off"]);
    phone.press("1");
    phone.hears("enter-forward-number");
    phone.press("0049301234#");
    phone.hears_all(&["forward-not-allowed", "enter-forward-number"]);
    phone.press("5551234#");
    phone.hears("forward-read-back");
    assert_eq!(phone.hears_digits(7), "5551234");
    phone.hears("press-1-to-keep");
    assert_eq!(setup.value(FORWARDING), "|||0", "not before it is confirmed");
    phone.press("1");
    phone.hears("forward-set");
    let change = setup.hears_change(&mut phone, "1005 forwarding.changed 1005");
    assert_eq!(setup.value(FORWARDING), "5551234|||0");
    assert_eq!(setup.told_of(&change).expect("told")["data"]["to"], "5551234");
    assert_eq!(setup.json(&["forward", "show", "1005"])["always"], "5551234");

    phone.back_to("my-menu");
    phone.press("3");
    phone.hears("dnd-on");
    setup.hears_change(&mut phone, "1005 dnd.changed 1005");
    assert_eq!(setup.value(FORWARDING), "5551234|||1");
    phone.hears("my-menu");
    phone.press("8");
    phone.hears_all(&["language-menu", "language-choose-en", "language-choose-es", "language-choose-fr"]);
    phone.press("1");
    phone.hears("language-changed");
    setup.hears_change(&mut phone, "1005 language.changed 1005");
    assert_eq!(setup.json(&["user", "show", "1005"])["language"], "en");

    phone.hears("my-menu");
    phone.press("9");
    phone.hears_all(&["settings-forward-always", "forward-is-to"]);
    assert_eq!(phone.hears_digits(7), "5551234");
    phone.hears_all(&["settings-forward-busy", "forward-is-off", "settings-forward-no-answer", "forward-is-off"]);
    phone.hears_all(&["dnd-on", "settings-no-greeting", "settings-no-name", "settings-voicemail-pin"]);
    phone.hears_all(&["settings-no-support-pin", "settings-language", "language-name-en", "my-menu"]);

    // The keys that are known by heart: forwarding off, and do not disturb off.
    phone.press("21");
    phone.hears("forward-is-to");
    phone.press("2");
    phone.hears("forward-off");
    setup.hears_change(&mut phone, "1005 forwarding.changed 1005");
    phone.back_to("my-menu");
    phone.press("3");
    phone.hears("dnd-off");
    setup.hears_change(&mut phone, "1005 dnd.changed 1005");
    assert_eq!(setup.value(FORWARDING), "|||0");
    phone.hears("my-menu");
    phone.press("*");
    phone.hears("goodbye");
    phone.hears_the_end();
    setup.is_in_order();
}

#[test]
fn the_other_pins_and_a_login_with_the_new_one() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1006");
    phone.press("7");
    phone.hears("enter-new-support-pin");
    phone.press("730592#");
    phone.hears("enter-again");
    phone.press("730592#");
    phone.hears("support-pin-changed");
    setup.hears_change(&mut phone, "1006 support_pin.changed 1006");
    phone.hears("my-menu");
    phone.press("5");
    phone.hears("enter-current-pin");
    phone.press(&format!("{}#", pin_of("1006")));
    phone.hears("enter-new-pin");
    phone.press("345678#");
    phone.hears("enter-again");
    phone.press("345678#");
    phone.hears_all(&["pin-too-simple", "enter-new-pin"]);
    phone.press("840517#840517#");
    phone.hears("account-pin-changed");
    setup.hears_change(&mut phone, "1006 account_pin.changed 1006");
    phone.hang_up();

    phone.dial(&server.uri);
    phone.press(&format!("1006#{}#", pin_of("1006")));
    phone.hears_all(&["login-failed", "enter-extension"]);
    phone.press("1006#840517#");
    phone.hears_all(&["logged-in", "my-menu"]);
    phone.hang_up();
    let set = "SELECT voicemail_pin_set, support_pin_set FROM v_users WHERE extension = '1006'";
    assert_eq!(setup.value(set), "1|1");
    setup.never_writes(&["730592", "840517", "345678"]);
    setup.is_in_order();
}

#[test]
fn the_greeting_and_the_spoken_name_are_recorded() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let greeting = "SELECT version FROM v_greetings WHERE extension = '1005'";
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1005");
    phone.press("4");
    phone.hears_all(&["greeting-menu", "greeting-listen", "greeting-record", "greeting-previous", "greeting-remove"]);
    phone.press("2");
    phone.records(&words(3));
    assert_eq!(setup.value(greeting), "", "not before it is kept");
    phone.press("2");
    phone.hears("greeting-saved");
    setup.hears_change(&mut phone, "1005 greeting.changed 1005");
    assert_eq!(setup.value(greeting), "1");
    phone.hears("greeting-menu");
    phone.press("2");
    phone.records(&wav(&Path::new(PROJECT).join("prompts/demo/5.wav"))[..8000 * 2]);
    phone.press("2");
    phone.hears("greeting-saved");
    setup.hears_change(&mut phone, "1005 greeting.changed 1005");
    assert_eq!(setup.value(greeting), "2");
    phone.hears("greeting-menu");
    phone.press("3");
    phone.hears("greeting-restored");
    setup.hears_change(&mut phone, "1005 greeting.restored 1005");
    phone.hears("greeting-menu");
    phone.press("1");
    phone.hears("greeting-menu");
    let played = best_correlation(&phone.recent(8), &words(3));
    assert!(played > ALIKE, "the first greeting is back: {played}");
    phone.press("4");
    phone.hears("greeting-removed");
    setup.hears_change(&mut phone, "1005 greeting.removed 1005");
    assert_eq!(setup.value(greeting), "");

    phone.back_to("my-menu");
    phone.press("6");
    phone.hears_all(&["name-menu", "name-listen", "name-record"]);
    phone.press("2");
    phone.records(&words(2));
    phone.press("2");
    phone.hears("name-saved");
    setup.hears_change(&mut phone, "1005 name.changed 1005");
    phone.hang_up();

    // It is said at the next login, and a take that is not kept is no name.
    phone.dial(&server.uri);
    phone.press(&format!("1005#{}#", pin_of("1005")));
    phone.hears_all(&["logged-in", "my-menu"]);
    let said = best_correlation(&phone.recent(6), &words(2));
    assert!(said > ALIKE, "the name is said after the login: {said}");
    phone.press("62");
    phone.records(&words(3));
    phone.hang_up();
    let name = "SELECT version FROM v_spoken_names WHERE extension = '1005'";
    assert_eq!(setup.value(name), "1");
    setup.is_in_order();
}
