//! Whether lines, gateways and proxies answer. It takes the longest of all, so its name is among the first.

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
