//! What happens when a table is full, while draining, and that nothing is left behind.

use super::*;

fn numbered(method: &'static str, number: usize) -> Msg {
    let message = if method == "INVITE" { invite("x") } else { request(method, "x") };
    Msg { branch: format!("{method}{number}"), ..message }.call(&format!("call-{number}"))
}

#[test]
fn over_calls_max_a_call_gets_503_with_retry_after() {
    let mut world = World::with(|config| config.calls_max = 2);
    world.ring(&numbered("INVITE", 1));
    let second = world.ring(&numbered("INVITE", 2));
    let before = world.endpoint.tables();
    let sent = world.get(&numbered("INVITE", 3));
    assert_eq!(words(&sent), "503 INVITE");
    assert_eq!(sent[0].header("Retry-After").as_deref(), Some("10"));
    assert_eq!(world.endpoint.tables(), before, "nothing is remembered of it");
    assert_eq!(world.gets(&numbered("OPTIONS", 4)), "200 OPTIONS");
    assert_eq!(world.events(), []);
    world.endpoint.reject(world.now, second, 486, &[]).expect("rejected");
    world.sent();
    world.events();
    world.ring(&numbered("INVITE", 5));
}

#[test]
fn over_transactions_max_calls_get_503_and_all_else_is_done_without_being_remembered() {
    let mut world = World::with(|config| config.transactions_max = 2);
    let dialog = world.call();
    assert_eq!(world.gets(&numbered("OPTIONS", 2)), "200 OPTIONS");
    let full = world.endpoint.tables();
    let sent = world.get(&numbered("INVITE", 3));
    assert_eq!(words(&sent), "503 INVITE");
    assert!(sent[0].header("Retry-After").is_some());
    assert_eq!(world.gets(&numbered("OPTIONS", 4)), "200 OPTIONS");
    assert_eq!(world.gets(&numbered("REGISTER", 5)), "405 REGISTER");
    let info = request("INFO", "n1").within(dialog).seq(2).body("application/dtmf", "5");
    assert_eq!(world.gets(&info), "200 INFO");
    assert_eq!(world.events().len(), 1);
    assert_eq!(world.gets(&info), "500 INFO", "a retransmission that nobody remembers is a stale CSeq");
    assert_eq!(world.events(), [], "and no second key");
    assert_eq!(world.gets(&invite("r1").within(dialog).seq(3)), "503 INVITE");
    assert_eq!(world.endpoint.tables(), full);
    assert_eq!(world.gets(&request("BYE", "b1").within(dialog).seq(4)), "200 BYE");
    assert_eq!(world.event(), ended(dialog, EndReason::Bye));
    world.assert_empty();
}

#[test]
fn over_transactions_max_a_bye_of_ours_is_sent_once() {
    let mut world = World::with(|config| config.transactions_max = 1);
    let mut dialogs = vec![];
    for number in 1..=2 {
        let dialog = world.ring(&numbered("INVITE", number));
        world.answer(dialog);
        world.get(&numbered("ACK", number).within(dialog));
        world.events();
        world.pass(33_000);
        dialogs.push(dialog);
    }
    for dialog in dialogs {
        world.endpoint.hang_up(world.now, dialog).expect("hung up");
        assert_eq!(words(&world.sent()), "BYE");
    }
    assert_eq!(world.passes(500), [at(500, "BYE")], "only the first one is repeated");
    world.assert_empty();
}

#[test]
fn while_draining_new_calls_and_options_get_503() {
    let mut world = World::new();
    let dialog = world.call();
    world.endpoint.set_draining(Some(60));
    for method in ["INVITE", "OPTIONS"] {
        let sent = world.get(&numbered(method, 2));
        assert_eq!(words(&sent), format!("503 {method}"));
        assert_eq!(sent[0].header("Retry-After").as_deref(), Some("60"));
    }
    assert_eq!(world.gets(&request("OPTIONS", "o1").within(dialog).seq(2)), "200 OPTIONS", "a present call goes on");
    assert_eq!(world.gets(&invite("r1").within(dialog).seq(3)), "");
    world.events();
    world.endpoint.set_draining(None);
    world.ring(&numbered("INVITE", 3));
}

