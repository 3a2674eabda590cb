//! Branch 5: lines, gateways and proxies, by a Network Administrator; and whether they answer.

use std::time::Duration;

use crate::world::baresip::Phone;
use crate::world::setup::Setup;
use crate::world::sipp::Answering;
use crate::world::tools::are_here;
use crate::world::wait::until;

/// Everything is asked once a minute; an answer that does not come is waited for 32 seconds.
const ASKED_WITHIN: Duration = Duration::from_secs(75);
const MISSED_WITHIN: Duration = Duration::from_secs(120);

#[test]
fn lines_gateways_and_proxies_are_enabled_and_disabled() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let enabled = |table: &str, number: u32| format!("SELECT enabled FROM v_{table} WHERE number = {number}");
    let setup = Setup::new();
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1003");
    phone.hears_only("main-", &["main-my-settings", "main-network", "main-changes"]);
    // What others may use is a key without a function here.
    phone.press("7");
    phone.hears_all(&["invalid-key", "main-menu"]);
    assert_eq!(setup.denied("1003"), "1");
    phone.press("5");
    phone.hears("network-menu");
    phone.hears_only("network-", &["network-lines", "network-gateways", "network-proxies", "network-status"]);
    phone.press("1");
    phone.hears("item-enter-number");
    phone.press("1#");
    phone.hears_all(&["state-enabled", "reach-unknown", "trunk-menu", "trunk-enable", "trunk-disable"]);
    phone.press("2");
    phone.hears("line-disabled");
    setup.hears_change(&mut phone, "1003 line.disabled 1");
    assert_eq!(setup.value(&enabled("lines", 1)), "0");

    // The last one that is enabled is disabled with the own PIN only.
    phone.back_to("main-menu");
    phone.press("512#2");
    phone.hears("trunk-last-enabled");
    assert_eq!(setup.value(&enabled("lines", 2)), "1");
    phone.confirms_as("1003");
    phone.hears("line-disabled");
    setup.hears_change(&mut phone, "1003 line.disabled 2");
    assert_eq!(setup.value("SELECT count(*) FROM v_lines WHERE enabled = 1"), "0");
    phone.back_to("main-menu");
    phone.press("511#1");
    phone.hears("line-enabled");
    setup.hears_change(&mut phone, "1003 line.enabled 1");

    // The lists.
    phone.back_to("main-menu");
    phone.press("52");
    phone.hears("item-enter-number");
    phone.press("#");
    phone.hears_all(&["gateway-number", "digit-1", "list-menu"]);
    phone.press("1");
    phone.hears_all(&["state-enabled", "trunk-menu"]);
    phone.back_to("main-menu");
    phone.press("531#2");
    phone.hears("trunk-last-enabled");
    phone.hears("confirm-with-pin");
    phone.press("74926186#");
    phone.hears_all(&["pin-wrong", "confirm-with-pin"]);
    phone.press("74926187#");
    phone.hears("nothing-changed");
    assert_eq!(setup.value(&enabled("proxies", 1)), "1");

    phone.back_to("main-menu");
    phone.press("54");
    // The server listens on one address of the loopback.
    phone.hears_all(&["network-address", "digit-1", "digit-2", "digit-7", "address-dot"]);
    phone.hears("network-menu");
    phone.leaves_from("main-menu");
    assert_eq!(setup.json(&["line", "show", "2"])["enabled"], false);
    setup.is_in_order();
}

#[test]
fn a_gateway_that_is_gone_is_told_of() {
    if !are_here(&["baresip", "sipp", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let gateway = Answering::start(&setup, "options.xml");
    let uri = format!("sip:{}:5060", gateway.address);
    setup.done(&["gateway", "add", "2", "town hall", "--uri", &uri], "");
    let server = setup.serve();
    let reachable = || setup.json(&["gateway", "show", "2"])["reachable"].clone();
    until(ASKED_WITHIN, "it has answered", || reachable() == true);
    let told = setup.hook_hears("gateway.reachable");
    assert_eq!(told["target"], "2", "{told}");
    let shown = setup.json(&["gateway", "show", "2"]);
    assert!(shown["round_trip_ms"].is_number() && shown["checked_at"].is_string(), "{shown}");
    let mut phone = Phone::new(&setup, "caller");
    phone.call_as(&server.uri, "1003");
    phone.press("522#");
    phone.hears_all(&["state-enabled", "reach-answered", "trunk-menu"]);
    phone.back_to("main-menu");
    phone.press("54");
    phone.hears("network-reachable");
    phone.hang_up();

    drop(gateway);
    until(MISSED_WITHIN, "it does not answer any more", || reachable() == false);
    setup.hook_hears("gateway.unreachable");
    phone.call_as(&server.uri, "1003");
    phone.press("522#");
    phone.hears_all(&["state-enabled", "reach-none", "trunk-menu"]);
    phone.back_to("main-menu");
    phone.press("54");
    phone.hears_all(&["network-unreachable", "gateway-number", "digit-2"]);
    phone.hang_up();
    // Nobody has changed anything: it is no change that has a number.
    let changes = "SELECT count(*) FROM v_changes WHERE action LIKE 'gateway.%reachable'";
    assert_eq!(setup.value(changes), "0");
    setup.is_in_order();
}
