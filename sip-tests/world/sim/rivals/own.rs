//! Rivals about one's own things: the owner from two telephones, or the owner and an administrator.

use switchhook::access::{ForwardKind, OwnAudio};

use super::{Rival, Rivalry, ends, nothing};
use crate::world::ledger::Slot;
use crate::world::random::Random;
use crate::world::script::{Script, Step};

pub const RIVALRIES: &[Rivalry] = &[
    Rivalry {
        name: "one owner keeps two greetings",
        before: nothing,
        callers: [
            Rival { extension: "1005", deed: "greeting.changed", does: keep_greeting },
            Rival { extension: "1005", deed: "greeting.changed", does: keep_greeting },
        ],
        after: |outcome| {
            outcome.both(["greeting-saved"; 2]);
            let id = outcome.ledger.account("1005").id;
            let versions = outcome.ledger.versions(id, OwnAudio::Greeting);
            assert_eq!(versions.len(), 2, "both are there");
            assert_eq!(outcome.ledger.own_audio(id, OwnAudio::Greeting).as_ref(), versions.last(), "the later is live");
        },
    },
    Rivalry {
        name: "one owner turns do not disturb over twice",
        before: nothing,
        callers: [
            Rival { extension: "1006", deed: "dnd.changed", does: toggle },
            Rival { extension: "1006", deed: "dnd.changed", does: toggle },
        ],
        after: |outcome| {
            outcome.one("dnd-on", "dnd-off");
            assert!(!outcome.ledger.is_on(Slot::Dnd(outcome.ledger.account("1006").id)));
        },
    },
    Rivalry {
        name: "forwarding is turned off by its owner and by an administrator",
        before: nothing,
        callers: [
            Rival { extension: "1006", deed: "forwarding.changed", does: own_forwarding_off },
            Rival { extension: "1002", deed: "forwarding.changed", does: user_forwarding_off },
        ],
        after: |outcome| {
            // The owner has heard where it goes; the other hears that it is off already.
            outcome.one("forward-off", "forward-is-off");
            let id = outcome.ledger.account("1006").id;
            assert_eq!(outcome.ledger.forwarding(id, ForwardKind::Always), None);
            outcome.changes("forwarding.changed", 1);
        },
    },
    Rivalry {
        name: "an account is disabled while its owner changes something",
        before: nothing,
        callers: [
            Rival { extension: "1006", deed: "dnd.changed", does: toggle_if_still_allowed },
            Rival { extension: "1002", deed: "user.disabled", does: disable_1006 },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "user-disabled"));
            let told = outcome.told(0, &["dnd-on", "no-longer-allowed"]);
            assert_eq!(told == "dnd-on", outcome.first() == 0);
            outcome.changes("dnd.changed", usize::from(outcome.first() == 0));
        },
    },
    Rivalry {
        name: "a user is deleted before the key that keeps the forwarding",
        before: nothing,
        callers: [
            Rival { extension: "1006", deed: "forwarding.changed", does: keep_forwarding },
            Rival { extension: "1001", deed: "user.deleted", does: delete_1006 },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "user-deleted"));
            let told = outcome.told(0, &["forward-set", "no-longer-allowed"]);
            assert_eq!(told == "forward-set", outcome.first() == 0);
            assert!(outcome.ledger.find("1006").is_none());
        },
    },
    Rivalry {
        name: "a user is deleted while a greeting is in review",
        before: nothing,
        callers: [
            Rival { extension: "1006", deed: "greeting.changed", does: keep_greeting_slowly },
            Rival { extension: "1001", deed: "user.deleted", does: delete_1006 },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "user-deleted"));
            let told = outcome.told(0, &["greeting-saved", "no-longer-allowed"]);
            assert_eq!(told == "greeting-saved", outcome.first() == 0);
            outcome.changes("greeting.changed", usize::from(outcome.first() == 0));
        },
    },
    Rivalry {
        name: "an account PIN is reset while its owner changes it",
        before: nothing,
        callers: [
            Rival { extension: "1006", deed: "account_pin.changed", does: change_pin },
            Rival { extension: "1002", deed: "account_pin.reset", does: reset_pin },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "account-pin-reset"));
            // Once it is a temporary one, nothing is done with it but to replace it, at the next login.
            let told = outcome.told(0, &["account-pin-changed", "no-longer-allowed"]);
            assert_eq!(told == "account-pin-changed", outcome.first() == 0);
            assert!(outcome.ledger.account("1006").pin.is_temporary, "what was reset is what holds");
        },
    },
];

fn keep_greeting(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().keys("4").hear("greeting-menu").keys("2").take(random).meet();
    script.push(Step::Wait(random.below(400)));
    script.keys("2");
    ends(script, &["greeting-saved"]);
}

fn keep_greeting_slowly(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().keys("4").hear("greeting-menu").keys("2").take(random).meet();
    // About as long as a PIN takes.
    script.push(Step::Wait(random.below(6000)));
    script.keys("2");
    ends(script, &["greeting-saved", "no-longer-allowed"]);
}

fn toggle(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("3");
    ends(script, &["dnd-on", "dnd-off"]);
}

fn toggle_if_still_allowed(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("3");
    ends(script, &["dnd-on", "no-longer-allowed"]);
}

fn own_forwarding_off(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().keys("2").hear("forward-kinds-menu").keys("1").hear("forward-is-to").hear("forward-menu");
    script.meet().push(Step::Wait(random.below(300)));
    script.keys("2");
    ends(script, &["forward-off", "forward-is-off"]);
}

fn user_forwarding_off(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_user("1006").keys("6").hear("forward-is-to").hear("user-forward-menu").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("2");
    ends(script, &["forward-off", "forward-is-off"]);
}

fn disable_1006(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_user("1006").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("4");
    ends(script, &["user-disabled"]);
}

fn keep_forwarding(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().keys("2").hear("forward-kinds-menu").keys("2").hear("forward-menu").keys("1");
    script.hear("enter-forward-number").keys("5551234#").hear("press-1-to-keep").meet();
    // About as long as a PIN takes.
    script.push(Step::Wait(random.below(6000)));
    script.keys("1");
    ends(script, &["forward-set", "no-longer-allowed"]);
}

/// From the top menu to the deletion's question for the PIN, and over it.
pub(super) fn delete_1006(script: &mut Script, _: &mut Random) {
    script.log_in_plainly().open_user("1006").keys("9").hear("confirm-with-pin").meet().key_pin();
    ends(script, &["user-deleted", "extension-unknown"]);
}

fn change_pin(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().keys("5").hear("enter-current-pin").key_pin().hear("enter-new-pin").keys("518263#");
    script.hear("enter-again").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("518263#");
    ends(script, &["account-pin-changed", "no-longer-allowed"]);
}

fn reset_pin(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_user("1006").meet();
    // About as long as six digits take.
    script.push(Step::Wait(random.below(4000)));
    script.keys("2");
    ends(script, &["account-pin-reset"]);
}
