//! A call's set-up and end.

use super::*;

#[test]
fn rfc3261_13_3_a_call_is_set_up_and_ended() {
    let mut world = World::new();
    world.get(&invite("i1").header("P-Asserted-Identity: <tel:+15550100>, \"A\" <sip:1005@pbx>"));
    let Event::Incoming(incoming) = world.event() else { panic!("no call") };
    assert_eq!(incoming.to_user, "7000");
    assert_eq!(incoming.from_user.as_deref(), Some("1004"));
    assert_eq!(incoming.asserted_user.as_deref(), Some("1005"));
    assert_eq!(incoming.account, None);
    assert_eq!(incoming.offer, Some(body(OFFER)));
    assert_eq!(incoming.flow.peer, world.flow.peer);
    let dialog = incoming.dialog;

    let ok = world.answer(dialog);
    assert_eq!(ok.header("To"), Some(format!("<sip:7000@192.0.2.1>;tag={}", dialog::tag_of(dialog))));
    assert_eq!(ok.header("Contact").as_deref(), Some("<sip:7000@192.0.2.1:5060>"));
    assert_eq!(ok.header("Allow").as_deref(), Some("INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE"));
    assert!(ok.header("Supported").is_some() && ok.header("Server").is_some());
    assert!(ok.text.ends_with(&format!("Content-Type: application/sdp\r\nContent-Length: 10\r\n\r\n{ANSWER}")));

    assert_eq!(world.gets(&request("ACK", "a1").within(dialog)), "");
    assert_eq!(world.event(), Event::Confirmed { dialog, answer: None });
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(2)), "200 BYE");
    assert_eq!(world.event(), ended(dialog, EndReason::Bye));
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(2)), "200 BYE", "17.2.2: again");
    assert_eq!(world.gets(&request("BYE", "b2").within(dialog).seq(3)), "481 BYE");
    world.assert_empty();
}

#[test]
fn rfc3261_17_2_1_a_slow_answer_is_preceded_by_100() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1").header("Timestamp: 54"));
    assert_eq!(world.passes(199), []);
    let trying = world.pass(500);
    assert_eq!((trying.len(), trying[0].0, trying[0].1.what()), (1, 1, "100 INVITE".into()));
    assert_eq!(trying[0].1.header("Timestamp").as_deref(), Some("54"));
    assert_eq!(trying[0].1.header("To").as_deref(), Some("<sip:7000@192.0.2.1>"));
    assert_eq!(world.gets(&invite("i1").header("Timestamp: 54")), "100 INVITE");
    world.answer(dialog);
}

#[test]
fn rfc3261_13_3_1_4_the_200_is_repeated_until_its_ack_over_udp_and_tcp() {
    for mut world in [World::new(), World::over_tcp()] {
        let dialog = world.ring(&invite("i1"));
        world.answer(dialog);
        let ok = |ms| at(ms, "200 INVITE");
        assert_eq!(world.passes(8000), [ok(500), ok(1500), ok(3500), ok(7500)]);
        assert_eq!(world.gets(&invite("i1")), "", "6026: an INVITE again is absorbed");
        world.get(&request("ACK", "a1").within(dialog));
        assert_eq!(world.event(), Event::Confirmed { dialog, answer: None });
        assert_eq!(world.passes(20_000), []);
        assert_eq!(world.gets(&request("ACK", "a1").within(dialog)), "");
        assert_eq!(world.events(), [], "an ACK again is nothing new");
    }
}

#[test]
fn rfc3261_13_3_1_4_a_lost_ack_ends_the_call_with_a_bye_at_32_s() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    world.answer(dialog);
    let sent = world.passes(32_000);
    assert_eq!(sent.last(), Some(&at(32_000, "BYE")));
    assert_eq!(sent.iter().filter(|(_, what)| what == "200 INVITE").count(), 10);
    assert_eq!(world.event(), ended(dialog, EndReason::NoAck));
    assert_eq!(world.passes(1500), [at(500, "BYE"), at(1500, "BYE")], "17.1.2: the BYE is repeated");
    assert!(!world.endpoint.is_quiet());
    world.assert_empty();
}

#[test]
fn rfc3261_13_3_1_4_an_ack_for_another_invite_does_not_count() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    world.answer(dialog);
    let mut stranger = request("ACK", "a1").within(dialog);
    stranger.from_tag = "other".into();
    for ack in [request("ACK", "a1").within(dialog).seq(2), request("ACK", "a1").within(dialog).call("x"), stranger] {
        world.get(&ack);
        assert_eq!(world.events(), []);
    }
    assert_eq!(world.passes(500), [at(500, "200 INVITE")]);
}

