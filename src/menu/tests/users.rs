use super::*;

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
    caller.hears(MAIN_OF_1002).asked_nothing();
}

#[test]
fn star_goes_on_after_a_temporary_pin_too() {
    at_user_1005().dials("1*").hears(USER_MENU);
}

#[test]
fn a_temporary_pin_is_forgotten_when_the_caller_goes_on() {
    let mut caller = at_user_1005();
    caller.dials("1");
    assert!(caller.dialogue.state().contains("pin Some(Pin)"));
    caller.dials("#");
    assert!(caller.dialogue.state().contains("pin None"), "{}", caller.dialogue.state());
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
    caller.dials("34711#").hears("extension-free extension-free-add").asked("user.open").dials("*");
    caller.hears("users-enter-extension").dials("12345678901234567#").asked_nothing();
    caller.hears("extension-unknown users-enter-extension").dials("#").hears("users-enter-extension").asked_nothing();
    caller.dials("1005#").store_refuses(Refusal::Unknown).dials("1").hears("extension-unknown users-enter-extension");
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
    caller.hears(&format!("no-longer-allowed {}", MAIN_OF_1002.replace(" main-users", "")));
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

#[test]
fn a_user_is_added_and_its_name_recorded_at_once() {
    let mut caller = Caller::logged_in("1002");
    caller.dials("34711#").hears("extension-free extension-free-add").dials("1").asked("user.open user.added");
    let pin = "temporary-pin-is digit-4 digit-0 digit-7 digit-1 digit-8 digit-3 digit-6 digit-5 temporary-pin-menu";
    caller.hears(&format!("user-added change-number digit-4 digit-2 {pin}")).dials("1").hears(pin);
    caller.dials("#").hears("user-name-menu").dials("1").hears("record-after-beep").hears("beep").is_recorded();
    caller.dials("#").take_arrives(800, None).hears(REVIEW_MENU).dials("2").asked("user.change name.changed");
    caller.hears(&format!("name-saved change-number digit-4 digit-3 {USER_MENU}"));
}

#[test]
fn a_user_is_added_without_a_name() {
    for key in ["#", "*"] {
        let mut caller = Caller::logged_in("1002");
        caller.dials("34711#1").dials("#").hears("user-name-menu").dials(key).hears(USER_MENU);
        // A PIN that is reset later is no reason to ask for the name again.
        caller.dials("2").finishes_hearing().dials("#").hears(USER_MENU);
    }
}

#[test]
fn adding_is_refused() {
    for (refusal, heard) in [
        (Refusal::TooMany, "too-many extension-free extension-free-add"),
        (Refusal::TryLater, "failed-try-later extension-free extension-free-add"),
        (Refusal::AlreadySo, "already-so users-enter-extension"),
    ] {
        let mut caller = Caller::logged_in("1002");
        caller.dials("34711#").store_refuses(refusal).dials("1").hears(heard);
    }
}

#[test]
fn an_account_pin_is_reset() {
    let mut caller = at_user_1005();
    caller.dials("2").asked("account_pin.reset");
    let pin = "temporary-pin-is digit-4 digit-0 digit-7 digit-1 digit-8 digit-3 digit-6 digit-5 temporary-pin-menu";
    caller.hears(&format!("account-pin-reset change-number digit-4 digit-2 {pin}")).dials("#").hears(USER_MENU);
}

#[test]
fn an_account_is_unlocked_disabled_and_enabled() {
    let mut caller = at_user_1005();
    caller.dials("3").asked("user.unlocked");
    caller.hears(&format!("user-unlocked change-number digit-4 digit-2 {USER_MENU}"));
    caller.dials("4").asked("user.disabled");
    caller.hears(&format!("user-disabled change-number digit-4 digit-3 {USER_MENU}"));
    caller.dials("4").asked("user.enabled");
    caller.hears(&format!("user-enabled change-number digit-4 digit-4 {USER_MENU}"));
    // Somebody else was faster: the next press does the other thing.
    caller.store_refuses(Refusal::AlreadySo).dials("4").hears(&format!("already-so {USER_MENU}")).dials("4");
    caller.asked("user.disabled user.enabled");
    caller.store_refuses(Refusal::NotYourself).dials("4").hears(&format!("not-yourself {USER_MENU}"));
    caller.store_refuses(Refusal::LastServerAdministrator).dials("4");
    caller.hears(&format!("last-server-administrator {USER_MENU}"));
}

const HANDSETS: &str = "handset-menu handset-hear handset-assign handset-remove";
const ABCD: &str = "handset-number digit-1 digit-2 letter-a letter-b letter-c letter-d";

#[test]
fn handsets_are_heard_assigned_and_removed() {
    let mut caller = at_user_1005();
    caller.dials("5").asked("user.change").hears(HANDSETS).dials("1").asked("handset.list");
    caller.hears(&format!("number-1 handset {ABCD} {HANDSETS}")).dials("2");
    let unassigned = |last| format!("handset-number digit-0 digit-0 digit-0 digit-0 digit-0 digit-{last} list-menu");
    caller.hears(&unassigned(1)).dials("#").hears(&unassigned(2)).dials("1").asked("handset.list handset.assigned");
    caller.hears(&format!("handset-assigned change-number digit-4 digit-2 {HANDSETS}"));
    caller.dials("3").hears(&format!("{ABCD} list-menu")).dials("#").hears(&format!("end-of-list {HANDSETS}"));
    caller.dials("31").asked("handset.list handset.list handset.removed");
    caller.hears(&format!("handset-removed change-number digit-4 digit-3 {HANDSETS}")).dials("*").hears(USER_MENU);
}

#[test]
fn several_handsets_are_heard_one_by_one() {
    let mut caller = at_user_1005();
    caller.store.handsets.push(crate::model::Mac([0; 6]));
    caller.dials("51").hears(&format!("number-2 handsets {ABCD} browse-menu")).dials("#");
    caller.hears(&format!("handset-number digit-0 digit-0 digit-0 digit-0 digit-0 digit-0 {HANDSETS}"));
    caller.dials("1").dials("*").hears(HANDSETS);
}

#[test]
fn there_may_be_no_handset() {
    let mut caller = at_user_1005();
    caller.store.handsets.clear();
    caller.store.unassigned.clear();
    caller.dials("51").hears(&format!("handset-none {HANDSETS}")).dials("2");
    caller.hears(&format!("handset-none-unassigned {HANDSETS}")).dials("3").hears(&format!("handset-none {HANDSETS}"));
}

#[test]
fn a_handset_that_is_gone_is_told() {
    for refusal in [Refusal::AlreadySo, Refusal::NothingThere, Refusal::OtherUnknown] {
        let mut caller = at_user_1005();
        caller.dials("52").store_refuses(refusal).dials("1").hears(&format!("handset-gone {HANDSETS}"));
    }
}

#[test]
fn the_forwarding_of_a_user_is_heard_and_turned_off() {
    const MENU: &str = "user-forward-menu user-forward-hear user-forward-turn-off";
    let mut caller = at_user_1005();
    caller.dials("6").hears(&format!("forward-is-off {MENU}")).dials("2").hears(&format!("forward-is-off {MENU}"));
    caller.store.forwarding[1] = crate::model::PhoneNumber::parse("42");
    caller.dials("1").asked("forwarding.read forwarding.changed forwarding.read");
    let all = "settings-forward-always forward-is-off settings-forward-busy forward-is-to digit-4 digit-2 \
               settings-forward-no-answer forward-is-off";
    caller.hears(&format!("{all} {MENU}")).dials("2");
    caller.hears(&format!("forward-off change-number digit-4 digit-2 {MENU}")).dials("*").hears(USER_MENU);
}

#[test]
fn a_name_is_recorded_only_where_it_may_be_kept() {
    let mut caller = at_user_1005();
    caller.store_refuses(Refusal::NotAllowedForThisAccount).dials("7").asked("user.change");
    caller.hears(&format!("not-allowed-for-this-account {USER_MENU}")).dials("7").finishes_hearing();
    caller.finishes_hearing().is_recorded().dials("*").hears(&format!("recording-discarded {USER_MENU}"));
    caller.dials("7").finishes_hearing().finishes_hearing().dials("#").take_arrives(800, None).dials("*");
    caller.hears(&format!("recording-discarded {USER_MENU}")).asked("user.change user.change");
}

#[test]
fn a_name_whose_user_is_gone_is_kept_nowhere() {
    for (refusal, heard) in [
        (Refusal::Unknown, "extension-unknown users-enter-extension".to_owned()),
        (Refusal::NotAllowedForThisAccount, format!("not-allowed-for-this-account {USER_MENU}")),
        (Refusal::TryLater, format!("failed-try-later {REVIEW_MENU}")),
    ] {
        let mut caller = at_user_1005();
        caller.dials("7").finishes_hearing().finishes_hearing().dials("#").take_arrives(800, None);
        caller.store_refuses(refusal).dials("2").hears(&heard);
    }
}

#[test]
fn a_name_in_review_is_no_draft() {
    let mut caller = at_user_1005();
    caller.dials("7").finishes_hearing().finishes_hearing().dials("#").take_arrives(800, None).asked("user.change");
    caller.hangs_up().asked_nothing();
}

#[test]
fn a_user_is_deleted_with_the_callers_pin() {
    let mut caller = at_user_1005();
    caller.dials("9").asked("user.deleted?");
    caller.hears("user-delete-confirm digit-1 digit-0 digit-0 digit-5 audio-1005 confirm-with-pin");
    caller.dials("1#").hears("pin-wrong confirm-with-pin").dials("83517294#").asked("user.deleted user.deleted");
    caller.hears("user-deleted change-number digit-4 digit-2 users-enter-extension");
    let mut caller = at_user_1005();
    caller.dials("9").dials("*").hears(USER_MENU).asked("user.deleted?");
}

#[test]
fn a_deletion_is_refused_before_any_pin() {
    for (refusal, heard) in [
        (Refusal::NotYourself, format!("not-yourself {USER_MENU}")),
        (Refusal::NotAllowedForThisAccount, format!("not-allowed-for-this-account {USER_MENU}")),
        (Refusal::LastServerAdministrator, format!("last-server-administrator {USER_MENU}")),
        (Refusal::Unknown, "extension-unknown users-enter-extension".to_owned()),
        (Refusal::TryLater, format!("failed-try-later {USER_MENU}")),
    ] {
        let mut caller = at_user_1005();
        caller.store_refuses(refusal).dials("9").hears(&heard);
        let mut caller = at_user_1005();
        caller.dials("9").store_refuses(refusal).dials("83517294#").hears(&heard);
    }
}
