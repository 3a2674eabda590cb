//! Rivals about the phone system's things and its upkeep.

use switchhook::access::{Mode, ModeSetting, TrunkKind};
use switchhook::model::ItemNumber;

use super::own::delete_1006;
use super::roles::mode;
use super::{Rival, Rivalry, ends, nothing};
use crate::world::ledger::{Slot, Value};
use crate::world::random::Random;
use crate::world::script::{Script, Step};

const ONE: ItemNumber = ItemNumber(1);

pub const RIVALRIES: &[Rivalry] = &[
    Rivalry {
        name: "two set the mode",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "mode.changed", does: set_night },
            Rival { extension: "1002", deed: "mode.changed", does: set_holiday_for_two_hours },
        ],
        after: |outcome| {
            outcome.both(["mode-night", "mode-holiday"]);
            outcome.changes("mode.changed", 2);
            let night = ModeSetting::Fixed(Mode::Night);
            match outcome.ledger.value(Slot::Mode) {
                // What passes is followed by what was set before it.
                Value::Mode(then, Some(_)) => assert_eq!((outcome.first(), then), (0, night)),
                value => assert_eq!((outcome.first(), value), (1, mode(Mode::Night))),
            }
        },
    },
    Rivalry {
        name: "two add one member to one group",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "group.member_added", does: add_1006 },
            Rival { extension: "1002", deed: "group.member_added", does: add_1006 },
        ],
        after: |outcome| {
            outcome.one("member-added", "already-so");
            assert_eq!(outcome.ledger.members(ONE).len(), 3);
        },
    },
    Rivalry {
        name: "two add two members to one group",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "group.member_added", does: add_1006 },
            Rival { extension: "1002", deed: "group.member_added", does: add_1008 },
        ],
        after: |outcome| {
            outcome.both(["member-added"; 2]);
            let added = ["1006", "1008"].map(|extension| outcome.ledger.account(extension).id);
            let (first, second) = (added[outcome.first()], added[1 - outcome.first()]);
            assert_eq!(outcome.ledger.members(ONE)[2..], [first, second], "both are there, in their order");
        },
    },
    Rivalry {
        name: "two take one member out of one group",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "group.member_removed", does: remove_1005 },
            Rival { extension: "1002", deed: "group.member_removed", does: remove_1005 },
        ],
        after: |outcome| {
            outcome.one("member-removed", "group-not-a-member");
            assert_eq!(outcome.ledger.members(ONE).len(), 1);
        },
    },
    Rivalry {
        name: "a user is deleted while another adds them to a group",
        before: nothing,
        callers: [
            Rival { extension: "1002", deed: "group.member_added", does: add_1006_slowly },
            Rival { extension: "1001", deed: "user.deleted", does: delete_1006 },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "user-deleted"));
            let told = outcome.told(0, &["member-added", "extension-unknown"]);
            assert_eq!(told == "member-added", outcome.first() == 0);
            assert_eq!(outcome.ledger.members(ONE).len(), 2, "nobody is a member who is not there");
        },
    },
    Rivalry {
        name: "two choose the recording of one attendant",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "attendant.changed", does: choose_2 },
            Rival { extension: "1002", deed: "attendant.changed", does: choose_3 },
        ],
        after: |outcome| {
            outcome.both(["attendant-changed"; 2]);
            let later = Value::Number([3, 2][outcome.first()]);
            assert_eq!(outcome.ledger.value(Slot::Attendant(ONE)), later, "the later choice holds");
        },
    },
    Rivalry {
        name: "two open one call center",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "callcenter.opened", does: open_call_center },
            Rival { extension: "1002", deed: "callcenter.opened", does: open_call_center },
        ],
        after: |outcome| outcome.one("callcenter-opened", "already-so"),
    },
    Rivalry {
        name: "the last two lines are disabled by two",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "line.disabled", does: disable_line_1 },
            Rival { extension: "1003", deed: "line.disabled", does: disable_line_2 },
        ],
        after: |outcome| {
            // The second one is told that it is the last, and asked for a PIN.
            outcome.one("line-disabled", "trunk-last-enabled");
            assert_eq!(outcome.ledger.enabled(TrunkKind::Line), 1);
        },
    },
    Rivalry {
        name: "two disable one line",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "line.disabled", does: disable_line_1 },
            Rival { extension: "1003", deed: "line.disabled", does: disable_line_1 },
        ],
        after: |outcome| {
            outcome.one("line-disabled", "already-so");
            assert_eq!(outcome.ledger.enabled(TrunkKind::Line), 1);
        },
    },
    Rivalry {
        name: "two confirm that the last gateway is disabled",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "gateway.disabled", does: disable_last_gateway },
            Rival { extension: "1003", deed: "gateway.disabled", does: disable_last_gateway },
        ],
        after: |outcome| {
            // The plain key of whoever was refused first comes before both confirmations.
            let done: Vec<bool> = (0..2).map(|who| outcome.heard(who, "gateway-disabled")).collect();
            assert_eq!(done.iter().filter(|done| **done).count(), 1);
            let other = usize::from(done[0]);
            assert!(outcome.heard(other, "already-so"));
            outcome.changes("gateway.disabled", 1);
        },
    },
    Rivalry {
        name: "two reboot now",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "reboot.requested", does: reboot_now },
            Rival { extension: "1004", deed: "reboot.requested", does: reboot_now },
        ],
        after: |outcome| {
            outcome.one("reboot-in", "reboot-already-waiting");
            assert_eq!(outcome.ledger.reboots, 1);
        },
    },
    Rivalry {
        name: "two cancel one reboot",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "reboot.cancelled", does: request_and_cancel },
            Rival { extension: "1004", deed: "reboot.cancelled", does: cancel },
        ],
        after: |outcome| {
            outcome.one("reboot-cancelled", "reboot-none-waiting");
            assert_eq!(outcome.ledger.reboots, 0);
        },
    },
    Rivalry {
        name: "a reboot is cancelled by two as it starts",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "reboot.cancelled", does: cancel_at_the_end },
            Rival { extension: "1004", deed: "reboot.cancelled", does: cancel_another_s },
        ],
        after: |outcome| {
            let reboots = outcome.ledger.reboots as usize;
            assert_eq!(outcome.done("reboot.cancelled") + reboots, 1, "it was cancelled once, or it has started");
            // The first one may hear at the end of the countdown that it was cancelled, or cut just that short by a
            // star that came too late.
            let is_cut_short = outcome.heard(0, "maintenance-menu") && !outcome.heard(0, "reboot-cancelled");
            let told = [
                if is_cut_short {
                    "reboot-cancelled"
                } else {
                    outcome.told(0, &["reboot-cancelled", "reboot-none-waiting", "reboot-started"])
                },
                outcome.told(1, &["reboot-cancelled", "reboot-none-waiting"]),
            ];
            assert_eq!(told.contains(&"reboot-cancelled"), reboots == 0, "{told:?} with {reboots} reboots");
            assert!(told[0] != "reboot-started" || reboots == 1, "it was told that it starts");
        },
    },
    Rivalry {
        name: "a reboot is cancelled under its countdown",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "reboot.ask", does: wait_for_the_reboot },
            Rival { extension: "1004", deed: "reboot.cancelled", does: cancel_another_s },
        ],
        after: |outcome| {
            let is_cancelled = outcome.ledger.reboots == 0;
            let told = outcome.told(1, &["reboot-cancelled", "reboot-none-waiting"]);
            assert_eq!(told == "reboot-cancelled", is_cancelled);
            let told = outcome.told(0, &["reboot-cancelled", "reboot-started"]);
            assert_eq!(told == "reboot-cancelled", is_cancelled, "{told} was told at the end of the countdown");
        },
    },
    Rivalry {
        name: "two back up",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "backup.requested", does: back_up },
            Rival { extension: "1004", deed: "backup.requested", does: back_up },
        ],
        after: |outcome| {
            let first = outcome.first();
            assert!(outcome.heard(first, "backup-started"));
            // By then the first one may be done, and another is made.
            let told = outcome.told(1 - first, &["backup-already-running", "backup-started"]);
            assert_eq!(outcome.ledger.backups.len(), if told == "backup-started" { 2 } else { 1 });
        },
    },
];

