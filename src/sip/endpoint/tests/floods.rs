//! Strangers in numbers: what they get, what they can't fill, and that calls which are there notice nothing.

use super::*;
use crate::sip::Account;
use crate::sip::auth::tests::shows;
use crate::wire::sip::Algorithm;

/// An endpoint that trusts nobody from here, with one account.
fn exposed() -> World {
    let mut world = World::with(|config| config.accounts = vec![Account::new("bob", "zanzibar")]);
    world.flow = udp("198.51.100.7:5060");
    world
}

fn fresh(method: &'static str, number: usize) -> Msg {
    let message = if method == "INVITE" { invite("x") } else { request(method, "x") };
    Msg { branch: format!("f{method}{number}"), ..message }.call(&format!("flood-{number}"))
}

/// How many of the answers have each code, silence as an empty one.
fn codes(world: &mut World, messages: impl Iterator<Item = Msg>) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = vec![];
    for message in messages {
        let code = world.get(&message).first().map(|sent| sent.what()[..3].to_owned()).unwrap_or_default();
        match all.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => all.push((code, 1)),
        }
    }
    all
}

fn counts(all: &[(&str, usize)]) -> Vec<(String, usize)> {
    all.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect()
}

impl World {
    /// A call of somebody who has shown the password.
    fn stranger_calls(&mut self) -> DialogKey {
        let message = self.shown_by("bob", "zanzibar", invite("s1"));
        let dialog = self.ring(&message);
        self.answer(dialog);
        self.get(&request("ACK", "s1a").within(dialog));
        self.events();
        dialog
    }
}

#[test]
fn over_the_limit_a_stranger_gets_503_then_silence_and_nothing_is_remembered() {
    let mut world = exposed();
    let flood = codes(&mut world, (0..500).map(|n| fresh("INVITE", n)));
    assert_eq!(flood, counts(&[("401", 30), ("503", 50), ("", 420)]));
    assert_eq!(world.endpoint.tables(), Tables::default());
    world.pass(1000);
    let sent = codes(&mut world, (500..600).map(|n| fresh("INVITE", n)));
    assert_eq!(sent, counts(&[("401", 5), ("503", 50), ("", 45)]), "a second fills both buckets");
    world.pass(100);
    let told = world.get(&fresh("INVITE", 700));
    assert_eq!(told[0].header("Retry-After").as_deref(), Some("10"));
    let others = ["OPTIONS", "REGISTER", "BYE", "CANCEL", "FROB"].map(|method| world.gets(&fresh(method, 800)));
    assert_eq!(others, [""; 5], "only a caller is told");
    assert_eq!(world.gets(&fresh("BYE", 801).tagged("0123456789abcdef")), "");
    assert_eq!(words(&world.get_text("OPTIONS sip:7000@h SIP/3.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n")), "");
    world.flow = udp("198.51.100.8:5060");
    assert_eq!(world.gets(&fresh("OPTIONS", 900)), "401 OPTIONS", "another source has its own");
    world.flow = udp("192.0.2.9:5060");
    let trusted = codes(&mut world, (1000..2000).map(|n| fresh("OPTIONS", n)));
    assert_eq!(trusted, counts(&[("200", 1000)]), "a trusted peer has no bucket");
}

#[test]
fn a_flood_from_everywhere_is_answered_so_often_and_no_more() {
    let mut world = exposed();
    let mut answers = 0;
    for n in 0..10_000u32 {
        let [_, b, c, d] = n.to_be_bytes();
        world.flow = udp(&format!("100.{b}.{c}.{d}:5060"));
        answers += world.get(&fresh("INVITE", n as usize)).len();
        world.pass(u64::from(n % 2));
    }
    // 5 s: 400 at once and 200 a second; and 50 refusals at once and 50 a second.
    assert!((1650..=1750).contains(&answers), "{answers}");
    assert_eq!(world.endpoint.tables(), Tables::default());
}

