//! Maintenance.

use super::people::VICTIM;
use super::{Script, Step};
use crate::world::ledger::PEOPLE;
use crate::world::random::Random;

impl Script {
    pub fn open_maintenance(&mut self) -> &mut Self {
        self.keys("6").hear("maintenance-menu")
    }

    /// From the top menu to the question for the PIN; 1 is now, 2 is when no call is left.
    pub fn ask_reboot(&mut self, key: &str) -> &mut Self {
        self.open_maintenance().keys("3").hear("reboot-menu").keys(key).hear("confirm-with-pin")
    }

    pub(super) fn reboot(&mut self, random: &mut Random) -> bool {
        match random.below(6) {
            0 => {
                self.ask_reboot("1").key_pin().hear("reboot-in").hear("press-star-to-cancel");
                self.push(Step::Wait(random.between(0, 6000)));
                self.keys("*").hear("reboot-cancelled").hear("reboot-menu");
            }
            1 => {
                self.ask_reboot("1").key_pin().hear("reboot-in").hear("reboot-started").hear("goodbye");
                self.goal("reboots", |ledger| ledger.reboots == 1);
                self.push(Step::Stay);
                return false;
            }
            2 => {
                self.ask_reboot("2").key_pin().hear("reboot-waiting").hear("reboot-menu");
                self.keys("3").hear("reboot-cancelled").hear("reboot-menu");
            }
            3 if self.may_slip() => {
                self.ask_reboot("1").keys("11111111#").hear("pin-wrong").hear("confirm-with-pin");
                self.keys("4711#").hear("nothing-changed").hear("reboot-menu");
            }
            4 => {
                // When the caller is gone no call is left.
                self.ask_reboot("2").key_pin().hear("reboot-waiting").hear("reboot-menu");
                self.goal("reboots", |ledger| ledger.reboots == 1);
                self.push(Step::HangUp);
                return false;
            }
            _ => {
                self.open_maintenance().keys("3").hear("reboot-menu").keys("3").hear("reboot-none-waiting");
                self.hear("reboot-menu");
            }
        }
        self.up();
        true
    }

    pub(super) fn backup(&mut self, random: &mut Random) -> bool {
        self.open_maintenance();
        if random.percent(30) {
            self.keys("2").hear("backup-none").hear("maintenance-menu");
        }
        self.keys("1").hear("backup-started");
        if random.percent(60) {
            self.hear("backup-finished")
                .hear("maintenance-menu")
                .keys("2")
                .hear("backup-last")
                .hear("maintenance-menu");
        } else {
            self.hear("backup-wait").keys("1").hear("maintenance-menu");
        }
        self.goal("backups", |ledger| ledger.backups.len() == 1);
        self.up();
        true
    }

    pub(super) fn logging(&mut self, random: &mut Random) -> bool {
        let (key, said) = random.pick(&[("1", "logging-normal"), ("2", "logging-detailed"), ("3", "log-file-closed")]);
        self.open_maintenance();
        if random.percent(30) {
            self.keys("6").hear("status-version").hear("maintenance-menu");
        }
        self.keys("4").hear("logging-menu").keys(key).hear(said).hear("logging-menu");
        if key != "3" {
            self.goal("logging", move |ledger| ledger.is_detailed == (key == "2"));
        }
        self.up();
        true
    }

    pub(super) fn verify(&mut self, random: &mut Random) -> bool {
        // Not one's own, nor that of someone who may be disabled: those may have been changed in this call.
        let own = self.person.extension;
        let others: Vec<_> = PEOPLE.iter().filter(|known| ![own, VICTIM].contains(&known.extension)).collect();
        let known = random.pick(&others);
        let (pin, said) = match random.below(3) {
            0 => ("111222", "support-pin-invalid"),
            _ => (known.support_pin, "support-pin-valid"),
        };
        self.open_maintenance().keys("5").hear("support-enter-extension").keys(format!("{}#", known.extension));
        self.hear("support-enter-pin").keys(format!("{pin}#")).hear(said).hear("maintenance-menu");
        self.up();
        true
    }
}
