use super::*;

#[test]
fn a_key_stops_the_clip_at_once() {
    let mut caller = Caller::new();
    caller.begins_to_hear("welcome enter-extension").holds('1').hears_nothing();
}

#[test]
fn keys_before_the_answer_are_kept() {
    let mut caller = Caller::new();
    caller.dialogue = Dialogue::new(Limits::default(), CallerInfo::default(), caller.now);
    caller.playing = None;
    caller.dials("1000#").hears_nothing();
    caller.input(Input::Answered);
    caller.begins_to_hear("enter-pin");
}

#[test]
fn keys_typed_ahead_of_everything_are_kept_in_order() {
    let mut caller = Caller::new();
    caller.store_is_slow().dials("1000#61849273#3100").store_replies().dials("5#1").store_replies();
    caller.asked("login user.open voicemail_pin.reset").is_at("temporary-pin-menu");
}

#[test]
fn the_33rd_key_typed_ahead_is_dropped() {
    for (helps, heard) in [(31, MY_MENU), (30, MAIN_OF_1000)] {
        let mut caller = Caller::new();
        caller.store_is_slow().dials("1000#61849273#").dials(&"0".repeat(helps)).dials("1*").store_replies();
        caller.begins_to_hear(heard);
    }
}

#[test]
fn pound_in_a_menu_does_nothing() {
    let mut caller = Caller::logged_in("1004");
    caller.begins_to_hear(MAIN_OF_1004).dials("##").begins_to_hear(MAIN_OF_1004).hears(MAIN_OF_1004).dials("###");
    caller.hears_nothing().is_at("main-menu").dials("1").hears(MY_MENU);
}

#[test]
fn zero_in_a_menu_is_help() {
    let mut caller = Caller::logged_in("1004");
    caller
        .dials("0")
        .hears(&format!("menu-help {MAIN_OF_1004}"))
        .dials("60")
        .hears(&format!("menu-help {MAINTENANCE_MENU}"));
}

#[test]
fn a_wrong_key_is_told_and_the_third_in_a_row_ends_the_call() {
    let mut caller = Caller::logged_in("1004");
    caller
        .dials("9")
        .hears(&format!("invalid-key {MAIN_OF_1004}"))
        .dials("9")
        .hears(&format!("invalid-key {MAIN_OF_1004}"));
    caller.dials("9").hears("goodbye").was_hung_up().asked_nothing();
}

#[test]
fn a_right_key_resets_the_count_of_wrong_ones() {
    let mut caller = Caller::logged_in("1004");
    caller.dials("99").dials("0").dials("99").dials("6").dials("99").is_at("maintenance-menu");
    caller.dials("*").dials("99").is_at("main-menu");
    // Another kind of nothing, pound, does not.
    caller.dials("#9").hears("goodbye").was_hung_up();
}

#[test]
fn a_key_that_is_not_allowed_is_like_one_that_does_not_exist_and_is_noted() {
    let mut caller = Caller::logged_in("1004");
    caller.dials("2").hears(&format!("invalid-key {MAIN_OF_1004}"));
    let noted = caller.asked.pop();
    assert_eq!(noted, Some(Action::NoteDenied { function: "main-recordings" }));
    // A key that nobody has.
    caller.dials("0").finishes_hearing().dials("9").hears(&format!("invalid-key {MAIN_OF_1004}")).asked_nothing();
    let mut caller = Caller::logged_in("1003");
    caller.dials("6").hears(&format!("invalid-key {MAIN_OF_1003}")).asked("menu.denied");
}

/// One who presses it on and on, with a key between that ends the row of wrong ones, writes three notes and no more.
#[test]
fn a_function_that_is_denied_is_noted_a_few_times_and_one_at_a_time() {
    let noted = |caller: &Caller| caller.asked.iter().filter(|action| action.name() == "menu.denied").count();
    let mut caller = Caller::logged_in("1004");
    caller.asked.clear();
    for _ in 0..20 {
        caller.dials("2").dials("0");
    }
    assert_eq!(noted(&caller), 3);
    caller.dials("3").dials("0");
    assert_eq!(noted(&caller), 4, "another function has its own");

    let mut caller = Caller::logged_in("1004");
    caller.asked.clear();
    caller.store_is_slow();
    for _ in 0..10 {
        caller.dials("2").dials("0").dials("3").dials("0");
    }
    assert_eq!(noted(&caller), 1, "while the store has not answered");
}

#[test]
fn what_was_typed_after_a_wrong_key_is_dropped() {
    let mut caller = Caller::new();
    caller.store_is_slow().dials("1004#29618374#963129618374#").store_replies();
    caller.hears(&format!("invalid-key {MAIN_OF_1004}")).asked("login");
}

#[test]
fn three_silences_end_the_call() {
    let mut caller = Caller::new();
    caller.hears("welcome enter-extension").waits_ms(7_999).hears_nothing().waits_ms(1);
    caller.hears("enter-extension").waits(8).hears("enter-extension").waits(8).hears("goodbye").was_hung_up();
}

