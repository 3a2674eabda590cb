//! INVITEs that were spoiled at random, over UDP and TCP: each is answered as SIP or not at all, an OPTIONS is answered
//! after each batch, and nothing is left behind. `MUTATIONS_SEED` repeats a run.

use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::world::agent::Message;
use crate::world::raw::{Connection, Datagrams, bye_after, memory_kib};
use crate::world::server::Server;
use crate::world::setup::Setup;
use crate::world::wait::becomes;

/// Messages of a batch.
const BATCH: usize = 200;
/// What the memory may grow by while refusals are remembered, in KiB: a finished transaction is kept for 32 s.
const GROWTH_KIB_MAX: u64 = 128 * 1024;
/// What may be more after the second half than after the first, in KiB.
const LEFT_KIB_MAX: u64 = 4 * 1024;
/// From the last message to the end of a call that nobody acknowledges, and of its BYE that nobody answers.
const ALL_OVER: Duration = Duration::from_secs(75);

/// Random numbers from a seed (splitmix64).
struct Random(u64);

impl Random {
    fn new() -> Self {
        let given = std::env::var("MUTATIONS_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_nanos();
        let seed = given.unwrap_or(now as u64);
        println!("MUTATIONS_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % most.max(1) as u64) as usize
    }

    /// A good INVITE with a number of its own, spoiled one to six times.
    fn spoiled(&mut self, n: usize, from: SocketAddr, server: SocketAddr, transport: &str) -> Vec<u8> {
        let mut bytes = invite(n, from, server, transport).into_bytes();
        for _ in 0..=self.below(6) {
            self.spoil(&mut bytes);
        }
        bytes.truncate(60_000);
        bytes
    }

    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.below(bytes.len());
        match self.below(10) {
            0 => bytes[at] = self.below(256) as u8,
            1 => bytes.insert(at, b"\r\n\0\"<>;,:@%= \t[]\xff"[self.below(17)]),
            2 => drop(bytes.remove(at)),
            3 => bytes.truncate(at),
            4 => {
                let end = (at + self.below(80)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, part);
            }
            5 => drop(bytes.drain(at..(at + 1 + self.below(40)).min(bytes.len()))),
            6 => {
                let count = [2, 100, 5000, 20_000][self.below(4)];
                let byte = bytes[at];
                bytes.splice(at..at, std::iter::repeat_n(byte, count));
            }
            7 => self.move_line(bytes),
            8 => self.change_number(bytes),
            _ => {
                let what: [&[u8]; 6] =
                    [b"sip:", b"\r\n ", b";tag=", b"%00", b"\xc3\x28", b"Content-Length: 4294967296\r\n"];
                bytes.splice(at..at, what[self.below(6)].iter().copied());
            }
        }
    }

    fn move_line(&mut self, bytes: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        let line = lines.remove(self.below(lines.len()));
        for _ in 0..self.below(3) {
            let to = self.below(lines.len() + 1);
            lines.insert(to, line.clone());
        }
        *bytes = lines.concat();
    }

    fn change_number(&mut self, bytes: &mut Vec<u8>) {
        let digits: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
        if digits.is_empty() {
            return;
        }
        let at = digits[self.below(digits.len())];
        let what: [&[u8]; 5] = [b"-1", b"65536", b"4294967295", b"18446744073709551616", b"0"];
        bytes.splice(at..=at, what[self.below(5)].iter().copied());
    }
}

fn invite(n: usize, from: SocketAddr, server: SocketAddr, transport: &str) -> String {
    let ip = from.ip();
    let offer = format!(
        "v=0\r\no=m 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\n"
    );
    format!(
        "INVITE sip:7000@{server} SIP/2.0\r\nVia: SIP/2.0/{transport} {from};rport;branch=z9hG4bK-m{n}\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-n{n}, SIP/2.0/TCP p.example.com\r\n\
         Record-Route: <sip:{from};lr>, \"p\" <sip:192.0.2.1;lr>\r\nFrom: \"M\\\"x\" <sip:m%40x@{from}>;tag=m{n}\r\n\
         To: <sip:7000@{server};user=phone>\r\nCall-ID: m{n}@{ip}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\
         Contact: <sip:m@{from};transport=udp>;q=0.5\r\nAccept: application/sdp\r\nSupported: timer\r\n\
         P-Asserted-Identity: <sip:1004@{ip}>\r\nAuthorization: Digest username=\"a\", realm=\"switchhook\", \
         nonce=\"b\", uri=\"sip:7000@h\", response=\"c\"\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n\
         {offer}",
        offer.len()
    )
}

/// Fails where it is not what an answer may look like; gives the BYE where it is a call.
fn judged(answer: &Message) -> Option<String> {
    let code = answer.code();
    if code == 0 {
        // A call that it ends itself, or an OPTIONS of its own: both go unanswered.
        return None;
    }
    assert!((100..700).contains(&code), "{answer:?}");
    assert!(answer.header("Via").is_some(), "{answer:?}");
    let is_invite = answer.header("CSeq").is_some_and(|sequence| sequence.ends_with(" INVITE"));
    if code == 200 && is_invite { bye_after(answer) } else { None }
}

/// Over UDP; gives the highest memory after a batch, in KiB.
fn over_udp(random: &mut Random, setup: &Setup, server: &Server, batches: usize) -> u64 {
    let address = SocketAddr::from((setup.address(), 5060));
    let phone = Datagrams::new((setup.next_address(), 5060).into(), address);
    let (from, mut most) = (phone.local(), 0);
    for batch in 0..batches {
        for n in 0..BATCH {
            phone.send(&random.spoiled(batch * BATCH + n, from, address, "UDP"));
        }
        for bye in phone.is_alive().iter().filter_map(judged) {
            phone.send(bye.as_bytes());
        }
        most = most.max(memory_kib(server.id()));
    }
    most
}

/// Over TCP, a new connection for each ten messages or where the last one was closed.
fn over_tcp(random: &mut Random, setup: &Setup, server: &Server, batches: usize) -> u64 {
    let address = SocketAddr::from((setup.address(), 5060));
    let (client, phone) = (setup.next_address(), Datagrams::new((setup.next_address(), 0).into(), address));
    let from = SocketAddr::from((client, 5060));
    let mut most = 0;
    for batch in 0..batches {
        for n in 0..BATCH / 10 {
            let mut connection = Connection::open(client.into(), address);
            for k in 0..10 {
                connection.send(&random.spoiled(1_000_000 + batch * BATCH + n * 10 + k, from, address, "TCP"));
            }
            while let Some(answer) = connection.receive(Duration::from_millis(5)) {
                if let Some(bye) = judged(&answer) {
                    connection.send(bye.as_bytes());
                }
            }
        }
        phone.is_alive();
        most = most.max(memory_kib(server.id()));
    }
    most
}

/// Sends them; gives the highest memory after a batch, in KiB.
fn spoiled_invites(random: &mut Random, setup: &Setup, server: &mut Server, udp: usize, tcp: usize) -> u64 {
    let before = memory_kib(server.id());
    let peak = over_udp(random, setup, server, udp).max(over_tcp(random, setup, server, tcp));
    assert!(peak < before + GROWTH_KIB_MAX, "{before} KiB became {peak} KiB");
    assert!(server.is_running() && !server.log_text().contains("panic"));
    peak
}

#[test]
fn thousands_of_spoiled_invites_are_answered_as_sip_or_not_at_all_and_leave_nothing() {
    let setup = Setup::new();
    let mut server = setup.serve();
    let sockets = server.open_sockets();
    spoiled_invites(&mut Random::new(), &setup, &mut server, 15, 5);
    // A call whose Via was spoiled was answered to somewhere else; it ends like any that nobody acknowledges.
    assert!(becomes(ALL_OVER, || server.open_sockets() <= sockets), "{} of {sockets} sockets", server.open_sockets());
}

#[test]
#[ignore = "a long run"]
fn soak_a_hundred_thousand_spoiled_invites() {
    let setup = Setup::alone();
    let (mut server, mut random) = (setup.serve(), Random::new());
    let sockets = server.open_sockets();
    println!("figure: memory before spoiled INVITEs, KiB = {}", memory_kib(server.id()));
    let mut after = Vec::new();
    for part in ["first", "second"] {
        let peak = spoiled_invites(&mut random, &setup, &mut server, 200, 50);
        assert!(becomes(ALL_OVER, || server.open_sockets() <= sockets), "sockets are left");
        sleep(ALL_OVER);
        after.push(memory_kib(server.id()));
        println!("figure: memory at the peak of the {part} 50000 spoiled INVITEs, KiB = {peak}");
        println!("figure: memory after the {part} 50000 spoiled INVITEs, KiB = {}", memory_kib(server.id()));
    }
    // What the first ones made the allocator keep the others use again.
    assert!(after[1] < after[0] + LEFT_KIB_MAX, "{after:?}");
    // A drain waits for calls and for the answers to BYEs: there are none any more.
    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(10)).success());
}