#[test]
fn rfc3264_4_an_invite_without_an_offer_gets_its_answer_in_the_ack() {
    let mut world = World::new();
    world.get(&invite("i1").no_body());
    let Event::Incoming(Incoming { dialog, offer: None, .. }) = world.event() else { panic!("an offer") };
    world.answer(dialog);
    world.get(&request("ACK", "a1").within(dialog).body("application/sdp", "v=0 theirs"));
    assert_eq!(world.event(), Event::Confirmed { dialog, answer: Some(body("v=0 theirs")) });
}

#[test]
fn rfc3261_9_2_cancel_before_the_answer() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    let cancel = request("CANCEL", "i1");
    let sent = world.get(&cancel);
    assert_eq!(words(&sent), "200 CANCEL, 487 INVITE");
    assert_eq!(sent[0].header("To"), sent[1].header("To"), "9.2: the same tag");
    assert_eq!(world.event(), ended(dialog, EndReason::Cancelled));
    assert_eq!(world.gets(&cancel), "200 CANCEL");
    assert_eq!(world.endpoint.answer(world.now, dialog, b""), Err(crate::sip::CommandError::NoSuchDialog));
    assert_eq!(world.passes(1500), [at(500, "487 INVITE"), at(1500, "487 INVITE")], "17.2.1: until the ACK");
    world.get(&request("ACK", "i1").tagged("any"));
    assert_eq!(world.passes(30_000), []);
    assert_eq!(world.events(), []);
    world.assert_empty();
}

#[test]
fn rfc3261_9_2_cancel_races_with_the_answer_and_loses() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    world.answer(dialog);
    assert_eq!(world.gets(&request("CANCEL", "i1")), "200 CANCEL");
    assert_eq!(world.events(), []);
    world.get(&request("ACK", "a1").within(dialog));
    assert_eq!(world.event(), Event::Confirmed { dialog, answer: None });
    assert_eq!(world.gets(&request("CANCEL", "nothing")), "481 CANCEL");
}

#[test]
fn rfc3261_9_2_a_late_cancel_of_the_invite_does_not_touch_its_reinvite() {
    let mut world = World::new();
    let dialog = world.call();
    world.get(&invite("r1").within(dialog).seq(2));
    world.event();
    assert_eq!(world.gets(&request("CANCEL", "i1")), "200 CANCEL");
}

#[test]
fn rfc3261_17_2_3_the_same_branch_of_another_sender_is_another_transaction() {
    let mut world = World::new();
    world.ring(&invite("i1"));
    world.ring(&invite("i1").via("192.0.2.9:5070").call("call-2"));
    assert_eq!(world.endpoint.calls(), 2);
}

#[test]
fn a_session_description_that_nobody_asked_for_is_left_aside() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    world.answer(dialog);
    world.get(&request("ACK", "a1").within(dialog).body("application/sdp", "v=0 third"));
    assert_eq!(world.event(), Event::Confirmed { dialog, answer: None });
    let mut world = World::new();
    let dialog = world.ring(&invite("i1").no_body());
    world.answer(dialog);
    world.get(&request("ACK", "a1").within(dialog).body("text/plain", "hello"));
    assert_eq!(world.event(), Event::Confirmed { dialog, answer: None });
}

#[test]
fn a_call_is_rejected_with_what_the_shell_says() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    world.endpoint.reject(world.now, dialog, 486, &[("Retry-After", "30")]).expect("rejected");
    let sent = world.sent();
    assert_eq!(words(&sent), "486 INVITE");
    assert_eq!(sent[0].header("Retry-After").as_deref(), Some("30"));
    assert_eq!(world.event(), ended(dialog, EndReason::Rejected));
    assert_eq!(world.gets(&invite("i1")), "486 INVITE", "17.2.1: again");
    let other = world.ring(&invite("i2").call("call-2"));
    world.endpoint.reject(world.now, other, 200, &[]).expect("rejected");
    assert_eq!(words(&world.sent()), "500 INVITE", "a code that does not reject");
    world.get(&request("ACK", "i2").call("call-2").tagged("any"));
    world.events();
    world.get(&request("ACK", "i1").tagged("any"));
    assert_eq!(world.gets(&invite("i1")), "", "17.2.1: Confirmed absorbs");
    world.assert_empty();
}

#[test]
fn rfc3261_15_no_bye_before_the_ack() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    world.answer(dialog);
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    assert_eq!(words(&world.sent()), "");
    assert_eq!(world.gets(&invite("r1").within(dialog).seq(2)), "500 INVITE", "nothing new is begun");
    world.get(&request("ACK", "r1").within(dialog).seq(2));
    assert_eq!(world.passes(500), [at(500, "200 INVITE")]);
    assert_eq!(world.gets(&request("ACK", "a1").within(dialog)), "BYE");
    assert_eq!(world.event(), ended(dialog, EndReason::HungUp));
    world.assert_empty();
}

