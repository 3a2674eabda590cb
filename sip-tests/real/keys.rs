//! Keys over a bad line, and keys that don't come by RTP.

use std::thread::sleep;
use std::time::Duration;

use crate::world::agent::{Agent, NO_KEYS_BY_RTP};
use crate::world::baresip::Phone;
use crate::world::relay::Relay;
use crate::world::setup::Setup;
use crate::world::tools::are_here;
use crate::world::wait::until;

/// Which packets are lost.
const SEED: u64 = 4733;

#[test]
fn keys_are_right_where_one_packet_in_ten_is_lost() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let _server = setup.serve();
    let relay = Relay::start(&setup, 10, SEED);
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&relay.uri);
    phone.press("1005#904826#");
    let logins = "SELECT count(*) FROM v_audit WHERE account = '1005' AND action = 'login' AND outcome = 'ok'";
    until(Duration::from_secs(20), "the PIN is right", || setup.value(logins) == "1");
    // The same key twice running is two keys, whatever is lost of them.
    let pins = ["772299", "110066", "884400", "339922", "558811", "661144"];
    for (changed, pin) in (1..).zip(pins) {
        let before = setup.value("SELECT count(*) FROM v_audit");
        phone.press(&format!("1{pin}#{pin}#"));
        until(Duration::from_secs(20), "the two entries are the same", || {
            setup.value("SELECT count(*) FROM v_audit") != before
        });
        let changes =
            setup.value("SELECT count(*) FROM v_changes WHERE action = 'voicemail_pin.changed' AND account = '1005'");
        assert_eq!(changes, changed.to_string(), "seed {SEED}, after {pin}");
        assert!(setup.voicemail_pin_is("1005", pin), "seed {SEED}: {pin} was keyed");
    }
    let (carried, lost) = relay.counts();
    assert!(lost * 100 > carried * 5 && lost > 50, "seed {SEED}: {lost} lost and {carried} carried");
    phone.hang_up();
}

#[test]
fn keys_come_by_info_where_no_events_are_offered() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let _server = setup.serve();
    let mut agent = Agent::new(&setup);
    agent.new_call();
    assert_eq!(agent.call(1, NO_KEYS_BY_RTP).code(), 200);
    agent.rtp(10);
    for (number, key) in (2..).zip("1006#618049#".chars()) {
        let body = format!("Signal={key}\r\nDuration=100\r\n");
        let changes = [("Content-Type", "application/dtmf-relay")];
        let info = agent.request(&agent.line("INFO"), number, &changes, &body);
        assert_eq!(agent.ask(&info).code(), 200);
        // A retransmission is not a second key.
        assert_eq!(agent.ask(&info).code(), 200);
        sleep(Duration::from_millis(40));
    }
    let logins = "SELECT account FROM v_audit WHERE action = 'login' AND outcome = 'ok'";
    until(Duration::from_secs(10), "logged in", || setup.value(logins) == "1006");
    assert_eq!(agent.bye(20).code(), 200);
}
