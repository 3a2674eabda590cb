//! The messages of RFC 4475 and RFC 5118 against the built program.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::world::agent::Message;
use crate::world::raw::{Connection, Datagrams, bye_after};
use crate::world::server::Server;
use crate::world::setup::{PROJECT, Setup};

/// The user parts that RFC 4475's messages ask for.
const USERS: &str = "[\"7000\", \"user\", \"remote-target\", \"sips:user@example.com\", \"UserB\"]";

/// Each message of RFC 4475 with what it gets over UDP and on a connection: the codes of all answers, and `closed`
/// where the connection is closed because it can't be followed any further, `waits` where more is waited for.
const TORTURE: [(&str, &str, &str); 49] = [
    ("wsinv", "481", "481"),
    ("intmeth", "501", "501"),
    ("esc01", "200", "200"),
    ("escnull", "405", "405"),
    ("esc02", "501", "501"),
    ("lwsdisp", "200", "200"),
    ("longreq", "200", "200"),
    ("dblreq", "405", "405 404 closed"),
    ("semiuri", "404", "404"),
    ("transports", "200", "200"),
    ("mpart01", "405", "405"),
    ("unreason", "", ""),
    ("noreason", "", ""),
    ("badinv01", "400", "400"),
    ("clerr", "400", "waits"),
    ("ncl", "400", "400 closed"),
    ("scalar02", "400", "400"),
    ("scalarlg", "", ""),
    ("quotbal", "400", "400"),
    ("ltgtruri", "400", "400"),
    ("lwsruri", "400", "400"),
    ("lwsstart", "400", "400"),
    ("trws", "400", "400"),
    ("escruri", "400", "400"),
    ("baddate", "200", "200"),
    ("regbadct", "405", "405"),
    ("badaspec", "400", "400"),
    ("baddn", "400", "400 closed"),
    ("badvers", "505", "505"),
    ("mismatch01", "400", "400"),
    ("mismatch02", "400", "400"),
    ("bigcode", "", ""),
    ("badbranch", "400", "400"),
    ("insuf", "400", "400"),
    ("unkscm", "416", "416"),
    ("novelsc", "416", "416"),
    ("unksm2", "405", "405"),
    ("bext01", "420", "420"),
    ("invut", "415", "415"),
    ("regaut01", "405", "405"),
    ("multi01", "400", "400 closed"),
    ("mcl01", "400", "400 closed"),
    ("bcast", "", ""),
    ("zeromf", "200", "200"),
    ("cparam01", "405", "405"),
    ("cparam02", "405", "405"),
    ("regescrt", "405", "405"),
    ("sdp01", "406", "406"),
    ("inv2543", "200", "400 closed"),
];

/// Those that another one before them has the branch, the host and the method of: for the server that has answered that
/// one they are the same request once more.
const AGAIN: [&str; 3] = ["novelsc", "cparam02", "regescrt"];

/// The folder with RFC 4475's messages, or a loud word that nothing was tried.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(PROJECT).join("../shared/rfc4475");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there, RFC 4475's messages were not tried", folder.display());
    None
}

fn torturable() -> (Setup, Server, SocketAddr) {
    let setup = Setup::new();
    let text = setup.text("switchhook.toml").replacen("[sip]\n", &format!("[sip]\nextensions = {USERS}\n"), 1);
    fs::write(setup.config(), text).expect("the configuration");
    let server = setup.serve();
    let address = SocketAddr::from((setup.address(), 5060));
    (setup, server, address)
}

/// The codes of the answers that have come.
fn codes(messages: &[Message]) -> String {
    let codes = messages.iter().filter(|message| message.code() > 100).map(|message| message.code().to_string());
    codes.collect::<Vec<_>>().join(" ")
}

#[test]
fn rfc4475_each_message_gets_its_answer_over_udp_and_options_are_answered_after_it() {
    if let Some(folder) = folder() {
        torture_over_udp(&folder);
    }
}

#[test]
#[ignore = "a long run"]
fn soak_options_are_answered_soon_after_each_message_of_rfc4475() {
    let Some(folder) = folder() else { return };
    let longest = (0..5).map(|_| torture_over_udp(&folder)).max().expect("a time");
    println!("figure: longest answer to OPTIONS after a message of RFC 4475, ms = {}", longest.as_millis());
}

/// Sends each message; gives the longest time from a message to the answer to the OPTIONS after it.
fn torture_over_udp(folder: &Path) -> Duration {
    let mut longest = Duration::ZERO;
    for is_again in [false, true] {
        let (setup, mut server, address) = torturable();
        for (name, expected, _) in TORTURE.into_iter().filter(|(name, ..)| AGAIN.contains(name) == is_again) {
            let bytes = fs::read(folder.join(format!("{name}.dat"))).expect(name);
            // An address of its own each time: what is sent again for the last one does not disturb.
            let port = if name == "quotbal" { 5050 } else { 5060 };
            let phone = Datagrams::new((setup.next_address(), port).into(), address);
            let sent = Instant::now();
            phone.send(&bytes);
            let answers = phone.is_alive();
            longest = longest.max(sent.elapsed());
            assert_eq!(codes(&answers), expected, "{name}: {answers:?}");
            for answer in &answers {
                assert!(says_what_is_wrong(answer), "{name}: {answer:?}");
                if let Some(bye) = bye_after(answer).filter(|_| answer.code() == 200) {
                    phone.send(bye.as_bytes());
                }
            }
            assert!(server.is_running(), "{name}");
        }
        assert!(!server.log_text().contains("panic"));
    }
    longest
}

