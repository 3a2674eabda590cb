use super::*;
use crate::menu::SiteName;

#[test]
fn a_language_is_chosen_before_the_login() {
    let mut caller = Caller::new();
    caller.hears("welcome enter-extension").dials("*").is_at("language-menu").hears(LANGUAGES).dials("3");
    caller.hears("enter-extension").dials("1004#29618374#").hears("logged-in").hears(MAIN_OF_1004).asked("login");
    assert_eq!(caller.language, Language::French);
}

#[test]
fn the_choice_is_left_as_it_was() {
    let mut caller = Caller::from(Some("1004"));
    caller.dials("*").hears(LANGUAGES).dials("0").hears(&format!("menu-help {LANGUAGES}")).dials("*");
    caller.hears("enter-extension-or-pound");
    assert_eq!(caller.language, Language::English);
}

#[test]
fn only_installed_languages_can_be_chosen() {
    let languages = vec![Language::English, Language::German];
    let mut caller = Caller::with(CallerInfo { languages, ..CallerInfo::default() });
    const TWO: &str = "language-menu language-choose-en language-choose-de";
    caller.dials("*").hears(TWO).dials("2").hears(&format!("invalid-key {TWO}")).dials("4").hears("enter-extension");
    assert_eq!(caller.language, Language::German);
    caller.asked_nothing();
    let mut caller = Caller::with(CallerInfo { language: Language::German, ..CallerInfo::default() });
    caller.dials("*").hears("language-menu language-choose-de");
}

#[test]
fn the_accounts_language_is_spoken_after_the_login() {
    let mut caller = Caller::new();
    caller.store.language = Some(Language::Spanish);
    caller.dials("1004#29618374#").hears("logged-in");
    assert_eq!(caller.language, Language::Spanish);
    // One that is not installed is not.
    let mut caller = Caller::with(CallerInfo { languages: vec![Language::English], ..CallerInfo::default() });
    caller.store.language = Some(Language::Spanish);
    caller.dials("1004#29618374#").hears("logged-in");
    assert_eq!(caller.language, Language::English);
}

#[test]
fn the_language_of_all_ones_calls_is_changed() {
    let mut caller = Caller::logged_in("1005");
    caller.dials("8").hears(LANGUAGES).dials("2").asked("language.changed");
    caller.hears(&format!("language-changed change-number digit-4 digit-2 {MY_MENU}"));
    assert_eq!(caller.language, Language::Spanish);
    caller.dials("8").store_refuses(Refusal::TryLater).dials("1").hears(&format!("failed-try-later {MY_MENU}"));
    caller.dials("8*").hears(MY_MENU);
    assert_eq!(caller.language, Language::Spanish);
}

#[test]
fn numbers_are_spoken_by_the_rules_of_the_language() {
    let mut caller = Caller::logged_in("1004");
    caller.store.other_calls = 21;
    caller.dials("63").hears(&format!("number-20 number-1 other-calls {REBOOT_MENU}")).dials("**184");
    caller.finishes_hearing().dials("*63").hears(&format!("number-21 other-calls {REBOOT_MENU}"));
}

#[test]
fn the_site_is_said_where_there_are_several() {
    let with = |spoken| {
        let site = Some(SiteName { spoken, number: 12 });
        Caller::with(CallerInfo { site, ..CallerInfo::default() })
    };
    with(Some(audio(900))).hears("welcome audio-900 enter-extension");
    with(None).hears("welcome site-number digit-1 digit-2 enter-extension").waits(8).hears("enter-extension");
}
