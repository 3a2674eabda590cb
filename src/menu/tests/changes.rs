use super::replies::told;
use super::*;

const MENU: &str = "changes-menu changes-hear changes-undo";
const PIN: &str = "29618374#";
/// Change 42 of the store of the tests.
const MODE: &str = "change-number digit-4 digit-2 change-mode digit-1 digit-0 digit-0 digit-5 change-by digit-1 digit-0 \
                    digit-0 digit-0 audio-80 date-on weekday-1 month-3 day-3 number-20 number-20 number-6 time-at \
                    number-7 time-oh number-5 time-pm";

fn at_changes() -> Caller {
    let mut caller = Caller::logged_in("1004");
    caller.dials("8").hears(MENU);
    caller
}

#[test]
fn the_last_changes_are_heard() {
    let mut caller = at_changes();
    caller.dials("1").asked("change.list").hears(&format!("{MODE} {MENU}"));
    let mut other = told("something.else");
    other.target = "greeting of 12".to_owned();
    other.at = None;
    caller.store.changes.push(other);
    let outside = "change-number digit-4 digit-2 change-other change-by-shell";
    caller.dials("1").hears(&format!("{MODE} {outside} {MENU}"));
    caller.store.changes.clear();
    caller.dials("1").hears(&format!("changes-none {MENU}")).dials("*").hears(MAIN_OF_1004);
}

#[test]
fn five_of_the_longest_changes_fit_a_playlist() {
    let mut long = told("recording.changed");
    long.number = crate::model::ChangeNumber(i64::MAX);
    long.target = "1234567890123456".to_owned();
    if let Some(person) = &mut long.by {
        person.extension = Extension::parse("1234567890123456").expect("an extension");
    }
    let mut caller = at_changes();
    caller.store.changes = vec![long; 5];
    caller.dials("1");
    let sounds = caller.playing.as_ref().map_or(0, |(_, sounds)| sounds.len());
    assert!((300..=crate::media::player::PLAYLIST_MAX).contains(&sounds), "{sounds}");
}

#[test]
fn a_change_is_undone_with_the_callers_pin() {
    let mut caller = at_changes();
    caller.dials("2").hears("changes-enter-number").dials("42#").asked("change.undone?");
    caller
        .hears(&format!("change-undo-confirm {MODE} confirm-with-pin"))
        .dials("1#")
        .hears("pin-wrong confirm-with-pin");
    caller.dials(PIN).asked("change.undone change.undone");
    caller.hears(&format!("change-undone change-number digit-4 digit-2 {MENU}"));
}

#[test]
fn refusals_come_before_any_pin() {
    for (refusal, heard) in [
        (Refusal::CannotUndo, format!("change-cannot-be-undone {MENU}")),
        (Refusal::ChangedSince, format!("change-changed-since {MENU}")),
        (Refusal::AlreadyUndone, format!("change-already-undone {MENU}")),
        (Refusal::NotAllowed, format!("change-not-allowed {MENU}")),
        (Refusal::NotAllowedForThisAccount, format!("not-allowed-for-this-account {MENU}")),
        (Refusal::LastServerAdministrator, format!("last-server-administrator {MENU}")),
        (Refusal::NoLongerAllowed, format!("no-longer-allowed {MAIN_OF_1004}")),
        (Refusal::Unknown, "change-unknown changes-enter-number".to_owned()),
        (Refusal::TryLater, format!("failed-try-later {MENU}")),
    ] {
        let mut caller = at_changes();
        caller.dials("2").store_refuses(refusal).dials("42#").hears(&heard);
        let mut caller = at_changes();
        caller.dials("242#").store_refuses(refusal).dials(PIN).hears(&heard);
    }
}

#[test]
fn a_number_that_is_none() {
    let mut caller = at_changes();
    caller.dials("2").dials("123456789#").hears("change-unknown changes-enter-number").asked_nothing().dials("43#");
    caller.hears("change-unknown changes-enter-number").dials("#").hears("changes-enter-number").dials("*").hears(MENU);
}

#[test]
fn so_many_digits_of_what_was_changed_are_said_and_no_more() {
    let said = "change-number digit-4 digit-2 change-other";
    for (digits, heard) in [(15, 15), (16, 16), (17, 16), (40, 16)] {
        let mut caller = at_changes();
        let mut change = told("something.else");
        change.target = "7".repeat(digits);
        change.at = None;
        caller.store.changes = vec![change];
        caller.dials("1").hears(&format!("{said} {}change-by-shell {MENU}", "digit-7 ".repeat(heard)));
    }
}
