//! Attendants, groups and mode; lines and network.

use switchhook::access::{Mode, ModeSetting, TrunkKind};
use switchhook::model::{ItemNumber, Mono};

use super::Script;
use crate::world::ledger::{Slot, Value};
use crate::world::random::Random;

/// The clips of the modes, in the order of the menu.
const MODES: [(&str, Option<Mode>); 4] = [
    ("mode-day", Some(Mode::Day)),
    ("mode-night", Some(Mode::Night)),
    ("mode-holiday", Some(Mode::Holiday)),
    ("mode-timetable", None),
];
const ONE: ItemNumber = ItemNumber(1);
const TWO: ItemNumber = ItemNumber(2);

impl Script {
    pub fn open_mode(&mut self) -> &mut Self {
        self.keys("4").hear("attendants-menu").keys("1").hear("mode-menu")
    }

    /// From the top menu to a thing of a kind, by the key of that kind in its menu.
    pub fn open_item(&mut self, branch: &'static str, key: &str, number: u32) -> &mut Self {
        let menu = if branch == "4" { "attendants-menu" } else { "network-menu" };
        self.keys(branch).hear(menu).keys(key).hear("item-enter-number").keys(format!("{number}#"))
    }

    pub(super) fn mode(&mut self, random: &mut Random) -> bool {
        let at = random.below(4) as usize;
        let (said, mode) = MODES[at];
        let setting = mode.map_or(ModeSetting::Timetable, ModeSetting::Fixed);
        self.open_mode().keys((at + 1).to_string());
        let mut passes = false;
        if mode.is_some() {
            self.hear("until-when");
            passes = random.percent(50);
            let hours = if passes { random.between(1, 48).to_string() } else { String::new() };
            if random.percent(20) {
                self.keys("9999#").hear("hours-out-of-range").hear("until-when");
            }
            self.keys(format!("{hours}#"));
        }
        self.hear(said).hear("mode-menu");
        self.goal("mode", move |ledger| {
            let (set, until) = ledger.mode(Mono(0));
            set == setting && until.is_some() == passes
        });
        self.up();
        true
    }

    /// The first plays recording 1 at first, the second nothing.
    pub(super) fn attendant(&mut self, random: &mut Random) -> bool {
        if random.percent(30) {
            self.open_item("4", "2", 7).hear("item-unknown").hear("item-enter-number").keys("2#");
        } else {
            self.open_item("4", "2", 2);
        }
        self.hear("attendant-number").hear("attendant-enter-recording");
        if random.percent(30) {
            self.keys("77#").hear("recording-unknown").hear("attendant-enter-recording");
        }
        let recording = random.between(1, 5) as u32;
        self.keys(format!("{recording}#")).hear("attendant-changed");
        self.goal("attendant", move |ledger| ledger.value(Slot::Attendant(TWO)) == Value::Number(recording));
        self.up();
        true
    }

    /// The first has 1005 and 1002 at first, the second nobody.
    pub(super) fn group(&mut self, random: &mut Random) -> bool {
        if random.percent(30) {
            // Through the list, to the first.
            self.keys("4").hear("attendants-menu").keys("3").hear("item-enter-number").keys("#").hear("list-menu");
            self.keys("1");
        } else {
            self.open_item("4", "3", 1);
        }
        self.hear("group-menu");
        if random.percent(40) {
            self.keys("1").hear("browse-menu").keys("#").hear("group-menu");
        }
        match random.below(4) {
            0 => {
                self.keys("2").hear("group-enter-extension").keys("1005#").hear("already-so").hear("group-menu");
            }
            1 => {
                self.keys("3").hear("group-enter-extension").keys("1005#").hear("member-removed").hear("group-menu");
                self.goal("group", |ledger| !ledger.members(ONE).contains(&ledger.account("1005").id));
            }
            2 => {
                let (key, extension, said) = random.pick(&[
                    ("2", "4711", "extension-unknown"),
                    ("3", "4711", "group-not-a-member"),
                    ("3", "1006", "group-not-a-member"),
                ]);
                self.keys(key).hear("group-enter-extension").keys(format!("{extension}#")).hear(said);
            }
            _ => {
                self.keys("2").hear("group-enter-extension").keys("1006#").hear("member-added").hear("group-menu");
                self.goal("group", |ledger| ledger.members(ONE).last() == Some(&ledger.account("1006").id));
            }
        }
        self.up();
        true
    }

    /// The first is closed at first, the second open.
    pub(super) fn call_center(&mut self, random: &mut Random) -> bool {
        self.open_item("4", "4", 1).hear("callcenter-is-closed").hear("callcenter-menu");
        let is_opened = random.percent(60);
        if is_opened {
            self.keys("1").hear("callcenter-opened").hear("callcenter-menu");
            self.keys("3").hear("callcenter-is-open").hear("callcenter-menu");
        } else {
            self.keys("2").hear("already-so").hear("callcenter-menu");
        }
        self.goal("call center", move |ledger| ledger.is_on(Slot::CallCenter(ONE)) == is_opened);
        self.up();
        true
    }

    /// Two lines and one gateway are enabled at first; there is no proxy.
    pub(super) fn trunks(&mut self, random: &mut Random) -> bool {
        let (line, gateway) = (TrunkKind::Line, TrunkKind::Gateway);
        match random.below(6) {
            0 => {
                self.keys("5").hear("network-menu").keys("4").hear("network-address").hear("network-menu");
            }
            1 => {
                self.keys("5").hear("network-menu").keys("3").hear("item-enter-number").keys("#").hear("items-none");
            }
            2 => {
                // The last one needs the PIN, and the caller thinks better of it.
                self.open_item("5", "2", 1).hear("trunk-menu").keys("2").hear("trunk-last-enabled");
                self.hear("confirm-with-pin").keys("*").hear("trunk-menu");
                self.goal("gateways", move |ledger| ledger.enabled(gateway) == 1);
            }
            3 => {
                self.open_item("5", "2", 1).hear("trunk-menu").keys("2").hear("trunk-last-enabled");
                self.hear("confirm-with-pin").key_pin().hear("gateway-disabled");
                self.goal("gateways", move |ledger| ledger.enabled(gateway) == 0);
            }
            4 => {
                self.open_item("5", "1", 2).hear("line-number").hear("trunk-menu").keys("1").hear("already-so");
                self.hear("trunk-menu");
            }
            _ => {
                self.open_item("5", "1", 2).hear("line-number").hear("trunk-menu").keys("2").hear("line-disabled");
                self.hear("trunk-menu");
                let is_enabled_again = random.percent(50);
                if is_enabled_again {
                    self.keys("1").hear("line-enabled").hear("trunk-menu");
                }
                self.goal("lines", move |ledger| ledger.enabled(line) == if is_enabled_again { 2 } else { 1 });
            }
        }
        self.up();
        true
    }
}
