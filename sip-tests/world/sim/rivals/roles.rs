//! Rivals about roles and about undoing.

use switchhook::access::{Mode, ModeSetting, Role};

use super::recordings::undo_first;
use super::{Outcome, Rival, Rivalry, ends, nothing};
use crate::world::ledger::{Ledger, Slot, Value};
use crate::world::random::Random;
use crate::world::script::{Script, Step};

const SERVER: Role = Role::ServerAdministrator;

pub const RIVALRIES: &[Rivalry] = &[
    Rivalry {
        name: "the last two Server Administrators remove each other",
        before: two_administrators,
        callers: [
            Rival { extension: "1000", deed: "role.removed", does: remove_1001 },
            Rival { extension: "1001", deed: "role.removed", does: remove_1000 },
        ],
        after: |outcome| {
            // Whoever has lost the role has lost the right to take it from another.
            outcome.one("role-removed", "no-longer-allowed");
            one_administrator(outcome);
        },
    },
    Rivalry {
        name: "the last two Server Administrators give the role up",
        before: two_administrators,
        callers: [
            Rival { extension: "1000", deed: "role.removed", does: remove_1000 },
            Rival { extension: "1001", deed: "role.removed", does: remove_1001 },
        ],
        after: |outcome| {
            outcome.one("role-removed", "last-server-administrator");
            one_administrator(outcome);
        },
    },
    Rivalry {
        name: "one Server Administrator deletes the other, who removes the first one's role",
        before: two_administrators,
        callers: [
            Rival { extension: "1000", deed: "user.deleted", does: delete_1001 },
            Rival { extension: "1001", deed: "role.removed", does: remove_1000 },
        ],
        after: |outcome| {
            let first = outcome.first();
            assert!(outcome.heard(first, ["user-deleted", "role-removed"][first]));
            // What is left to the other is not enough any more, or is less than the first one has.
            outcome.told(1 - first, &["no-longer-allowed", "not-allowed-for-this-account"]);
            one_administrator(outcome);
        },
    },
    Rivalry {
        name: "a role is taken away under a confirmation",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "user.deleted", does: delete_1009 },
            Rival { extension: "1000", deed: "role.removed", does: remove_system_role },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "role-removed"));
            let told = outcome.told(0, &["user-deleted", "no-longer-allowed"]);
            assert_eq!(told == "user-deleted", outcome.first() == 0);
            assert_eq!(outcome.ledger.find("1009").is_none(), outcome.first() == 0);
        },
    },
    Rivalry {
        name: "a role is given in the middle of its holder's call",
        before: nothing,
        callers: [
            Rival { extension: "1008", deed: "dnd.changed", does: press_2_and_toggle },
            Rival { extension: "1000", deed: "role.assigned", does: give_role },
        ],
        after: |outcome| {
            outcome.both(["dnd-on", "role-assigned"]);
            // It counts from the next login on: the menu is what it was.
            assert!(outcome.heard(0, "forward-kinds-menu") && !outcome.heard(0, "main-menu"));
        },
    },
    Rivalry {
        name: "two give one role",
        before: |ledger| make_administrator(ledger, "1001"),
        callers: [
            Rival { extension: "1000", deed: "role.assigned", does: give_role },
            Rival { extension: "1001", deed: "role.assigned", does: give_role },
        ],
        after: |outcome| {
            outcome.one("role-assigned", "already-so");
            outcome.changes("role.assigned", 2);
        },
    },
    Rivalry {
        name: "two undo one change",
        before: |ledger| {
            ledger.by_account("1001", "mode.changed", vec![(Slot::Mode, mode(Mode::Night))]);
        },
        callers: [
            Rival { extension: "1000", deed: "change.undone", does: undo_first },
            Rival { extension: "1001", deed: "change.undone", does: undo_first },
        ],
        after: |outcome| {
            outcome.one("change-undone", "change-already-undone");
            assert_eq!(outcome.ledger.value(Slot::Mode), Value::Nothing);
        },
    },
    Rivalry {
        name: "a change of the mode is undone while another sets it",
        before: |ledger| {
            ledger.by_account("1001", "mode.changed", vec![(Slot::Mode, mode(Mode::Night))]);
        },
        callers: [
            Rival { extension: "1001", deed: "change.undone", does: undo_first },
            Rival { extension: "1002", deed: "mode.changed", does: set_holiday },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "mode-holiday"));
            let told = outcome.told(0, &["change-undone", "change-changed-since"]);
            assert_eq!(told == "change-undone", outcome.first() == 0);
            assert_eq!(outcome.ledger.value(Slot::Mode), mode(Mode::Holiday), "what was set is what holds");
        },
    },
];

fn make_administrator(ledger: &mut Ledger, extension: &str) {
    let id = ledger.account(extension).id;
    ledger.by_shell("role.assigned", vec![(Slot::Role(id, SERVER), Value::On)]);
}

/// Who holds no other role.
fn two_administrators(ledger: &mut Ledger) {
    make_administrator(ledger, "1001");
    let id = ledger.account("1001").id;
    ledger.by_shell("role.removed", vec![(Slot::Role(id, Role::SystemAdministrator), Value::Nothing)]);
}

fn one_administrator(outcome: &Outcome<'_>) {
    let administers = |extension| {
        let account = outcome.ledger.find(extension);
        account.is_some_and(|account| outcome.ledger.is_on(Slot::Role(account.id, SERVER)))
    };
    assert!(administers("1000") != administers("1001"), "one of them is left");
}

pub(super) fn mode(mode: Mode) -> Value {
    Value::Mode(ModeSetting::Fixed(mode), None)
}

fn remove(script: &mut Script, role: Role, extension: &str) {
    script.log_in_plainly().ask_role(role, "3", extension).meet().key_pin();
    ends(
        script,
        &[
            "role-removed",
            "no-longer-allowed",
            "last-server-administrator",
            "not-allowed-for-this-account",
            "extension-unknown",
        ],
    );
}

fn remove_1000(script: &mut Script, _: &mut Random) {
    remove(script, SERVER, "1000");
}

fn remove_1001(script: &mut Script, _: &mut Random) {
    remove(script, SERVER, "1001");
}

fn remove_system_role(script: &mut Script, _: &mut Random) {
    remove(script, Role::SystemAdministrator, "1001");
}

fn delete(script: &mut Script, extension: &str) {
    script.log_in_plainly().open_user(extension).keys("9").hear("confirm-with-pin").meet().key_pin();
    ends(script, &["user-deleted", "no-longer-allowed", "not-allowed-for-this-account"]);
}

fn delete_1001(script: &mut Script, _: &mut Random) {
    delete(script, "1001");
}

fn delete_1009(script: &mut Script, _: &mut Random) {
    delete(script, "1009");
}

fn give_role(script: &mut Script, _: &mut Random) {
    script.log_in_plainly().ask_role(Role::PhoneAdministrator, "2", "1008").meet().key_pin();
    ends(script, &["role-assigned", "already-so"]);
}

/// For someone without a role 2 is call forwarding.
fn press_2_and_toggle(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().meet();
    script.push(Step::Wait(random.below(7000)));
    script.keys("2").hear("forward-kinds-menu").keys("*").hear("my-menu").keys("3");
    ends(script, &["dnd-on"]);
}

fn set_holiday(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_mode().keys("3").hear("until-when").meet();
    // About as long as a PIN takes.
    script.push(Step::Wait(random.below(6000)));
    script.keys("#");
    ends(script, &["mode-holiday"]);
}
