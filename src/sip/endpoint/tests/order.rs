//! Two faults in one request: the answer is that of the check that comes first (RFC 3261 section 8.2).

use super::*;

/// A fault, its answer, and what makes it.
type Fault = (&'static str, &'static str, fn(Msg) -> Msg);

/// The faults in the order in which they are looked for.
const FAULTS: [Fault; 9] = [
    ("syntax", "400", |mut message| {
        message.headers.push("Max-Forwards: many".into());
        message.headers.push("no colon".into());
        message
    }),
    ("version", "505", |message| Msg { uri: format!("{} SIP/7.0", message.uri), ..message }),
    ("authentication", "401", |message| message.header("From-Stranger: yes")),
    ("known method", "405", |message| Msg { method: "SUBSCRIBE", ..message }),
    ("scheme", "416", |message| Msg { uri: message.uri.replacen("sip:", "sips:", 1), ..message }),
    ("user", "404", |message| Msg { uri: message.uri.replacen("7000@", "7001@", 1), ..message }),
    ("Require", "420", |message| message.header("Require: teleport")),
    ("type", "415", |message| message.body("text/plain", "x")),
    ("Accept", "406", |message| message.header("Accept: text/plain")),
];

/// What the request gets; `From-Stranger` says from where it comes.
fn answer(message: &Msg) -> String {
    let mut world = World::new();
    if message.headers.iter().any(|line| line.starts_with("From-Stranger")) {
        world.flow = udp("198.51.100.7:5060");
    }
    // Where there is another version, it is the only one.
    let text =
        if message.uri.ends_with("SIP/7.0") { message.text().replacen(" SIP/2.0", "", 1) } else { message.text() };
    let sent = world.get_text(&text);
    assert_eq!(sent.len(), 1, "{text}");
    sent[0].what().split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn rfc3261_8_2_of_two_faults_the_earlier_one_is_told() {
    for (at, (first, code, spoil)) in FAULTS.iter().enumerate() {
        assert_eq!(answer(&spoil(invite("i1"))), *code, "{first} alone");
        for (second, _, spoil_too) in &FAULTS[at + 1..] {
            // A request with a wrong version is not read any further: its headers may be anything.
            let expected = if (*first, *second) == ("syntax", "version") { "505" } else { code };
            assert_eq!(answer(&spoil_too(spoil(invite("i1")))), expected, "{first} and {second}");
        }
    }
}

#[test]
fn rfc3261_8_2_2_2_a_merged_request_is_told_so_before_what_it_requires() {
    let mut world = World::new();
    world.ring(&invite("i1"));
    assert_eq!(world.gets(&invite("i2").header("Require: teleport")), "482 INVITE");
    assert_eq!(world.gets(&invite("i3").uri("sip:7001@192.0.2.1")), "404 INVITE", "but not before for whom it is");
}
