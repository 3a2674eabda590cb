//! Digest authentication: who shows the right password, and who does not.

use super::*;
use crate::wire::sip::{Framing, Message, decode};

const PEER: &str = "198.51.100.7";

fn guard() -> (Guard, Random) {
    let config = EndpointConfig {
        trusted: vec!["192.0.2.0/24".parse().expect("a prefix")],
        accounts: vec![Account::new("bob", "zanzibar")],
        ..EndpointConfig::new(vec![])
    };
    (Guard::new(&config, &[7; 32]), Random::new([7; 32]))
}

fn at(seconds: u64) -> Mono {
    Mono(0) + Duration::from_secs(seconds)
}

fn flow(ip: &str) -> Flow {
    let address = |ip: &str| std::net::SocketAddr::new(ip.parse().expect("an address"), 5060);
    Flow { transport: crate::sip::Transport::Udp, peer: address(ip), local: address("192.0.2.1") }
}

fn request(authorization: &str) -> Request {
    let text = format!(
        "INVITE sip:7000@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:7000@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{authorization}Content-Length: 0\r\n\r\n"
    );
    match decode(text.as_bytes(), Framing::Datagram) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn ask(guard: &mut Guard, random: &Random, now: Mono, from: &str, authorization: &str) -> Result<(), Refusal> {
    guard.check(now, from.parse().expect("an address"), &request(authorization), random)
}

/// The nonce of a refusal, and whether it says that only the nonce was wrong.
fn challenged(refused: Result<(), Refusal>) -> (String, bool) {
    let refusal = refused.expect_err("a challenge");
    assert_eq!((refusal.code, refusal.headers.len()), (401, 2));
    assert!(refusal.headers[0].1.contains("algorithm=SHA-256") && refusal.headers[1].1.contains("algorithm=MD5"));
    let nonce = refusal.headers[0].1.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next());
    (nonce.expect("a nonce").to_owned(), refusal.headers[0].1.contains("stale=true"))
}

pub(in crate::sip) fn shows(
    user: &str,
    password: &str,
    nonce: &str,
    count: Option<&str>,
    algorithm: Algorithm,
) -> String {
    shows_for(user, password, nonce, count, algorithm, "sip:7000@h")
}

fn shows_for(user: &str, password: &str, nonce: &str, count: Option<&str>, algorithm: Algorithm, uri: &str) -> String {
    let mut shown = Authorization {
        username: user.into(),
        realm: REALM.into(),
        nonce: nonce.into(),
        uri: uri.into(),
        response: String::new(),
        algorithm,
        counted: count.map(|count| (count.to_owned(), "cn".to_owned())),
    };
    shown.response = response(Account::new(user, password).ha1(algorithm), &shown, "INVITE");
    let counted = count.map(|count| format!(", qop=auth, nc={count}, cnonce=\"cn\"")).unwrap_or_default();
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{}\", algorithm={}{counted}\r\n",
        shown.response,
        algorithm.name()
    )
}

#[test]
fn the_examples_of_rfc_7616() {
    // Section 3.9.1.
    let mut shown = Authorization {
        username: "Mufasa".into(),
        realm: "http-auth@example.org".into(),
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".into(),
        uri: "/dir/index.html".into(),
        response: String::new(),
        algorithm: Algorithm::Md5,
        counted: Some(("00000001".into(), "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".into())),
    };
    for (algorithm, expected) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        shown.algorithm = algorithm;
        let ha1 = hash(algorithm, "Mufasa:http-auth@example.org:Circle of Life");
        assert_eq!(response(&ha1, &shown, "GET"), expected);
    }
}

#[test]
fn a_trusted_peer_needs_no_digest_and_all_others_do() {
    let (mut guard, random) = guard();
    assert_eq!(ask(&mut guard, &random, at(0), "192.0.2.9", ""), Ok(()));
    let (nonce, stale) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
    assert!(!stale);
    assert_eq!(challenged(ask(&mut guard, &random, at(1), PEER, "")).0, nonce, "the same to the same request again");
    for algorithm in Algorithm::ALL {
        let (nonce, _) = challenged(ask(&mut guard, &random, at(10), PEER, ""));
        let count = if algorithm == Algorithm::Md5 { "00000002" } else { "00000001" };
        let shown = shows("bob", "zanzibar", &nonce, Some(count), algorithm);
        assert_eq!(ask(&mut guard, &random, at(11), PEER, &shown), Ok(()));
    }
}

#[test]
fn a_wrong_password_an_unknown_account_and_a_foreign_realm_are_told_the_same() {
    let (mut guard, random) = guard();
    let (nonce, _) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
    let right = shows("bob", "zanzibar", &nonce, Some("00000001"), Algorithm::Sha256);
    for shown in [
        shows("bob", "wrong", &nonce, Some("00000001"), Algorithm::Sha256),
        shows("alice", "zanzibar", &nonce, Some("00000001"), Algorithm::Sha256),
        shows("", "", &nonce, Some("00000001"), Algorithm::Sha256),
        right.replace("realm=\"switchhook\"", "realm=\"elsewhere\""),
        right.replace("sip:7000@h", "sip:7000@elsewhere"),
    ] {
        assert!(!challenged(ask(&mut guard, &random, at(1), PEER, &shown)).1, "{shown}");
    }
    assert_eq!(ask(&mut guard, &random, at(1), PEER, &right), Ok(()), "nothing was used up");
}

