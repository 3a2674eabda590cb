//! My settings.

use switchhook::access::{ForwardKind, OwnAudio};
use switchhook::model::Language;

use super::{Script, Step, random_pin};
use crate::world::ledger::{Slot, phone_number};
use crate::world::random::Random;

impl Script {
    pub(super) fn voicemail_pin(&mut self, random: &mut Random) -> bool {
        self.my_menu().keys("1").hear("enter-new-voicemail-pin");
        let new = random_pin(random, 6);
        match random.below(6) {
            0 => {
                self.keys(format!("{new}#")).hear("enter-again").keys("1#").hear("pins-differ");
                self.hear("enter-new-voicemail-pin").keys("*");
            }
            1 => {
                self.keys("123#").hear("enter-again").keys("123#").hear("pin-too-short");
                self.hear("enter-new-voicemail-pin").keys("*");
            }
            2 => {
                self.keys("111111#").hear("enter-again").keys("111111#").hear("pin-too-simple");
                self.hear("enter-new-voicemail-pin").keys("*");
            }
            3 => {
                self.keys(format!("{new}#")).hear("enter-again").keys("*").hear("enter-new-voicemail-pin").keys("*");
            }
            _ => {
                self.keys(format!("{new}#")).hear("enter-again").keys(format!("{new}#")).hear("voicemail-pin-changed");
                let extension = self.person.extension;
                self.goal(format!("voicemail PIN of {extension}"), move |ledger| {
                    ledger.account(extension).voicemail_pin.digits == new
                });
            }
        }
        self.hear("my-menu").up();
        true
    }

    /// One of the three kinds: set, refused, turned off, left.
    pub(super) fn forwarding(&mut self, random: &mut Random) -> bool {
        let (at, extension) = (random.below(3) as usize, self.person.extension);
        let kind = ForwardKind::ALL[at];
        self.my_menu().keys("2").hear("forward-kinds-menu").keys((at + 1).to_string());
        self.hear_any(&["forward-is-off", "forward-is-to"]).hear("forward-menu");
        match random.below(5) {
            0 => {
                let dear = random.pick(&["0049891234", "0114930123", "9005551234", "1"]);
                self.keys("1").hear("enter-forward-number").keys(format!("{dear}#")).hear("forward-not-allowed");
                self.hear("enter-forward-number").keys("*").hear("forward-menu");
            }
            1 => {
                let number = format!("555{}", random.digits(4));
                self.keys("1").hear("enter-forward-number").keys(format!("{number}#")).hear("forward-read-back");
                // Only 1 keeps it.
                self.hear("press-1-to-keep").keys("*").hear("enter-forward-number").keys("*").hear("forward-menu");
            }
            2 => {
                self.keys("2").hear_any(&["forward-off", "forward-is-off"]).hear("forward-menu");
                self.goal(format!("forwarding {}", kind.name()), move |ledger| {
                    ledger.forwarding(ledger.account(extension).id, kind).is_none()
                });
            }
            _ => {
                let number = format!("555{}", random.digits(4));
                self.keys("1").hear("enter-forward-number").keys(format!("{number}#")).hear("forward-read-back");
                self.hear("press-1-to-keep").keys("1").hear_any(&["forward-set", "already-so"]).hear("forward-menu");
                self.goal(format!("forwarding {}", kind.name()), move |ledger| {
                    ledger.forwarding(ledger.account(extension).id, kind) == Some(phone_number(&number))
                });
            }
        }
        self.up();
        true
    }

    pub(super) fn dnd(&mut self, random: &mut Random) -> bool {
        let extension = self.person.extension;
        self.my_menu().keys("3").hear("dnd-on").hear("my-menu");
        let is_on = random.percent(60);
        if !is_on {
            self.keys("3").hear("dnd-off").hear("my-menu");
        }
        self.goal("do not disturb", move |ledger| ledger.is_on(Slot::Dnd(ledger.account(extension).id)) == is_on);
        self.up();
        true
    }

