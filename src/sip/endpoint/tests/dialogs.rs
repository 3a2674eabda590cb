//! Requests within a dialog: re-INVITE, UPDATE, INFO, and what must not be done.

use super::*;
use crate::sip::CommandError;

const NEW_OFFER: &str = "v=0 hold";

fn reinvite(branch: &str, dialog: DialogKey, seq: u32) -> Msg {
    invite(branch).within(dialog).seq(seq).body("application/sdp", NEW_OFFER)
}

fn update(branch: &str, dialog: DialogKey, seq: u32) -> Msg {
    Msg { method: "UPDATE", ..reinvite(branch, dialog, seq) }
}

impl World {
    fn answer_reoffer(&mut self, dialog: DialogKey, sdp: Result<&[u8], u16>) -> String {
        self.endpoint.answer_reoffer(self.now, dialog, sdp).expect("answered");
        words(&self.sent())
    }
}

#[test]
fn rfc3261_14_2_a_reinvite_is_offered_answered_and_acknowledged() {
    let mut world = World::new();
    let dialog = world.call();
    assert_eq!(world.gets(&reinvite("r1", dialog, 2)), "");
    assert_eq!(world.event(), Event::Reoffered { dialog, offer: Some(body(NEW_OFFER)) });
    assert_eq!(world.answer_reoffer(dialog, Ok(b"v=0")), "200 INVITE");
    assert_eq!(world.passes(500), [at(500, "200 INVITE")]);
    world.get(&request("ACK", "a2").within(dialog).seq(2));
    assert_eq!(world.event(), Event::ReofferConfirmed { dialog, answer: None });
    assert_eq!(world.passes(5000), []);
}

#[test]
fn rfc3261_14_2_a_reinvite_without_an_offer_gets_ours() {
    let mut world = World::new();
    let dialog = world.call();
    world.get(&reinvite("r1", dialog, 2).no_body());
    assert_eq!(world.event(), Event::Reoffered { dialog, offer: None });
    world.answer_reoffer(dialog, Ok(b"v=0"));
    world.get(&request("ACK", "a2").within(dialog).seq(2).body("application/sdp", "v=0 theirs"));
    assert_eq!(world.event(), Event::ReofferConfirmed { dialog, answer: Some(body("v=0 theirs")) });
}

#[test]
fn rfc3261_14_2_a_refused_reinvite_leaves_the_call_as_it_was() {
    let mut world = World::new();
    let dialog = world.call();
    world.get(&reinvite("r1", dialog, 2));
    world.event();
    assert_eq!(world.answer_reoffer(dialog, Err(488)), "488 INVITE");
    assert_eq!(world.passes(500), [at(500, "488 INVITE")]);
    world.get(&request("ACK", "r1").within(dialog).seq(2));
    assert_eq!(world.passes(20_000), []);
    assert_eq!(world.events(), []);
    assert_eq!(world.endpoint.answer_reoffer(world.now, dialog, Err(488)), Err(CommandError::NothingToAnswer));
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(3)), "200 BYE");
}

#[test]
fn rfc3261_14_2_glare_a_second_request_while_one_waits_gets_500_with_retry_after() {
    let mut world = World::new();
    let dialog = world.call();
    world.get(&reinvite("r1", dialog, 2));
    world.event();
    for (message, what) in [(reinvite("r2", dialog, 3), "500 INVITE"), (update("u1", dialog, 4), "500 UPDATE")] {
        let sent = world.get(&message);
        assert_eq!(words(&sent), what);
        let seconds: u64 = sent[0].header("Retry-After").and_then(|s| s.parse().ok()).expect("Retry-After");
        assert!(seconds <= 10);
    }
    assert_eq!(world.events(), []);
    assert_eq!(world.answer_reoffer(dialog, Ok(b"v=0")), "200 INVITE", "the first one is answered all the same");
}

#[test]
fn rfc3311_5_2_glare_an_offer_while_ours_is_open_gets_491() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1").no_body());
    world.answer(dialog);
    assert_eq!(world.gets(&update("u1", dialog, 2)), "491 UPDATE");
    assert_eq!(world.gets(&reinvite("r1", dialog, 3)), "491 INVITE");
    assert_eq!(world.events(), []);
    world.get(&request("ACK", "a1").within(dialog).body("application/sdp", "v=0 theirs"));
    assert_eq!(world.event(), Event::Confirmed { dialog, answer: Some(body("v=0 theirs")) });
    assert_eq!(world.gets(&reinvite("r2", dialog, 4)), "");
}

