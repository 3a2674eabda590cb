use super::*;
use crate::model::Civil;

fn at_recording_2() -> Caller {
    let mut caller = Caller::logged_in("1002");
    caller.dials("22#").hears(&format!("recording-number digit-2 recording-is-changed {RECORDING_MENU}"));
    caller.asked("recording.open");
    caller
}

fn recording_at_2() -> Caller {
    let mut caller = at_recording_2();
    caller.dials("2").hears("record-after-beep").is_at("record").hears("beep").is_recorded();
    caller
}

fn in_review_of_2() -> Caller {
    let mut caller = recording_at_2();
    caller.dials("#").take_arrives(800, None).hears(REVIEW_MENU).is_at("review-menu");
    caller
}

#[test]
fn a_recording_is_opened_by_number() {
    let mut caller = Caller::logged_in("1002");
    caller.dials("2").hears("recordings-enter-number").dials("1#");
    caller.hears(&format!("recording-number digit-1 recording-is-factory {RECORDING_MENU}"));
    caller.dials("*").hears("recordings-enter-number").dials("0012#");
    caller.hears(&format!("recording-number digit-1 digit-2 recording-is-changed {RECORDING_MENU}"));
    caller.dials("**").hears(MAIN_OF_1002);
}

#[test]
fn a_number_that_is_none_is_unknown() {
    let mut caller = Caller::logged_in("1002");
    caller.dials("2");
    for number in ["3", "0", "00000000", "99999999"] {
        caller.dials(&format!("{number}#")).hears("recording-unknown recordings-enter-number");
    }
    caller.asked("recording.open recording.open");
    caller.dials("000000001#").asked_nothing().hears("recording-unknown recordings-enter-number");
}

#[test]
fn the_list_is_gone_through() {
    let mut caller = Caller::logged_in("1002");
    caller.dials("2#").asked("recording.list").hears("recording-number digit-1 list-menu");
    caller.dials("#").hears("recording-number digit-2 list-menu");
    caller.dials("0").hears("menu-help list-menu");
    caller.dials("#").hears("recording-number digit-1 digit-2 list-menu");
    caller.dials("#").hears("end-of-list recordings-enter-number");
    caller.dials("###").hears("recording-number digit-1 digit-2 list-menu").dials("*");
    caller.hears("recordings-enter-number").dials("##").hears("recording-number digit-2 list-menu");
    caller.dials("1").hears(&format!("recording-number digit-2 recording-is-changed {RECORDING_MENU}"));
}

#[test]
fn a_list_of_nothing() {
    let mut caller = Caller::logged_in("1002");
    caller.store.recordings.clear();
    caller.dials("2#").hears(&format!("recordings-none {MAIN_OF_1002}"));
}

#[test]
fn the_live_version_is_listened_to() {
    at_recording_2().dials("1").hears(&format!("audio-200 {RECORDING_MENU}"));
    let mut caller = Caller::logged_in("1002");
    caller.dials("212#1").hears(&format!("recording-empty {RECORDING_MENU}"));
}

#[test]
fn a_take_is_recorded_and_kept() {
    let mut caller = in_review_of_2();
    caller.asked_nothing().dials("2").asked("recording.changed");
    caller.hears(&format!("recording-saved change-number digit-4 digit-2 {RECORDING_MENU}"));
    caller.dials("1").begins_to_hear(&format!("audio-800 {RECORDING_MENU}"));
}

#[test]
fn a_take_is_played_recorded_again_and_discarded() {
    let mut caller = in_review_of_2();
    caller.dials("1").hears(&format!("audio-800 {REVIEW_MENU}")).dials("0").hears(REVIEW_MENU);
    caller.dials("3").hears("record-after-beep").hears("beep").dials("#").take_arrives(900, None);
    caller.hears(REVIEW_MENU).dials("1").hears(&format!("audio-900 {REVIEW_MENU}"));
    caller.dials("*").hears(&format!("recording-discarded {RECORDING_MENU}")).asked("");
    caller.hangs_up().asked_nothing();
}

#[test]
fn a_recording_that_ends_by_itself_is_reviewed() {
    recording_at_2().take_arrives(800, None).hears(REVIEW_MENU);
}

#[test]
fn a_verdict_comes_before_the_review() {
    for (verdict, clip) in [
        (Verdict::TooShort, "take-too-short"),
        (Verdict::TooQuiet, "take-too-quiet"),
        (Verdict::Clipped, "take-clipped"),
        (Verdict::Silent, "take-silent"),
    ] {
        recording_at_2().dials("#").take_arrives(800, Some(verdict)).hears(&format!("{clip} {REVIEW_MENU}"));
    }
}

#[test]
fn a_take_with_nothing_in_it_cannot_be_kept() {
    let mut caller = recording_at_2();
    caller.dials("#").take_arrives(0, None).hears(&format!("take-silent {REVIEW_MENU}"));
    caller.dials("2").hears(&format!("take-silent {REVIEW_MENU}"));
    caller.dials("1").hears(&format!("take-silent {REVIEW_MENU}"));
    caller.hangs_up().asked_nothing();
}