#[test]
fn a_thousand_calls_leave_nothing_behind() {
    let mut world = World::new();
    for number in 0..1000 {
        world.events();
        let dialog = world.ring(&numbered("INVITE", number));
        if number % 5 == 0 {
            assert_eq!(
                world.gets(&Msg { branch: format!("INVITE{number}"), ..numbered("CANCEL", number) }),
                "200 CANCEL, 487 INVITE"
            );
            continue;
        }
        world.answer(dialog);
        if number % 5 == 1 {
            continue;
        }
        world.get(&numbered("ACK", number).within(dialog));
        if number % 5 == 2 {
            world.endpoint.hang_up(world.now, dialog).expect("hung up");
        } else {
            assert!(words(&world.get(&numbered("BYE", number).within(dialog).seq(2))).ends_with("200 BYE"));
        }
        world.sent();
        world.events();
        world.pass(3);
    }
    assert_eq!(world.endpoint.calls(), 200, "those without an ACK are left");
    world.pass(70_000);
    assert_eq!(world.endpoint.tables(), Tables::default());
    // An empty table's capacity is exact only once it is cleared.
    world.endpoint.servers.clear();
    assert!(world.endpoint.servers.capacity() < 512, "{}", world.endpoint.servers.capacity());
}

/// An answer to something spoiled: one head of whole lines, each a header field, and a code that there is.
fn assert_is_an_answer(bytes: &[u8], to: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = || format!("{text}\n to\n{}", String::from_utf8_lossy(to));
    let (head, _) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no end: {}", shown()));
    let mut lines = head.split("\r\n");
    let code = lines.next().and_then(|line| line.strip_prefix("SIP/2.0 ")?.get(..3)?.parse::<u16>().ok());
    assert!(code.is_some_and(|code| (100..700).contains(&code)), "{}", shown());
    for line in lines {
        assert!(line.contains(": ") && !line.starts_with([' ', '\t']) && !line.contains(['\r', '\n']), "{}", shown());
    }
    assert!(head.contains("\r\nVia: ") && head.contains("\r\nContent-Length: "), "{}", shown());
}

#[test]
fn twenty_thousand_mutated_invites_are_answered_as_sip_and_leave_nothing_behind() {
    let mut world = World::with(|config| config.calls_max = 50);
    let flows = [world.flow, tcp("192.0.2.9:40000", 1), udp("198.51.100.7:5060")];
    let mut random = crate::sip::random::Random::new([3; 32]);
    let original = invite("i1").header("Record-Route: <sip:p;lr>").header("Require: x").text().into_bytes();
    let mut answers = 0;
    for round in 0..20_000 {
        let mut bytes = original.clone();
        for _ in 0..=random.up_to(4) {
            let at = usize::try_from(random.up_to(bytes.len() as u64 - 1)).expect("an index");
            let byte = u8::try_from(random.up_to(255)).expect("a byte");
            match random.up_to(3) {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"\r\n\"<>;,:@%"[usize::from(byte) % 10]),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(20)),
            }
        }
        world.endpoint.handle_message(world.now, flows[round % 3], &bytes);
        while let Some(transmit) = world.endpoint.poll_transmit() {
            assert_is_an_answer(&transmit.bytes, &bytes);
            answers += 1;
        }
        while world.endpoint.poll_event().is_some() {}
        if round % 100 == 0 {
            world.pass(100);
        }
    }
    assert!(answers > 10_000, "{answers}");
    let dialogs: Vec<DialogKey> = world.endpoint.dialogs.keys().copied().collect();
    assert!(dialogs.len() <= 50);
    for dialog in dialogs {
        world.endpoint.hang_up(world.now, dialog).expect("hung up");
    }
    world.events();
    world.assert_empty();
}

#[test]
fn so_many_fields_of_a_request_are_looked_at_and_no_more() {
    let foreign = "Authorization: Digest username=\"bob\", realm=\"elsewhere\", nonce=\"n\", uri=\"sip:h\", \
                   response=\"0\"";
    for (others, answer) in [(0, ""), (3, ""), (4, "401 INVITE")] {
        let mut world = World::with(|config| config.accounts = vec![crate::sip::Account::new("bob", "zanzibar")]);
        world.flow = udp("198.51.100.7:5060");
        let challenge = world.get(&invite("i1")).remove(0).headers("WWW-Authenticate").remove(0);
        let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
        let sha_256 = crate::wire::sip::Algorithm::Sha256;
        let shown = crate::sip::auth::tests::shows("bob", "zanzibar", nonce, Some("00000001"), sha_256);
        let message = (0..others).fold(invite("i2").seq(2), |message, _| message.header(foreign));
        assert_eq!(world.gets(&message.header(shown.trim_end())), answer, "{others} others before it");
    }
}
