use super::*;

#[test]
fn the_voicemail_pin_is_changed() {
    let mut caller = Caller::logged_in("1005");
    caller.hears(MY_MENU).dials("1").hears("enter-new-voicemail-pin").dials("730185#").hears("enter-again");
    caller.dials("730185#").asked("voicemail_pin.changed");
    caller.hears("voicemail-pin-changed change-number digit-4 digit-2 my-menu my-voicemail-pin my-account-pin");
}

#[test]
fn pins_that_differ_are_asked_for_again() {
    let mut caller = Caller::logged_in("1005");
    caller.dials("1730185#730186#").asked_nothing().hears("pins-differ enter-new-voicemail-pin");
    caller.dials("730185#730185#").asked("voicemail_pin.changed");
}

#[test]
fn the_reason_why_a_pin_is_refused_is_said() {
    for (refusal, clip) in [
        (Refusal::PinTooShort, "pin-too-short"),
        (Refusal::PinTooSimple, "pin-too-simple"),
        (Refusal::PinUsedBefore, "pin-used-before"),
    ] {
        let mut caller = Caller::logged_in("1005");
        caller.store_refuses(refusal).dials("11#1#").hears(&format!("{clip} enter-new-voicemail-pin"));
        let mut caller = Caller::logged_in("1000");
        caller.dials("15").store_refuses(refusal).dials("61849273#1#1#").hears(&format!("{clip} enter-new-pin"));
        caller
            .dials("73946185#73946185#")
            .begins_to_hear(&format!("account-pin-changed change-number digit-4 digit-2 {MY_MENU}"));
    }
}

#[test]
fn a_pin_of_17_digits_is_too_long() {
    let mut caller = Caller::logged_in("1005");
    caller.dials("112345678901234567#").hears("pin-too-long enter-new-voicemail-pin");
    caller.dials("1234567890123456#12345678901234561#").hears("pins-differ enter-new-voicemail-pin").asked_nothing();
}

#[test]
fn star_goes_back_step_by_step() {
    let mut caller = Caller::logged_in("1000");
    caller.hears(MAIN_OF_1000).dials("15").hears("enter-current-pin").dials("1#").hears("enter-new-pin");
    caller.dials("2#").hears("enter-again").dials("*").hears("enter-new-pin").dials("*").hears("enter-current-pin");
    caller.dials("*").hears(MY_MENU).dials("1").hears("enter-new-voicemail-pin").dials("1#").hears("enter-again");
    caller.dials("*").hears("enter-new-voicemail-pin").dials("*").hears(MY_MENU).dials("*").hears(MAIN_OF_1000);
    caller.asked_nothing();
}

#[test]
fn the_account_pin_is_changed() {
    let mut caller = Caller::logged_in("1000");
    caller.dials("15").hears("enter-current-pin").dials("61849273#").hears("enter-new-pin").dials("73946185#");
    caller.hears("enter-again").dials("73946185#").asked("account_pin.changed");
    caller.hears(&format!("account-pin-changed change-number digit-4 digit-2 {MY_MENU}"));
}

#[test]
fn a_wrong_present_pin_may_be_keyed_once_more() {
    let mut caller = Caller::logged_in("1000");
    caller.dials("15999#73946185#73946185#").hears("pin-wrong enter-current-pin");
    caller.dials("998#73946185#73946185#").hears(&format!("nothing-changed {MY_MENU}"));
    caller.dials("5999#73946185#73946185#").hears("pin-wrong enter-current-pin");
    caller
        .dials("61849273#73946185#73946185#")
        .begins_to_hear(&format!("account-pin-changed change-number digit-4 digit-2 {MY_MENU}"));
}

#[test]
fn a_store_that_cannot_write_is_told() {
    let mut caller = Caller::logged_in("1000");
    caller.dials("11").store_refuses(Refusal::TryLater).dials("730185#730185#");
    caller.hears(&format!("failed-try-later {MY_MENU}"));
    caller.dials("5").store_refuses(Refusal::TryLater).dials("61849273#1#1#");
    caller.hears(&format!("failed-try-later {MY_MENU}"));
}

#[test]
fn an_account_that_was_disabled_is_out() {
    let mut caller = Caller::logged_in("1000");
    caller.dials("11").store_refuses(Refusal::NoLongerAllowed).dials("730185#730185#");
    caller.hears("no-longer-allowed goodbye").was_hung_up();
}

#[test]
fn hanging_up_between_the_two_entries_changes_nothing() {
    Caller::logged_in("1005").dials("1730185#73018").hangs_up().asked_nothing();
    Caller::logged_in("1005").dials("1730185#730185").waits(1800).asked_nothing();
}
