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
    let refused = world.get(&invite("i1"));
    let challenge = &refused[0].headers("WWW-Authenticate")[0];
    let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
    let shown =
        crate::sip::auth::tests::shows("bob", "zanzibar", nonce, Some("00000001"), crate::wire::sip::Algorithm::Sha256);
    let message = invite("i2").seq(2).header(shown.trim_end()).header("P-Asserted-Identity: <sip:1004@h>");
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
        assert_eq!(world.gets(&message), format!("401 {method}"));
    }
    assert!(world.events().is_empty());
    let key = |branch: &str| {
        request("INFO", branch).seq(6).within(dialog).body("application/dtmf-relay", "Signal=5\r\nDuration=100\r\n")
    };
    world.flow = udp("192.0.2.11:5060");
    assert_eq!(world.gets(&key("near")), "200 INFO", "another trusted peer has taken over from the first");
    assert!(matches!(world.event(), Event::Info { .. }));
    world.flow = udp("198.51.100.7:5060");
    assert_eq!(world.gets(&request("BYE", "bye").seq(7).within(dialog)), "200 BYE", "past a proxy that is off the way");
}
