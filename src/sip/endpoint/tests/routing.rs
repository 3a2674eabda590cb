//! Where responses and requests go.

use super::*;

#[test]
fn rfc3261_18_2_2_and_rfc3581_responses_go_where_via_says() {
    let rows = [
        ("192.0.2.9:5060", "", "192.0.2.9:5060", ""),
        ("192.0.2.9:5070", "", "192.0.2.9:4444", ""),
        ("192.0.2.9:5070", ";rport", "192.0.2.9:4444", ";rport=4444;received=192.0.2.9"),
        ("10.0.0.7:5070", "", "192.0.2.9:4444", ";received=192.0.2.9"),
        ("phone.example.com", ";rport", "192.0.2.9:4444", ";rport=4444;received=192.0.2.9"),
    ];
    for (sent_by, params, source, stamp) in rows {
        let mut world = World::new();
        world.flow = udp(source);
        let text =
            request("OPTIONS", "o1").text().replacen("192.0.2.9:5060;branch", &format!("{sent_by}{params};branch"), 1);
        let sent = world.get_text(&text).remove(0);
        let via = sent.header("Via").expect("a Via");
        let bare = via.replace(";branch=z9hG4bKo1", "");
        assert_eq!(bare, format!("SIP/2.0/UDP {sent_by}{stamp}"), "{sent_by}{params}");
        let port: u16 = if params.is_empty() {
            sent_by.split(':').nth(1).map_or(5060, |p| p.parse().expect("a port"))
        } else {
            4444
        };
        assert_eq!(sent.flow.peer, format!("192.0.2.9:{port}").parse().expect("an address"), "{sent_by}{params}");
    }
}

#[test]
fn a_malformed_request_is_answered_by_its_via_too() {
    let mut world = World::new();
    world.flow = udp("192.0.2.9:4444");
    let text =
        request("OPTIONS", "o1").text().replacen(";branch", ";rport;branch", 1).replacen("CSeq: 1", "CSeq: x", 1);
    let sent = world.get_text(&text).remove(0);
    assert_eq!(sent.flow.peer.port(), 4444);
    assert!(sent.header("Via").is_some_and(|via| via.contains(";rport=4444;branch=z9hG4bKo1;received=192.0.2.9")));
    assert!(sent.text.starts_with("SIP/2.0 400 Bad Request\r\n"));
    let again = world.get_text(&text).remove(0);
    assert_eq!(sent.text, again.text, "8.2.7: the same tag again");
    let with_tag = text.replacen("192.0.2.1>\r\nCall", "192.0.2.1>;tag=x\r\nCall", 1);
    assert_eq!(world.get_text(&with_tag)[0].header("To").as_deref(), Some("<sip:7000@192.0.2.1>;tag=x"));
    let broken_via = text.replacen("SIP/2.0/UDP 192", "SIP/2.0-UDP 192", 1);
    assert_eq!(world.get_text(&broken_via)[0].flow.peer.port(), 4444, "the source, where Via says nothing");
}

#[test]
fn rfc3261_18_2_2_over_tcp_all_goes_back_on_the_connection() {
    let mut world = World::over_tcp();
    let flow = world.flow;
    let dialog = world.ring(&invite("i1"));
    let ok = world.answer(dialog);
    assert_eq!(ok.flow, flow);
    assert_eq!(ok.header("Contact").as_deref(), Some("<sip:7000@192.0.2.1:5060;transport=tcp>"));
    world.get(&request("ACK", "a1").within(dialog));
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    let bye = world.sent().remove(0);
    assert_eq!(bye.flow, flow);
    assert!(bye.header("Via").is_some_and(|via| via.starts_with("SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK")));
    assert_eq!(world.passes(31_000), [], "nothing is sent twice");
}

