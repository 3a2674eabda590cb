//! Who is no trusted peer is challenged, before anything is said of what they ask for.

use super::*;
use crate::sip::Account;

fn stranger() -> World {
    let mut world = World::with(|config| config.accounts = vec![Account::new("bob", "zanzibar")]);
    world.flow = udp("198.51.100.7:5060");
    world
}

#[test]
fn a_stranger_is_challenged_whatever_they_ask_for_and_nothing_is_remembered() {
    let mut world = stranger();
    for message in [
        invite("i1"),
        invite("i2").uri("sip:nobody@192.0.2.1"),
        invite("i3").uri("tel:7000").header("Require: 100rel"),
        request("OPTIONS", "o1"),
        request("REGISTER", "r1"),
        request("FROBNICATE", "f1"),
    ] {
        let sent = world.get(&message);
        assert_eq!(words(&sent), format!("401 {}", message.method));
        let offered = sent[0].headers("WWW-Authenticate");
        assert!(offered[0].contains("algorithm=SHA-256") && offered[1].contains("algorithm=MD5"), "{offered:?}");
        assert!(offered[0].contains("realm=\"switchhook\"") && offered[0].contains("qop=\"auth\""));
    }
    assert_eq!(world.endpoint.tables(), Tables::default());
    assert!(world.events().is_empty());
    assert_eq!(world.gets(&request("ACK", "i1")), "", "the ACK of a 401 is for nobody");
}

#[test]
fn who_shows_the_password_is_answered_but_their_word_on_who_calls_is_not_taken() {
    let mut world = stranger();
    let message = invite("i2").seq(2).header("P-Asserted-Identity: <sip:1004@h>");
    let message = world.shown_by("bob", "zanzibar", message);
    assert_eq!(world.gets(&message), "");
    let Event::Incoming(incoming) = world.event() else { panic!("no call") };
    assert!(!incoming.is_trusted);
    assert_eq!(incoming.account.as_deref(), Some("bob"));
    world.answer(incoming.dialog);
    assert_eq!(world.gets(&request("ACK", "a1").seq(2).within(incoming.dialog)), "");
    assert_eq!(world.event(), Event::Confirmed { dialog: incoming.dialog, answer: None });
    assert_eq!(world.gets(&request("BYE", "b1").seq(3).within(incoming.dialog)), "200 BYE", "not asked again");
}

/// Whoever has read Call-ID and tags somewhere can't take the call over from elsewhere.
#[test]
fn what_moves_the_media_or_presses_a_key_comes_from_where_the_call_does() {
    let mut world = World::with(|config| {
        config.accounts = vec![Account::new("bob", "zanzibar")];
        config.trusted = vec!["192.0.2.0/24".parse().expect("a prefix")];
    });
    world.flow = udp("192.0.2.10:5060");
    let dialog = world.call();
    world.flow = udp("198.51.100.7:5060");
    for method in ["INVITE", "UPDATE", "INFO"] {
        let message = request(method, &format!("far-{method}")).seq(5).within(dialog);
        assert_eq!(world.gets(&message), format!("403 {method}"));
    }
    assert!(world.events().is_empty());
    world.flow = udp("192.0.2.11:5060");
    assert_eq!(world.gets(&key("near", dialog, 6)), "200 INFO", "another trusted peer has taken over from the first");
    assert!(matches!(world.event(), Event::Info { .. }));
    world.flow = udp("198.51.100.7:5060");
    assert_eq!(world.gets(&request("BYE", "bye").seq(7).within(dialog)), "200 BYE", "past a proxy that is off the way");
}

fn key(branch: &'static str, dialog: DialogKey, seq: u32) -> Msg {
    request("INFO", branch).seq(seq).within(dialog).body("application/dtmf-relay", "Signal=5\r\nDuration=100\r\n")
}

/// A call of an account, from 198.51.100.7; the caller of [`World::take_over`] is elsewhere.
fn called() -> (World, DialogKey) {
    let mut world = World::with(|config| {
        config.accounts = vec![Account::new("bob", "zanzibar"), Account::new("lobby", "plum")];
    });
    world.flow = udp("198.51.100.7:5060");
    let message = world.shown_by("bob", "zanzibar", invite("i1"));
    let dialog = world.ring(&message);
    world.answer(dialog);
    world.get(&request("ACK", "a1").within(dialog));
    world.events();
    (world, dialog)
}

impl World {
    /// What needs no password must not move the call either, or what does would be taken for the call's own next.
    fn assert_not_moved(&mut self, dialog: DialogKey) {
        assert_eq!(self.gets(&key("far-key", dialog, 1001)), "401 INFO");
        assert_eq!(self.gets(&invite("far-invite").seq(1002).within(dialog)), "401 INVITE");
        assert!(self.events().is_empty());
        self.flow = udp("198.51.100.7:5060");
        assert_eq!(self.gets(&key("own-key", dialog, 2)), "200 INFO", "the caller's own still counts");
        assert_eq!(self.events().len(), 1);
        self.endpoint.hang_up(self.now, dialog).expect("hung up");
        let bye = self.sent().remove(0);
        assert_eq!((bye.what().as_str(), bye.flow.peer.ip().to_string().as_str()), ("BYE", "198.51.100.7"));
    }
}