#[test]
fn the_digest_may_be_for_another_host_but_not_for_another_user() {
    let (mut guard, random) = guard();
    guard.users = vec!["7999".into()];
    let (nonce, _) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
    let count = |n: usize| format!("{n:08x}");
    let good = ["sip:7000@h", "sip:7000@[2001:db8::1]:5080;transport=udp", "sips:%37000@x", "sip:h", "sip:7999@h"];
    for (n, uri) in good.iter().enumerate() {
        let shown = shows_for("bob", "zanzibar", &nonce, Some(&count(n + 1)), Algorithm::Sha256, uri);
        assert_eq!(ask(&mut guard, &random, at(1), PEER, &shown), Ok(()), "{uri}");
    }
    for uri in ["sip:7001@h", "7000@h", "", "/dir/index.html"] {
        let shown = shows_for("bob", "zanzibar", &nonce, Some(&count(9)), Algorithm::Sha256, uri);
        assert!(!challenged(ask(&mut guard, &random, at(1), PEER, &shown)).1, "{uri}");
    }
}

#[test]
fn a_password_is_not_looked_at_with_a_nonce_that_was_made_up() {
    let (mut guard, random) = guard();
    let plain = request("");
    for password in ["zanzibar", "wrong"] {
        let shown = shows("bob", password, &"0".repeat(56), Some("00000001"), Algorithm::Sha256);
        for _ in 0..50 {
            assert!(challenged(ask(&mut guard, &random, at(1), PEER, &shown)).1, "told the same");
        }
    }
    assert!(guard.admits(at(1), flow(PEER), &plain), "nor counted");
    let (nonce, _) = challenged(ask(&mut guard, &random, at(2), PEER, ""));
    let shown = shows("bob", "wrong", &nonce, Some("00000001"), Algorithm::Sha256);
    for n in 1..=20 {
        assert!(guard.admits(at(2), flow(PEER), &plain), "{n}");
        assert!(!challenged(ask(&mut guard, &random, at(2), PEER, &shown)).1);
    }
    assert!(!guard.admits(at(2), flow(PEER), &plain));
    assert!(guard.admits(at(2), flow("192.0.2.9"), &plain), "a trusted peer is never counted");
}

#[test]
fn only_what_is_offered_is_taken() {
    let (mut guard, random) = guard();
    guard.algorithms = vec![Algorithm::Sha256];
    let refusal = ask(&mut guard, &random, at(0), PEER, "").expect_err("a challenge");
    assert_eq!(refusal.headers.len(), 1);
    let nonce = refusal.headers[0].1.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next());
    let nonce = nonce.expect("a nonce").to_owned();
    let shown = |algorithm| shows("bob", "zanzibar", &nonce, Some("00000001"), algorithm);
    assert!(ask(&mut guard, &random, at(1), PEER, &shown(Algorithm::Md5)).is_err());
    assert_eq!(ask(&mut guard, &random, at(1), PEER, &shown(Algorithm::Sha256)), Ok(()));
}

#[test]
fn a_replay_an_old_nonce_and_another_address_get_a_new_nonce() {
    let (mut guard, random) = guard();
    let (nonce, _) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
    let shown = |count| shows("bob", "zanzibar", &nonce, Some(count), Algorithm::Sha256);
    assert_eq!(ask(&mut guard, &random, at(1), PEER, &shown("00000001")), Ok(()));
    assert!(challenged(ask(&mut guard, &random, at(9), PEER, &shown("00000001"))).1, "a replay");
    assert_eq!(ask(&mut guard, &random, at(9), PEER, &shown("00000005")), Ok(()), "counts may leave some out");
    assert!(challenged(ask(&mut guard, &random, at(9), PEER, &shown("00000004"))).1, "and never go back");
    assert!(challenged(ask(&mut guard, &random, at(9), "198.51.100.8", &shown("00000006"))).1);
    assert!(challenged(ask(&mut guard, &random, at(310), PEER, &shown("00000006"))).1, "too old");
    let made_up = shows("bob", "zanzibar", &"0".repeat(56), Some("00000001"), Algorithm::Sha256);
    assert!(challenged(ask(&mut guard, &random, at(1), PEER, &made_up)).1);
}

#[test]
fn without_a_count_a_nonce_is_good_once() {
    let (mut guard, random) = guard();
    let (nonce, _) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
    let shown = shows("bob", "zanzibar", &nonce, None, Algorithm::Md5);
    assert_eq!(ask(&mut guard, &random, at(1), PEER, &shown), Ok(()));
    assert!(challenged(ask(&mut guard, &random, at(1), PEER, &shown)).1);
    let counted = shows("bob", "zanzibar", &nonce, Some("00000002"), Algorithm::Md5);
    assert!(challenged(ask(&mut guard, &random, at(1), PEER, &counted)).1);
}

#[test]
fn at_the_bound_the_oldest_is_forgotten_and_not_taken_again() {
    let (mut guard, random) = guard();
    let (first, _) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
    let first = shows("bob", "zanzibar", &first, Some("00000001"), Algorithm::Md5);
    assert_eq!(ask(&mut guard, &random, at(0), PEER, &first), Ok(()));
    for n in 0..NONCES_MAX {
        guard.make_room();
        guard.used.insert(format!("nonce {n}"), Used { count_max: 1, step: 2 });
        guard.order.push_back(format!("nonce {n}"));
    }
    assert_eq!((guard.used.len(), guard.order.len()), (NONCES_MAX, NONCES_MAX));
    assert!(challenged(ask(&mut guard, &random, at(8), PEER, &first)).1);
}