#[test]
fn rfc3261_26_2_over_tls_all_goes_back_on_the_connection_and_says_so() {
    let mut world = World::over_tls();
    let flow = world.flow;
    let dialog = world.ring(&invite("i1"));
    let ok = world.answer(dialog);
    assert_eq!(ok.flow, flow);
    assert_eq!(ok.header("Contact").as_deref(), Some("<sip:7000@192.0.2.1:5060;transport=tls>"));
    world.get(&request("ACK", "a1").within(dialog));
    assert_eq!(world.endpoint.flow(dialog), Some(flow));
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    let bye = world.sent().remove(0);
    assert_eq!(bye.flow, flow);
    assert!(bye.header("Via").is_some_and(|via| via.starts_with("SIP/2.0/TLS 192.0.2.1:5060;branch=z9hG4bK")));
    assert_eq!(world.passes(31_000), [], "nothing is sent twice");
}

#[test]
fn rfc3261_8_2_2_1_a_sips_uri_is_for_tls_alone_and_has_a_sips_contact() {
    let secure = invite("i1").uri("sips:7000@192.0.2.1");
    for mut insecure in [World::new(), World::over_tcp()] {
        assert_eq!(insecure.gets(&secure), "416 INVITE");
    }
    let mut world = World::over_tls();
    let dialog = world.ring(&secure);
    assert_eq!(world.answer(dialog).header("Contact").as_deref(), Some("<sips:7000@192.0.2.1:5060>"));
}

#[test]
fn a_tls_connection_that_is_closed_ends_the_call_that_is_not_up_yet() {
    let mut world = World::over_tls();
    let dialog = world.ring(&invite("i1"));
    world.endpoint.handle_flow_closed(world.now, ConnectionId(1));
    assert_eq!(world.event(), ended(dialog, EndReason::TransportGone));
    world.sent();
    world.assert_empty();
}

#[test]
fn rfc3261_12_1_1_record_route_is_repeated_and_followed() {
    let routes = |first: &str| {
        invite("i1")
            .header(&format!("Record-Route: <sip:{first}>, <sip:p2.example.com;lr>"))
            .header("Record-Route: <sip:p3.example.com;lr>")
    };
    let mut world = World::new();
    let dialog = world.ring(&routes("192.0.2.9:5080;lr=on"));
    let ok = world.answer(dialog);
    assert_eq!(
        ok.headers("Record-Route"),
        ["<sip:192.0.2.9:5080;lr=on>, <sip:p2.example.com;lr>", "<sip:p3.example.com;lr>"]
    );
    world.get(&request("ACK", "a1").within(dialog));
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    let bye = world.sent().remove(0);
    assert!(bye.text.starts_with("BYE sip:1004@192.0.2.9:5062 SIP/2.0\r\n"));
    assert_eq!(
        bye.headers("Route"),
        ["<sip:192.0.2.9:5080;lr=on>", "<sip:p2.example.com;lr>", "<sip:p3.example.com;lr>"]
    );
    assert_eq!(bye.flow.peer.port(), 5080, "the first route is the next hop");

    let mut world = World::new();
    let dialog = world.ring(&routes("192.0.2.9:5080"));
    world.answer(dialog);
    world.get(&request("ACK", "a1").within(dialog));
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    let bye = world.sent().remove(0);
    assert!(bye.text.starts_with("BYE sip:192.0.2.9:5080 SIP/2.0\r\n"), "12.2.1.1: a strict router");
    assert_eq!(
        bye.headers("Route"),
        ["<sip:p2.example.com;lr>", "<sip:p3.example.com;lr>", "<sip:1004@192.0.2.9:5062>"]
    );
}

#[test]
fn our_requests_go_only_to_addresses_that_called_here() {
    let rows = [
        ("sip:a@192.0.2.9:5077", "192.0.2.9:5077"),
        ("sip:a@192.0.2.9", "192.0.2.9:5060"),
        ("sip:a@198.51.100.1:5060", "192.0.2.9:4444"),
        ("sip:a@10.0.0.5:5060", "192.0.2.9:4444"),
        ("sip:a@phone.example.com", "192.0.2.9:4444"),
    ];
    for (contact, destination) in rows {
        let mut world = World::new();
        world.flow = udp("192.0.2.9:4444");
        let dialog = world.ring(&invite("i1").without("Contact").header(&format!("Contact: <{contact}>")));
        world.answer(dialog);
        world.get(&request("ACK", "a1").within(dialog));
        world.endpoint.hang_up(world.now, dialog).expect("hung up");
        let bye = world.sent().remove(0);
        assert_eq!(bye.flow.peer, destination.parse().expect("an address"), "{contact}");
        assert!(bye.text.starts_with(&format!("BYE {contact} SIP/2.0\r\n")));
    }
}

