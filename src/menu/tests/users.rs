use super::*;

const USER_MENU: &str = "user-menu user-voicemail-pin";
const PIN_IS: &str = "temporary-pin-is digit-7 digit-3 digit-0 digit-1 digit-8 digit-5 temporary-pin-menu";

fn at_user_1005() -> Caller {
    let mut caller = Caller::logged_in("1002");
    caller.dials("3").hears("users-enter-extension").dials("1005#").asked("user.open");
    caller.hears(&format!("extension-is digit-1 digit-0 digit-0 digit-5 audio-1005 user-state-enabled {USER_MENU}"));
    caller
}

#[test]
fn a_voicemail_pin_is_reset() {
    let mut caller = at_user_1005();
    caller.dials("1").asked("voicemail_pin.reset");
    caller.hears(&format!("voicemail-pin-reset change-number digit-4 digit-2 {PIN_IS}"));
    caller.dials("1").hears(PIN_IS).dials("0").hears("menu-help temporary-pin-menu");
    caller.dials("#").hears(USER_MENU).dials("*").hears("users-enter-extension").dials("*");
    caller.hears("main-menu main-my-settings main-recordings main-users").asked_nothing();
}

#[test]
fn star_goes_on_after_a_temporary_pin_too() {
    at_user_1005().dials("1*").hears(USER_MENU);
}

#[test]
fn a_temporary_pin_is_forgotten_when_the_caller_goes_on() {
    let mut caller = at_user_1005();
    caller.dials("1");
    assert!(caller.dialogue.state().contains("temporary_pin: Some(Pin)"));
    caller.dials("#");
    assert!(caller.dialogue.state().contains("temporary_pin: None"), "{}", caller.dialogue.state());
}

#[test]
fn a_temporary_pin_is_not_said_again_by_itself() {
    let mut caller = at_user_1005();
    caller.dials("1").finishes_hearing().waits(8).hears("temporary-pin-menu");
}

#[test]
fn states_are_said() {
    for (enabled, locked, states) in [
        (true, true, "user-state-locked"),
        (false, false, "user-state-disabled"),
        (false, true, "user-state-disabled user-state-locked"),
    ] {
        let mut caller = Caller::logged_in("1002");
        caller.store_will(Reply::User { spoken_name: None, enabled, locked }).dials("31005#");
        caller.hears(&format!("extension-is digit-1 digit-0 digit-0 digit-5 {states} {USER_MENU}"));
    }
}

#[test]
fn an_extension_that_no_one_has() {
    let mut caller = Caller::logged_in("1002");
    caller.dials("34711#").hears("extension-free users-enter-extension").asked("user.open");
    caller.dials("12345678901234567#").hears("extension-free users-enter-extension").asked_nothing();
    caller.dials("#").hears("users-enter-extension").asked_nothing();
    caller.dials("1005#").store_refuses(Refusal::Unknown).dials("1").hears("extension-free users-enter-extension");
}

#[test]
fn nobody_reaches_up() {
    let mut caller = at_user_1005();
    caller.store_refuses(Refusal::NotAllowedForThisAccount).dials("1");
    caller.hears(&format!("not-allowed-for-this-account {USER_MENU}"));
    caller.dials("*").store_refuses(Refusal::NotAllowedForThisAccount).dials("1000#");
    caller.hears("not-allowed-for-this-account users-enter-extension");
}

#[test]
fn refusals() {
    let mut caller = at_user_1005();
    caller.store_refuses(Refusal::TryLater).dials("1").hears(&format!("failed-try-later {USER_MENU}"));
    caller.store_refuses(Refusal::NoLongerAllowed).dials("1");
    caller.hears("no-longer-allowed main-menu main-my-settings main-recordings");
}

#[test]
fn a_key_that_came_before_a_temporary_pin_does_not_skip_it() {
    let mut caller = Caller::new();
    caller.dials("1000#61849273#31005#").store_is_slow();
    caller.dials("1#*").store_replies();
    let said = "voicemail-pin-reset change-number digit-4 digit-2 temporary-pin-is digit-7 digit-3 digit-0 digit-1 \
                digit-8 digit-5 temporary-pin-menu";
    caller.hears(said);
}
