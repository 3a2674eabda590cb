//! OPTIONS of ours.

use super::*;
use crate::sip::is_reachable;

fn gateway() -> Destination {
    Destination::parse("sip:192.0.2.40:5080").expect("a destination")
}

impl World {
    fn probe(&mut self, flow: Flow) -> (ProbeId, Sent) {
        let probe = self.endpoint.probe(self.now, flow, &gateway()).expect("room");
        let mut sent = self.sent();
        assert_eq!(words(&sent), "OPTIONS");
        (probe, sent.remove(0))
    }

    /// A response of the gateway to that request.
    fn respond(&mut self, request: &Sent, code: u16) {
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
        let lines = copied.map(|name| format!("{name}: {}\r\n", request.header(name).expect(name)));
        let text = format!("SIP/2.0 {code} Whatever\r\n{}Content-Length: 0\r\n\r\n", lines.concat());
        assert_eq!(words(&self.get_text(&text)), "", "a response is never answered");
    }
}

fn probed(probe: ProbeId, answer: Option<u16>, ms: u64) -> Event {
    Event::Probed { probe, answer, round_trip: Duration::from_millis(ms) }
}

#[test]
fn rfc3261_11_1_options_names_all_that_it_must() {
    let mut world = World::new();
    let (_, options) = world.probe(udp("192.0.2.40:5080"));
    assert_eq!(options.flow.peer, "192.0.2.40:5080".parse().expect("an address"));
    assert!(options.text.starts_with("OPTIONS sip:192.0.2.40:5080 SIP/2.0\r\n"));
    let header = |name: &str| options.header(name).unwrap_or_default();
    assert!(
        header("Via").starts_with("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK") && header("Via").ends_with(";rport")
    );
    assert!(header("From").starts_with("<sip:switchhook@192.0.2.1:5060>;tag="));
    assert_eq!(header("To"), "<sip:192.0.2.40:5080>", "no tag outside a dialog");
    assert_eq!((header("Max-Forwards"), header("CSeq")), ("70".into(), "1 OPTIONS".into()));
    assert_eq!(
        (header("Accept"), header("Contact")),
        ("application/sdp".into(), "<sip:switchhook@192.0.2.1:5060>".into())
    );
    let (_, other) = world.probe(udp("192.0.2.40:5080"));
    assert!(["Via", "From", "Call-ID"].iter().all(|name| other.header(name) != options.header(name)));
}

#[test]
fn the_first_final_response_is_the_answer() {
    let mut world = World::new();
    let (probe, options) = world.probe(udp("192.0.2.40:5080"));
    world.pass(40);
    world.respond(&options, 100);
    assert_eq!(world.events(), []);
    world.pass(3);
    world.respond(&options, 404);
    assert_eq!(world.event(), probed(probe, Some(404), 43));
    world.respond(&options, 200);
    assert_eq!(world.events(), [], "one answer to a question");
    world.assert_empty();
}

#[test]
fn rfc3261_17_1_2_silence_is_asked_again_and_given_up_after_32_seconds() {
    let mut world = World::new();
    let (probe, options) = world.probe(udp("192.0.2.40:5080"));
    let again: Vec<u64> = world.pass(31_999).into_iter().map(|(at, _)| at).collect();
    assert_eq!(again, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(world.events(), []);
    world.pass(1);
    assert_eq!(world.event(), probed(probe, None, 0));
    world.respond(&options, 200);
    assert_eq!(world.events(), [], "too late");
    world.assert_empty();
}

#[test]
fn only_a_response_to_our_own_request_counts() {
    let mut world = World::new();
    let (_, options) = world.probe(udp("192.0.2.40:5080"));
    let forged = |from: &str, to: &str| Sent { text: options.text.replacen(from, to, 1), flow: options.flow };
    world.respond(&forged("1 OPTIONS", "1 BYE"), 200);
    world.respond(&forged(";branch=z9hG4bK", ";branch=z9hG4bKf"), 200);
    assert_eq!(world.events(), []);
}

#[test]
fn a_closed_connection_answers_nothing_any_more() {
    let mut world = World::new();
    let (probe, options) = world.probe(tcp("192.0.2.40:5080", 7));
    assert!(options.header("Via").is_some_and(|via| via.starts_with("SIP/2.0/TCP ")));
    assert_eq!(world.passes(10_000), [], "nothing is sent twice");
    world.endpoint.handle_flow_closed(world.now, ConnectionId(7));
    assert_eq!(world.event(), probed(probe, None, 0));
    let (probe, options) = world.probe(tcp("192.0.2.40:5080", 8));
    world.respond(&options, 200);
    assert_eq!(world.event(), probed(probe, Some(200), 0));
    world.endpoint.handle_flow_closed(world.now, ConnectionId(8));
    assert_eq!(world.events(), []);
    world.assert_empty();
}

#[test]
fn nobody_waits_for_a_probe_at_the_end_and_none_is_sent_over_the_limit() {
    let mut world = World::with(|config| config.transactions_max = 1);
    world.probe(udp("192.0.2.40:5080"));
    assert!(world.endpoint.is_quiet());
    assert_eq!(world.endpoint.probe(world.now, udp("192.0.2.40:5080"), &gateway()), None);
    assert_eq!(words(&world.sent()), "");
}

#[test]
fn who_answers_is_there_unless_it_says_that_it_is_out_of_service() {
    for code in [200, 302, 401, 403, 404, 405, 480, 486, 501, 603] {
        assert!(is_reachable(Some(code)), "{code}");
    }
    for answer in [None, Some(408), Some(500), Some(502), Some(503), Some(504), Some(505)] {
        assert!(!is_reachable(answer), "{answer:?}");
    }
}
