//! Many calls at a time, on a machine that no other test has: the first by name, so that none waits long for it.

use std::time::Duration;

use crate::world::setup::Setup;
use crate::world::sipp::Sipp;
use crate::world::tools::are_here;
use crate::world::wait::becomes;

#[test]
fn two_hundred_calls_at_fifty_a_second() {
    if !are_here(&["sipp"]) {
        return;
    }
    let setup = Setup::alone();
    let mut server = setup.serve();
    let before = server.open_sockets();
    let calls = Sipp { scenario: "call.xml", transport: "u1", calls: 200, rate: 50 }.run(&setup);
    let counted = ["SuccessfulCall", "FailedCall", "Retransmissions"].map(|name| calls.total(name));
    assert_eq!(counted, [200, 0, 0], "{}", calls.complaints);

    // Nothing is left of them: no socket, and no call that a drain would wait for.
    assert!(becomes(Duration::from_secs(10), || server.open_sockets() <= before), "{before} {}", server.open_sockets());
    let one_more = Sipp::once("call.xml").run(&setup);
    assert_eq!(one_more.total("SuccessfulCall"), 1);
    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(10)).success());
}
