use super::store::EVENING;
use super::*;
use crate::access::{BackupState, SystemStatus};

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
    caller.dials("63").hears(&format!("number-2 other-calls {REBOOT_MENU}"));
    caller.store.other_calls = 1;
    caller.dials("1").hears("reboot-now-confirm number-1 other-call confirm-with-pin");
    caller.asked("reboot.ask reboot.requested?").dials("29618374#").asked("reboot.requested").hears(REQUESTED);
}

#[test]
fn one_other_call_and_a_waiting_reboot_are_said() {
    let mut caller = Caller::logged_in("1004");
    caller.store.other_calls = 1;
    caller.store.reboot_waiting = true;
    caller.dials("63").hears(&format!("number-1 other-call reboot-is-waiting {REBOOT_MENU}"));
    caller.dials("3").hears(&format!("reboot-cancelled change-number digit-4 digit-2 {REBOOT_MENU}"));
    caller.dials("3").hears(&format!("reboot-none-waiting {REBOOT_MENU}"));
    caller.dials("**").hears(MAIN_OF_1004);
}

#[test]
fn star_cancels_until_it_starts() {
    let mut caller = at_reboot();
    caller.dials("129618374#").begins_to_hear(REQUESTED).dials("*");
    caller.asked("reboot.requested? reboot.requested reboot.cancelled");
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
    caller.dials("0").hears("menu-help press-star-to-cancel").asked("reboot.requested? reboot.requested");
}

#[test]
fn a_countdown_that_ends_says_so_and_hangs_up() {
    let mut caller = at_reboot();
    caller
        .dials("129618374#")
        .waits(4)
        .finishes_hearing()
        .waits_ms(0)
        .hears("reboot-started goodbye")
        .was_hung_up()
        .asked("reboot.requested? reboot.requested reboot.ask");
}

#[test]
fn a_countdown_that_another_has_cancelled_says_so() {
    let mut caller = at_reboot();
    caller.dials("129618374#").hears(REQUESTED);
    caller.store.reboot_waiting = false;
    caller.waits(8).hears(&format!("reboot-cancelled {REBOOT_MENU}"));
    caller.asked("reboot.requested? reboot.requested reboot.ask");
    // A key that comes too late to cancel is not a key of the menu that follows.
    let mut caller = at_reboot();
    caller.dials("129618374#").hears(REQUESTED).store_is_slow();
    caller.store.reboot_waiting = false;
    caller.waits(8).dials("*").store_replies().hears(&format!("reboot-cancelled {REBOOT_MENU}"));
}

#[test]
fn a_countdown_to_a_reboot_that_failed_says_so() {
    let mut caller = at_reboot();
    caller.dials("129618374#").hears(REQUESTED);
    caller.store_will(Reply::RebootState { other_calls: 0, waiting: false, failed: true });
    caller.waits(8).hears(&format!("news-reboot-failed {REBOOT_MENU}"));
}

#[test]
fn where_the_call_has_to_be_encrypted_no_pin_is_asked_for() {
    let mut caller = at_reboot();
    caller.store_refuses(Refusal::NotEncrypted).dials("1").hears(&format!("needs-encrypted-call {REBOOT_MENU}"));
}

#[test]
fn how_a_countdown_ended_may_not_be_known() {
    for (refusal, heard) in [
        (Refusal::TryLater, format!("failed-try-later {REBOOT_MENU}")),
        (Refusal::NoLongerAllowed, format!("no-longer-allowed {MAIN_OF_1004}")),
    ] {
        let mut caller = at_reboot();
        caller.dials("129618374#").hears(REQUESTED).store_refuses(refusal).waits(8).hears(&heard);
    }
}

#[test]
fn a_long_countdown_reminds_of_the_star() {
    let mut caller = at_reboot();
    let change = crate::model::ChangeNumber(42);
    caller.dials("1").asked("reboot.requested?");
    caller.store_will(Reply::RebootRequested { delay_s: 60, change }).dials("29618374#");
    caller.hears("reboot-in number-60 seconds press-star-to-cancel change-number digit-4 digit-2");
    caller.waits(8).hears("press-star-to-cancel").dials("*").asked("reboot.requested reboot.cancelled");
}

#[test]
fn a_reboot_when_idle() {
    let mut caller = at_reboot();
    caller.dials("2").hears("reboot-when-idle-confirm reboot-no-other-calls confirm-with-pin").dials("29618374#");
    caller
        .asked("reboot.requested? reboot.requested")
        .hears(&format!("reboot-waiting change-number digit-4 digit-2 {REBOOT_MENU}"));
    caller.dials("3").hears(&format!("reboot-cancelled change-number digit-4 digit-3 {REBOOT_MENU}"));
}