#[test]
fn the_calls_that_are_there_are_never_counted() {
    let mut world = exposed();
    let dialog = world.stranger_calls();
    codes(&mut world, (0..500).map(|n| fresh("INVITE", n)));
    assert_eq!(world.gets(&fresh("OPTIONS", 600)), "", "the source has nothing left");
    for n in 2..102 {
        let info = Msg { branch: format!("n{n}"), ..request("INFO", "x") };
        let info = info.within(dialog).seq(n).body("application/dtmf-relay", "Signal=5");
        assert_eq!(world.gets(&info), "200 INFO");
    }
    assert_eq!(world.events().len(), 100);
    assert_eq!(world.gets(&invite("r1").within(dialog).seq(200)), "");
    assert!(matches!(world.event(), Event::Reoffered { .. }));
    world.endpoint.answer_reoffer(world.now, dialog, Ok(b"v=0")).expect("answered");
    assert_eq!(words(&world.sent()), "200 INVITE");
    assert_eq!(world.gets(&request("ACK", "r1a").within(dialog).seq(200)), "");
    world.events();
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(201)), "200 BYE");
    world.events();
    world.assert_empty();
}

/// Whoever forges the address of a phone crowds out what could have been forged, and nothing else.
#[test]
fn forged_requests_keep_no_phone_out_that_has_a_connection_or_a_nonce() {
    let mut world = exposed();
    let asked = world.get(&fresh("INVITE", 5000));
    codes(&mut world, (0..500).map(|n| fresh("OPTIONS", n)));
    for n in 0..1000u32 {
        let [_, _, c, d] = n.to_be_bytes();
        world.flow = udp(&format!("100.64.{c}.{d}:5060"));
        world.get(&fresh("OPTIONS", 1000 + n as usize));
    }
    world.flow = udp("198.51.100.7:5060");
    assert_eq!(world.gets(&fresh("OPTIONS", 600)), "", "the phone's bucket by UDP is empty, and that of all");
    let shown = shows("bob", "zanzibar", &asked[0].nonce(), Some("00000001"), Algorithm::Sha256);
    world.ring(&fresh("INVITE", 5001).header(shown.trim_end()));
    let made_up = shows("bob", "zanzibar", &"0".repeat(56), Some("00000001"), Algorithm::Sha256);
    assert_eq!(world.gets(&fresh("OPTIONS", 5002).header(made_up.trim_end())), "", "with a nonce of ours alone");
    world.flow = tcp("198.51.100.7:40000", 1);
    assert_eq!(world.gets(&fresh("OPTIONS", 5003)), "401 OPTIONS");
    world.flow = tcp("203.0.113.5:40000", 2);
    assert_eq!(world.gets(&fresh("OPTIONS", 5004)), "401 OPTIONS", "one that was never here either");
}

#[test]
fn a_call_may_ask_so_much_and_then_only_end() {
    let mut world = World::new();
    let dialog = world.call();
    let info = |n: u32| Msg { branch: format!("n{n}"), ..request("INFO", "x") }.within(dialog).seq(n);
    let answered = codes(&mut world, (2..502).map(info));
    assert_eq!(answered, counts(&[("200", 128), ("", 372)]));
    let sent = world.pass(1000);
    assert!(sent.is_empty());
    assert_eq!(codes(&mut world, (502..602).map(info)), counts(&[("200", 32), ("", 68)]));
    let refused = request("BYE", "b0").within(dialog).seq(699).header("Require: x");
    assert_eq!(world.gets(&refused), "", "one that ends nothing is a request like any other");
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(700)), "200 BYE");
    world.events();
    world.assert_empty();
}

#[test]
fn a_caller_who_was_let_in_may_still_cancel() {
    let mut world = exposed();
    let message = world.shown_by("bob", "zanzibar", invite("s1"));
    let dialog = world.ring(&message);
    codes(&mut world, (0..500).map(|n| fresh("OPTIONS", n)));
    assert_eq!(world.gets(&request("CANCEL", "s1")), "200 CANCEL, 487 INVITE");
    assert_eq!(world.event(), ended(dialog, EndReason::Cancelled));
}