#[test]
fn a_key_ends_the_row_of_silences() {
    let mut caller = Caller::logged_in("1004");
    caller.finishes_hearing().waits(8).finishes_hearing().waits(8).finishes_hearing().dials("0");
    caller.finishes_hearing().waits(8).hears(MAIN_OF_1004).waits(8).hears(MAIN_OF_1004).waits(8).hears("goodbye");
}

#[test]
fn silence_is_counted_from_the_end_of_the_prompt() {
    let mut caller = Caller::new();
    caller.waits(100).begins_to_hear("welcome enter-extension").finishes_hearing().waits(7).hears_nothing();
    caller.waits(1).begins_to_hear("enter-extension");
}

#[test]
fn an_entry_that_is_not_ended_is_asked_for_again() {
    let mut caller = Caller::new();
    caller.dials("10").waits_ms(2800).hears_nothing().waits_ms(100).hears("enter-extension");
    caller.dials("1000#").hears("enter-pin");
}

#[test]
fn an_entry_that_was_cleared_has_the_time_of_a_first_key() {
    let mut caller = Caller::new();
    caller.dials("10*").waits_ms(7800).hears_nothing().waits_ms(100).begins_to_hear("enter-extension");
}

#[test]
fn a_held_key_stops_the_timer() {
    let mut caller = Caller::new();
    caller.dials("10").holds('0').waits(60).hears_nothing().releases().waits_ms(2999).hears_nothing();
    caller.waits_ms(1).begins_to_hear("enter-extension");
    let mut caller = Caller::logged_in("1004");
    caller.holds('1').hears(MY_MENU).waits(60).hears_nothing().releases().waits(8).begins_to_hear(MY_MENU);
}

#[test]
fn the_longest_call() {
    let mut caller = Caller::logged_in("1004");
    let began = caller.now;
    while caller.dialogue.place() == "main-menu" {
        caller.dials("0").finishes_hearing().waits(2);
    }
    let lasted = caller.now.since(began).as_secs();
    assert!((1790..1810).contains(&lasted), "{lasted} s");
    caller.hears("goodbye").was_hung_up();
}

#[test]
fn the_longest_call_ends_in_the_middle_of_a_prompt_or_a_request() {
    let mut caller = Caller::new();
    caller.waits(1799).begins_to_hear("welcome enter-extension").waits(1).hears("goodbye").was_hung_up();
    let mut caller = Caller::new();
    caller.store_is_slow().dials("1000#61849273#").waits(1800).begins_to_hear("goodbye").store_replies();
    caller.hears("goodbye").was_hung_up();
}

#[test]
fn a_goodbye_whose_end_is_never_reported_does_not_hold_the_line() {
    let mut caller = Caller::logged_in("1004");
    caller.dials("*").begins_to_hear("goodbye").waits(19).is_on_the_line().waits(1).was_hung_up();
}

#[test]
fn keys_do_not_cut_the_goodbye_short() {
    let mut caller = Caller::logged_in("1004");
    caller.dials("*").dials("123*#").begins_to_hear("goodbye").is_on_the_line().hears("goodbye").was_hung_up();
}

#[test]
fn a_completion_with_an_old_ticket_is_ignored() {
    let mut caller = Caller::new();
    let (old, _) = caller.playing.clone().expect("a prompt");
    caller.dials("1").input(Input::Played(old));
    caller.hears_nothing().dials("000#").begins_to_hear("enter-pin");
    let before = caller.dialogue.state();
    caller.input(Input::Played(old));
    caller.input(Input::Replied(old, Reply::Done));
    caller.input(Input::Recorded(old, Take { audio: audio(10), verdict: None }));
    assert_eq!(caller.dialogue.state(), before);
    caller.begins_to_hear("enter-pin");
}

#[test]
fn hanging_up_anywhere_is_the_end() {
    let mut caller = Caller::new();
    caller.dials("1000#618").hangs_up().asked_nothing().is_at("over");
    caller.input(Input::Key(Key::Star));
    caller.input(Input::Answered);
    caller.waits(3600).asked_nothing().is_at("over");
    assert_eq!(caller.dialogue.poll_timeout(), None);
}

#[test]
fn a_call_that_is_never_answered_ends() {
    let mut dialogue = Dialogue::new(Limits::default(), CallerInfo::default(), Mono(0));
    let due = dialogue.poll_timeout().expect("a timer");
    dialogue.handle_timeout(due);
    assert_eq!(dialogue.poll_output(), Some(Output::HangUp));
    assert_eq!(dialogue.poll_output(), None);
}

#[test]
fn a_dialogue_is_small() {
    assert!(size_of::<Dialogue>() <= 640, "{} bytes", size_of::<Dialogue>());
    assert!(size_of::<Output>() <= 80, "{} bytes", size_of::<Output>());
}
