use super::*;
use crate::access::News;

#[test]
fn an_administrator_logs_in() {
    let mut caller = Caller::new();
    caller.is_at("enter-extension").hears("welcome enter-extension").dials("1000#").hears("enter-pin");
    caller.dials("61849273#").asked("login").hears("logged-in").hears(MAIN_OF_1000).is_at("main-menu");
}

#[test]
fn the_menu_has_what_the_caller_may_do() {
    Caller::logged_in("1002").hears(MAIN_OF_1002);
    Caller::logged_in("1003").hears(MAIN_OF_1003);
    Caller::logged_in("1004").hears(MAIN_OF_1004);
}

#[test]
fn the_spoken_name_is_said() {
    Caller::new().dials("1002#83517294#").hears("logged-in audio-1002").is_at("main-menu");
}

#[test]
fn someone_with_no_role_gets_their_settings_at_once() {
    Caller::logged_in("1005").hears(MY_MENU).dials("*").hears("goodbye").was_hung_up();
}

#[test]
fn star_at_the_main_menu_is_goodbye() {
    Caller::logged_in("1000").dials("*").begins_to_hear("goodbye").is_on_the_line().hears("goodbye").was_hung_up();
}

#[test]
fn a_known_caller_may_key_just_pound() {
    let mut caller = Caller::from(Some("1004"));
    caller.hears("welcome enter-extension-or-pound").dials("#").hears("enter-pin").dials("29618374#");
    caller.hears("logged-in").hears(MAIN_OF_1004);
}

#[test]
fn a_known_caller_may_key_another_extension() {
    let mut caller = Caller::from(Some("1004"));
    caller.dials("1000#61849273#").hears("logged-in").hears(MAIN_OF_1000);
}

#[test]
fn caller_id_never_replaces_the_pin_and_a_second_pound_costs_no_try() {
    let mut caller = Caller::from(Some("1004"));
    caller.dials("##").hears("enter-pin").asked_nothing();
    caller.dials("29618374#").asked("login").hears("logged-in");
}

#[test]
fn a_bare_pound_of_an_unknown_caller_is_asked_again() {
    let mut caller = Caller::new();
    caller.hears("welcome enter-extension").dials("#").hears("enter-extension").dials("#").hears("enter-extension");
    caller.dials("#").hears("goodbye").was_hung_up().asked_nothing();
}

#[test]
fn star_at_the_first_prompt_is_the_choice_of_a_language_and_at_the_pin_goes_back() {
    let mut caller = Caller::new();
    caller
        .dials("*")
        .hears(LANGUAGES)
        .dials("*")
        .hears("enter-extension")
        .dials("99#")
        .hears("enter-pin")
        .dials("*")
        .hears("enter-extension");
    caller.dials("1000#").hears("enter-pin").dials("61849273#").hears("logged-in");
}

#[test]
fn the_first_star_clears_the_entry() {
    let mut caller = Caller::new();
    caller.dials("555*").hears_nothing().dials("1000#").hears("enter-pin");
    caller.dials("999*61849273#").hears("logged-in");
}

#[test]
fn the_third_failure_ends_the_call() {
    let mut caller = Caller::new();
    caller.dials("1000#1#").hears("login-failed enter-extension").dials("4711#61849273#");
    caller.hears("login-failed enter-extension").dials("1000#61849274#");
    caller.hears("login-failed goodbye").was_hung_up().asked("login login login");
}

#[test]
fn an_overlong_extension_or_pin_is_wrong_like_any_other() {
    let mut caller = Caller::new();
    caller.dials("10001000100010001#61849273#").asked("login").hears("login-failed enter-extension");
    caller.dials("1000#61849273618492736#").asked("login").hears("login-failed enter-extension");
    caller.dials("1000#61849274#").asked("login").hears("login-failed goodbye").was_hung_up();
}

#[test]
fn an_overlong_entry_is_asked_about_with_a_pin_that_fits_nobody() {
    let mut caller = Caller::new();
    caller.dials("10001000100010001#61849273#");
    let [Action::Login { pin, .. }] = caller.asked.as_slice() else { panic!("{:?}", caller.asked) };
    assert_eq!(pin.digits(), "");
}

#[test]
fn a_store_that_cannot_answer_counts_as_no_failure() {
    let mut caller = Caller::new();
    for _ in 0..4 {
        caller.store_refuses(Refusal::TryLater).dials("1000#61849273#").hears("failed-try-later enter-extension");
    }
    caller.dials("1000#61849273#").hears("logged-in");
}

#[test]
fn a_temporary_pin_is_changed_before_anything_else() {
    let mut caller = Caller::new();
    caller.dials("1007#12345678#").hears("pin-must-change enter-new-pin").dials("73946185#").hears("enter-again");
    caller.dials("73946185#").asked("login account_pin.changed");
    caller.hears("account-pin-changed change-number digit-4 digit-2 logged-in").hears(MAIN_OF_1004);
}

#[test]
fn a_temporary_pin_cannot_be_kept() {
    let mut caller = Caller::new();
    caller.dials("1007#12345678#73946185#1#").hears("pins-differ enter-new-pin");
    caller.store_refuses(Refusal::PinTooSimple).dials("11111111#11111111#").hears("pin-too-simple enter-new-pin");
    caller.store_refuses(Refusal::TryLater).dials("73946185#73946185#").hears("failed-try-later enter-new-pin");
    caller.dials("73946185#*").hears("enter-new-pin");
    caller.dials("*").hears("goodbye").was_hung_up();
}

#[test]
fn an_account_that_is_gone_before_its_pin_is_changed_is_out() {
    let mut caller = Caller::new();
    caller.dials("1007#12345678#73946185#").store_refuses(Refusal::NoLongerAllowed).dials("73946185#");
    caller.hears("no-longer-allowed goodbye").was_hung_up();
}

#[test]
fn news_is_told_once_it_was_heard() {
    let mut caller = Caller::new();
    caller.store.news = vec![News::RebootDone, News::BackupFailed];
    caller.dials("1004#29618374#").hears("logged-in news-reboot-done news-backup-failed");
    caller.asked("login news.heard").hears(MAIN_OF_1004);
}

#[test]
fn every_news_has_its_clip() {
    let all = [News::RebootDone, News::RebootFailed, News::RebootUnknown, News::BackupDone, News::BackupFailed];
    let mut caller = Caller::new();
    caller.store.news = all.to_vec();
    caller
        .dials("1004#29618374#")
        .hears("logged-in news-reboot-done news-reboot-failed news-reboot-unknown news-backup-done news-backup-failed");
}

#[test]
fn news_that_was_cut_short_stays_news() {
    let mut caller = Caller::new();
    caller.store.news = vec![News::RebootFailed];
    caller.dials("1004#29618374#").begins_to_hear("logged-in news-reboot-failed").dials("6").hears(MAINTENANCE_MENU);
    caller.asked("login");
}

#[test]
fn a_late_pound_does_not_cut_the_greeting_short() {
    let mut caller = Caller::new();
    caller.dials("1004#29618374##").hears("logged-in").dials("##").hears(MAIN_OF_1004);
}

#[test]
fn nobody_is_named_before_the_login() {
    let mut caller = Caller::new();
    assert_eq!(caller.dialogue.actor(), crate::access::Actor::Caller);
    caller.dials("1004#29618374#");
    assert!(matches!(caller.dialogue.actor(), crate::access::Actor::Account { .. }));
}
