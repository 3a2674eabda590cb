//! What each request gets, in the order of RFC 3261 section 8.2.

use super::*;

/// The section and fault, the request, what it gets, and a header field of that.
type Row = (&'static str, Msg, &'static str, Option<(&'static str, &'static str)>);

#[test]
fn rfc3261_8_2_each_fault_has_its_code() {
    let ok = || request("OPTIONS", "o");
    let rows: Vec<Row> = vec![
        ("8.2.1 known method", request("REGISTER", "o"), "405 REGISTER", Some(("Allow", crate::sip::ALLOW))),
        ("8.2.1 unknown method", request("FROB", "o"), "501 FROB", Some(("Allow", crate::sip::ALLOW))),
        ("8.2.1 before 8.2.2", request("SUBSCRIBE", "o").uri("tel:1"), "405 SUBSCRIBE", None),
        ("8.2.2.1 scheme", ok().uri("tel:7000"), "416 OPTIONS", None),
        ("8.2.2.1 sips without TLS", ok().uri("sips:7000@h"), "416 OPTIONS", None),
        ("8.2.2.1 user", ok().uri("sip:7001@192.0.2.1"), "404 OPTIONS", None),
        ("8.2.2.1 user, INVITE", invite("o").uri("sip:7001@192.0.2.1"), "404 INVITE", None),
        ("8.2.2.1 no user, INVITE", invite("o").uri("sip:192.0.2.1"), "404 INVITE", None),
        ("8.2.2.1 escaped user", ok().uri("sip:%37000@192.0.2.1"), "200 OPTIONS", None),
        ("11.2 no user", ok().uri("sip:192.0.2.1"), "200 OPTIONS", Some(("Accept", "application/sdp"))),
        (
            "8.2.2.3 before 8.2.3",
            invite("o").header("Require: a, b").body("text/plain", "x"),
            "420 INVITE",
            Some(("Unsupported", "a, b")),
        ),
        ("3262 unsupported", invite("o").header("Require: 100rel"), "420 INVITE", Some(("Unsupported", "100rel"))),
        ("8.2.3 type", invite("o").body("text/plain", "x"), "415 INVITE", Some(("Accept", "application/sdp"))),
        (
            "8.2.3 coding",
            invite("o").header("Content-Encoding: gzip"),
            "415 INVITE",
            Some(("Accept-Encoding", "identity")),
        ),
        ("8.2.3 disposition", invite("o").header("Content-Disposition: render"), "415 INVITE", None),
        ("21.4.7 Accept", invite("o").header("Accept: text/plain"), "406 INVITE", None),
        ("8.1.1.8 no Contact", invite("o").without("Contact"), "400 INVITE", None),
        ("8.1.1.8 bad Contact", invite("o").without("Contact").header("Contact: *"), "400 INVITE", None),
        ("20.30 bad Record-Route", invite("o").header("Record-Route: <sip:"), "400 INVITE", None),
        ("7.1 version", Msg { uri: "sip:7000@h SIP/7.0 x".into(), ..ok() }, "400 OPTIONS", None),
    ];
    for (row, message, what, header) in rows {
        let mut world = World::new();
        let sent = world.get(&message);
        assert_eq!(words(&sent), what, "{row}");
        if let Some((name, value)) = header {
            assert_eq!(sent[0].header(name).as_deref(), Some(value), "{row}");
        }
        assert!(sent[0].header("To").is_some_and(|to| to.contains(";tag=")), "{row}: 8.2.6.2");
        assert_eq!(words(&world.get(&message)), what, "{row}: the same again");
        assert_eq!(world.events(), [], "{row}");
        if message.method == "INVITE" && what != "400 OPTIONS" {
            assert!(!world.passes(500).is_empty(), "{row}: until the ACK");
            world.get(&request("ACK", "o").tagged("x"));
        }
        world.assert_empty();
    }
}

#[test]
fn what_an_invite_may_have_and_still_be_a_call() {
    for message in [
        invite("o").header("Accept: text/plain, application/sdp;level=1"),
        invite("o").header("Accept: application/*").header("Content-Disposition: session;handling=required"),
        invite("o").header("Content-Encoding: identity").header("Supported: 100rel, timer"),
        invite("o").header("Proxy-Require: x").header("Date: yesterday"),
    ] {
        World::new().ring(&message);
    }
    let mut world = World::new();
    world.get(&invite("o").header("Content-Disposition: render; handling = optional").body("text/plain", "x"));
    let Event::Incoming(Incoming { offer: None, .. }) = world.event() else {
        panic!("8.2.3: an optional body is left aside")
    };
}

