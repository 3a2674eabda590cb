//! How many keys and how much time it takes: docs/usability.md says how it is counted, and has the figures that these
//! tests print (`cargo test --test real usability -- --nocapture --test-threads 4`).
//!
//! Nothing is asserted of the time; the keys are those of the page, because whoever learned them by heart counts on them.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::world::baresip::Phone;
use crate::world::setup::{Options, PROJECT, Setup};
use crate::world::story::words;
use crate::world::template::pin_of;
use crate::world::tools::are_here;
use crate::world::wait::until;

/// What somebody who listens needs, from the end of a sentence to the first key.
const THINKS: Duration = Duration::from_millis(700);

/// Counts a story's keys and seconds, call by call.
#[derive(Default)]
struct Count {
    keys: usize,
    seconds: f32,
}

impl Count {
    fn end_of_call(&mut self, phone: &mut Phone) {
        self.keys += phone.keys();
        self.seconds += phone.seconds();
    }

    /// Prints the row of the page, and holds the keys to those on the page.
    fn told(&self, story: &str) {
        println!("| {story} | {} | {:.0} |", self.keys, self.seconds);
        let page = fs::read_to_string(Path::new(PROJECT).join("docs/usability.md")).expect("the page");
        let row = page.lines().find(|line| line.starts_with(&format!("| {story} |")));
        let row = row.unwrap_or_else(|| panic!("docs/usability.md has no row for: {story}"));
        let keys = row.split('|').nth(2).map(str::trim);
        assert_eq!(keys, Some(self.keys.to_string().as_str()), "the keys of docs/usability.md: {story}");
    }
}

impl Phone {
    /// Listens to the end of a sentence, thinks, and presses.
    fn answers(&mut self, clip: &str, keys: &str) {
        self.hears(clip);
        sleep(THINKS);
        self.press(keys);
    }
}

/// Logs in as somebody who listens to each question.
fn log_in(phone: &mut Phone, uri: &str, extension: &str) {
    phone.dial(uri);
    phone.answers("enter-extension", &format!("{extension}#"));
    phone.answers("enter-pin", &format!("{}#", pin_of(extension)));
    phone.hears("logged-in");
}

#[test]
fn usability_of_a_storm_morning_listening() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let (mut phone, mut count) = (Phone::new(&setup, "home"), Count::default());
    log_in(&mut phone, &server.uri, "1002");
    phone.answers("main-recordings", "2");
    phone.answers("recordings-enter-number", "5#");
    phone.answers("recording-record", "2");
    phone.records(&words(5));
    phone.answers("review-keep", "2");
    phone.hears("recording-saved");
    setup.hears_change(&mut phone, "1002 recording.changed 5");
    phone.answers("recording-menu", "**");
    phone.answers("main-attendants", "4");
    phone.answers("attendants-mode", "1");
    phone.answers("mode-menu-holiday", "3");
    phone.answers("until-when", "20#");
    phone.hears("mode-holiday");
    let change = setup.hears_change(&mut phone, "1002 mode.changed system");
    assert_eq!(setup.value("SELECT mode FROM v_mode"), "holiday");
    // Hear it back.
    phone.answers("mode-menu", "*");
    phone.answers("attendants-mode", "1");
    phone.hears_all(&["mode-holiday", "mode-ends", "mode-menu"]);
    // The sun comes out.
    phone.press("**");
    phone.answers("main-changes", "8");
    phone.answers("changes-undo", "2");
    phone.answers("changes-enter-number", &format!("{change}#"));
    phone.answers("confirm-with-pin", &format!("{}#", pin_of("1002")));
    phone.hears("change-undone");
    setup.hears_change(&mut phone, "1002 mode.changed system");
    assert_eq!(setup.value("SELECT mode FROM v_mode"), "day");
    count.end_of_call(&mut phone);
    phone.hang_up();
    count.told("storm morning, listening");
    setup.is_in_order();
}

#[test]
fn usability_of_a_storm_morning_by_heart() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let (mut phone, mut count) = (Phone::new(&setup, "home"), Count::default());
    phone.dial(&server.uri);
    phone.press(&format!("1002#{}#25#2", pin_of("1002")));
    phone.records(&words(5));
    phone.press("2");
    phone.hears("recording-saved");
    phone.press("**41320#");
    phone.hears("mode-holiday");
    let change = setup.hears_change(&mut phone, "1002 mode.changed system");
    phone.press("*1");
    phone.hears_all(&["mode-holiday", "mode-ends"]);
    phone.press(&format!("**82{change}#"));
    phone.confirms_undo_as("1002");
    phone.hears("change-undone");
    assert_eq!(setup.value("SELECT mode FROM v_mode"), "day");
    count.end_of_call(&mut phone);
    phone.hang_up();
    count.told("storm morning, by heart");
}

#[test]
fn usability_of_a_forgotten_voicemail_pin() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let (mut phone, mut count) = (Phone::new(&setup, "caller"), Count::default());
    log_in(&mut phone, &server.uri, "1005");
    phone.answers("my-voicemail-pin", "1");
    phone.answers("enter-new-voicemail-pin", "731946#");
    phone.answers("enter-again", "731946#");
    phone.hears("voicemail-pin-changed");
    count.end_of_call(&mut phone);
    phone.hang_up();
    assert!(setup.voicemail_pin_is("1005", "731946"));
    count.told("forgotten voicemail PIN, listening");

    let mut count = Count::default();
    phone.dial(&server.uri);
    phone.press(&format!("1005#{}#1840517#840517#", pin_of("1005")));
    phone.hears("voicemail-pin-changed");
    count.end_of_call(&mut phone);
    phone.hang_up();
    assert!(setup.voicemail_pin_is("1005", "840517"));
    count.told("forgotten voicemail PIN, by heart");
}

#[test]
fn usability_of_a_backup_and_a_reboot_from_the_road() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let reboot = "echo reboot >> reboots && echo second > boot-id";
    let setup = Setup::with(Options { reboot, reboot_delay_s: 3, ..Options::default() });
    let server = setup.serve();
    let (mut phone, mut count) = (Phone::new(&setup, "road"), Count::default());
    log_in(&mut phone, &server.uri, "1004");
    phone.answers("main-maintenance", "6");
    phone.answers("maintenance-backup", "1");
    phone.hears_all(&["backup-started", "backup-finished", "backup-size"]);
    phone.answers("maintenance-reboot", "3");
    phone.answers("reboot-when-idle", "2");
    phone.answers("confirm-with-pin", &format!("{}#", pin_of("1004")));
    phone.hears("reboot-waiting");
    assert_eq!(setup.text("reboots"), "", "this call is one");
    count.end_of_call(&mut phone);
    phone.hang_up();
    until(Duration::from_secs(30), "no call is left", || setup.text("reboots") == "reboot\n");
    let done = "SELECT state FROM v_commands WHERE kind = 'reboot'";
    until(Duration::from_secs(30), "the system is back", || setup.value(done) == "done");

    log_in(&mut phone, &server.uri, "1004");
    phone.hears_all(&["news-reboot-done", "main-menu"]);
    count.end_of_call(&mut phone);
    phone.hang_up();
    count.told("backup, reboot when idle, back again");
    setup.is_in_order();
}
