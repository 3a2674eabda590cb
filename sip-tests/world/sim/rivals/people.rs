//! Rivals about users, and about their handsets.

use super::own::delete_1006;
use super::{Rival, Rivalry, ends, nothing};
use crate::world::ledger::{HANDSETS, Slot, Value};
use crate::world::random::Random;
use crate::world::script::{Script, Step};

pub const RIVALRIES: &[Rivalry] = &[
    Rivalry {
        name: "two add a user with one extension",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "user.added", does: add },
            Rival { extension: "1002", deed: "user.added", does: add },
        ],
        after: |outcome| {
            outcome.one("user-added", "already-so");
            outcome.changes("user.added", 1);
        },
    },
    Rivalry {
        name: "two disable one user",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "user.disabled", does: disable },
            Rival { extension: "1002", deed: "user.disabled", does: disable },
        ],
        after: |outcome| {
            outcome.one("user-disabled", "already-so");
            let id = outcome.ledger.account("1009").id;
            assert!(!outcome.ledger.is_enabled(id), "the second key has not enabled the user again");
        },
    },
    Rivalry {
        name: "two delete one user",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "user.deleted", does: delete_1006 },
            Rival { extension: "1002", deed: "user.deleted", does: delete_1006 },
        ],
        after: |outcome| {
            outcome.one("user-deleted", "extension-unknown");
            outcome.changes("user.deleted", 1);
        },
    },
    Rivalry {
        name: "a user is deleted under a login",
        before: nothing,
        callers: [
            Rival { extension: "1006", deed: "login", does: log_in_and_act },
            Rival { extension: "1001", deed: "user.deleted", does: delete_1006 },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "user-deleted"));
            assert_eq!(outcome.heard(0, "logged-in"), outcome.first() == 0);
            if outcome.first() == 1 {
                assert!(outcome.heard(0, "login-failed"));
            }
        },
    },
    Rivalry {
        name: "a user is disabled under a login",
        before: nothing,
        callers: [
            Rival { extension: "1006", deed: "login", does: log_in_and_act },
            Rival { extension: "1002", deed: "user.disabled", does: disable_1006_slowly },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "user-disabled"));
            assert_eq!(outcome.heard(0, "logged-in"), outcome.first() == 0);
            if outcome.first() == 1 {
                assert!(outcome.heard(0, "login-failed"));
            }
        },
    },
    Rivalry {
        name: "two reset one voicemail PIN",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "voicemail_pin.reset", does: reset },
            Rival { extension: "1002", deed: "voicemail_pin.reset", does: reset },
        ],
        after: |outcome| {
            outcome.both(["voicemail-pin-reset"; 2]);
            let told = spoken_pin(outcome.heard[1 - outcome.first()]);
            assert_eq!(
                outcome.ledger.account("1009").voicemail_pin.digits,
                told,
                "the PIN that was told last is right"
            );
        },
    },
    Rivalry {
        name: "two assign one handset",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "handset.assigned", does: assign_to_1009 },
            Rival { extension: "1002", deed: "handset.assigned", does: assign_to_1005 },
        ],
        after: |outcome| {
            outcome.one("handset-assigned", "handset-gone");
            let owner = outcome.ledger.account(["1009", "1005"][outcome.first()]).id;
            assert_eq!(outcome.ledger.value(Slot::Handset(HANDSETS[1])), Value::Of(owner));
        },
    },
    Rivalry {
        name: "a user is deleted while another gives them a handset",
        before: nothing,
        callers: [
            Rival { extension: "1002", deed: "handset.assigned", does: assign_to_1006 },
            Rival { extension: "1001", deed: "user.deleted", does: delete_1006 },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "user-deleted"));
            let told = outcome.told(0, &["handset-assigned", "extension-unknown"]);
            assert_eq!(told == "handset-assigned", outcome.first() == 0);
            assert_eq!(outcome.ledger.value(Slot::Handset(HANDSETS[1])), Value::Nothing, "it is nobody's now");
        },
    },
    Rivalry {
        name: "a support PIN is verified while its owner changes it",
        before: nothing,
        callers: [
            Rival { extension: "1004", deed: "support_pin.verified", does: verify_old },
            Rival { extension: "1006", deed: "support_pin.changed", does: change_support_pin },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "support-pin-changed"));
            let told = outcome.told(0, &["support-pin-valid", "support-pin-invalid"]);
            assert_eq!(told == "support-pin-valid", outcome.first() == 0);
        },
    },
];

fn add(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().keys("3").hear("users-enter-extension").keys("1020#").hear("extension-free").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("1");
    ends(script, &["user-added", "already-so"]);
}

/// Both were told that the user is enabled, so both mean to disable.
fn disable(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_user("1009").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("4");
    ends(script, &["user-disabled", "already-so"]);
}

/// About when a PIN is keyed that is keyed meanwhile.
fn disable_1006_slowly(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_user("1006").meet();
    script.push(Step::Wait(random.below(5500)));
    script.keys("4");
    ends(script, &["user-disabled"]);
}

/// Once logged in, nothing more is possible as soon as the account is gone.
fn log_in_and_act(script: &mut Script, random: &mut Random) {
    let (ask, person) = (script.first_question, script.person);
    script.hear(ask).keys(format!("{}#", person.extension)).hear("enter-pin").meet();
    script.push(Step::Wait(random.below(2000)));
    script.key_pin().hear_any(&["logged-in", "login-failed"]);
    let acts = vec![
        Step::Hear("my-menu"),
        Step::Wait(random.below(4000)),
        Step::Keys("3".into()),
        Step::HearAny(&["dnd-on", "no-longer-allowed"]),
    ];
    script.push(Step::When("logged-in", acts));
    script.push(Step::Wait(1000));
    script.push(Step::HangUp);
}

fn reset(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_user("1009").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("1").hear("voicemail-pin-reset").hear("temporary-pin-is").hear("temporary-pin-menu");
    script.push(Step::HangUp);
}

/// The digits that were said after `temporary-pin-is`.
fn spoken_pin(heard: &[&'static str]) -> String {
    let at = heard.iter().position(|clip| *clip == "temporary-pin-is").expect("a PIN was told");
    heard[at + 1..].iter().map_while(|clip| crate::world::phone::digit(clip)).collect()
}

fn assign(script: &mut Script, random: &mut Random, extension: &str) {
    script.log_in_plainly().open_user(extension).keys("5").hear("handset-menu").keys("2").hear("list-menu").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("1");
    ends(script, &["handset-assigned", "handset-gone", "extension-unknown"]);
}

fn assign_to_1009(script: &mut Script, random: &mut Random) {
    assign(script, random, "1009");
}

fn assign_to_1005(script: &mut Script, random: &mut Random) {
    assign(script, random, "1005");
}

fn assign_to_1006(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_user("1006").keys("5").hear("handset-menu").keys("2").hear("list-menu").meet();
    // About as long as a PIN takes.
    script.push(Step::Wait(random.below(6000)));
    script.keys("1");
    ends(script, &["handset-assigned", "extension-unknown"]);
}

fn verify_old(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_maintenance().keys("5").hear("support-enter-extension").keys("1006#");
    script.hear("support-enter-pin").meet().push(Step::Wait(random.below(300)));
    script.keys("284016#");
    ends(script, &["support-pin-valid", "support-pin-invalid"]);
}

fn change_support_pin(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().keys("7").hear("enter-new-support-pin").keys("730518#").hear("enter-again").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("730518#");
    ends(script, &["support-pin-changed"]);
}
