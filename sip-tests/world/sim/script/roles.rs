//! Roles and recent changes.

use switchhook::access::{ForwardKind, Role};

use super::{Script, Step, random_pin};
use crate::world::ledger::Slot;
use crate::world::random::Random;

/// While a list of changes is said, in ms.
const LIST_MS: u64 = 24_000;

impl Script {
    /// From the top menu to a role.
    pub fn open_role(&mut self, role: Role) -> &mut Self {
        let at = Role::ALL.iter().position(|known| *known == role).expect("a role");
        self.keys("7").hear("roles-menu").keys((at + 1).to_string()).hear("role-menu")
    }

    /// From the top menu to the question for the PIN, with which a role is given (`2`) or taken (`3`).
    pub fn ask_role(&mut self, role: Role, key: &str, extension: &str) -> &mut Self {
        self.open_role(role).keys(key).hear("role-enter-extension").keys(format!("{extension}#"));
        self.hear("confirm-with-pin")
    }

    pub(super) fn roles(&mut self, random: &mut Random) -> bool {
        let (server, phone, network) =
            (Role::ServerAdministrator, Role::PhoneAdministrator, Role::NetworkAdministrator);
        match random.below(7) {
            0 => {
                self.open_role(server).keys("3").hear("role-enter-extension").keys("1000#");
                self.hear("last-server-administrator");
            }
            1 => {
                self.open_role(phone).keys("2").hear("role-enter-extension").keys("1005#");
                self.hear("pin-too-short-for-role");
            }
            2 => {
                self.open_role(network).keys("3").hear("role-enter-extension").keys("1008#").hear("role-not-held");
            }
            3 => {
                self.ask_role(network, "3", "1003").key_pin().hear("role-removed").hear("role-menu");
                self.goal("role of 1003", |ledger| ledger.roles(ledger.account("1003").id).is_empty());
            }
            4 => {
                self.open_role(network).keys("1").hear("extension-is").hear("role-menu");
            }
            5 if self.may_slip() => {
                self.ask_role(network, "2", "1008").keys("12345678#").hear("pin-wrong").hear("confirm-with-pin");
                self.keys("#").hear("nothing-changed").hear("role-menu");
                self.goal("role of 1008", |ledger| ledger.roles(ledger.account("1008").id).is_empty());
            }
            _ => {
                self.ask_role(network, "2", "1008").key_pin().hear("role-assigned").hear("role-menu");
                self.goal("role of 1008", move |ledger| {
                    ledger.is_on(Slot::Role(ledger.account("1008").id, Role::NetworkAdministrator))
                });
            }
        }
        self.up();
        true
    }

    /// From the top menu to the question for the PIN, with which the last change that was told is undone.
    pub fn ask_undo(&mut self) -> &mut Self {
        self.keys("8").hear("changes-menu").keys("2").hear("changes-enter-number").push(Step::KeyChange);
        self.hear("change-undo-confirm").hear("confirm-with-pin")
    }

    /// Undoes a change of one's own, and perhaps the undoing.
    pub(super) fn undo(&mut self, random: &mut Random) -> bool {
        let extension = self.person.extension;
        match random.below(6) {
            0 => {
                self.keys("8").hear("changes-menu").keys("2").hear("changes-enter-number").keys("9999#");
                self.hear("change-unknown");
            }
            1 => {
                self.keys("8").hear("changes-menu").keys("1").hear_any(&["changes-none", "change-number"]);
                // Five changes take longer than anything else that is said.
                self.push(Step::When("change-number", vec![Step::Wait(LIST_MS)]));
                self.hear("changes-menu");
            }
            2 => {
                // A PIN is not put back.
                let new = random_pin(random, 6);
                self.my_menu().keys("7").hear("enter-new-support-pin").keys(format!("{new}#")).hear("enter-again");
                self.keys(format!("{new}#")).hear("support-pin-changed").hear("my-menu").up();
                self.goal(format!("support PIN of {extension}"), move |ledger| {
                    ledger.account(extension).support_pin.digits == new
                });
                self.keys("8").hear("changes-menu").keys("2").hear("changes-enter-number").push(Step::KeyChange);
                self.hear("change-cannot-be-undone");
            }
            kind => {
                let number = random.digits(5);
                self.my_menu().keys("2").hear("forward-kinds-menu").keys("2").hear("forward-menu").keys("1");
                self.hear("enter-forward-number").keys(format!("77{number}#")).hear("press-1-to-keep").keys("1");
                self.hear("forward-set").hear("forward-menu").up();
                self.ask_undo().key_pin().hear("change-undone").hear("changes-menu");
                let mut is_put_back = true;
                if kind == 3 {
                    self.keys("2").hear("changes-enter-number").push(Step::KeyChange);
                    self.hear("change-undo-confirm").hear("confirm-with-pin").key_pin().hear("change-undone");
                    is_put_back = false;
                }
                self.hear("changes-menu");
                self.goal("forwarding busy", move |ledger| {
                    let to = ledger.forwarding(ledger.account(extension).id, ForwardKind::Busy);
                    let is_set = to.is_some_and(|to| to.as_str() == format!("77{number}"));
                    is_set != is_put_back
                });
            }
        }
        self.up();
        true
    }
}
