//! The longest call ends while a take is being kept.

use super::*;

/// In the review of a take of recording 2, a second before the call is too long.
fn in_review_at_the_end() -> Caller {
    let mut caller = Caller::logged_in("1002");
    caller.dials("22#").finishes_hearing().dials("2").finishes_hearing().finishes_hearing().is_recorded();
    let ends = caller.dialogue.poll_timeout().expect("the longest call");
    let left = u64::try_from(ends.since(caller.now).as_millis()).expect("minutes");
    caller.waits_ms(left - 20_000).dials("#").take_arrives(800, None).hears(REVIEW_MENU);
    caller.now = ends - Duration::from_secs(1);
    caller.asked.clear();
    caller
}

#[test]
fn a_take_that_is_being_kept_at_the_end_is_kept_or_a_draft() {
    let mut caller = in_review_at_the_end();
    caller.store_is_slow().store_refuses(Refusal::TryLater).dials("2").asked("recording.changed");
    caller.waits(2).hears_nothing().is_on_the_line().store_replies().asked("recording.draft_saved");
    caller.hears("goodbye").was_hung_up();

    let mut caller = in_review_at_the_end();
    caller.store_is_slow().dials("2").waits(2).hears_nothing().store_replies().asked("recording.changed");
    caller.hears("goodbye").was_hung_up();
    assert_eq!(caller.store.recordings[1].1, Some(audio(800)));
}

#[test]
fn a_store_that_does_not_answer_holds_the_end_up_for_no_longer_than_any_caller() {
    let mut caller = in_review_at_the_end();
    caller
        .store_is_slow()
        .dials("2")
        .waits(9)
        .hears_nothing()
        .waits(1)
        .asked("recording.changed recording.draft_saved");
    caller.hears("goodbye").was_hung_up();
}

#[test]
fn what_else_is_asked_at_the_end_is_not_waited_for() {
    let mut caller = in_review_at_the_end();
    caller.store_is_slow().dials("*").finishes_hearing().dials("5").waits(2).hears("goodbye").was_hung_up();
}