fn set_night(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_mode().keys("2").hear("until-when").meet();
    script.push(Step::Wait(random.below(1200)));
    script.keys("#");
    ends(script, &["mode-night"]);
}

fn set_holiday_for_two_hours(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_mode().keys("3").hear("until-when").meet();
    script.push(Step::Wait(random.below(200)));
    script.keys("2#");
    ends(script, &["mode-holiday"]);
}

fn ask_member(script: &mut Script, key: &str) {
    script.log_in_plainly().open_item("4", "3", 1).hear("group-menu").keys(key).hear("group-enter-extension").meet();
}

fn add_1006(script: &mut Script, random: &mut Random) {
    ask_member(script, "2");
    script.push(Step::Wait(random.below(300)));
    script.keys("1006#");
    ends(script, &["member-added", "already-so"]);
}

fn add_1008(script: &mut Script, random: &mut Random) {
    ask_member(script, "2");
    script.push(Step::Wait(random.below(300)));
    script.keys("1008#");
    ends(script, &["member-added"]);
}

fn add_1006_slowly(script: &mut Script, random: &mut Random) {
    ask_member(script, "2");
    script.push(Step::Wait(random.below(4000)));
    script.keys("1006#");
    ends(script, &["member-added", "extension-unknown"]);
}

fn remove_1005(script: &mut Script, random: &mut Random) {
    ask_member(script, "3");
    script.push(Step::Wait(random.below(300)));
    script.keys("1005#");
    ends(script, &["member-removed", "group-not-a-member"]);
}

