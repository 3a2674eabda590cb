//! A proxy between the telephone and the line: requests within a call go the way that it recorded, in both directions.

use std::time::Duration;

use crate::world::baresip::Phone;
use crate::world::kamailio::Kamailio;
use crate::world::setup::Setup;
use crate::world::tools::are_here;
use crate::world::wait::until;

#[test]
fn a_call_through_kamailio_is_ended_by_either_side() {
    if !are_here(&["baresip", "kamailio"]) {
        return;
    }
    for transport in ["udp", "tcp"] {
        let setup = Setup::new();
        let _server = setup.serve();
        let proxy = Kamailio::start(&setup, transport);
        let uri = format!("sip:7000@{}:5060", proxy.address);
        // Who calls is taken from the proxy: a trusted peer.
        let mut phone = Phone::new(&setup, "1005");
        phone.dial(&uri);
        phone.hears_all(&["welcome", "enter-extension-or-pound"]);
        phone.press("#904826#");
        phone.hears("my-menu");
        phone.press("3");
        phone.hears("dnd-on");
        assert_eq!(setup.json(&["user", "show", "1005"])["dnd"], true);
        // The line's own BYE.
        phone.press("**");
        phone.hears_the_end();
        let ours = |method| proxy.saw(method, transport);
        until(Duration::from_secs(5), "the line's BYE took the recorded way", || ours("BYE"));

        phone.dial(&uri);
        phone.hears("welcome");
        phone.hang_up();
        let gone = || setup.rows("SELECT 1").len() == 1 && proxy.log_text().matches("proxy: BYE").count() >= 2;
        until(Duration::from_secs(5), "the telephone's BYE took the recorded way", gone);
    }
}
