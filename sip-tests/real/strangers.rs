//! Calls from where nobody is trusted: let in by digest, and else refused before anything is said.

use std::fs;
use std::time::Duration;

use crate::world::baresip::Phone;
use crate::world::raw::Connection;
use crate::world::setup::Setup;
use crate::world::tools::are_here;
use crate::world::wait::until;

/// A world that trusts nobody and has one account; baresip's is `phone` with the password `zanzibar`. Its version 1.0
/// gives up where SHA-256 is offered.
fn distrustful(password: &str) -> Setup {
    let setup = Setup::new();
    fs::write(setup.path("password"), format!("{password}\n")).expect("the password");
    let text = setup.text("switchhook.toml").replacen(
        "trusted_peers = [\"127.0.0.0/8\"]",
        "trusted_peers = []\ndigest = [\"MD5\"]",
        1,
    );
    let account = setup.path("password").display().to_string();
    let account = format!("[[sip.accounts]]\nusername = \"phone\"\npassword_file = \"{account}\"\n[prompts]\n");
    fs::write(setup.config(), text.replacen("[prompts]\n", &account, 1)).expect("the configuration");
    setup
}

#[test]
fn who_knows_the_password_is_let_in_and_their_word_on_who_calls_is_not_taken() {
    if !are_here(&["baresip"]) {
        return;
    }
    let setup = distrustful("zanzibar");
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "1004");
    phone.dial(&server.uri);
    phone.hears("welcome");
    phone.hears("enter-extension");
    phone.log_in("1004", "29618374");
    phone.hears("main-menu");
    phone.hang_up();
    assert!(!server.log_text().contains("zanzibar"));
}

#[test]
fn a_wrong_password_is_challenged_again_and_no_call_is_made() {
    if !are_here(&["baresip"]) {
        return;
    }
    let setup = distrustful("another");
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "1004");
    phone.dials_in_vain(&server.uri, "401");
    until(Duration::from_secs(5), "the log tells of it", || server.log_text().contains("a digest was wrong"));
}

#[test]
fn who_has_shown_the_password_keeps_the_connection_and_who_only_talks_makes_room() {
    const WITHIN: Duration = Duration::from_secs(20);
    let setup = distrustful("zanzibar");
    let _server = setup.serve();
    let (address, here) = ((setup.address(), 5060).into(), setup.next_address().into());
    let mut known = Connection::open(here, address);
    assert!(known.is_let_in("phone", "zanzibar", WITHIN));
    let mut talker = Connection::open(here, address);
    let (before, is_let_in) = talker.is_alive(WITHIN);
    assert!(!is_let_in && before.is_empty() && !talker.closes(Duration::ZERO), "401, and that is all");
    // 64 in all, and one more.
    let silent: Vec<Connection> = (0..63).map(|_| Connection::open(here, address)).collect();
    assert!(talker.closes(WITHIN), "the oldest without a password goes, whatever it said");
    assert!(known.is_let_in("phone", "zanzibar", WITHIN), "though it is older");
    drop(silent);
}

#[test]
fn a_password_that_was_changed_counts_after_sighup_and_a_broken_one_never() {
    if !are_here(&["baresip"]) {
        return;
    }
    let setup = distrustful("another");
    let server = setup.serve();
    let reads_again = |password: &str, told: &str| {
        fs::write(setup.path("password"), password).expect("the password");
        server.signal("HUP");
        until(Duration::from_secs(10), "it is read", || server.log_text().contains(told));
    };
    reads_again("zanzibar\n", "passwords were read again accounts=1");
    let mut phone = Phone::new(&setup, "1004");
    phone.dial(&server.uri);
    phone.hears("welcome");
    phone.hang_up();
    reads_again("", "the new password can't be used, the old one stays in use");
    let mut phone = Phone::new(&setup, "1005");
    phone.dial(&server.uri);
    phone.hears("welcome");
    phone.hang_up();
}
