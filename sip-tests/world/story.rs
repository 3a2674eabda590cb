//! What happens in most calls: who logs in, goes back, speaks, confirms, and hears of a change that is then everywhere.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::baresip::Phone;
use super::ear;
use super::setup::{PROJECT, Setup};
use super::template::{PEOPLE, pin_of};
use super::wait::until;

/// More levels than any menu has.
const LEVELS_MAX: usize = 6;
/// What is done after a change is done by then.
const DONE_WITHIN: Duration = Duration::from_secs(20);

impl Phone {
    /// Dials and logs in as someone in the store; up to the first menu.
    pub fn call_as(&mut self, uri: &str, extension: &str) {
        self.dial(uri);
        self.log_in(extension, pin_of(extension));
    }

    /// Goes back by `*` until that menu is heard; not to be asked for where one is in it already.
    pub fn back_to(&mut self, menu: &str) {
        let names = ear::prompts(self.language()).iter().map(|clip| clip.name.as_str());
        let places: Vec<&str> = names.filter(|name| is_place(name)).collect();
        let mut last = "";
        for _ in 0..LEVELS_MAX {
            self.forgets_what_was_heard();
            self.press("*");
            last = self.hears_one_of(&places);
            if last == menu || last == "goodbye" {
                break;
            }
        }
        assert_eq!(last, menu);
    }

    /// Speaks after the beep and ends with `#`; up to the review's menu.
    pub fn records(&mut self, words: &[i16]) {
        self.hears_all(&["record-after-beep", "beep"]);
        sleep(Duration::from_millis(300));
        self.speak(words);
        sleep(Duration::from_millis(words.len() as u64 / 8 + 600));
        self.press("#");
        self.hears("review-menu");
    }

    /// Confirms with one's own account PIN.
    pub fn confirms_as(&mut self, extension: &str) {
        self.hears("confirm-with-pin");
        self.press(&format!("{}#", pin_of(extension)));
    }

    /// Confirms an undo with one's own account PIN while the change is still being read back.
    pub fn confirms_undo_as(&mut self, extension: &str) {
        self.hears("change-undo-confirm");
        self.press(&format!("{}#", pin_of(extension)));
    }

    /// Leaves from the top menu by `*`.
    pub fn leaves_from(&mut self, menu: &str) {
        self.back_to(menu);
        self.press("*");
        self.hears("goodbye");
        self.hears_the_end();
    }
}

impl Setup {
    /// The caller hears the number of a change, `ACCOUNT ACTION` or `ACCOUNT ACTION TARGET`. It is the last one in the
    /// store, it is in the audit trail, and the hook is told. Gives its number.
    pub fn hears_change(&self, phone: &mut Phone, change: &str) -> String {
        phone.hears("change-number");
        let sql =
            "SELECT number, account || ' ' || action || ' ' || target FROM v_changes ORDER BY number DESC LIMIT 1";
        let last = self.value(sql);
        let (number, made) = last.split_once('|').expect("two columns");
        assert!(made == change || made.starts_with(&format!("{change} ")), "{made}, not {change}");
        assert_eq!(phone.hears_digits(number.len()), number, "the number of {made}");
        let account = made.split(' ').next().unwrap_or_default();
        let audited = format!(
            "SELECT count(*) FROM v_audit WHERE change_number = {number} AND outcome = 'ok' AND account = '{account}'"
        );
        assert_eq!(self.value(&audited), "1", "{made}");
        until(DONE_WITHIN, "the hook is told", || self.told_of(number).is_some());
        number.to_owned()
    }

    /// Everything that the hook was told, in order.
    pub fn told(&self) -> Vec<Value> {
        // What is being written is told next time.
        self.text("told").lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What the hook was told of a change.
    pub fn told_of(&self, change: &str) -> Option<Value> {
        let change: i64 = change.parse().expect("the number of a change");
        self.told().into_iter().find(|event| event["change"] == change)
    }

    /// Waits until the hook was told of an event of that name, and gives the last one.
    pub fn hook_hears(&self, event: &str) -> Value {
        let last = || self.told().into_iter().rfind(|told| told["event"] == event);
        until(DONE_WITHIN, event, || last().is_some());
        last().expect("just seen")
    }

    /// How many attempts of that account were denied.
    pub fn denied(&self, account: &str) -> String {
        self.value(&format!("SELECT count(*) FROM v_audit WHERE account = '{account}' AND outcome = 'denied'"))
    }

    /// What holds at the end of each test: the chain of the audit trail fits, and no PIN was written anywhere.
    pub fn is_in_order(&self) {
        self.done(&["audit", "verify"], "");
        let pins = PEOPLE.iter().flat_map(|(_, _, account_pin, voicemail_pin)| [*account_pin, *voicemail_pin]);
        self.never_writes(&pins.collect::<Vec<_>>());
    }

    /// Looks for PINs in all logs and in what the hook was told.
    pub fn never_writes(&self, pins: &[&str]) {
        let files = fs::read_dir(self.path("log")).into_iter().flatten().flatten();
        let logs: String = files.map(|file| fs::read_to_string(file.path()).unwrap_or_default()).collect();
        let written = [logs, self.text("stderr"), self.text("told")].concat();
        for pin in pins {
            assert!(!is_written(&written, pin), "{pin} is in a log or was told to a hook");
        }
    }
}

/// Whether a number stands by itself in a text: not within another one, or as the fraction of a second.
pub fn is_written(text: &str, number: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.');
    text.match_indices(number)
        .any(|(at, _)| !is_part(text[..at].chars().next_back()) && !is_part(text[at + number.len()..].chars().next()))
}

/// So many seconds of somebody speaking.
pub fn words(seconds: usize) -> Vec<i16> {
    let mut words = ear::wav(&Path::new(PROJECT).join("prompts/demo/3.wav"));
    words.truncate(8000 * seconds);
    words
}

/// What is said first wherever one can come to by `*`: a menu, a question, or the end.
fn is_place(name: &str) -> bool {
    name.ends_with("-menu") || name.contains("enter-") || ["goodbye", "until-when", "press-1-to-keep"].contains(&name)
}
