//! A BYE where the connection that the call came over is gone.

use super::super::lost::LINES_MAX;
use super::*;
use crate::sip::Connect;

impl World {
    /// A call by TCP that is up; its Contact is that, and it has these routes.
    fn call_of(&mut self, number: u64, contact: &str, routes: &[&str]) -> DialogKey {
        let message = invite(&format!("i{number}")).call(&format!("call-{number}"));
        let message = message.without("Contact").header(&format!("Contact: <{contact}>"));
        let message = routes.iter().fold(message, |message, route| message.header(&format!("Record-Route: <{route}>")));
        let dialog = self.ring(&message);
        self.answer(dialog);
        self.get(&request("ACK", &format!("a{number}")).call(&format!("call-{number}")).within(dialog));
        assert_eq!(self.event(), Event::Confirmed { dialog, answer: None });
        dialog
    }

    fn hangs_up(&mut self, dialog: DialogKey) -> EndReason {
        self.endpoint.hang_up(self.now, dialog).expect("hung up");
        match self.event() {
            Event::Ended { dialog: ended, why } if ended == dialog => why,
            other => panic!("{other:?}"),
        }
    }

    fn closes(&mut self, connection: u64) {
        self.endpoint.handle_flow_closed(self.now, ConnectionId(connection));
        assert_eq!(self.events(), [], "a call that is up outlives its connection");
    }

