use super::*;

fn at_reboot() -> Caller {
    let mut caller = Caller::logged_in("1004");
    caller.dials("6").hears(MAINTENANCE_MENU).dials("3").asked("reboot.ask");
    caller.hears(&format!("reboot-no-other-calls {REBOOT_MENU}"));
    caller
}

const REQUESTED: &str = "reboot-in number-10 seconds press-star-to-cancel change-number digit-4 digit-2";

#[test]
fn a_reboot_now() {
    let mut caller = Caller::logged_in("1004");
    caller.store.other_calls = 2;
    caller.dials("63").hears(&format!("number-2 reboot-other-calls {REBOOT_MENU}"));
    caller.dials("1").hears("reboot-now-confirm number-2 reboot-other-calls confirm-with-pin");
    caller.asked("reboot.ask").dials("29618374#").asked("reboot.requested").hears(REQUESTED);
}

#[test]
fn one_other_call_and_a_waiting_reboot_are_said() {
    let mut caller = Caller::logged_in("1004");
    caller.store.other_calls = 1;
    caller.store.reboot_waiting = true;
    caller.dials("63").hears(&format!("reboot-one-other-call reboot-is-waiting {REBOOT_MENU}"));
    caller.dials("3").hears(&format!("reboot-cancelled change-number digit-4 digit-2 {REBOOT_MENU}"));
    caller.dials("3").hears(&format!("reboot-none-waiting {REBOOT_MENU}"));
    caller.dials("**").hears(MAIN_OF_1004);
}

#[test]
fn star_cancels_until_it_starts() {
    let mut caller = at_reboot();
    caller.dials("129618374#").begins_to_hear(REQUESTED).dials("*").asked("reboot.requested reboot.cancelled");
    caller.hears(&format!("reboot-cancelled change-number digit-4 digit-3 {REBOOT_MENU}"));
}

#[test]
fn other_keys_do_not_cancel() {
    let mut caller = at_reboot();
    caller
        .dials("129618374#")
        .dials("#")
        .begins_to_hear(REQUESTED)
        .dials("7")
        .hears("invalid-key press-star-to-cancel");
    caller.dials("0").hears("menu-help press-star-to-cancel").asked("reboot.requested");
}

#[test]
fn a_countdown_that_ends_leads_on() {
    let mut caller = at_reboot();
    caller
        .dials("129618374#")
        .waits(4)
        .finishes_hearing()
        .waits_ms(0)
        .hears(MAINTENANCE_MENU)
        .asked("reboot.requested");
}

#[test]
fn a_long_countdown_reminds_of_the_star() {
    let mut caller = at_reboot();
    let change = crate::model::ChangeNumber(42);
    caller.dials("1").store_will(Reply::RebootRequested { delay_s: 60, change }).dials("29618374#");
    caller.hears("reboot-in number-60 seconds press-star-to-cancel change-number digit-4 digit-2");
    caller.waits(8).hears("press-star-to-cancel").dials("*").asked("reboot.requested reboot.cancelled");
}

#[test]
fn a_reboot_when_idle() {
    let mut caller = at_reboot();
    caller.dials("2").hears("reboot-when-idle-confirm reboot-no-other-calls confirm-with-pin").dials("29618374#");
    caller.asked("reboot.requested").hears(&format!("reboot-waiting change-number digit-4 digit-2 {REBOOT_MENU}"));
    caller.dials("3").hears(&format!("reboot-cancelled change-number digit-4 digit-3 {REBOOT_MENU}"));
}

#[test]
fn a_wrong_pin_may_be_keyed_once_more() {
    let mut caller = at_reboot();
    caller.dials("1999#").hears("pin-wrong confirm-with-pin").dials("29618374#").hears(REQUESTED);
    let mut caller = at_reboot();
    caller.dials("1999#").hears("pin-wrong confirm-with-pin").dials("998#").asked("reboot.requested reboot.requested");
    caller.hears(&format!("nothing-changed {REBOOT_MENU}"));
    // The next one has two tries again.
    caller.dials("1#").hears("pin-wrong confirm-with-pin").dials("29618374#").hears(REQUESTED);
}

#[test]
fn what_was_typed_ahead_confirms_nothing() {
    let mut caller = Caller::logged_in("1004");
    caller.store_is_slow().dials("63129618374#").store_replies();
    caller.hears("reboot-now-confirm reboot-no-other-calls confirm-with-pin").asked("reboot.ask");
    // Nor does a PIN typed ahead of the second try.
    caller.dials("999#29618374#").store_replies().hears("pin-wrong confirm-with-pin").asked("reboot.requested");
}

#[test]
fn star_leaves_the_confirmation() {
    let mut caller = at_reboot();
    caller.dials("1296*").hears_nothing().dials("*").hears(REBOOT_MENU).asked_nothing();
}

#[test]
fn neither_silence_nor_hanging_up_confirms() {
    let mut caller = at_reboot();
    caller.dials("129618374").hangs_up().asked_nothing();
    let mut caller = at_reboot();
    caller.dials("129618374").waits(3).hears("confirm-with-pin").waits(8).hears("confirm-with-pin").waits(8);
    caller.hears("goodbye").was_hung_up().asked_nothing();
}

#[test]
fn refusals() {
    let mut caller = at_reboot();
    caller.dials("1").store_refuses(Refusal::AlreadySo).dials("29618374#");
    caller.hears(&format!("reboot-already-waiting {REBOOT_MENU}"));
    caller.dials("1").store_refuses(Refusal::TryLater).dials("29618374#");
    caller.hears(&format!("failed-try-later {REBOOT_MENU}"));
    caller.dials("1").store_refuses(Refusal::NoLongerAllowed).dials("29618374#");
    caller.hears("no-longer-allowed main-menu main-my-settings");
    let mut caller = Caller::logged_in("1004");
    caller.store_refuses(Refusal::TryLater).dials("63").hears(&format!("failed-try-later {MAINTENANCE_MENU}"));
}