#[test]
fn who_guesses_passwords_is_not_listened_to_for_a_while() {
    let mut world = exposed();
    let mut wrong = 0;
    for n in 0..200 {
        world.pass(200);
        let asked = world.get(&fresh("OPTIONS", n));
        if asked.is_empty() {
            continue;
        }
        world.pass(200);
        let challenge = &asked[0].headers("WWW-Authenticate")[0];
        let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
        let guess = shows("bob", &format!("guess {n}"), nonce, Some("00000001"), Algorithm::Md5);
        let answered = world.gets(&fresh("INVITE", 1000 + n).header(guess.trim_end()));
        wrong += usize::from(answered == "401 INVITE");
    }
    // About 60 s: 20 at once, and one each 3 s.
    assert!((30..=42).contains(&wrong), "{wrong}");
    world.pass(60_000);
    let message = world.shown_by("bob", "zanzibar", invite("s1"));
    world.ring(&message);
}

#[test]
fn a_known_caller_gets_in_while_a_flood_comes_from_everywhere() {
    let mut world = exposed();
    let dialog = world.stranger_calls();
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(2)), "200 BYE");
    world.events();
    for n in 0..2000u32 {
        let [_, _, c, d] = n.to_be_bytes();
        world.flow = udp(&format!("100.64.{c}.{d}:5060"));
        world.get(&fresh("INVITE", n as usize));
    }
    world.flow = udp("203.0.113.1:5060");
    assert_eq!(world.gets(&fresh("OPTIONS", 3000)), "", "a new one has to wait");
    world.flow = udp("198.51.100.7:5060");
    let message = world.shown_by("bob", "zanzibar", invite("s2").call("again"));
    world.ring(&message);
}

#[test]
fn what_belongs_to_no_call_is_refused_to_strangers_without_being_remembered() {
    let mut world = exposed();
    let tagged = |method, n| fresh(method, n).tagged("0123456789abcdef");
    assert_eq!(world.gets(&tagged("BYE", 1)), "481 BYE");
    assert_eq!(world.gets(&tagged("INVITE", 2)), "481 INVITE");
    assert_eq!(world.gets(&tagged("FROB", 3)), "501 FROB");
    assert_eq!(world.gets(&fresh("CANCEL", 4)), "481 CANCEL");
    assert_eq!(world.endpoint.tables(), Tables::default());
    world.flow = udp("192.0.2.9:5060");
    assert_eq!(world.gets(&tagged("BYE", 5)), "481 BYE");
    assert_eq!(world.endpoint.tables().server_transactions, 1);
}

#[test]
fn ten_thousand_calls_that_nobody_acknowledges_end_with_a_bye_each_and_leave_nothing() {
    let mut world = World::new();
    let mut refused = 0;
    for n in 0..10_000 {
        let sent = world.get(&fresh("INVITE", n));
        if let Some(sent) = sent.first() {
            assert_eq!((sent.what().as_str(), sent.header("Retry-After").as_deref()), ("503 INVITE", Some("10")));
            refused += 1;
            continue;
        }
        let Event::Incoming(incoming) = world.event() else { panic!("no call") };
        world.answer(incoming.dialog);
    }
    assert_eq!(refused, 8000);
    let full = world.endpoint.tables();
    assert_eq!((full.dialogs, full.server_transactions), (2000, 2000), "nothing is remembered of the others");
    assert_eq!(world.endpoint.kept_bytes, 0, "each answer is kept once, by its dialog");
    let early = world.pass(31_999);
    assert!(early.iter().all(|(_, sent)| sent.what() == "200 INVITE"));
    let at_32 = world.pass(1);
    assert_eq!(at_32.iter().filter(|(_, sent)| sent.what() == "BYE").count(), 2000);
    assert_eq!(
        world.events().iter().filter(|event| matches!(event, Event::Ended { why: EndReason::NoAck, .. })).count(),
        2000
    );
    world.assert_empty();
}

