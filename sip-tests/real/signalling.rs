//! Signalling, with sipp and with an agent that sends exactly what it is told.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use crate::world::agent::{Agent, KEYS_BY_RTP};
use crate::world::raw::{Connection, bye_after, invite, ok_to};
use crate::world::server::Server;
use crate::world::setup::Setup;
use crate::world::sipp::{Outcome, Sipp};
use crate::world::tools::are_here;
use crate::world::wait::until;

/// Runs a scenario of one call, and looks that nothing is left of it.
fn one_call(scenario: &str, transport: &str) -> Option<Outcome> {
    if !are_here(&["sipp"]) {
        return None;
    }
    let setup = Setup::new();
    let mut server = setup.serve();
    let outcome = Sipp { transport, ..Sipp::once(scenario) }.run(&setup);
    assert_eq!((outcome.total("SuccessfulCall"), outcome.total("FailedCall")), (1, 0), "{}", outcome.complaints);
    // A drain waits for calls: there is none any more.
    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(10)).success());
    Some(outcome)
}

#[test]
fn a_call_over_udp() {
    let Some(call) = one_call("call.xml", "u1") else { return };
    assert_eq!(call.received(), ["SIP/2.0 200 OK", "SIP/2.0 200 OK"]);
}

#[test]
fn a_call_over_tcp() {
    let Some(call) = one_call("call.xml", "t1") else { return };
    assert_eq!(call.received(), ["SIP/2.0 200 OK", "SIP/2.0 200 OK"]);
}

#[test]
fn hold_and_resume_have_the_mirrored_directions() {
    let Some(call) = one_call("hold.xml", "u1") else { return };
    assert_eq!(call.received(), ["SIP/2.0 200 OK"; 7]);
}

#[test]
fn an_invite_without_an_offer_gets_ours() {
    let Some(call) = one_call("no-offer.xml", "u1") else { return };
    assert_eq!(call.received(), ["SIP/2.0 200 OK"; 3]);
}

#[test]
fn a_cancel_after_the_answer_is_too_late() {
    let Some(call) = one_call("cancel.xml", "u1") else { return };
    assert_eq!(call.received(), ["SIP/2.0 200 OK"; 3]);
}

#[test]
fn a_caller_that_never_acknowledges_is_hung_up_on_after_32_seconds() {
    let Some(call) = one_call("lost-ack.xml", "u1") else { return };
    let received = call.received();
    let (answers, end) = received.split_at(received.len() - 1);
    // At 0, 0.5, 1.5, 3.5 and 7.5 s, then every 4 s until 32 s.
    assert_eq!(answers, ["SIP/2.0 200 OK"; 11]);
    assert!(end.iter().all(|line| line.starts_with("BYE sip:sipp@")), "{end:?}");
}

#[test]
fn a_cancel_that_crosses_the_answer_leaves_one_final_response() {
    let setup = Setup::new();
    let _server = setup.serve();
    let mut agent = Agent::new(&setup);
    agent.new_call();
    let offer = agent.sdp(KEYS_BY_RTP);
    let invite = agent.request(&agent.line("INVITE"), 1, &[], &offer);
    let cancel = agent.request(&agent.line("CANCEL"), 1, &[("Contact", "")], "");
    agent.send(&invite);
    agent.send(&cancel);
    let (mut cancelled, mut invited) = (0, 0);
    while cancelled == 0 || invited == 0 {
        let message = agent.receive().expect("both are answered");
        match message.header("CSeq") {
            Some("1 CANCEL") => cancelled = message.code(),
            _ if message.code() >= 200 => invited = message.code(),
            _ => {}
        }
    }
    assert_eq!(cancelled, 200);
    assert!([200, 487].contains(&invited), "{invited}");
    let ack = agent.request(&agent.line("ACK"), 1, &[], "");
    agent.send(&ack);
    let over = agent.bye(2).code();
    assert_eq!(over, if invited == 200 { 200 } else { 481 });

    agent.new_call();
    let alone = agent.request(&agent.line("CANCEL"), 1, &[("Contact", "")], "");
    assert_eq!(agent.ask(&alone).code(), 481, "there is nothing to cancel");
}