    /// There is none at first.
    pub(super) fn greeting(&mut self, random: &mut Random) -> bool {
        let extension = self.person.extension;
        self.my_menu().keys("4").hear("greeting-menu");
        if random.percent(30) {
            let (key, said) =
                random.pick(&[("1", "recording-empty"), ("3", "recording-nothing-older"), ("4", "recording-empty")]);
            self.keys(key).hear(said).hear("greeting-menu");
        }
        let kept = random.below(3) as usize;
        for _ in 0..kept {
            self.keys("2").take(random);
            self.keys("2").hear("greeting-saved").hear("greeting-menu");
        }
        let mut has = kept > 0;
        match random.below(5) {
            0 if has => {
                self.keys("4").hear("greeting-removed").hear("greeting-menu");
                has = false;
                if random.percent(50) {
                    self.keys("3").hear("greeting-restored").hear("greeting-menu");
                    has = true;
                }
            }
            1 if kept > 1 => {
                self.keys("3").hear("greeting-restored").hear("greeting-menu");
            }
            2 if has => {
                self.keys("1").hear("greeting-menu");
            }
            3 => {
                self.keys("2").take(random);
                self.keys("*").hear("recording-discarded").hear("greeting-menu");
            }
            4 => {
                // Of a greeting no draft is left: a take that nobody has kept is gone.
                self.keys("2").take(random);
                self.push(Step::HangUp);
            }
            _ => {}
        }
        self.goal("greeting", move |ledger| {
            let id = ledger.account(extension).id;
            ledger.own_audio(id, OwnAudio::Greeting).is_some() == has
                && ledger.versions(id, OwnAudio::Greeting).len() == kept
        });
        if matches!(self.steps.last(), Some(Step::HangUp)) {
            return false;
        }
        self.up();
        true
    }

    pub(super) fn account_pin(&mut self, random: &mut Random) -> bool {
        self.my_menu().keys("5").hear("enter-current-pin");
        let new = random_pin(random, 8);
        match random.below(3) {
            0 if self.may_slip() => {
                self.keys("111#").hear("enter-new-pin").keys(format!("{new}#")).hear("enter-again");
                self.keys(format!("{new}#")).hear("pin-wrong").hear("enter-current-pin").keys("*");
            }
            _ => {
                self.key_pin().hear("enter-new-pin").keys(format!("{new}#")).hear("enter-again");
                self.keys(format!("{new}#")).hear("account-pin-changed");
                self.new_account_pin(new);
            }
        }
        self.hear("my-menu").up();
        true
    }

    pub(super) fn own_name(&mut self, random: &mut Random) -> bool {
        let extension = self.person.extension;
        self.my_menu().keys("6").hear("name-menu").keys("2").take(random);
        self.keys("2").hear("name-saved").hear("name-menu").keys("1").hear("name-menu");
        self.goal(format!("name of {extension}"), move |ledger| {
            ledger.own_audio(ledger.account(extension).id, OwnAudio::Name).is_some()
        });
        self.up();
        true
    }

    pub(super) fn support_pin(&mut self, random: &mut Random) -> bool {
        let (extension, new) = (self.person.extension, random_pin(random, 6));
        self.my_menu().keys("7").hear("enter-new-support-pin").keys(format!("{new}#")).hear("enter-again");
        self.keys(format!("{new}#")).hear("support-pin-changed").hear("my-menu");
        self.goal(format!("support PIN of {extension}"), move |ledger| {
            ledger.account(extension).support_pin.digits == new
        });
        self.up();
        true
    }

    /// Nobody has chosen one at first.
    pub(super) fn language(&mut self, random: &mut Random) -> bool {
        let (at, extension) = (random.below(4) as usize, self.person.extension);
        self.my_menu().keys("8").hear("language-menu").keys((at + 1).to_string());
        self.hear("language-changed").hear("my-menu");
        self.goal("language", move |ledger| ledger.language(ledger.account(extension).id) == Some(Language::ALL[at]));
        self.up();
        true
    }

    pub(super) fn all_settings(&mut self, _: &mut Random) -> bool {
        self.my_menu().keys("9").hear_any(&["forward-is-off", "settings-forward-always"]);
        self.hear_any(&["settings-language", "settings-no-language"]).hear("my-menu");
        self.up();
        true
    }
}
