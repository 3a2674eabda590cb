//! Users and extensions.

use switchhook::access::{ForwardKind, OwnAudio, Permission, Permissions};

use super::Script;
use crate::world::ledger::{HANDSETS, PEOPLE};
use crate::world::random::Random;

/// Whom others change, and who never calls.
pub(super) const VICTIM: &str = "1009";
/// Extensions that are free at first.
const FREE: [&str; 3] = ["1020", "1021", "1022"];

impl Script {
    /// From the top menu to a user.
    pub fn open_user(&mut self, extension: &str) -> &mut Self {
        self.keys("3").hear("users-enter-extension").keys(format!("{extension}#")).hear("user-menu")
    }

    pub(super) fn reset(&mut self, random: &mut Random) -> bool {
        let known = random.pick(&PEOPLE);
        let (other, is_account_pin) = (known.extension, known.extension == VICTIM && random.percent(60));
        self.open_user(other).keys(if is_account_pin { "2" } else { "1" });
        if self.person.allowed.covers(Permissions::of(known.role.as_slice())) {
            self.hear(if is_account_pin { "account-pin-reset" } else { "voicemail-pin-reset" });
            self.hear("temporary-pin-is").hear("temporary-pin-menu");
            self.keys("1").hear("temporary-pin-is").hear("temporary-pin-menu").keys("#");
            if is_account_pin {
                self.goal(format!("PIN of {other}"), move |ledger| {
                    let pin = &ledger.account(other).pin;
                    pin.is_temporary && pin.digits != known.pin
                });
            } else {
                self.goal(format!("voicemail PIN of {other}"), move |ledger| {
                    ledger.account(other).voicemail_pin.digits != known.voicemail_pin
                });
            }
        } else {
            self.hear("not-allowed-for-this-account");
        }
        self.hear("user-menu").up();
        true
    }

    pub(super) fn disable_and_enable(&mut self, random: &mut Random) -> bool {
        let disable = random.percent(70);
        if disable {
            self.open_user(VICTIM).keys("4").hear("user-disabled").hear("user-menu");
        } else {
            self.open_user(VICTIM).keys("3").hear("user-unlocked").hear("user-menu");
        }
        let is_left_disabled = disable && random.percent(50);
        if disable && !is_left_disabled {
            self.keys("4").hear("user-enabled").hear("user-menu");
        }
        self.goal("victim", move |ledger| ledger.is_enabled(ledger.account(VICTIM).id) != is_left_disabled);
        self.up();
        if random.percent(40) {
            // Nobody does it to themselves.
            let own = self.person.extension;
            self.open_user(own).keys(random.pick(&["4", "9"])).hear_any(&["not-yourself", "last-server-administrator"]);
            self.hear("user-menu").up();
        }
        true
    }

    pub(super) fn handsets(&mut self, random: &mut Random) -> bool {
        self.open_user(VICTIM).keys("5").hear("handset-menu");
        if random.percent(40) {
            self.keys("1").hear("handset-none").hear("handset-menu");
        }
        let at = random.between(1, 2) as usize;
        self.keys("2").hear("handset-number").hear("list-menu");
        if at == 2 {
            self.keys("#").hear("handset-number").hear("list-menu");
        }
        self.keys("1").hear("handset-assigned").hear("handset-menu");
        let is_removed = random.percent(50);
        if is_removed {
            self.keys("3").hear("handset-number").hear("list-menu").keys("1").hear("handset-removed");
            self.hear("handset-menu");
        }
        self.goal("handsets", move |ledger| {
            let of_victim = ledger.handsets(Some(ledger.account(VICTIM).id));
            of_victim.contains(&HANDSETS[at]) != is_removed
        });
        self.up();
        true
    }

    /// 1006's calls go elsewhere at first, 1005's do not.
    pub(super) fn user_forwarding(&mut self, random: &mut Random) -> bool {
        let (other, said) = random.pick(&[("1006", "forward-off"), ("1005", "forward-is-off")]);
        self.open_user(other).keys("6").hear("user-forward-menu");
        self.keys("2").hear(said).hear_any(&["user-forward-menu", "user-menu"]);
        self.goal(format!("forwarding of {other}"), move |ledger| {
            let id = ledger.account(other).id;
            ForwardKind::ALL.into_iter().all(|kind| ledger.forwarding(id, kind).is_none())
        });
        self.up();
        true
    }

    pub(super) fn user_name(&mut self, random: &mut Random) -> bool {
        if !self.person.allowed.has(Permission::RolesAssign) && random.percent(30) {
            // Refused at its key, before anything is recorded.
            self.open_user("1000").keys("7").hear("not-allowed-for-this-account").hear("user-menu").up();
            return true;
        }
        self.open_user(VICTIM).keys("7").take(random);
        self.keys("2").hear("name-saved").hear("user-menu");
        self.goal("name of victim", |ledger| ledger.own_audio(ledger.account(VICTIM).id, OwnAudio::Name).is_some());
        self.up();
        true
    }

    /// Someone is added, and perhaps deleted again.
    pub(super) fn add_and_delete(&mut self, random: &mut Random) -> bool {
        let new = random.pick(&FREE);
        self.keys("3").hear("users-enter-extension").keys(format!("{new}#")).hear("extension-free");
        self.keys("1").hear("user-added").hear("temporary-pin-is").hear("temporary-pin-menu").keys("#");
        self.hear("user-name-menu");
        let has_name = random.percent(30);
        if has_name {
            self.keys("1").take(random);
            self.keys("2").hear("name-saved");
        } else {
            self.keys("#");
        }
        self.hear("user-menu");
        let is_deleted = match random.below(4) {
            0 => false,
            1 => {
                self.keys("9").hear("user-delete-confirm").hear("confirm-with-pin").keys("*").hear("user-menu");
                false
            }
            2 if self.may_slip() => {
                self.keys("9").hear("user-delete-confirm").hear("confirm-with-pin").keys("000#").hear("pin-wrong");
                self.hear("confirm-with-pin").key_pin().hear("user-deleted").hear("users-enter-extension");
                true
            }
            _ => {
                self.keys("9").hear("user-delete-confirm").hear("confirm-with-pin").key_pin().hear("user-deleted");
                self.hear("users-enter-extension");
                true
            }
        };
        self.goal(format!("user {new}"), move |ledger| {
            let found = ledger.find(new);
            let name = found.and_then(|account| ledger.own_audio(account.id, OwnAudio::Name));
            found.is_some() != is_deleted && name.is_some() == (has_name && !is_deleted)
        });
        self.up();
        true
    }
}
