//! Languages: chosen before the login for a call, and in *My settings* for good.

use crate::world::baresip::Phone;
use crate::world::setup::Setup;
use crate::world::template::pin_of;
use crate::world::tools::are_here;

/// How one language says the end of a mode and the time of an answer.
struct Spoken {
    language: &'static str,
    /// Its key in the language menu.
    key: &'static str,
    /// Saturday, 1 March 2031, 13:05.
    date: &'static [&'static str],
    /// 121 milliseconds.
    number: &'static [&'static str],
}

const SPANISH: Spoken = Spoken {
    language: "es",
    key: "2",
    date: &[
        "date-on",
        "weekday-5",
        "day-1",
        "month-3",
        "number-of",
        "number-2000",
        "number-31",
        "hour-1",
        "minute-5",
        "time-afternoon",
    ],
    number: &["number-100-and", "number-21-m", "milliseconds"],
};

const FRENCH: Spoken = Spoken {
    language: "fr",
    key: "3",
    date: &["date-on", "weekday-5", "day-1", "month-3", "number-2000", "number-31", "time-at", "hour-13", "number-5"],
    number: &["number-100", "number-21-f", "milliseconds"],
};

const GERMAN: Spoken = Spoken {
    language: "de",
    key: "4",
    date: &["weekday-5", "day-1", "month-3", "number-2000", "number-31", "hour-13", "number-5"],
    number: &["number-100", "number-21", "milliseconds"],
};

/// A language for this call only: the login, the main menu, a date and a number.
fn is_spoken(spoken: &Spoken) {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    setup.done(&["mode", "set", "holiday", "--until", "2031-03-01T13:05:00Z"], "");
    setup.rows("UPDATE gateways SET reachable = 1, round_trip_ms = 121, checked_at = 1 WHERE number = 1");
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.hears("enter-extension");
    phone.press("*");
    phone.hears_all(&["language-menu", "language-choose-en", "language-choose-es", "language-choose-fr"]);
    phone.hears("language-choose-de");
    phone.press(spoken.key);
    phone.expects(spoken.language);
    phone.hears("enter-extension");
    phone.press("1001#");
    phone.hears("enter-pin");
    phone.press(&format!("{}#", pin_of("1001")));
    phone.hears_all(&["logged-in", "main-menu", "main-my-settings", "main-recordings", "main-users"]);
    phone.press("41");
    phone.hears_all(&["mode-holiday", "mode-ends"]);
    phone.hears_all(spoken.date);
    phone.hears("mode-menu");
    phone.back_to("main-menu");
    phone.press("521#");
    phone.hears("reach-answered");
    phone.hears_all(spoken.number);
    phone.hears("trunk-menu");
    phone.back_to("main-menu");
    phone.press("9");
    phone.hears_all(&["invalid-key", "main-menu"]);
    phone.press("*");
    phone.hears("goodbye");
    phone.hears_the_end();
    // It was for this call: nothing is kept.
    assert_eq!(setup.value("SELECT language IS NULL FROM v_users WHERE extension = '1001'"), "1");
    setup.is_in_order();
}

#[test]
fn spanish_is_spoken() {
    is_spoken(&SPANISH);
}

#[test]
fn french_is_spoken() {
    is_spoken(&FRENCH);
}

#[test]
fn german_is_spoken() {
    is_spoken(&GERMAN);
}

#[test]
fn a_user_chooses_a_language_for_good() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1005");
    phone.press("8");
    phone.hears("language-choose-de");
    phone.press("4");
    phone.expects("de");
    phone.hears("language-changed");
    setup.hears_change(&mut phone, "1005 language.changed 1005");
    phone.hears_all(&["my-menu", "my-voicemail-pin"]);
    phone.press("*");
    phone.hears("goodbye");
    phone.hears_the_end();
    assert_eq!(setup.json(&["user", "show", "1005"])["language"], "de");

    // Nobody knows who calls before the login.
    phone.expects("en");
    phone.dial(&server.uri);
    phone.hears_all(&["welcome", "enter-extension"]);
    phone.press(&format!("1005#{}#", pin_of("1005")));
    phone.expects("de");
    phone.hears_all(&["logged-in", "my-menu", "my-voicemail-pin", "my-forwarding"]);
    // Back to English, as it is said in German.
    phone.press("81");
    phone.expects("en");
    phone.hears("language-changed");
    setup.hears_change(&mut phone, "1005 language.changed 1005");
    phone.hears("my-menu");
    phone.hang_up();
    setup.is_in_order();
}