#[test]
fn long_responses_are_remembered_up_to_a_bound() {
    let mut world = World::new();
    let bound = super::super::table::RESPONSES_BYTES_MAX;
    let long = |vias: usize, n: usize| {
        let vias = (0..vias).map(|n| format!("Via: SIP/2.0/UDP h{n};branch={}", "b".repeat(120)));
        Msg { headers: vias.collect(), branch: format!("long{n}"), ..fresh("OPTIONS", n) }
    };
    // As if many were there already.
    let others = bound - 20_000;
    world.endpoint.kept_bytes += others;
    assert!(world.get(&long(40, 0))[0].text.len() > 4096);
    assert_eq!(world.gets(&long(40, 0).header("Require: x")), "420 OPTIONS");
    assert_eq!(
        (world.endpoint.kept_bytes, world.endpoint.tables()),
        (others, Tables::default()),
        "too long to be kept"
    );
    let mut n = 1;
    while world.endpoint.kept_bytes < bound {
        let sent = world.get(&long(22, n));
        assert!((3500..=4096).contains(&sent[0].text.len()) && sent[0].what() == "200 OPTIONS");
        n += 1;
    }
    assert_eq!(n, 7, "of 3.7 KB each");
    let full = world.endpoint.tables();
    assert_eq!(world.gets(&fresh("OPTIONS", 901)), "200 OPTIONS");
    assert_eq!(world.gets(&fresh("INVITE", 902)), "503 INVITE");
    assert_eq!(world.endpoint.tables(), full, "neither is remembered");
    world.pass(64_000);
    assert_eq!(world.endpoint.kept_bytes, others);
    world.endpoint.kept_bytes = 0;
    world.assert_empty();
}

#[test]
fn a_message_has_so_many_vias_and_routes_and_no_more() {
    let many = |line: &str, count: usize| vec![line.to_owned(); count];
    for (line, most) in [("Via: SIP/2.0/UDP p", 127), ("Record-Route: <sip:p;lr>", 128)] {
        for (count, what) in [(most, ""), (most + 1, "400 INVITE")] {
            let mut world = World::new();
            let mut message = invite("i1");
            message.headers.extend(many(line, count));
            assert_eq!(world.gets(&message), what, "{count} × {line}");
        }
    }
}

#[test]
fn no_password_of_ours_goes_to_who_asks_for_one() {
    let mut world = exposed();
    world.flow = udp("192.0.2.40:5080");
    let to = Destination::parse("sip:192.0.2.40:5080").expect("a destination");
    let mut all = vec![];
    for (code, field) in [
        (401, "WWW-Authenticate: Digest realm=\"elsewhere\", nonce=\"n\", algorithm=MD5, qop=\"auth\""),
        (401, "WWW-Authenticate: Digest realm=\"switchhook\", nonce=\"n\", algorithm=SHA-256"),
        (407, "Proxy-Authenticate: Digest realm=\"switchhook\", nonce=\"n\", algorithm=MD5"),
    ] {
        let probe = world.endpoint.probe(world.now, world.flow, &to).expect("room");
        let sent = world.sent();
        all.extend(challenged(&mut world, &sent[0], code, field));
        assert!(
            matches!(world.event(), Event::Probed { probe: known, answer, .. } if known == probe && answer == Some(code))
        );
        all.extend(sent);
        world.flow = udp("192.0.2.9:5060");
        let dialog = world.call();
        world.endpoint.hang_up(world.now, dialog).expect("hung up");
        let sent = world.sent();
        assert_eq!(words(&sent), "BYE");
        all.extend(challenged(&mut world, &sent[0], code, field));
        all.extend(sent);
        world.events();
        all.extend(world.pass(64_000).into_iter().map(|(_, sent)| sent));
        world.flow = udp("192.0.2.40:5080");
    }
    assert_eq!(all.len(), 6, "a request each, and no second one");
    for sent in all {
        assert!(!sent.text.contains("Authorization"), "{}", sent.text);
    }
    world.assert_empty();
}

/// What is sent because a request of ours was answered so.
fn challenged(world: &mut World, request: &Sent, code: u16, field: &str) -> Vec<Sent> {
    let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
    let lines = copied.map(|name| format!("{name}: {}\r\n", request.header(name).expect(name)));
    world.get_text(&format!("SIP/2.0 {code} Who?\r\n{}{field}\r\nContent-Length: 0\r\n\r\n", lines.concat()))
}