#[test]
fn star_while_recording_drops_it() {
    let mut caller = recording_at_2();
    caller.dials("12340").is_recorded().dials("*").hears(&format!("recording-discarded {RECORDING_MENU}"));
    let mut caller = at_recording_2();
    caller.dials("2*").hears(RECORDING_MENU).dials("2").hears("record-after-beep").dials("*").hears(RECORDING_MENU);
    caller.asked_nothing();
}

#[test]
fn star_while_recording_again_keeps_the_take_before() {
    let mut caller = in_review_of_2();
    caller.dials("3").hears("record-after-beep").hears("beep").dials("*");
    caller.hears(&format!("recording-discarded {REVIEW_MENU}")).dials("1").hears(&format!("audio-800 {REVIEW_MENU}"));
}

#[test]
fn a_recording_empties_the_type_ahead() {
    let mut caller = at_recording_2();
    // What follows the 2 was typed ahead: it cuts no prompt, ends no recording and keeps no take.
    caller.store_is_slow().dials("*2#").dials("2#*2").store_replies();
    caller.hears("record-after-beep").hears("beep").is_recorded();
    caller.dials("#").take_arrives(800, None).hears(REVIEW_MENU).asked("recording.open");
}

#[test]
fn a_key_cuts_the_prompt_before_the_beep() {
    let mut caller = at_recording_2();
    caller.dials("2").begins_to_hear("record-after-beep").dials("#").hears("beep").is_recorded();
}

#[test]
fn keys_during_the_beep_are_not_for_the_recording() {
    let mut caller = at_recording_2();
    caller.dials("2").hears("record-after-beep").dials("#5").hears("beep").is_recorded();
    caller.dials("#").take_arrives(800, None).hears(REVIEW_MENU);
}

#[test]
fn keys_after_the_end_of_a_recording_wait_for_its_review() {
    let mut caller = recording_at_2();
    caller.dials("#2").take_arrives(800, None).asked("recording.changed");
    caller.hears(&format!("recording-saved change-number digit-4 digit-2 {RECORDING_MENU}"));
}

#[test]
fn older_versions_are_restored() {
    let mut caller = at_recording_2();
    caller.dials("3").asked("recording.restored");
    caller.hears(&format!("recording-restored change-number digit-4 digit-2 {RECORDING_MENU}"));
    caller.dials("4").hears(&format!("recording-restored change-number digit-4 digit-3 {RECORDING_MENU}"));
    let mut caller = Caller::logged_in("1002");
    caller.dials("21#3").hears(&format!("recording-nothing-older {RECORDING_MENU}"));
}

#[test]
fn who_changed_it_last() {
    let on = "date-on weekday-1 month-3 day-3 number-20 number-20 number-6 time-at number-7 time-oh number-5 time-pm";
    let by = "recording-changed-by digit-1 digit-0 digit-0 digit-2 audio-1002";
    at_recording_2().dials("5").hears(&format!("{by} {on} {RECORDING_MENU}"));
    let at = Some(Civil { year: 2026, month: 3, day: 3, weekday: 1, hour: 19, minute: 5 });
    let mut caller = at_recording_2();
    caller.store_will(Reply::Who { by: None, spoken_name: None, at }).dials("5");
    caller.hears(&format!("recording-changed-by-shell {on} {RECORDING_MENU}"));
    caller.store_will(Reply::Who { by: None, spoken_name: None, at: None }).dials("5");
    caller.hears(&format!("recording-never-changed {RECORDING_MENU}"));
}

#[test]
fn a_recording_deleted_meanwhile_is_unknown() {
    for key in ["1", "3", "4", "5"] {
        let mut caller = at_recording_2();
        caller.store_refuses(Refusal::Unknown).dials(key).hears("recording-unknown recordings-enter-number");
    }
    let mut caller = in_review_of_2();
    caller.store_refuses(Refusal::Unknown).dials("2").hears("recording-unknown recordings-enter-number");
}

#[test]
fn a_take_that_could_not_be_kept_is_still_in_review() {
    let mut caller = in_review_of_2();
    caller.store_refuses(Refusal::TryLater).dials("2").hears(&format!("failed-try-later {REVIEW_MENU}"));
    caller.dials("2").hears(&format!("recording-saved change-number digit-4 digit-2 {RECORDING_MENU}"));
}

#[test]
fn a_right_that_was_taken_away_leaves_the_rest() {
    let mut caller = in_review_of_2();
    caller.store_refuses(Refusal::NoLongerAllowed).dials("2");
    caller
        .hears("no-longer-allowed main-menu main-my-settings main-users main-attendants main-maintenance main-changes")
        .asked("recording.changed");
    caller
        .dials("2")
        .hears("invalid-key main-menu main-my-settings main-users main-attendants main-maintenance main-changes")
        .asked("menu.denied");
    caller.hangs_up().asked_nothing();
}