/// Whether the answer has the header field that it must have.
fn says_what_is_wrong(answer: &Message) -> bool {
    match answer.code() {
        405 | 501 => answer.header("Allow").is_some_and(|allow| allow.contains("INVITE")),
        420 => answer.header("Unsupported") == Some("nothingSupportsThis, nothingSupportsThisEither"),
        415 => answer.header("Accept") == Some("application/sdp"),
        _ => true,
    }
}

#[test]
fn rfc4475_each_message_gets_its_answer_on_a_connection_and_others_go_on() {
    let Some(folder) = folder() else { return };
    let (setup, mut server, address) = torturable();
    let phone = Datagrams::new((setup.next_address(), 5060).into(), address);
    let client = setup.next_address().into();
    let mut other = Connection::open(client, address);
    for (name, _, expected) in TORTURE {
        let bytes = fs::read(folder.join(format!("{name}.dat"))).expect(name);
        let mut connection = Connection::open(client, address);
        connection.send(&bytes);
        let (answers, goes_on) = connection.is_alive(Duration::from_secs(if expected == "waits" { 1 } else { 10 }));
        let end = match goes_on {
            true => "",
            false if connection.closes(Duration::from_millis(500)) => "closed",
            false => "waits",
        };
        let got = [codes(&answers).as_str(), end].join(" ");
        assert_eq!(got.trim(), expected, "{name}: {answers:?}");
        for bye in answers.iter().filter(|answer| answer.code() == 200).filter_map(bye_after) {
            connection.send(bye.as_bytes());
        }
        phone.is_alive();
        assert!(other.is_alive(Duration::from_secs(10)).1, "another connection after {name}");
        assert!(server.is_running(), "{name}");
    }
    assert!(!server.log_text().contains("panic"));
}

/// The messages of `sip-tests/data/rfc5118.txt`: name, what each is to get, text.
fn ipv6_cases() -> Vec<(String, String, String)> {
    let all = fs::read_to_string(Path::new(PROJECT).join("sip-tests/data/rfc5118.txt")).expect("the messages");
    let cases = all.split("\n=== ").skip(1).map(|case| {
        let (title, text) = case.split_once('\n').expect("a message");
        let (name, outcome) = title.rsplit_once(' ').expect("an outcome");
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let body = body.trim_end().lines().map(|line| format!("{line}\r\n")).collect::<String>();
        let head = head.replace('\n', "\r\n").replace("{length}", &body.len().to_string());
        (name.to_owned(), outcome.to_owned(), format!("{head}\r\n\r\n{body}"))
    });
    cases.collect()
}

/// A server on `[::1]`, or a loud word that there is no IPv6.
fn on_ipv6() -> Option<(Setup, Server, SocketAddr)> {
    let Ok(free) = UdpSocket::bind("[::1]:0") else {
        eprintln!("SKIPPED: there is no IPv6 here, RFC 5118's messages were not tried");
        return None;
    };
    let address = free.local_addr().expect("its address");
    drop(free);
    let setup = Setup::new();
    let text = setup.text("switchhook.toml");
    let listen = text.lines().find(|line| line.starts_with("listen = ")).expect("the line");
    let text = text.replacen(listen, &format!("listen = [\"udp:{address}\", \"tcp:{address}\"]"), 1);
    let text = text.replacen("trusted_peers = [\"127.0.0.0/8\"]", "trusted_peers = [\"::1\"]", 1);
    fs::write(setup.config(), text).expect("the configuration");
    let server = setup.serve();
    Some((setup, server, address))
}

#[test]
fn rfc5118_each_message_gets_its_answer_over_ipv6() {
    let Some((_setup, server, address)) = on_ipv6() else { return };
    let local = "[::1]:0".parse().expect("an address");
    for (name, outcome, text) in ipv6_cases() {
        let expected = outcome.replace("call", "200");
        let phone = Datagrams::new(local, address);
        phone.send(text.as_bytes());
        let answers = phone.is_alive();
        assert_eq!(codes(&answers), expected, "{name}: {answers:?}");
        for answer in &answers {
            assert!(answer.header("Via").is_some_and(|via| via.ends_with(";received=::1")), "{name}: {answer:?}");
            if let Some(bye) = bye_after(answer).filter(|_| outcome == "call") {
                assert!(answer.body().contains("c=IN IP6 ::1\r\n"), "{name}: {answer:?}");
                phone.send(bye.as_bytes());
                assert_eq!(codes(&phone.is_alive()), "200", "{name}: the BYE");
            }
        }
        let mut connection = Connection::open(local.ip(), address);
        let other = text.replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace("Call-ID: ", "Call-ID: t");
        connection.send(other.replace("branch=z9hG4bK-", "branch=z9hG4bK-t").as_bytes());
        let (answers, goes_on) = connection.is_alive(Duration::from_secs(10));
        assert_eq!((codes(&answers), goes_on), (expected, true), "{name} over TCP: {answers:?}");
        for bye in answers.iter().filter(|answer| answer.code() == 200).filter_map(bye_after) {
            connection.send(bye.as_bytes());
        }
    }
    assert!(!server.log_text().contains("panic"));
}