    /// The BYE's 200.
    fn accepts(&mut self, bye: &Sent, by: Flow) {
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
        let lines = copied.map(|name| format!("{name}: {}\r\n", bye.header(name).unwrap_or_default()));
        self.flow = by;
        assert!(self.get_text(&format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", lines.concat())).is_empty());
    }
}

/// Where the connection is to go.
fn to(address: &str) -> Option<Connect> {
    let from = "192.0.2.1".parse().expect("an address");
    Some(Connect { from, to: address.parse().expect("an address") })
}

#[test]
fn rfc3261_12_2_1_1_a_bye_goes_by_a_new_connection_where_the_callers_is_gone() {
    let mut world = World::over_tcp();
    let dialog = world.call_of(1, "sip:1004@192.0.2.9:5062;transport=tcp", &[]);
    world.closes(1);
    assert_eq!(world.hangs_up(dialog), EndReason::HungUp);
    assert!(world.sent().is_empty() && !world.endpoint.is_quiet(), "it waits for the connection");
    assert_eq!(world.endpoint.poll_connect(), to("192.0.2.9:5062"));
    assert_eq!(world.endpoint.poll_connect(), None, "once");
    let flow = Flow { local: "192.0.2.1:33333".parse().expect("an address"), ..tcp("192.0.2.9:5062", 7) };
    world.endpoint.handle_connected(world.now, to("192.0.2.9:5062").expect("one"), Some(flow));
    let bye = world.sent().remove(0);
    assert!(bye.text.starts_with("BYE sip:1004@192.0.2.9:5062;transport=tcp SIP/2.0\r\n"), "{bye:?}");
    assert!(bye.header("Via").is_some_and(|via| via.starts_with("SIP/2.0/TCP 192.0.2.1:5060;")), "where we listen");
    assert_eq!((bye.flow, world.endpoint.poll_unused()), (flow, None));
    world.accepts(&bye, flow);
    assert_eq!(world.endpoint.poll_unused(), Some(ConnectionId(7)), "it is needed no longer");
    assert!(world.endpoint.is_quiet());
    world.assert_empty();
}

#[test]
fn where_nobody_takes_the_connection_or_closes_it_the_bye_is_given_up() {
    for is_taken in [false, true] {
        let mut world = World::over_tcp();
        let dialog = world.call_of(1, "sip:1004@192.0.2.9:5062", &[]);
        world.closes(1);
        world.hangs_up(dialog);
        let connect = world.endpoint.poll_connect().expect("a connection");
        let flow = is_taken.then(|| tcp("192.0.2.9:5062", 7));
        world.endpoint.handle_connected(world.now, connect, flow);
        assert_eq!(world.sent().len(), usize::from(is_taken));
        world.endpoint.handle_flow_closed(world.now, ConnectionId(7));
        assert!(world.endpoint.is_quiet(), "{is_taken}");
        world.assert_empty();
    }
    let mut world = World::over_tcp();
    let dialog = world.call_of(1, "sip:1004@192.0.2.9:5062", &[]);
    world.closes(1);
    world.hangs_up(dialog);
    let connect = world.endpoint.poll_connect().expect("a connection");
    world.endpoint.handle_connected(world.now, connect, Some(tcp("192.0.2.9:5062", 7)));
    world.pass(32_000);
    assert_eq!(world.endpoint.poll_unused(), Some(ConnectionId(7)), "no answer within 32 s");
    world.sent();
    world.assert_empty();
}

/// A connection that has been dead for long is known by the BYE that goes there.
#[test]
fn a_bye_whose_connection_is_closed_before_the_answer_goes_by_another_one_once() {
    for is_answered in [false, true] {
        let mut world = World::over_tcp();
        let dialog = world.call_of(1, "sip:1004@192.0.2.9:5062", &[]);
        world.hangs_up(dialog);
        let bye = world.sent().remove(0);
        if is_answered {
            world.accepts(&bye, world.flow);
        }
        world.closes(1);
        assert_eq!(world.endpoint.poll_connect(), to("192.0.2.9:5062").filter(|_| !is_answered));
        if !is_answered {
            let flow = tcp("192.0.2.9:5062", 7);
            world.endpoint.handle_connected(world.now, to("192.0.2.9:5062").expect("one"), Some(flow));
            let again = world.sent().remove(0);
            assert_eq!((again.flow, &again.text), (flow, &bye.text), "the same transaction");
            world.closes(7);
        }
        assert_eq!(world.endpoint.poll_connect(), None);
        assert!(world.endpoint.is_quiet() && world.sent().is_empty());
        world.assert_empty();
    }
    let mut world = World::over_tls();
    let dialog = world.call_of(1, "sip:1004@192.0.2.9:5062", &[]);
    world.hangs_up(dialog);
    world.sent();
    world.closes(1);
    assert_eq!(world.endpoint.poll_connect(), None, "not in place of TLS");
    world.assert_empty();
}

#[test]
fn only_the_address_that_called_is_connected_to_and_never_in_place_of_tls() {
    let rows: [(&str, &[&str], Option<Connect>); 9] = [
        ("sip:a@192.0.2.9", &[], to("192.0.2.9:5060")),
        ("sip:a@phone.example.com:5077;transport=tcp", &[], to("192.0.2.9:5077")),
        ("sip:a@10.0.0.5", &["sip:192.0.2.9:5080;lr;transport=tcp"], to("192.0.2.9:5080")),
        ("sip:a@192.0.2.9", &["sip:10.0.0.5;lr"], None),
        ("sip:a@10.0.0.5:5060", &[], None),
        ("sip:a@127.0.0.1:6379", &[], None),
        ("sip:a@192.0.2.9:0", &[], None),
        ("sips:a@192.0.2.9", &[], None),
        ("sip:a@192.0.2.9;transport=tls", &[], None),
    ];
    for (contact, routes, connect) in rows {
        let mut world = World::over_tcp();
        let dialog = world.call_of(1, contact, routes);
        world.closes(1);
        let why = if connect.is_some() { EndReason::HungUp } else { EndReason::TransportGone };
        assert_eq!((world.hangs_up(dialog), world.endpoint.poll_connect()), (why, connect), "{contact} {routes:?}");
    }
    let mut world = World::over_tls();
    let dialog = world.call_of(1, "sip:a@192.0.2.9", &[]);
    world.closes(1);
    assert_eq!((world.hangs_up(dialog), world.endpoint.poll_connect()), (EndReason::TransportGone, None));
    world.assert_empty();
}

#[test]
fn byes_for_one_address_share_a_connection_and_so_many_addresses_have_one() {
    let mut world = World::over_tcp();
    let contact = |n: u64| format!("sip:a@192.0.2.9:{}", 6000 + n);
    let most = LINES_MAX as u64;
    let dialogs: Vec<DialogKey> = (0..=most).map(|n| world.call_of(n, &contact(n), &[])).collect();
    let [second, third] = [1, 2].map(|n| world.call_of(most + n, &contact(0), &[]));
    world.closes(1);
    let whys: Vec<EndReason> = dialogs.iter().map(|dialog| world.hangs_up(*dialog)).collect();
    assert!(whys[..LINES_MAX].iter().all(|why| *why == EndReason::HungUp));
    assert_eq!(whys[LINES_MAX], EndReason::TransportGone, "one address too many");
    assert_eq!(world.hangs_up(second), EndReason::HungUp, "it needs no connection of its own");
    let connects: Vec<Connect> = std::iter::from_fn(|| world.endpoint.poll_connect()).collect();
    assert_eq!(connects.len(), LINES_MAX);
    let flow = tcp("192.0.2.9:6000", 7);
    world.endpoint.handle_connected(world.now, connects[0], Some(flow));
    let mut byes = world.sent();
    assert_eq!(world.hangs_up(third), EndReason::HungUp);
    byes.append(&mut world.sent());
    assert!(byes.len() == 3 && byes.iter().all(|bye| bye.flow == flow), "{byes:?}");
    assert_eq!(world.endpoint.poll_connect(), None);
    for (n, bye) in byes.iter().enumerate() {
        assert_eq!(world.endpoint.poll_unused(), None, "{n} are answered");
        world.accepts(bye, flow);
    }
    assert_eq!(world.endpoint.poll_unused(), Some(ConnectionId(7)));
    for connect in &connects[1..] {
        world.endpoint.handle_connected(world.now, *connect, None);
    }
    world.assert_empty();
}