#[test]
fn hanging_up_leaves_a_draft() {
    in_review_of_2().hangs_up().asked("recording.draft_saved");
    recording_at_2().hangs_up_having_said(700).asked("recording.draft_saved");
    recording_at_2().dials("#").hangs_up_having_said(700).asked("recording.draft_saved");
    recording_at_2().hangs_up_having_said(0).asked_nothing();
    recording_at_2().hangs_up().asked_nothing();
    // A take that is dropped or kept is no draft.
    in_review_of_2().dials("*").hangs_up().asked_nothing();
    in_review_of_2().dials("2").hangs_up().asked("recording.changed");
}

#[test]
fn hanging_up_while_a_take_is_being_kept_leaves_no_draft() {
    in_review_of_2().store_is_slow().dials("2").hangs_up().store_replies().asked("recording.changed");
}

#[test]
fn hanging_up_while_recording_again_leaves_what_there_is() {
    let mut caller = in_review_of_2();
    caller.dials("3").finishes_hearing().finishes_hearing().hangs_up_having_said(0).asked("recording.draft_saved");
    assert_eq!(caller.store.recordings[1].2, Some(audio(800)));
    let mut caller = in_review_of_2();
    caller.dials("3").finishes_hearing().finishes_hearing().hangs_up_having_said(50).asked("recording.draft_saved");
    assert_eq!(caller.store.recordings[1].2, Some(audio(50)));
}

#[test]
fn silence_in_review_keeps_a_draft_and_never_the_take() {
    let mut caller = in_review_of_2();
    caller.waits(8).hears(REVIEW_MENU).waits(8).hears(REVIEW_MENU).waits(8).asked("recording.draft_saved");
    caller.hears("goodbye").was_hung_up();
    assert_eq!(caller.store.recordings[1].1, Some(audio(200)));
}

fn draft_of_2() -> Caller {
    let mut caller = Caller::logged_in("1002");
    caller.store.recordings[1].2 = Some(audio(650));
    caller.dials("22#").hears(&format!("draft-waiting {REVIEW_MENU}")).asked("recording.open");
    caller
}

#[test]
fn a_draft_is_kept() {
    let mut caller = draft_of_2();
    caller.dials("1").hears(&format!("audio-650 {REVIEW_MENU}")).dials("2").asked("recording.changed");
    caller.hears(&format!("recording-saved change-number digit-4 digit-2 {RECORDING_MENU}"));
}

#[test]
fn a_draft_is_discarded() {
    let mut caller = draft_of_2();
    caller.dials("*").asked("recording.draft_discarded");
    caller.hears(&format!("recording-discarded recording-number digit-2 recording-is-changed {RECORDING_MENU}"));
}

#[test]
fn a_draft_that_could_not_be_discarded_is_still_there() {
    let mut caller = draft_of_2();
    caller.store_refuses(Refusal::TryLater).dials("*").hears(&format!("failed-try-later {REVIEW_MENU}"));
    caller.store_refuses(Refusal::Unknown).dials("*").asked("recording.draft_discarded recording.draft_discarded");
    caller
        .begins_to_hear(&format!("recording-discarded recording-number digit-2 recording-is-changed {RECORDING_MENU}"));
}

#[test]
fn a_draft_is_recorded_again() {
    let mut caller = draft_of_2();
    caller.dials("3").hears("record-after-beep").hears("beep").dials("*");
    caller.hears(&format!("recording-discarded {REVIEW_MENU}")).dials("1").hears(&format!("audio-650 {REVIEW_MENU}"));
    caller.dials("3").hears("record-after-beep").hears("beep").dials("#").take_arrives(300, None).hears(REVIEW_MENU);
    // With the new take goes the old draft.
    caller.dials("*").hears(&format!("recording-discarded {RECORDING_MENU}")).asked("recording.draft_discarded");
}

#[test]
fn a_draft_is_not_saved_again() {
    draft_of_2().hangs_up().asked_nothing();
    let mut caller = draft_of_2();
    caller.dials("3").finishes_hearing().finishes_hearing().dials("#").take_arrives(300, None).hangs_up();
    caller.asked("recording.draft_saved");
}

#[test]
fn the_longest_call_ends_a_recording_and_keeps_it() {
    let mut caller = recording_at_2();
    caller.waits_for_the_timer().is_recorded().take_arrives(5000, None).asked("recording.draft_saved");
    caller.hears("goodbye").was_hung_up();
}

#[test]
fn the_longest_call_ends_even_where_the_recording_never_does() {
    let mut caller = recording_at_2();
    caller.waits_for_the_timer().hears_nothing().waits(5).hears("goodbye").was_hung_up().asked_nothing();
    let mut caller = recording_at_2();
    caller.dials("#").waits_for_the_timer().hears_nothing().waits(5).hears("goodbye").was_hung_up();
}