#[test]
fn a_wrong_pin_may_be_keyed_once_more() {
    let mut caller = at_reboot();
    caller.dials("1999#").hears("pin-wrong confirm-with-pin").dials("29618374#").hears(REQUESTED);
    let mut caller = at_reboot();
    caller.dials("1999#").hears("pin-wrong confirm-with-pin").dials("998#");
    caller.asked("reboot.requested? reboot.requested reboot.requested");
    caller.hears(&format!("nothing-changed {REBOOT_MENU}"));
    // The next one has two tries again.
    caller.dials("1#").hears("pin-wrong confirm-with-pin").dials("29618374#").hears(REQUESTED);
}

#[test]
fn what_was_typed_ahead_confirms_nothing() {
    let mut caller = Caller::logged_in("1004");
    caller.store_is_slow().dials("63129618374#").store_replies().store_replies();
    caller.hears("reboot-now-confirm reboot-no-other-calls confirm-with-pin").asked("reboot.ask reboot.requested?");
    // Nor does a PIN typed ahead of the second try.
    caller.dials("999#29618374#").store_replies().hears("pin-wrong confirm-with-pin").asked("reboot.requested");
}

#[test]
fn star_leaves_the_confirmation() {
    let mut caller = at_reboot();
    caller.dials("1296*").hears_nothing().dials("*").hears(REBOOT_MENU).asked("reboot.requested?");
}

#[test]
fn neither_silence_nor_hanging_up_confirms() {
    let mut caller = at_reboot();
    caller.dials("129618374").hangs_up().asked("reboot.requested?");
    let mut caller = at_reboot();
    caller.dials("129618374").waits(3).hears("confirm-with-pin").waits(8).hears("confirm-with-pin").waits(8);
    caller.hears("goodbye").was_hung_up().asked("reboot.requested?");
}

#[test]
fn refusals() {
    let mut caller = at_reboot();
    // Before any PIN is asked for.
    caller.store_refuses(Refusal::AlreadySo).dials("1").hears(&format!("reboot-already-waiting {REBOOT_MENU}"));
    caller.dials("1").store_refuses(Refusal::AlreadySo).dials("29618374#");
    caller.hears(&format!("reboot-already-waiting {REBOOT_MENU}"));
    caller.dials("1").store_refuses(Refusal::TryLater).dials("29618374#");
    caller.hears(&format!("failed-try-later {REBOOT_MENU}"));
    caller.dials("1").store_refuses(Refusal::NoLongerAllowed).dials("29618374#");
    caller.hears(&format!("no-longer-allowed {MAIN_OF_1004}")).dials("6");
    caller.hears(&MAINTENANCE_MENU.replace(" maintenance-reboot", ""));
    let mut caller = Caller::logged_in("1004");
    caller.store_refuses(Refusal::TryLater).dials("63").hears(&format!("failed-try-later {MAINTENANCE_MENU}"));
}

const STARTED: &str = "backup-started change-number digit-4 digit-2 backup-wait";

#[test]
fn a_backup_is_waited_for() {
    let mut caller = Caller::logged_in("1004");
    caller.dials("61").asked("backup.requested").hears(STARTED).waits(3).asked("backup.read backup.read");
    caller.hears(&format!("backup-finished backup-size number-40 megabytes {MAINTENANCE_MENU}"));
    for (state, heard) in [
        (BackupState::Done(999_999), "backup-finished backup-size less-than-a-megabyte"),
        (BackupState::Done(1_000_000), "backup-finished backup-size number-1 megabyte"),
        (BackupState::Failed, "backup-failed"),
    ] {
        let mut caller = Caller::logged_in("1004");
        caller.store.backup = vec![state];
        caller.dials("61").hears(STARTED).waits(1).hears(&format!("{heard} {MAINTENANCE_MENU}"));
    }
}

#[test]
fn any_key_goes_on_without_the_backup() {
    for key in Key::ALL {
        let mut caller = Caller::logged_in("1004");
        caller.store.backup = vec![BackupState::Running];
        caller.dials("61").begins_to_hear(STARTED).dials(&key.to_char().to_string()).hears(MAINTENANCE_MENU);
        let mut caller = Caller::logged_in("1004");
        caller.store.backup = vec![BackupState::Running];
        caller.dials("61").hears(STARTED).waits(20).asked_at_least(18);
        caller.dials(&key.to_char().to_string()).hears(MAINTENANCE_MENU).waits(2).asked_nothing();
    }
}