fn choose(script: &mut Script, random: &mut Random, recording: &str) {
    script.log_in_plainly().open_item("4", "2", 1).hear("attendant-enter-recording").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys(format!("{recording}#"));
    ends(script, &["attendant-changed"]);
}

fn choose_2(script: &mut Script, random: &mut Random) {
    choose(script, random, "2");
}

fn choose_3(script: &mut Script, random: &mut Random) {
    choose(script, random, "3");
}

fn open_call_center(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_item("4", "4", 1).hear("callcenter-menu").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("1");
    ends(script, &["callcenter-opened", "already-so"]);
}

fn disable_line(script: &mut Script, random: &mut Random, number: u32) {
    script.log_in_plainly().open_item("5", "1", number).hear("trunk-menu").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("2").hear_any(&["line-disabled", "already-so", "trunk-last-enabled"]);
    script.push(Step::When(
        "trunk-last-enabled",
        vec![Step::Hear("confirm-with-pin"), Step::Keys("*".into()), Step::Hear("trunk-menu")],
    ));
    script.push(Step::Wait(1000));
    script.push(Step::HangUp);
}

fn disable_line_1(script: &mut Script, random: &mut Random) {
    disable_line(script, random, 1);
}

fn disable_line_2(script: &mut Script, random: &mut Random) {
    disable_line(script, random, 2);
}

fn disable_last_gateway(script: &mut Script, _: &mut Random) {
    script.log_in_plainly().open_item("5", "2", 1).hear("trunk-menu").keys("2").hear("trunk-last-enabled");
    script.hear("confirm-with-pin").meet().key_pin();
    ends(script, &["gateway-disabled", "already-so"]);
}

fn reboot_now(script: &mut Script, _: &mut Random) {
    script.log_in_plainly().ask_reboot("1").meet().key_pin();
    ends(script, &["reboot-in", "reboot-already-waiting"]);
}

/// Requests one for when no call is left, which the other caller then finds.
fn request_and_cancel(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().ask_reboot("2").key_pin().hear("reboot-waiting").hear("reboot-menu").meet().meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("3");
    ends(script, &["reboot-cancelled", "reboot-none-waiting"]);
}

fn cancel(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_maintenance().meet().keys("3").hear("reboot-is-waiting").hear("reboot-menu").meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("3");
    ends(script, &["reboot-cancelled", "reboot-none-waiting"]);
}

fn cancel_at_the_end(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().ask_reboot("1").key_pin().hear("press-star-to-cancel").meet();
    script.push(Step::Wait(random.between(5000, 10_000)));
    // The countdown may have ended.
    script.push(Step::KeysUnless(&["reboot-cancelled", "reboot-started"], "*"));
    ends(script, &["reboot-cancelled", "reboot-none-waiting", "reboot-started", "maintenance-menu"]);
}

fn wait_for_the_reboot(script: &mut Script, _: &mut Random) {
    script.log_in_plainly().ask_reboot("1").key_pin().hear("press-star-to-cancel").meet();
    ends(script, &["reboot-cancelled", "reboot-started"]);
}

fn cancel_another_s(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_maintenance().meet().keys("3").hear("reboot-menu");
    script.push(Step::Wait(random.between(3000, 8500)));
    script.keys("3");
    ends(script, &["reboot-cancelled", "reboot-none-waiting"]);
}

fn back_up(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_maintenance().meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("1");
    ends(script, &["backup-started", "backup-already-running"]);
}