#[test]
fn options_tells_what_we_can_do() {
    let mut world = World::new();
    let sent = world.get(&request("OPTIONS", "o1"));
    let lines = ["Allow", "Accept", "Accept-Encoding", "Accept-Language", "Supported", "Contact", "Server"];
    assert!(lines.iter().all(|name| sent[0].header(name).is_some()), "{}", sent[0].text);
    let dialog = world.call();
    assert_eq!(world.gets(&request("OPTIONS", "o2").within(dialog).seq(5)), "200 OPTIONS");
}

#[test]
fn keep_alives_and_noise_are_silent() {
    let mut world = World::new();
    for text in ["", "\r\n\r\n", "\0\0", "hello", "SIP/2.0 200 OK\r\n\r\n"] {
        assert_eq!(words(&world.get_text(text)), "", "{text:?}");
    }
    let ok = request("OPTIONS", "x").text().replacen("OPTIONS sip:7000@192.0.2.1 SIP/2.0", "SIP/2.0 200 OK", 1);
    assert_eq!(words(&world.get_text(&ok)), "", "18.1.2: a response to nothing");
    world.assert_empty();
}

/// The answer that each of RFC 4475's messages gets from an agent with these users; `""` is silence, `call` a call.
const TORTURE: [(&str, &str); 49] = [
    ("wsinv", "481"),
    ("intmeth", "501"),
    ("esc01", "call"),
    ("escnull", "405"),
    ("esc02", "501"),
    ("lwsdisp", "200"),
    ("longreq", "call"),
    ("dblreq", "405"),
    ("semiuri", "404"),
    ("transports", "200"),
    ("mpart01", "405"),
    ("unreason", ""),
    ("noreason", ""),
    ("badinv01", "400"),
    ("clerr", "400"),
    ("ncl", "400"),
    ("scalar02", "400"),
    ("scalarlg", ""),
    ("quotbal", "400"),
    ("ltgtruri", "400"),
    ("lwsruri", "400"),
    ("lwsstart", "400"),
    ("trws", "400"),
    ("escruri", "400"),
    ("baddate", "call"),
    ("regbadct", "405"),
    ("badaspec", "400"),
    ("baddn", "400"),
    ("badvers", "505"),
    ("mismatch01", "400"),
    ("mismatch02", "400"),
    ("bigcode", ""),
    ("badbranch", "400"),
    ("insuf", "400"),
    ("unkscm", "416"),
    ("novelsc", "416"),
    ("unksm2", "405"),
    ("bext01", "420"),
    ("invut", "415"),
    ("regaut01", "405"),
    ("multi01", "400"),
    ("mcl01", "400"),
    ("bcast", ""),
    ("zeromf", "200"),
    ("cparam01", "405"),
    ("cparam02", "405"),
    ("regescrt", "405"),
    ("sdp01", "406"),
    ("inv2543", "call"),
];

#[test]
fn rfc4475_each_torture_message_gets_its_answer() {
    let Some(folder) = crate::wire::sip::torture_folder() else { return };
    let list = std::fs::read_to_string(folder.join("expected.tsv")).expect("the list");
    let files: Vec<&str> = list.lines().skip(1).filter_map(|row| row.split(".dat").next()).collect();
    assert_eq!(files, TORTURE.map(|(file, _)| file), "all of them, in their order");
    let users = ["user", "remote-target", "sips:user@example.com", "UserB"];
    for (file, expected) in TORTURE {
        let mut world = World::with(|config| config.extensions = users.map(String::from).to_vec());
        let bytes = std::fs::read(folder.join(format!("{file}.dat"))).expect(file);
        world.endpoint.handle_message(world.now, world.flow, &bytes);
        let sent: Vec<String> = std::iter::from_fn(|| world.endpoint.poll_transmit())
            .map(|transmit| String::from_utf8_lossy(&transmit.bytes).into_owned())
            .collect();
        let calls = world.events().iter().filter(|event| matches!(event, Event::Incoming(_))).count();
        let code = sent.first().and_then(|text| text.split(' ').nth(1)).unwrap_or_default();
        assert_eq!(if calls == 1 { "call" } else { code }, expected, "{file}");
        if expected == "420" {
            assert!(sent[0].contains("Unsupported: nothingSupportsThis, nothingSupportsThisEither\r\n"));
        }
        let alive = world.gets(&request("OPTIONS", "after").uri("sip:192.0.2.1"));
        assert_eq!(alive, "200 OPTIONS", "after {file}");
    }
}
