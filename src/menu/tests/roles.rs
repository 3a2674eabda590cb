use super::*;

const MENU: &str = "roles-menu roles-server-administrator roles-system-administrator roles-phone-administrator \
                    roles-network-administrator roles-support-technician";
const ROLE: &str = "role-menu role-hear role-assign role-remove";
const PIN: &str = "61849273#";

fn at_phone_administrator() -> Caller {
    let mut caller = Caller::logged_in("1000");
    caller.dials("7").hears(MENU).dials("3").asked("role.list");
    caller.hears(&format!("role-phone-administrator role-held-by number-2 people {ROLE}"));
    caller
}

#[test]
fn who_holds_a_role_is_heard_one_by_one() {
    let mut caller = at_phone_administrator();
    caller.dials("1").hears("role-held-by number-2 people extension-is digit-1 digit-0 digit-0 digit-0 browse-menu");
    caller.dials("0").hears("menu-help browse-menu").dials("#");
    caller.hears(&format!("extension-is digit-1 digit-0 digit-0 digit-2 {ROLE}")).dials("1*").hears(ROLE);
    caller.store.holders.clear();
    caller.dials("1").hears(&format!("role-held-by-no-one {ROLE}")).dials("*").hears(MENU).dials("5");
    caller.hears(&format!("role-support-technician role-held-by-no-one {ROLE}"));
}

#[test]
fn a_role_is_given_and_taken_with_the_callers_pin() {
    let mut caller = at_phone_administrator();
    let who = "role-phone-administrator extension-is digit-1 digit-0 digit-0 digit-5 audio-1005 confirm-with-pin";
    caller.dials("2").hears("role-enter-extension").dials("1005#").asked("role.assigned?");
    caller.hears(&format!("role-assign-confirm {who}")).dials(PIN).asked("role.assigned");
    caller.hears(&format!("role-assigned change-number digit-4 digit-2 {ROLE}")).dials("3");
    caller.hears("role-enter-extension").dials("1005#").asked("role.removed?");
    caller.hears(&format!("role-remove-confirm {who}")).dials(PIN).asked("role.removed");
    caller.hears(&format!("role-removed change-number digit-4 digit-3 {ROLE}"));
}

#[test]
fn refusals_come_before_any_pin() {
    for (refusal, heard) in [
        (Refusal::LastServerAdministrator, format!("last-server-administrator {ROLE}")),
        (Refusal::NotYourself, format!("not-yourself {ROLE}")),
        (Refusal::PinTooShortForRole, format!("pin-too-short-for-role {ROLE}")),
        (Refusal::NothingThere, format!("role-not-held {ROLE}")),
        (Refusal::AlreadySo, format!("already-so {ROLE}")),
        (Refusal::NotAllowedForThisAccount, format!("not-allowed-for-this-account {ROLE}")),
        (Refusal::Unknown, "extension-unknown role-enter-extension".to_owned()),
        (Refusal::TryLater, format!("failed-try-later {ROLE}")),
    ] {
        for key in ["2", "3"] {
            let mut caller = at_phone_administrator();
            caller.dials(key).store_refuses(refusal).dials("1005#").hears(&heard);
            let mut caller = at_phone_administrator();
            caller.dials(key).dials("1005#").store_refuses(refusal).dials(PIN).hears(&heard);
        }
    }
}

#[test]
fn an_extension_that_is_none() {
    let mut caller = at_phone_administrator();
    caller.dials("2").dials("12345678901234567#").hears("extension-unknown role-enter-extension").asked_nothing();
    caller.dials("4711#").hears("extension-unknown role-enter-extension").dials("*").hears(ROLE);
}

#[test]
fn who_loses_the_right_goes_to_the_main_menu_with_what_is_left() {
    let mut caller = at_phone_administrator();
    caller.dials("2").store_refuses(Refusal::NoLongerAllowed).dials("1005#");
    caller.hears(&format!("no-longer-allowed {}", MAIN_OF_1000.replace(" main-roles", "")));
}
