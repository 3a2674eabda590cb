//! SIGTERM.

use std::thread::sleep;
use std::time::Duration;

use crate::world::agent::{Agent, KEYS_BY_RTP};
use crate::world::baresip::Phone;
use crate::world::setup::{Options, Setup};
use crate::world::tools::are_here;

#[test]
fn the_present_call_goes_on_and_no_new_one_begins() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let mut server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.hears("welcome");
    server.signal("TERM");
    sleep(Duration::from_millis(500));

    let mut agent = Agent::new(&setup);
    agent.new_call();
    let refused = agent.call(1, KEYS_BY_RTP);
    assert_eq!(refused.code(), 503);
    let seconds: u32 = refused.header("Retry-After").and_then(|s| s.parse().ok()).expect("Retry-After");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(agent.options().code(), 503);

    phone.log_in("1005", "904826");
    phone.press("1731946#731946#");
    phone.hears("voicemail-pin-changed");
    assert!(server.is_running());
    phone.hang_up();
    assert!(server.ends_within(Duration::from_secs(10)).success());
    assert!(setup.voicemail_pin_is("1005", "731946"));
}

#[test]
fn calls_that_last_too_long_are_ended_at_the_deadline() {
    if !are_here(&["baresip"]) {
        return;
    }
    let setup = Setup::with(Options { drain_s: 3, ..Options::default() });
    let mut server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.hears("welcome");
    server.signal("TERM");
    sleep(Duration::from_secs(1));
    assert!(!phone.is_over() && server.is_running());
    phone.hears_the_end();
    assert!(server.ends_within(Duration::from_secs(10)).success());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    if !are_here(&["baresip"]) {
        return;
    }
    let setup = Setup::new();
    let mut server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    server.signal("TERM");
    sleep(Duration::from_millis(500));
    assert!(server.is_running());
    server.signal("TERM");
    server.ends_within(Duration::from_secs(10));
}