#[test]
fn nothing_that_comes_from_elsewhere_moves_a_call() {
    let messages: [fn(DialogKey) -> Msg; 4] = [
        |dialog| request("OPTIONS", "o1").seq(1000).within(dialog),
        |dialog| request("BYE", "b1").seq(1000).within(dialog).header("Require: x"),
        |dialog| request("BYE", "b2").seq(1).within(dialog),
        |dialog| request("ACK", "a9").within(dialog),
    ];
    for (message, answer) in messages.into_iter().zip(["401 OPTIONS", "420 BYE", "500 BYE", ""]) {
        let (mut world, dialog) = called();
        world.flow = udp("203.0.113.66:5060");
        assert_eq!(world.gets(&message(dialog)), answer);
        world.assert_not_moved(dialog);
    }
}

#[test]
fn an_ack_from_elsewhere_stops_the_200_of_a_reinvite_and_tells_nothing() {
    let (mut world, dialog) = called();
    assert_eq!(world.gets(&invite("r1").no_body().without("Content-Type").seq(2).within(dialog)), "");
    assert_eq!(world.event(), Event::Reoffered { dialog, offer: None });
    world.endpoint.answer_reoffer(world.now, dialog, Ok(b"v=0 ours")).expect("answered");
    world.sent();
    world.flow = udp("203.0.113.66:5060");
    assert_eq!(world.gets(&request("ACK", "r1a").seq(2).within(dialog).body("application/sdp", "v=0 theirs")), "");
    assert_eq!(world.event(), Event::ReofferConfirmed { dialog, answer: None });
    assert_eq!(world.gets(&key("far-key", dialog, 1001)), "401 INFO");
}

#[test]
fn a_call_that_has_moved_shows_the_password_it_was_made_with_and_no_other() {
    let (mut world, dialog) = called();
    world.flow = udp("203.0.113.66:5060");
    let wrong = world.shown_by("lobby", "plum", invite("r1").seq(5).within(dialog));
    assert_eq!(world.gets(&wrong), "403 INVITE", "the account of somebody else");
    let right = world.shown_by("bob", "zanzibar", invite("r2").seq(6).within(dialog));
    assert_eq!(world.gets(&right), "");
    assert!(matches!(world.event(), Event::Reoffered { .. }));
    assert_eq!(world.gets(&key("k3", dialog, 7)), "200 INFO", "from then on the call is there");
}

#[test]
fn passwords_are_guessed_no_faster_with_the_tags_of_a_call() {
    let (mut world, dialog) = called();
    world.flow = udp("203.0.113.66:5060");
    let looked_at = |world: &mut World, n: u32| {
        let guess = Msg { branch: format!("g{n}"), ..key("g", dialog, 100 + n) };
        !world.get(&guess.header("Authorization: Digest username=\"lobby\"")).is_empty()
    };
    assert_eq!((0..100).filter(|n| looked_at(&mut world, *n)).count(), 30, "the source's bucket counts");
}

#[test]
fn a_connection_is_proven_by_what_is_let_in_on_it_and_by_nothing_else() {
    let mut world = stranger();
    let proven = |world: &mut World| std::iter::from_fn(|| world.endpoint.poll_proven()).collect::<Vec<_>>();
    world.flow = tcp("198.51.100.7:40000", 3);
    world.get_text("x\r\nl:0\r\n\r\n");
    assert_eq!(world.gets(&request("OPTIONS", "o1")), "401 OPTIONS");
    let wrong = world.shown_by("bob", "zebra", invite("i0"));
    assert_eq!(world.gets(&wrong), "401 INVITE");
    assert_eq!(world.gets(&request("BYE", "b1").tagged("0123456789abcdef")), "481 BYE");
    assert_eq!(proven(&mut world), []);
    let right = world.shown_by("bob", "zanzibar", invite("i1"));
    let dialog = world.ring(&right);
    assert_eq!(proven(&mut world), [ConnectionId(3)]);
    world.answer(dialog);
    world.get(&request("ACK", "a1").within(dialog));
    world.events();
    // Its caller comes back on another one.
    world.endpoint.handle_flow_closed(world.now, ConnectionId(3));
    world.flow = tcp("198.51.100.7:40001", 4);
    assert_eq!(world.gets(&key("k1", dialog, 2)), "200 INFO");
    assert_eq!(proven(&mut world), [ConnectionId(4)]);
    world.events();
    world.flow = tcp("203.0.113.66:40000", 5);
    assert_eq!(world.gets(&key("k2", dialog, 3)), "401 INFO");
    world.flow = udp("198.51.100.7:5060");
    let right = world.shown_by("bob", "zanzibar", invite("i2").call("another"));
    world.ring(&right);
    assert_eq!(proven(&mut world), [], "a datagram is no connection");
}

#[test]
fn a_trusted_peer_s_connection_is_not_told_of() {
    let mut world = World::over_tcp();
    world.call();
    assert_eq!(world.endpoint.poll_proven(), None);
}

#[test]
fn whoever_has_the_tags_uses_up_nothing_of_what_the_call_may_ask() {
    let (mut world, dialog) = called();
    world.flow = udp("203.0.113.66:5060");
    for n in 0..500 {
        world.get(&Msg { branch: format!("o{n}"), ..request("OPTIONS", "o").seq(1000 + n).within(dialog) });
    }
    world.flow = udp("198.51.100.7:5060");
    assert_eq!(world.gets(&key("own-key", dialog, 2)), "200 INFO");
}

#[test]
fn a_call_by_tls_takes_nothing_by_udp() {
    let mut world = World::over_tls();
    let dialog = world.call();
    let tls = std::mem::replace(&mut world.flow, udp("192.0.2.9:5060"));
    assert_eq!(world.gets(&key("k1", dialog, 2)), "403 INFO", "whoever forges the address of a trusted peer");
    world.flow = tls;
    assert_eq!(world.gets(&key("k2", dialog, 3)), "200 INFO");
}