#[test]
fn a_key_that_goes_on_while_the_store_is_asked_is_not_a_key_of_the_menu_that_follows() {
    let mut caller = Caller::logged_in("1004");
    caller.store.backup = vec![BackupState::Done(40_000_000)];
    caller.dials("61").hears(STARTED).asked("backup.requested").store_is_slow().waits(1).dials("1").store_replies();
    caller.asked("backup.read").hears(&format!("backup-finished backup-size number-40 megabytes {MAINTENANCE_MENU}"));
    // Nor where it can't be looked at.
    let mut caller = Caller::logged_in("1004");
    caller.dials("61").hears(STARTED).asked("backup.requested").store_is_slow().store_refuses(Refusal::TryLater);
    caller.waits(1).dials("1").store_replies();
    caller.asked("backup.read").hears(&format!("failed-try-later {MAINTENANCE_MENU}"));
}

#[test]
fn a_long_backup_is_not_waited_for_for_ever_and_silence_is_no_reason_to_hang_up() {
    let mut caller = Caller::logged_in("1004");
    caller.store.backup = vec![BackupState::Running];
    caller.dials("61").hears(STARTED).waits(590).is_on_the_line().hears_nothing().waits(15);
    caller.hears(&format!("backup-still-running {MAINTENANCE_MENU}"));
}

#[test]
fn a_backup_is_refused() {
    let mut caller = Caller::logged_in("1004");
    caller.dials("6").store_refuses(Refusal::AlreadySo).dials("1");
    caller.hears(&format!("backup-already-running {MAINTENANCE_MENU}"));
    caller.dials("1").hears(STARTED).store_refuses(Refusal::TryLater).waits(1);
    caller.hears(&format!("failed-try-later {MAINTENANCE_MENU}"));
}

#[test]
fn when_the_last_good_backup_was() {
    let mut caller = Caller::logged_in("1004");
    caller.dials("62").asked("backup.read").hears(&format!("backup-none {MAINTENANCE_MENU}"));
    caller.store.last_backup = Some((EVENING, 2_100_000));
    let at = "date-on weekday-1 month-3 day-3 number-20 number-20 number-6 time-at number-7 time-oh number-5 time-pm";
    caller.dials("2").hears(&format!("backup-last {at} backup-size number-2 megabytes {MAINTENANCE_MENU}"));
}

#[test]
fn logging() {
    const MENU: &str = "logging-menu logging-menu-normal logging-menu-detailed logging-menu-new-file";
    let mut caller = Caller::logged_in("1004");
    caller.dials("64").hears(MENU).dials("2").asked("logging.detailed");
    caller.hears(&format!("logging-detailed change-number digit-4 digit-2 {MENU}")).dials("1").asked("logging.normal");
    caller.hears(&format!("logging-normal change-number digit-4 digit-3 {MENU}")).dials("3");
    caller.asked("logging.file_closed").hears(&format!("log-file-closed change-number digit-4 digit-4 {MENU}"));
    caller.store_refuses(Refusal::NothingThere).dials("3").hears(&format!("log-file-none {MENU}"));
    caller.store_refuses(Refusal::AlreadySo).dials("1").hears(&format!("already-so {MENU}"));
    caller.dials("*").hears(MAINTENANCE_MENU);
}

#[test]
fn a_support_pin_is_verified_and_nothing_else_is_told() {
    let mut caller = Caller::logged_in("1004");
    caller.dials("65").hears("support-enter-extension").dials("1005#").hears("support-enter-pin").dials("851730#");
    caller.asked("support_pin.verified").hears(&format!("support-pin-valid {MAINTENANCE_MENU}"));
    // Whatever is wrong sounds the same.
    for keys in ["51005#851731#", "54711#1#", "512345678901234567#1#", "51005#12345678901234567#"] {
        caller.dials(keys).asked("support_pin.verified").hears(&format!("support-pin-invalid {MAINTENANCE_MENU}"));
    }
    caller.dials("5#").hears("support-enter-extension").dials("1#*").hears("support-enter-extension").dials("*");
    caller.hears(MAINTENANCE_MENU).asked_nothing();
}

#[test]
fn the_system_status() {
    let mut caller = Caller::logged_in("1004");
    let since =
        "date-on weekday-1 month-3 day-3 number-20 number-20 number-6 time-at number-7 time-oh number-5 time-pm";
    caller.dials("66").asked("system.status").hears(&format!(
        "status-version number-0 address-dot number-1 address-dot number-0 status-started {since} number-1 call \
         status-disk number-40 percent status-store number-3 megabytes {MAINTENANCE_MENU}"
    ));
    let status = SystemStatus { calls: 2, ..SystemStatus::default() };
    caller.store_will(Reply::Status(status)).dials("6").hears(&format!(
        "status-version number-0 address-dot number-0 address-dot number-0 number-2 calls status-store \
         less-than-a-megabyte {MAINTENANCE_MENU}"
    ));
}
