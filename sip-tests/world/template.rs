//! The store that the tests begin with: everybody and everything, made once by the command line as an integrator would.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::setup::{PROJECT, Setup};

/// Extension, role, account PIN and voicemail PIN of everybody in the store.
pub const PEOPLE: [(&str, &str, &str, &str); 7] = [
    ("1000", "server-administrator", "61849273", "840296"),
    ("1001", "system-administrator", "52961847", "920471"),
    ("1002", "phone-administrator", "83517294", "730185"),
    ("1003", "network-administrator", "74926185", "614093"),
    ("1004", "support-technician", "29618374", "851730"),
    ("1005", "", "904826", "407193"),
    ("1006", "", "618049", "395062"),
];

/// Numbers and names of the recordings; each begins with its factory version.
const RECORDINGS: [(&str, &str); 5] =
    [("1", "main greeting"), ("2", "after hours"), ("3", "holiday"), ("4", "hold message"), ("5", "emergency closing")];

/// Everything else: an attendant that plays recording 1, a hunt group of 1005 and 1006, a call center that is closed, two
/// lines, a gateway and a proxy that are enabled and have no URI, a handset of 1005 and one of nobody.
const THINGS: [&[&str]; 13] = [
    &["attendant", "add", "1", "main"],
    &["attendant", "set", "1", "--recording", "1"],
    &["group", "add", "1", "sales"],
    &["group", "add-member", "1", "1005"],
    &["group", "add-member", "1", "1006"],
    &["callcenter", "add", "1", "support"],
    &["line", "add", "1", "first line"],
    &["line", "add", "2", "second line"],
    &["gateway", "add", "1", "branch office"],
    &["proxy", "add", "1", "provider"],
    &["handset", "add", "00:04:f2:12:ab:cd", "--name", "desk"],
    &["handset", "assign", "00:04:f2:12:ab:cd", "1005"],
    &["handset", "add", "00:04:f2:39:05:ef", "--name", "lobby"],
];

/// The account PIN of someone in the store.
pub fn pin_of(extension: &str) -> &'static str {
    let known = PEOPLE.iter().find(|(known, ..)| *known == extension);
    known.map(|(_, _, pin, _)| *pin).unwrap_or_else(|| panic!("nobody has the extension {extension}"))
}

/// The folder of the store, to be copied.
pub fn folder() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    TEMPLATE.get_or_init(|| {
        let setup = Setup::without_store();
        for (extension, role, pin, voicemail_pin) in PEOPLE {
            let mut add = vec!["user", "add", extension, "--pin-stdin"];
            match (extension, role) {
                ("1000", _) => add = vec!["init", extension, "--pin-stdin"],
                (_, "") => {}
                (_, role) => add.extend(["--role", role]),
            }
            setup.done(&add, pin);
            setup.done(&["voicemail", "set-pin", extension, "--pin-stdin"], voicemail_pin);
        }
        for (number, name) in RECORDINGS {
            let file = format!("{PROJECT}/prompts/demo/{number}.wav");
            setup.done(&["recording", "add", number, name, "--file", &file], "");
        }
        for thing in THINGS {
            setup.done(thing, "");
        }
        let folder = setup.path("");
        std::mem::forget(setup);
        folder
    })
}
