use super::*;

#[test]
fn the_voicemail_pin_is_changed() {
    let mut caller = Caller::logged_in("1005");
    caller.hears(MY_MENU).dials("1").hears("enter-new-voicemail-pin").dials("730185#").hears("enter-again");
    caller.dials("730185#").asked("voicemail_pin.changed");
    caller.hears(&format!("voicemail-pin-changed change-number digit-4 digit-2 {MY_MENU}"));
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

#[test]
fn calls_are_forwarded() {
    const KINDS: &str = "forward-kinds-menu forward-kinds-always forward-kinds-busy forward-kinds-no-answer";
    const MENU: &str = "forward-menu forward-menu-set forward-menu-off";
    let mut caller = Caller::logged_in("1005");
    caller.dials("2").hears(KINDS).dials("1").hears(&format!("forward-is-off {MENU}")).dials("1");
    caller.hears("enter-forward-number").dials("5550#").asked("forwarding.read forwarding.check");
    let read_back = "forward-read-back digit-5 digit-5 digit-5 digit-0 press-1-to-keep";
    caller.hears(read_back).dials("1").asked("forwarding.changed");
    caller.hears(&format!("forward-set change-number digit-4 digit-2 {MENU}")).dials("*").hears(KINDS).dials("1");
    caller.hears(&format!("forward-is-to digit-5 digit-5 digit-5 digit-0 {MENU}")).dials("2");
    caller.hears(&format!("forward-off change-number digit-4 digit-3 {MENU}")).dials("2");
    caller.hears(&format!("forward-is-off {MENU}")).dials("**").hears(MY_MENU);
}

#[test]
fn only_1_forwards_calls() {
    for keys in ["0", "2", "#", "*"] {
        let mut caller = Caller::logged_in("1005");
        caller.dials("2215550#").asked("forwarding.read forwarding.check").dials(keys).asked_nothing();
        caller.hangs_up().asked_nothing();
    }
    let mut caller = Caller::logged_in("1005");
    caller.dials("2215550#").asked("forwarding.read forwarding.check").waits(60).finishes_hearing().waits(60);
    caller.finishes_hearing().waits(60).finishes_hearing().waits(60).hears("goodbye").asked_nothing().was_hung_up();
}

#[test]
fn a_number_that_the_toll_policy_refuses() {
    let mut caller = Caller::logged_in("1005");
    caller.dials("231004912345#").hears("forward-not-allowed enter-forward-number");
    caller.dials(&"1".repeat(33)).dials("#").hears("forward-not-allowed enter-forward-number");
    caller.dials("5550#").store_refuses(Refusal::ForwardNotAllowed).dials("1");
    caller.begins_to_hear("forward-not-allowed forward-menu forward-menu-set forward-menu-off");
}

#[test]
fn do_not_disturb_changes_over() {
    let mut caller = Caller::logged_in("1005");
    caller.dials("3").asked("dnd.changed").hears(&format!("dnd-on change-number digit-4 digit-2 {MY_MENU}"));
    caller.dials("3").hears(&format!("dnd-off change-number digit-4 digit-3 {MY_MENU}"));
}

#[test]
fn a_greeting_is_recorded_heard_restored_and_removed() {
    const MENU: &str = "greeting-menu greeting-listen greeting-record greeting-previous greeting-remove";
    let mut caller = Caller::logged_in("1005");
    caller.dials("4").hears(MENU).dials("1").hears(&format!("recording-empty {MENU}")).dials("4");
    caller.hears(&format!("recording-empty {MENU}")).dials("2").hears("record-after-beep").hears("beep");
    caller.dials("#").take_arrives(700, None).hears(REVIEW_MENU).dials("2");
    caller.asked("greeting.listen greeting.removed greeting.changed");
    caller.hears(&format!("greeting-saved change-number digit-4 digit-2 {MENU}")).dials("1");
    caller.hears(&format!("audio-700 {MENU}")).dials("3");
    caller.hears(&format!("greeting-restored change-number digit-4 digit-3 {MENU}")).dials("4");
    caller.hears(&format!("greeting-removed change-number digit-4 digit-4 {MENU}"));
    caller.store_refuses(Refusal::NothingThere).dials("3").hears(&format!("recording-nothing-older {MENU}"));
    caller.dials("*").hears(MY_MENU);
}

#[test]
fn a_greeting_in_review_is_no_draft() {
    let mut caller = Caller::logged_in("1005");
    caller.dials("42").finishes_hearing().finishes_hearing().hangs_up_having_said(500).asked_nothing();
    let mut caller = Caller::logged_in("1005");
    caller.dials("42").finishes_hearing().finishes_hearing().dials("#").take_arrives(500, None).hangs_up();
    caller.asked_nothing();
}

#[test]
fn a_name_is_recorded_and_heard() {
    let mut caller = Caller::logged_in("1005");
    caller.dials("6").hears("name-menu name-listen name-record").dials("1");
    caller.hears("audio-1002 name-menu name-listen name-record").dials("2").finishes_hearing().finishes_hearing();
    caller.dials("#").take_arrives(300, None).dials("2").asked("name.listen name.changed");
    caller.hears("name-saved change-number digit-4 digit-2 name-menu name-listen name-record");
}

#[test]
fn a_support_pin_is_keyed_twice() {
    let mut caller = Caller::logged_in("1005");
    caller.dials("7").hears("enter-new-support-pin").dials("730185#730186#").hears("pins-differ enter-new-support-pin");
    caller.store_refuses(Refusal::PinTooSimple).dials("111111#111111#").hears("pin-too-simple enter-new-support-pin");
    caller.dials("730185#").hears("enter-again").dials("*").hears("enter-new-support-pin").dials("730185#730185#");
    caller.asked("support_pin.changed support_pin.changed");
    caller.hears(&format!("support-pin-changed change-number digit-4 digit-2 {MY_MENU}"));
}

#[test]
fn all_settings_are_heard_and_no_pin() {
    let mut caller = Caller::logged_in("1005");
    let rest = "settings-name settings-voicemail-pin settings-no-support-pin";
    caller.dials("9").asked("settings.read");
    caller.hears(&format!("forward-is-off dnd-off settings-no-greeting {rest} settings-no-language {MY_MENU}"));
    caller.store.dnd = true;
    caller.store.language = Some(Language::French);
    caller.store.greeting = Some(audio(1));
    caller.store.forwarding[2] = crate::model::PhoneNumber::parse("9");
    let forwarding = "settings-forward-always forward-is-off settings-forward-busy forward-is-off \
                      settings-forward-no-answer forward-is-to digit-9";
    let language = "settings-language language-name-fr";
    caller.dials("9").hears(&format!("{forwarding} dnd-on settings-greeting {rest} {language} {MY_MENU}"));
}