/// The code that is due, the first line, the header fields that differ, and the media that is offered.
type Case<'a> = (u16, String, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn what_is_wrong_gets_the_answer_that_the_rfc_wants() {
    let setup = Setup::new();
    let _server = setup.serve();
    let mut agent = Agent::new(&setup);
    let address = setup.address();
    let invite = agent_line("INVITE", "7000", &setup);
    let g729 = "m=audio {port} RTP/AVP 18\r\n";
    let (none, keys): (&[(&str, &str)], _) = (&[], KEYS_BY_RTP);
    let cases: [Case<'_>; 13] = [
        (404, agent_line("INVITE", "7001", &setup), none, keys),
        (501, agent_line("FROBNICATE", "7000", &setup), none, ""),
        (405, agent_line("REGISTER", "7000", &setup), none, ""),
        (405, agent_line("SUBSCRIBE", "7000", &setup), none, ""),
        (420, invite.clone(), &[("Require", "teleport")], keys),
        (488, invite.clone(), none, g729),
        (400, invite.clone(), &[("CSeq", "one INVITE")], keys),
        (400, invite.clone(), &[("From", "")], keys),
        (505, invite.replace("SIP/2.0", "SIP/3.0"), none, keys),
        (416, "INVITE http://example.com/ SIP/2.0".to_owned(), none, keys),
        (415, invite.clone(), &[("Content-Type", "text/plain")], keys),
        (481, format!("BYE sip:7000@{address} SIP/2.0"), &[("To", "<sip:7000@127.0.0.1>;tag=nobody")], ""),
        (406, invite.clone(), &[("Accept", "text/plain")], keys),
    ];
    for (code, line, changes, media) in cases {
        agent.new_call();
        let body = if media.is_empty() { String::new() } else { agent.sdp(media) };
        let request = agent.request(&line, 1, changes, &body);
        let answer = agent.ask(&request);
        assert_eq!(answer.code(), code, "{request}\n{answer:?}");
        let tells = match code {
            405 | 501 => answer.header("Allow").is_some_and(|allow| allow.contains("INVITE")),
            420 => answer.header("Unsupported") == Some("teleport"),
            _ => true,
        };
        assert!(tells, "{answer:?}");
        assert_eq!(agent.options().code(), 200, "it answers after {request}");
    }
}

#[test]
fn a_request_that_comes_twice_by_different_ways_is_answered_482() {
    let setup = Setup::new();
    let _server = setup.serve();
    let mut agent = Agent::new(&setup);
    agent.new_call();
    let offer = agent.sdp(KEYS_BY_RTP);
    let first = agent.request(&agent.line("INVITE"), 1, &[], &offer);
    let second = first.replace("branch=z9hG4bK-", "branch=z9hG4bK-other-");
    agent.send(&first);
    agent.send(&second);
    let mut codes = [0, 0];
    until(Duration::from_secs(10), "both are answered", || {
        let Some(message) = agent.receive() else { return false };
        let other = message.header("Via").is_some_and(|via| via.contains("-other-"));
        if message.code() >= 200 {
            codes[usize::from(other)] = message.code();
        }
        !codes.contains(&0)
    });
    assert_eq!(codes, [200, 482]);
}

#[test]
fn a_bye_reaches_a_caller_whose_connection_is_gone() {
    const WITHIN: Duration = Duration::from_secs(20);
    let setup = Setup::new();
    let _server = Server::start_with(&setup, &[("SWITCHHOOK_MENU__RTP_SILENCE_S", "3")]);
    let server = SocketAddr::from((setup.address(), 5060));
    let listener = TcpListener::bind((setup.next_address(), 5060)).expect("the caller's port");
    let contact = listener.local_addr().expect("its address");
    let mut connection = Connection::open(contact.ip(), server);
    let invite = invite(1, contact, server, 40_000).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    connection.send(invite.as_bytes());
    let ok = std::iter::from_fn(|| connection.receive(WITHIN)).find(|message| message.code() >= 200);
    let ok = ok.expect("an answer");
    assert_eq!(ok.code(), 200);
    let bye = bye_after(&ok).expect("a dialog");
    connection.send(bye.replacen("BYE ", "ACK ", 1).replacen("CSeq: 2 BYE", "CSeq: 1 ACK", 1).as_bytes());
    assert!(connection.is_alive(WITHIN).1, "what came before is done");
    drop(connection);
    // No RTP comes, so that the call is over soon.
    let mut opened = Connection::accept(&listener, server);
    let bye = opened.receive(WITHIN).expect("a BYE");
    assert_eq!(bye.method(), "BYE", "{bye:?}");
    assert_eq!((bye.header("Call-ID"), bye.header("From")), (ok.header("Call-ID"), ok.header("To")));
    opened.send(ok_to(&bye).as_bytes());
    assert!(opened.closes(WITHIN), "it is needed no longer");
}

#[test]
fn options_tell_what_it_can_do() {
    let setup = Setup::new();
    let _server = setup.serve();
    let answer = Agent::new(&setup).options();
    assert_eq!(answer.code(), 200);
    let allowed = answer.header("Allow").expect("Allow");
    for method in ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE"] {
        assert!(allowed.contains(method), "{method} in {allowed}");
    }
    assert_eq!(answer.header("Accept"), Some("application/sdp"));
}

#[test]
fn media_comes_at_once_and_without_a_gap_in_its_clock() {
    let setup = Setup::new();
    let _server = setup.serve();
    let mut agent = Agent::new(&setup);
    for media in [KEYS_BY_RTP, ""] {
        agent.new_call();
        let answer = agent.call(1, media);
        assert_eq!(answer.code(), 200);
        assert!(answer.body().contains("m=audio "), "{answer:?}");
        let packets = agent.rtp(75);
        for pair in packets.windows(2) {
            let [(sequence, timestamp, source), next] = [pair[0], pair[1]];
            assert_eq!(next, (sequence.wrapping_add(1), timestamp.wrapping_add(160), source));
        }
        assert_eq!(agent.bye(2).code(), 200);
        agent.forget_rtp();
    }
}

fn agent_line(method: &str, user: &str, setup: &Setup) -> String {
    format!("{method} sip:{user}@{}:5060 SIP/2.0", setup.address())
}