#[test]
fn rfc5407_a_reinvite_before_the_ack_stands_for_it() {
    let mut world = World::new();
    let dialog = world.ring(&invite("i1"));
    world.answer(dialog);
    assert_eq!(world.gets(&reinvite("r1", dialog, 2)), "");
    let events = world.events();
    assert_eq!(events[0], Event::Confirmed { dialog, answer: None });
    assert_eq!(events[1], Event::Reoffered { dialog, offer: Some(body(NEW_OFFER)) });
    assert_eq!(world.passes(150), []);
}

#[test]
fn rfc3311_update_with_and_without_an_offer() {
    let mut world = World::new();
    let dialog = world.call();
    assert_eq!(world.gets(&update("u1", dialog, 2)), "");
    assert_eq!(world.event(), Event::Reoffered { dialog, offer: Some(body(NEW_OFFER)) });
    assert_eq!(world.answer_reoffer(dialog, Ok(b"v=0")), "200 UPDATE");
    assert_eq!(world.gets(&update("u1", dialog, 2)), "200 UPDATE");
    assert_eq!(world.passes(10_000), [], "an UPDATE's 200 waits for no ACK");
    assert_eq!(world.gets(&update("u2", dialog, 3).no_body()), "200 UPDATE");
    assert_eq!(world.event(), Event::Request { dialog });
}

#[test]
fn rfc3261_12_2_2_the_remote_target_moves_with_an_accepted_request_only() {
    let moved = |message: Msg| message.without("Contact").header("Contact: <sip:moved@192.0.2.9:5099>");
    for (accept, target) in [(true, "sip:moved@192.0.2.9:5099"), (false, "sip:1004@192.0.2.9:5062")] {
        let mut world = World::new();
        let dialog = world.call();
        world.get(&moved(reinvite("r1", dialog, 2)));
        world.answer_reoffer(dialog, if accept { Ok(b"v=0") } else { Err(488) });
        world.endpoint.hang_up(world.now, dialog).expect("hung up");
        assert!(world.sent()[0].text.starts_with(&format!("BYE {target} SIP/2.0")), "{accept}");
    }
    let mut world = World::new();
    let dialog = world.call();
    world.get(&moved(update("u1", dialog, 2).no_body()));
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    let bye = world.sent().remove(0);
    assert!(bye.text.starts_with("BYE sip:moved@192.0.2.9:5099 SIP/2.0"));
    assert_eq!(bye.flow.peer.port(), 5099);
}

#[test]
fn rfc3261_12_2_2_a_stale_cseq_gets_500() {
    let mut world = World::new();
    let dialog = world.call();
    assert_eq!(world.gets(&request("OPTIONS", "o1").within(dialog).seq(10)), "200 OPTIONS");
    assert_eq!(world.gets(&request("INFO", "n1").within(dialog).seq(9)), "500 INFO");
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(10)), "500 BYE");
    assert_eq!(world.event(), Event::Request { dialog }, "the first one shows that the caller is there");
    assert_eq!(world.gets(&request("BYE", "b2").within(dialog).seq(12)), "200 BYE");
}

#[test]
fn rfc6086_a_key_by_info_comes_once() {
    let mut world = World::new();
    let dialog = world.call();
    let info = request("INFO", "n1").within(dialog).seq(2).body("Application/DTMF-Relay ;x=y", "Signal=5");
    assert_eq!(world.gets(&info), "200 INFO");
    let content_type = "application/dtmf-relay".to_owned();
    assert_eq!(world.event(), Event::Info { dialog, content_type, body: body("Signal=5") });
    assert_eq!(world.gets(&info), "200 INFO", "a retransmission is answered");
    assert_eq!(world.events(), [], "and is not a second key");
    let other = request("INFO", "n2").within(dialog).seq(3).body("application/media_control+xml", "<x/>");
    let sent = world.get(&other);
    assert_eq!(words(&sent), "415 INFO");
    assert_eq!(sent[0].header("Accept").as_deref(), Some("application/dtmf-relay, application/dtmf"));
    assert_eq!(world.gets(&request("INFO", "n3").within(dialog).seq(4)), "200 INFO", "6086: an empty one");
    assert_eq!(world.event(), Event::Request { dialog });
    let package = request("INFO", "n4").within(dialog).seq(5).header("Info-Package: foo");
    assert_eq!(world.gets(&package), "469 INFO");
    assert_eq!(world.events(), []);
}

