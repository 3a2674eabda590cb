//! What RFC 5118 wants tried, from `sip-tests/data/rfc5118.txt`.

use super::*;

const CASES: &str = include_str!("../../../../sip-tests/data/rfc5118.txt");

/// Name, what it is to get, and the message.
fn cases() -> Vec<(String, String, String)> {
    let cases = CASES.split("\n=== ").skip(1).map(|case| {
        let (title, text) = case.split_once('\n').expect("a message");
        let words: Vec<&str> = title.split(' ').collect();
        let [section, name, outcome] = words[..] else { panic!("{title}") };
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let body = body.trim_end().lines().map(|line| format!("{line}\r\n")).collect::<String>();
        let head = head.replace('\n', "\r\n").replace("{length}", &body.len().to_string());
        (format!("{section} {name}"), outcome.to_owned(), format!("{head}\r\n\r\n{body}"))
    });
    cases.collect()
}

#[test]
fn rfc5118_each_message_gets_its_answer() {
    let all = cases();
    assert_eq!(all.len(), 12);
    for (name, outcome, text) in all {
        let mut world = World::with(|config| config.trusted = vec!["2001:db8::/32".parse().expect("a prefix")]);
        world.flow = Flow {
            transport: Transport::Udp,
            peer: "[2001:db8::99]:5099".parse().expect("an address"),
            local: "[2001:db8::20]:5060".parse().expect("an address"),
        };
        let sent = world.get_text(&text);
        let calls = world.events().into_iter().filter(|event| matches!(event, Event::Incoming(_))).count();
        // What an offer is worth only the shell knows.
        let is_call = ["call", "488"].contains(&outcome.as_str());
        assert_eq!(calls, usize::from(is_call), "{name}");
        let code = sent.first().map(Sent::what).unwrap_or_default();
        assert_eq!(code.split(' ').next().unwrap_or_default(), if is_call { "" } else { &outcome }, "{name}");
        for sent in &sent {
            assert_eq!(sent.flow.peer, world.flow.peer, "{name}: rport");
            let via = sent.header("Via").expect("a Via");
            assert!(via.contains(";rport=5099") && via.ends_with(";received=2001:db8::99"), "{name}: {via}");
        }
        let alive = world.gets(&request("OPTIONS", "after").via("[2001:db8::99]:5099"));
        assert_eq!(alive, "200 OPTIONS", "after {name}");
    }
}

#[test]
fn rfc5118_4_3_and_4_4_only_what_follows_the_bracket_is_a_port() {
    for (uri, host, port) in [
        ("sip:[2001:db8::10:5070]", "2001:db8::10:5070", 5060),
        ("sip:[2001:db8::10]:5070", "2001:db8::10", 5070),
        ("sip:u@[2001:db8:::192.0.2.1]", "2001:db8::c000:201", 5060),
        ("sip:[:::192.0.2.1]", "::c000:201", 5060),
        ("sip:[::ffff:192.0.2.2]", "::ffff:192.0.2.2", 5060),
    ] {
        let destination = Destination::parse(uri).expect(uri);
        let address = crate::sip::DestinationHost::Address(host.parse().expect(host));
        assert_eq!((destination.host(), destination.port()), (&address, port), "{uri}");
    }
    for uri in
        ["sip:2001:db8::10", "sip:[2001:db8:::10]", "sip:[2001:db8::::192.0.2.1]", "sip:[1::2:::192.0.2.1]", "sip:[::1"]
    {
        assert!(Destination::parse(uri).is_err(), "{uri}");
    }
}

#[test]
fn an_ipv6_caller_is_answered_and_hung_up_on_at_its_own_address() {
    let mut world = World::with(|config| config.trusted = vec!["2001:db8::/32".parse().expect("a prefix")]);
    world.flow = Flow {
        transport: Transport::Udp,
        peer: "[2001:db8::30]:5060".parse().expect("an address"),
        local: "[2001:db8::20]:5060".parse().expect("an address"),
    };
    let invite =
        invite("i1").via("[2001:db8::30]:5062").without("Contact").header("Contact: <sip:a@[2001:db8::30]:5064>");
    let dialog = world.ring(&invite);
    let ok = world.answer(dialog);
    assert_eq!(ok.flow.peer, "[2001:db8::30]:5062".parse().expect("an address"), "as Via says");
    assert_eq!(ok.header("Contact").as_deref(), Some("<sip:7000@[2001:db8::20]:5060>"));
    world.get(&request("ACK", "a1").within(dialog));
    world.endpoint.hang_up(world.now, dialog).expect("hung up");
    let bye = world.sent().remove(0);
    assert_eq!(bye.flow.peer, "[2001:db8::30]:5064".parse().expect("an address"), "as Contact says");
    assert!(bye.text.starts_with("BYE sip:a@[2001:db8::30]:5064 SIP/2.0\r\nVia: SIP/2.0/UDP [2001:db8::20]:5060;"));
}