#[test]
fn rfc3261_15_hung_up_and_never_acknowledged() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    world.answer(dialog);
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    assert_eq!(world.passes(32_000).last(), Some(&at(32_000, "BYE")));
    assert_eq!(world.event(), ended(dialog, EndReason::HungUp));
}

#[test]
fn hanging_up_ends_each_phase_as_it_must() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    assert_eq!(words(&world.sent()), "480 INVITE");
    assert_eq!(world.event(), ended(dialog, EndReason::HungUp));

    let mut world = World::new();
    let dialog = world.call();
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    let bye = world.sent().remove(0);
    assert_eq!(bye.text.split("\r\n").next(), Some("BYE sip:1004@192.0.2.9:5062 SIP/2.0"));
    assert_eq!(bye.header("From"), Some(format!("<sip:7000@192.0.2.1>;tag={}", dialog::tag_of(dialog))));
    assert_eq!(bye.header("To").as_deref(), Some("\"A\" <sip:1004@192.0.2.9>;tag=callertag"));
    assert_eq!(bye.header("Call-ID").as_deref(), Some("call-1@192.0.2.9"));
    assert_eq!(bye.header("CSeq").as_deref(), Some("1 BYE"));
    assert_eq!(bye.header("Max-Forwards").as_deref(), Some("70"));
    assert_eq!(world.event(), ended(dialog, EndReason::HungUp));
    assert!(!world.endpoint.is_quiet(), "the BYE waits for its response");
    let ok = bye.text.replacen("BYE sip:1004@192.0.2.9:5062 SIP/2.0", "SIP/2.0 200 OK", 1);
    assert_eq!(words(&world.get_text(&ok)), "");
    assert!(world.endpoint.is_quiet());
    assert_eq!(world.passes(32_000), [], "17.1.2: no BYE after its response");
    world.assert_empty();
}

#[test]
fn a_bye_in_place_of_the_ack_ends_the_call() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    world.answer(dialog);
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(2)), "200 BYE");
    assert_eq!(world.event(), ended(dialog, EndReason::Bye));
    assert_eq!(world.passes(32_000), [], "the 200 to the INVITE is repeated no more");
    world.assert_empty();
}

#[test]
fn rfc3261_8_2_2_2_a_merged_request_gets_482() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    assert_eq!(world.gets(&invite("other-path")), "482 INVITE");
    assert_eq!(world.gets(&invite("other-path")), "482 INVITE");
    world.answer(dialog);
    assert_eq!(world.gets(&invite("third-path")), "482 INVITE");
    for path in ["other-path", "third-path"] {
        world.get(&request("ACK", path).tagged("x"));
    }
    world.get(&request("ACK", "a1").within(dialog));
    world.event();
    world.pass(6000);
    assert_eq!(world.gets(&invite("late-path")), "482 INVITE", "as long as the first one is remembered");
    assert_eq!(world.events(), []);
    assert_eq!(world.gets(&invite("next").seq(2)), "", "a new CSeq is a new request");
}

#[test]
fn an_rfc2543_call_without_branch_and_tag() {
    let mut world = World::new();
    let plain = |message: &Msg| message.text().replace(";branch=z9hG4bKx", "").replacen(";tag=callertag", "", 1);
    let invite = plain(&invite("x").without("Contact"));
    assert_eq!(words(&world.get_text(&invite)), "");
    let Event::Incoming(Incoming { dialog, .. }) = world.event() else { panic!("no call") };
    assert_eq!(words(&world.get_text(&invite)), "100 INVITE", "17.2.3: matched without a branch");
    world.answer(dialog);
    assert_eq!(words(&world.get_text(&plain(&request("ACK", "x").within(dialog)))), "");
    assert_eq!(world.event(), Event::Confirmed { dialog, answer: None });
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    assert!(world.sent()[0].text.starts_with("BYE sip:1004@192.0.2.9 SIP/2.0\r\n"), "From is the remote target");

    let mut world = World::new();
    world.get_text(&invite);
    let Event::Incoming(Incoming { dialog, .. }) = world.event() else { panic!("no call") };
    assert_eq!(words(&world.get_text(&plain(&request("CANCEL", "x")))), "200 CANCEL, 487 INVITE");
    assert_eq!(world.event(), ended(dialog, EndReason::Cancelled));
    assert_eq!(words(&world.get_text(&plain(&request("ACK", "x").within(dialog)))), "");
    assert_eq!(world.passes(20_000), [], "17.2.3: the ACK was matched");
}