#[test]
fn no_key_is_printed() {
    let mut world = World::new();
    let dialog = world.call();
    world.endpoint.handle_message(
        world.now,
        world.flow,
        request("INFO", "n1").within(dialog).seq(2).body("application/dtmf-relay", "Signal=5").text().as_bytes(),
    );
    let events = world.events();
    let printed = format!("{:?} {events:?}", world.endpoint);
    assert!(!printed.contains("Signal") && printed.contains("Body(8 bytes)"), "{printed}");
}

#[test]
fn rfc3261_15_1_2_a_bye_ends_what_waits_with_487() {
    let mut world = World::new();
    let dialog = world.call();
    world.get(&reinvite("r1", dialog, 2));
    world.event();
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(3)), "200 BYE, 487 INVITE");
    assert_eq!(world.event(), ended(dialog, EndReason::Bye));
    assert_eq!(world.endpoint.answer_reoffer(world.now, dialog, Err(488)), Err(CommandError::NoSuchDialog));
    world.get(&request("ACK", "r1").within(dialog).seq(2));
    world.assert_empty();
}

#[test]
fn hanging_up_ends_what_waits_with_487() {
    let mut world = World::new();
    let dialog = world.call();
    world.get(&reinvite("r1", dialog, 2));
    world.event();
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    assert_eq!(words(&world.sent()), "487 INVITE, BYE");
    world.assert_empty();
}

#[test]
fn rfc3261_9_2_a_cancelled_reinvite_leaves_the_call_as_it_was() {
    let mut world = World::new();
    let dialog = world.call();
    world.get(&reinvite("r1", dialog, 2));
    world.event();
    let cancel = request("CANCEL", "r1").within(dialog).seq(2);
    assert_eq!(world.gets(&cancel), "200 CANCEL, 487 INVITE");
    assert_eq!(world.events(), []);
    assert_eq!(world.endpoint.answer_reoffer(world.now, dialog, Ok(b"")), Err(CommandError::NothingToAnswer));
    assert_eq!(world.endpoint.calls(), 1);
}

#[test]
fn a_reinvite_whose_ack_never_comes_ends_the_call() {
    let mut world = World::new();
    let dialog = world.call();
    world.get(&reinvite("r1", dialog, 2));
    world.event();
    world.answer_reoffer(dialog, Ok(b"v=0"));
    assert_eq!(world.passes(32_000).last(), Some(&at(32_000, "BYE")));
    assert_eq!(world.event(), ended(dialog, EndReason::NoAck));
}

#[test]
fn rfc3261_12_2_2_a_request_of_no_dialog_gets_481() {
    let mut world = World::new();
    let dialog = world.call();
    let mut wrong_from = request("BYE", "b0").within(dialog).seq(2);
    wrong_from.from_tag = "other".into();
    assert_eq!(world.gets(&wrong_from), "481 BYE");
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(2).call("other")), "481 BYE");
    for (method, what) in
        [("BYE", "481 BYE"), ("INFO", "481 INFO"), ("UPDATE", "481 UPDATE"), ("INVITE", "481 INVITE"), ("ACK", "")]
    {
        let message = request(method, &format!("x{method}")).seq(9);
        assert_eq!(world.gets(&message.clone().tagged("0123456789abcdef")), what, "an unknown tag");
        let message = Msg { branch: format!("y{method}"), ..message };
        assert_eq!(world.gets(&message.tagged("+")), what, "no tag of ours");
    }
    assert_eq!(world.gets(&request("BYE", "b2").call("other")), "481 BYE", "no tag at all");
    assert_eq!(world.events(), []);
    assert_eq!(world.endpoint.calls(), 1);
}
