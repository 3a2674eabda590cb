//! Rivals about recordings.

use super::{Outcome, Rival, Rivalry, ends, nothing};
use crate::world::random::Random;
use crate::world::script::{Script, Step};

pub const RIVALRIES: &[Rivalry] = &[
    Rivalry {
        name: "two keep a take of one recording",
        before: nothing,
        callers: [
            Rival { extension: "1001", deed: "recording.changed", does: keep },
            Rival { extension: "1002", deed: "recording.changed", does: keep },
        ],
        after: |outcome| {
            outcome.both(["recording-saved"; 2]);
            outcome.changes("recording.changed", 2);
            assert_eq!((outcome.ledger.kept(3), outcome.ledger.live(3)), (3, 2), "both takes are there");
        },
    },
    Rivalry {
        name: "one keeps a take, the other goes back to the factory version",
        before: |ledger| ledger.keep_by_account("1000", 3),
        callers: [
            Rival { extension: "1001", deed: "recording.changed", does: keep },
            Rival { extension: "1002", deed: "recording.restored", does: back_to_factory },
        ],
        after: |outcome| {
            outcome.both(["recording-saved", "recording-restored"]);
            assert_eq!(outcome.ledger.kept(3), 3, "the take is there, whatever is live");
            assert_eq!(outcome.ledger.live(3), if outcome.first() == 0 { 0 } else { 2 }, "the later one is live");
        },
    },
    Rivalry {
        name: "two go back to the previous version",
        before: |ledger| ledger.keep_by_account("1000", 3),
        callers: [
            Rival { extension: "1001", deed: "recording.restored", does: back },
            Rival { extension: "1002", deed: "recording.restored", does: back },
        ],
        after: |outcome| {
            outcome.one("recording-restored", "recording-nothing-older");
            assert_eq!(outcome.ledger.live(3), 0);
        },
    },
    Rivalry {
        name: "a take is kept while another undoes the one before it",
        before: |ledger| ledger.keep_by_account("1001", 3),
        callers: [
            Rival { extension: "1002", deed: "recording.changed", does: keep_slowly },
            Rival { extension: "1001", deed: "change.undone", does: undo_first },
        ],
        after: undone_or_changed_since,
    },
    Rivalry {
        name: "the right to record goes while a take is in review",
        before: nothing,
        callers: [
            Rival { extension: "1002", deed: "recording.changed", does: keep_if_still_allowed },
            Rival { extension: "1000", deed: "role.removed", does: take_role },
        ],
        after: |outcome| {
            assert!(outcome.heard(1, "role-removed"));
            let told = outcome.told(0, &["recording-saved", "no-longer-allowed"]);
            assert_eq!(told == "recording-saved", outcome.first() == 0);
            assert_eq!(outcome.ledger.live(3), usize::from(outcome.first() == 0));
            assert!(!outcome.ledger.has_draft(3), "whoever may not record leaves no draft");
        },
    },
];

fn in_review(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_recording(3).keys("2").take(random).meet();
    script.push(Step::Wait(random.below(800)));
}

fn keep(script: &mut Script, random: &mut Random) {
    in_review(script, random);
    script.keys("2");
    ends(script, &["recording-saved"]);
}

/// About when a PIN is keyed that is keyed meanwhile.
fn keep_slowly(script: &mut Script, random: &mut Random) {
    in_review(script, random);
    script.push(Step::Wait(random.below(6000)));
    script.keys("2");
    ends(script, &["recording-saved"]);
}

fn keep_if_still_allowed(script: &mut Script, random: &mut Random) {
    in_review(script, random);
    // About as long as a PIN takes.
    script.push(Step::Wait(random.below(5000)));
    script.keys("2");
    ends(script, &["recording-saved", "no-longer-allowed"]);
}

fn take_role(script: &mut Script, _: &mut Random) {
    let role = switchhook::access::Role::PhoneAdministrator;
    script.log_in_plainly().ask_role(role, "3", "1002").meet().key_pin();
    ends(script, &["role-removed"]);
}

fn back_to_factory(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_recording(3).meet();
    script.push(Step::Wait(random.below(800)));
    script.keys("4");
    ends(script, &["recording-restored"]);
}

fn back(script: &mut Script, random: &mut Random) {
    script.log_in_plainly().open_recording(3).meet();
    script.push(Step::Wait(random.below(300)));
    script.keys("3");
    ends(script, &["recording-restored", "recording-nothing-older"]);
}

/// Undoes the first change of all, which was made before the calls.
pub(super) fn undo_first(script: &mut Script, _: &mut Random) {
    script.log_in_plainly().keys("8").hear("changes-menu").keys("2").hear("changes-enter-number").keys("1#");
    script.hear("confirm-with-pin").meet().key_pin();
    ends(script, &["change-undone", "change-changed-since", "change-already-undone"]);
}

fn undone_or_changed_since(outcome: &Outcome<'_>) {
    let told = outcome.told(1, &["change-undone", "change-changed-since"]);
    assert!(outcome.heard(0, "recording-saved"));
    assert_eq!(told == "change-undone", outcome.first() == 1);
    assert_eq!((outcome.ledger.kept(3), outcome.ledger.live(3)), (3, 2), "the new take is live in any case");
}