#[test]
fn a_dialog_follows_its_caller_to_another_address_and_connection() {
    let mut world = World::new();
    let dialog = world.call();
    world.flow = udp("192.0.2.77:5060");
    world.get(&request("OPTIONS", "o1").within(dialog).seq(2));
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    assert_eq!(world.sent()[0].flow.peer.ip().to_string(), "192.0.2.77");

    let mut world = World::over_tcp();
    let dialog = world.call();
    world.endpoint.handle_flow_closed(world.now, ConnectionId(1));
    assert_eq!(world.events(), [], "a call that is up outlives its connection");
    world.flow = tcp("192.0.2.9:40001", 2);
    assert_eq!(world.gets(&request("INFO", "n1").within(dialog).seq(2)), "200 INFO");
    assert_eq!(world.event(), Event::Request { dialog });
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    let bye = world.sent().remove(0);
    assert_eq!((bye.what(), bye.flow), ("BYE".into(), world.flow));
    assert_eq!(world.event(), ended(dialog, EndReason::HungUp));
    world.assert_empty();
}

#[test]
fn a_closed_connection_ends_what_needs_it() {
    let mut world = World::over_tcp();
    let ringing = world.ring(&invite("i1"));
    let answered = world.ring(&invite("i2").call("call-2"));
    world.answer(answered);
    let gone = world.ring(&invite("i3").call("call-3"));
    world.answer(gone);
    world.get(&request("ACK", "a3").call("call-3").within(gone));
    world.events();
    let other = tcp("192.0.2.9:40002", 2);
    world.flow = other;
    let stays = world.ring(&invite("i4").call("call-4"));
    world.endpoint.handle_flow_closed(world.now, ConnectionId(1));
    let mut over = world.events();
    over.sort_by_key(|event| matches!(event, Event::Ended { dialog, .. } if *dialog == answered));
    assert_eq!(over, [ended(ringing, EndReason::TransportGone), ended(answered, EndReason::TransportGone)]);
    world.sent();
    world.endpoint.hang_up(world.now, gone).expect("hung up");
    assert_eq!(words(&world.sent()), "", "no BYE without a connection");
    assert_eq!(world.event(), ended(gone, EndReason::HungUp));
    let connect = world.endpoint.poll_connect().expect("another connection");
    world.endpoint.handle_connected(world.now, connect, None);
    assert_eq!((words(&world.sent()), world.endpoint.calls()), (String::new(), 1));
    world.answer(stays);
    world.get(&request("ACK", "a4").call("call-4").within(stays));
    world.event();
    world.endpoint.hang_up(world.now, stays).expect("hung up");
    assert_eq!(words(&world.sent()), "BYE");
    world.event();
    world.endpoint.handle_flow_closed(world.now, ConnectionId(2));
    let connect = world.endpoint.poll_connect().expect("another connection");
    world.endpoint.handle_connected(world.now, connect, None);
    assert!(world.endpoint.is_quiet(), "nobody can answer that BYE");
    world.assert_empty();
}

#[test]
fn a_configured_address_is_what_contact_and_via_name() {
    let mut world = World::with(|config| config.address = Some("203.0.113.5".parse().expect("an address")));
    world.flow.local = "0.0.0.0:5060".parse().expect("an address");
    let dialog = world.ring(&invite("i1"));
    assert_eq!(world.answer(dialog).header("Contact").as_deref(), Some("<sip:7000@203.0.113.5:5060>"));
    world.get(&request("ACK", "a1").within(dialog));
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    assert!(world.sent()[0].header("Via").is_some_and(|via| via.starts_with("SIP/2.0/UDP 203.0.113.5:5060;")));
    world.flow.local = "[2001:db8::1]:5060".parse().expect("an address");
    let sent = world.get(&request("OPTIONS", "o1")).remove(0);
    assert_eq!(sent.header("Contact").as_deref(), Some("<sip:7000@[2001:db8::1]:5060>"), "of its own family only");
}
