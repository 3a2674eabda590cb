use super::store::EVENING;
use super::*;
use crate::access::{Mode, ModeSetting, People, Person};

const MENU: &str = "attendants-menu attendants-mode attendants-attendants attendants-groups attendants-call-centers";
const MODES: &str = "mode-menu mode-menu-day mode-menu-night mode-menu-holiday mode-menu-timetable";
const GROUP: &str = "group-menu group-hear group-add group-remove";
const CENTER: &str = "callcenter-menu callcenter-open callcenter-close callcenter-hear";

fn at_attendants() -> Caller {
    let mut caller = Caller::logged_in("1002");
    caller.dials("4").hears(MENU);
    caller
}

#[test]
fn the_mode_is_said_and_set_for_some_hours() {
    let mut caller = at_attendants();
    caller.dials("1").asked("mode.read").hears(&format!("mode-day mode-timetable {MODES}")).dials("3");
    caller.hears("until-when").dials("16#");
    assert_eq!(
        caller.asked.pop(),
        Some(Action::SetMode { setting: ModeSetting::Fixed(Mode::Holiday), hours: Some(16) })
    );
    caller.hears(&format!("mode-holiday change-number digit-4 digit-2 {MODES}")).dials("2#");
    assert_eq!(caller.asked.pop(), Some(Action::SetMode { setting: ModeSetting::Fixed(Mode::Night), hours: None }));
    caller.hears(&format!("mode-night change-number digit-4 digit-3 {MODES}")).dials("4").asked("mode.changed");
    caller.hears(&format!("mode-timetable change-number digit-4 digit-4 {MODES}")).dials("**").hears(MAIN_OF_1002);
}

#[test]
fn until_when_the_mode_holds_is_said() {
    let mut caller = at_attendants();
    caller.store.mode = (Mode::Night, ModeSetting::Fixed(Mode::Night), Some(EVENING));
    let until =
        "date-on weekday-1 month-3 day-3 number-20 number-20 number-6 time-at number-7 time-oh number-5 time-pm";
    caller.dials("1").hears(&format!("mode-night mode-ends {until} {MODES}"));
    caller.store.mode.2 = None;
    caller.dials("*1").hears(&format!("mode-night {MODES}"));
}

#[test]
fn hours_are_1_to_8760() {
    let mut caller = at_attendants();
    caller.dials("11");
    for hours in ["0", "8761", "123456789"] {
        caller.dials(&format!("{hours}#")).hears("hours-out-of-range until-when");
    }
    caller.dials("*").hears(MODES).asked("mode.read").dials("1").dials("8760#").asked("mode.changed");
}

#[test]
fn neither_silence_nor_hanging_up_sets_a_mode() {
    let mut caller = at_attendants();
    caller.dials("12").asked("mode.read").dials("5").waits(60).finishes_hearing().waits(60).asked_nothing();
    let mut caller = at_attendants();
    caller.dials("125").asked("mode.read").hangs_up().asked_nothing();
}

#[test]
fn an_attendant_plays_another_recording() {
    let mut caller = at_attendants();
    caller.dials("2").hears("item-enter-number").dials("1#").asked("attendant.open");
    caller.hears("attendant-number digit-1 attendant-plays-nothing attendant-enter-recording").dials("77#");
    caller.hears("recording-unknown attendant-enter-recording").dials("0#");
    caller
        .hears("recording-unknown attendant-enter-recording")
        .dials("12#")
        .asked("attendant.changed attendant.changed");
    caller.hears("attendant-changed change-number digit-4 digit-2 item-enter-number");
    caller.store.attendant_plays = Some(crate::model::RecordingNumber(12));
    caller.dials("1#").hears("attendant-number digit-1 attendant-plays digit-1 digit-2 attendant-enter-recording");
    caller.dials("**").hears(MENU);
}

#[test]
fn a_number_that_is_none_is_unknown() {
    for key in ["2", "3", "4"] {
        let mut caller = at_attendants();
        caller.dials(key).dials("9#").hears("item-unknown item-enter-number").dials("0#");
        caller.hears("item-unknown item-enter-number").dials("123456789#").hears("item-unknown item-enter-number");
    }
}

#[test]
fn the_members_of_a_group_are_heard_one_by_one() {
    let mut caller = at_attendants();
    caller.dials("3#").asked("group.list").hears("group-number digit-5 list-menu").dials("1").asked("group.open");
    caller.hears(&format!("group-number digit-5 number-2 members {GROUP}")).dials("1");
    caller.hears("number-2 members extension-is digit-1 digit-0 digit-0 digit-2 browse-menu").dials("#");
    caller.hears(&format!("extension-is digit-1 digit-0 digit-0 digit-5 {GROUP}")).dials("1").dials("*").hears(GROUP);
    caller.store.members.clear();
    caller.dials("1").hears(&format!("number-0 members {GROUP}")).dials("*").hears("item-enter-number");
}

#[test]
fn a_list_that_was_cut_says_that_there_are_others() {
    let mut caller = at_attendants();
    let person = Person { extension: Extension::parse("1000").expect("an extension"), spoken_name: Some(audio(70)) };
    caller.dials("35#").store_will(Reply::People(People { count: 201, listed: vec![person] })).dials("1");
    caller.hears(&format!(
        "number-2 number-hundred number-1 members extension-is digit-1 digit-0 digit-0 digit-0 audio-70 and-others {GROUP}"
    ));
}

#[test]
fn members_are_added_and_removed() {
    let mut caller = at_attendants();
    caller.dials("35#").hears(&format!("group-number digit-5 number-2 members {GROUP}")).dials("2");
    caller.hears("group-enter-extension").dials("4711#").hears("extension-unknown group-enter-extension");
    caller.dials("12345678901234567#").hears("extension-unknown group-enter-extension").dials("1000#");
    caller.hears(&format!("member-added change-number digit-4 digit-2 {GROUP}"));
    caller.dials("2").dials("1005#").hears(&format!("already-so {GROUP}"));
    caller.dials("2").store_refuses(Refusal::TooMany).dials("1003#").hears(&format!("too-many {GROUP}"));
    caller.dials("3").hears("group-enter-extension").dials("1003#").hears("group-not-a-member group-enter-extension");
    caller.dials("1005#").hears(&format!("member-removed change-number digit-4 digit-3 {GROUP}"));
    caller.dials("3").store_refuses(Refusal::Unknown).dials("1002#").hears("item-unknown item-enter-number");
}

#[test]
fn a_call_center_is_opened_and_closed() {
    let mut caller = at_attendants();
    caller.dials("4").dials("3#").hears(&format!("callcenter-number digit-3 callcenter-is-open {CENTER}")).dials("2");
    caller.asked("callcenter.open callcenter.closed");
    caller.hears(&format!("callcenter-closed change-number digit-4 digit-2 {CENTER}"));
    caller.store.is_open = false;
    caller.dials("3").hears(&format!("callcenter-number digit-3 callcenter-is-closed {CENTER}")).dials("1");
    caller.hears(&format!("callcenter-opened change-number digit-4 digit-3 {CENTER}"));
    caller.store_refuses(Refusal::AlreadySo).dials("1").hears(&format!("already-so {CENTER}"));
    caller.store_refuses(Refusal::Unknown).dials("1").hears("item-unknown item-enter-number");
}
