//! Floods against the built program, with a call in progress whose RTP is watched: it loses no packet.

use std::collections::HashSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use crate::world::agent::{Agent, KEYS_BY_RTP};
use crate::world::raw::{Connection, Datagrams, allow_many_files, invite, memory_kib, memory_peak_kib, ok_to};
use crate::world::server::Server;
use crate::world::setup::Setup;
use crate::world::wait::becomes;

/// The memory that no flood may need more of, in KiB.
const MEMORY_KIB_MAX: u64 = 256 * 1024;
/// RTP packets of a second.
const PACKETS_PER_SECOND: usize = 50;
/// From the answer to the BYE where no ACK comes, and the time that takes.
const UNACKED_ENDS_WITHIN: Duration = Duration::from_secs(45);

/// A flood: how many INVITEs, and how many a second.
#[derive(Clone, Copy)]
struct Flood {
    count: usize,
    per_second: usize,
}

/// What came of it.
#[derive(Debug, Default)]
struct Answers {
    /// Calls that were answered, by Call-ID.
    calls: HashSet<String>,
    /// Those refused with 503 and Retry-After.
    refused: HashSet<String>,
    /// Those that were challenged.
    challenged: usize,
    /// Calls that the server ended.
    ended: HashSet<String>,
}

impl Answers {
    /// Takes what has come until nothing has for a second after `stop`; each BYE is answered.
    fn gather(&mut self, phone: &Datagrams, stop: impl Fn(&Self) -> bool) {
        loop {
            let Some(message) = phone.receive(Duration::from_secs(1)) else {
                if stop(self) {
                    return;
                }
                continue;
            };
            let call = message.header("Call-ID").unwrap_or_default().to_owned();
            match message.code() {
                0 => {
                    assert_eq!(message.first_word(), "BYE");
                    phone.send(ok_to(&message).as_bytes());
                    self.ended.insert(call);
                }
                100 => {}
                200 => drop(self.calls.insert(call)),
                401 => self.challenged += 1,
                503 => {
                    assert_eq!(message.header("Retry-After"), Some("10"), "{message:?}");
                    self.refused.insert(call);
                }
                _ => panic!("{message:?}"),
            }
        }
    }
}

/// A configuration in which nobody has to press a key, with so many calls at most.
fn patient(setup: &Setup, calls_max: u32, trusted: &str) {
    let text = setup.text("switchhook.toml");
    let text = text.replacen("[sip]\n", &format!("[sip]\ncalls_max = {calls_max}\n"), 1);
    let text = text.replacen("trusted_peers = [\"127.0.0.0/8\"]", &format!("trusted_peers = [{trusted}]"), 1);
    let text = text + "[menu]\nfirst_key_s = 600\nrtp_silence_s = 600\n";
    fs::write(setup.config(), text).expect("the configuration");
}

/// Sends the INVITEs at their pace and takes the answers as they come.
fn send(flood: Flood, phone: &Datagrams, server: SocketAddr) -> Answers {
    // Where the media of these calls goes, and nobody listens.
    let sink = UdpSocket::bind((phone.local().ip(), 0)).expect("a port");
    let media = sink.local_addr().expect("its address").port();
    let (is_sent, mut answers) = (AtomicBool::new(false), Answers::default());
    scope(|all| {
        all.spawn(|| {
            let start = Instant::now();
            for n in 0..flood.count {
                let due = start + Duration::from_micros(1_000_000 * n as u64 / flood.per_second as u64);
                if let Some(wait) = due.checked_duration_since(Instant::now()).filter(|wait| wait.as_millis() > 1) {
                    sleep(wait);
                }
                phone.send(invite(n, phone.local(), server, media).as_bytes());
            }
            is_sent.store(true, Ordering::Relaxed);
        });
        answers.gather(phone, |_| is_sent.load(Ordering::Relaxed));
    });
    answers
}

/// Packets of the call that did not come, of so many seconds; their timestamps must fit too.
fn lost(agent: &mut Agent, seconds: usize) -> usize {
    let packets = agent.rtp(seconds * PACKETS_PER_SECOND);
    let gaps = packets.windows(2).map(|pair| {
        let [(sequence, timestamp, source), next] = [pair[0], pair[1]];
        assert_eq!((next.1, next.2), (timestamp.wrapping_add(160), source), "the packet clock goes on");
        usize::from(next.0.wrapping_sub(sequence)) - 1
    });
    gaps.sum()
}

fn served(setup: &Setup) -> (Server, SocketAddr) {
    (setup.serve(), SocketAddr::from((setup.address(), 5060)))
}

fn up(agent: &mut Agent) {
    agent.new_call();
    assert_eq!(agent.call(1, KEYS_BY_RTP).code(), 200);
}

/// Waits until each call that nobody acknowledged was ended with a BYE, and nothing is left of them.
fn all_end(answers: &mut Answers, phone: &Datagrams, server: &Server, sockets: usize) {
    let end = Instant::now() + UNACKED_ENDS_WITHIN;
    answers.gather(phone, |so_far| so_far.ended.len() >= so_far.calls.len() || Instant::now() > end);
    assert_eq!(answers.ended, answers.calls, "each of them, and no other");
    assert!(becomes(Duration::from_secs(10), || server.open_sockets() <= sockets), "sockets are left");
}

#[test]
fn a_flood_of_invites_gets_503_and_the_present_call_loses_no_packet() {
    let setup = Setup::new();
    patient(&setup, 40, "\"127.0.0.0/8\"");
    let (server, address) = served(&setup);
    let sockets = server.open_sockets();
    let mut agent = Agent::new(&setup);
    up(&mut agent);
    let phone = Datagrams::new((setup.next_address(), 5060).into(), address);
    let flood = Flood { count: 3000, per_second: 1000 };
    let mut answers = scope(|all| {
        let sending = all.spawn(|| send(flood, &phone, address));
        assert_eq!(lost(&mut agent, 4), 0);
        sending.join().expect("the flood")
    });
    assert_eq!((answers.calls.len(), answers.challenged), (39, 0), "as many as there is room for");
    assert!(answers.refused.len() > 1000, "{} were told to come back", answers.refused.len());
    Datagrams::new((setup.next_address(), 0).into(), address).is_alive();
    assert!(memory_peak_kib(server.id()) < MEMORY_KIB_MAX);
    assert_eq!(agent.bye(2).code(), 200, "the present call is ended by its caller");
    all_end(&mut answers, &phone, &server, sockets);
}

#[test]
fn a_flood_of_strangers_is_hardly_answered_and_the_present_call_loses_no_packet() {
    let setup = Setup::new();
    let mut agent = Agent::new(&setup);
    patient(&setup, 2000, &format!("\"{}\"", agent.address()));
    let (mut server, address) = served(&setup);
    up(&mut agent);
    let phone = Datagrams::new((setup.next_address(), 5060).into(), address);
    let start = Instant::now();
    let answers = scope(|all| {
        let sending = all.spawn(|| send(Flood { count: 3000, per_second: 1000 }, &phone, address));
        assert_eq!(lost(&mut agent, 4), 0);
        sending.join().expect("the flood")
    });
    let seconds = usize::try_from(start.elapsed().as_secs()).expect("seconds") + 1;
    assert!(answers.calls.is_empty());
    assert!((1..=30 + 5 * seconds).contains(&answers.challenged), "{} in {seconds} s", answers.challenged);
    assert!((1..=50 + 50 * seconds).contains(&answers.refused.len()), "{} in {seconds} s", answers.refused.len());
    assert_eq!(agent.bye(2).code(), 200);
    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(10)).success(), "nothing is left of any of them");
}

#[test]
fn a_thousand_connections_that_say_nothing_are_closed_and_the_rest_goes_on() {
    allow_many_files();
    let setup = Setup::new();
    patient(&setup, 2000, "\"127.0.0.0/8\"");
    let (server, address) = served(&setup);
    let sockets = server.open_sockets();
    let mut agent = Agent::new(&setup);
    up(&mut agent);
    let silent = setup.next_address().into();
    let mut connections: Vec<Connection> = (0..1000).map(|_| Connection::open(silent, address)).collect();
    assert_eq!(lost(&mut agent, 2), 0);
    Datagrams::new((setup.next_address(), 0).into(), address).is_alive();
    let one_more = |within| Connection::open(setup.next_address().into(), address).is_alive(within).1;
    assert!(one_more(Duration::from_secs(10)), "there is room for a few more");
    let open =
        connections.iter_mut().filter_map(|connection| (!connection.closes(Duration::ZERO)).then_some(())).count();
    println!("{open} of 1000 silent connections are open");
    assert!(connections.iter_mut().all(|connection| connection.closes(Duration::from_secs(40))), "after 30 s");
    assert!(one_more(Duration::from_secs(10)));
    assert_eq!(agent.bye(2).code(), 200);
    assert!(becomes(Duration::from_secs(10), || server.open_sockets() <= sockets), "{}", server.open_sockets());
}

#[test]
#[ignore = "a long run"]
fn soak_two_thousand_invites_a_second_for_a_minute() {
    let setup = Setup::alone();
    patient(&setup, 2000, "\"127.0.0.0/8\"");
    let (server, address) = served(&setup);
    let (sockets, before) = (server.open_sockets(), memory_kib(server.id()));
    let mut agent = Agent::new(&setup);
    up(&mut agent);
    let phone = Datagrams::new((setup.next_address(), 5060).into(), address);
    let flood = Flood { count: 120_000, per_second: 2000 };
    let (mut answers, lost) = scope(|all| {
        let sending = all.spawn(|| send(flood, &phone, address));
        let lost = lost(&mut agent, 65);
        (sending.join().expect("the flood"), lost)
    });
    let unanswered = flood.count - answers.calls.union(&answers.refused).count();
    println!("figure: packets lost by the present call in 120000 INVITEs at 2000 a second = {lost}");
    println!("figure: INVITEs answered with 503 and Retry-After = {}", answers.refused.len());
    println!("figure: INVITEs answered with 200 = {}", answers.calls.len());
    println!("figure: INVITEs without an answer = {unanswered}");
    println!("figure: memory before the flood, KiB = {before}");
    println!("figure: memory at its peak, KiB = {}", memory_peak_kib(server.id()));
    assert_eq!(agent.bye(2).code(), 200);
    all_end(&mut answers, &phone, &server, sockets);
    sleep(Duration::from_secs(35));
    println!("figure: memory after it, KiB = {}", memory_kib(server.id()));
    assert_eq!(lost, 0);
    assert!(memory_peak_kib(server.id()) < MEMORY_KIB_MAX);
}

#[test]
#[ignore = "a long run"]
fn soak_ten_thousand_calls_that_nobody_acknowledges() {
    let setup = Setup::alone();
    patient(&setup, 2000, "\"127.0.0.0/8\"");
    let (mut server, address) = served(&setup);
    let (sockets, before) = (server.open_sockets(), memory_kib(server.id()));
    let mut agent = Agent::new(&setup);
    up(&mut agent);
    let phone = Datagrams::new((setup.next_address(), 5060).into(), address);
    let (mut answers, lost) = scope(|all| {
        let sending = all.spawn(|| send(Flood { count: 10_000, per_second: 1000 }, &phone, address));
        let lost = lost(&mut agent, 12);
        (sending.join().expect("the flood"), lost)
    });
    assert_eq!(answers.calls.len(), 1999);
    println!("figure: calls never acknowledged, answered with 200 = {}", answers.calls.len());
    println!("figure: calls never acknowledged, refused with 503 = {}", answers.refused.len());
    println!("figure: packets lost by the present call meanwhile = {lost}");
    assert_eq!(agent.bye(2).code(), 200);
    all_end(&mut answers, &phone, &server, sockets);
    println!("figure: calls ended with a BYE for want of an ACK = {}", answers.ended.len());
    let peak = memory_peak_kib(server.id());
    sleep(Duration::from_secs(35));
    println!("figure: memory before 10000 calls never acknowledged, KiB = {before}");
    println!("figure: memory at their peak, KiB = {peak}");
    println!("figure: memory after them, KiB = {}", memory_kib(server.id()));
    assert_eq!(lost, 0);
    assert!(peak < MEMORY_KIB_MAX);
    server.signal("TERM");
    assert!(server.ends_within(Duration::from_secs(10)).success());
}

/// The largest datagrams that there are: what waits for the endpoint has a bound in bytes as well.
#[test]
#[ignore = "a long run"]
fn soak_the_largest_datagrams_for_ten_seconds() {
    let setup = Setup::alone();
    patient(&setup, 2000, "\"127.0.0.0/8\"");
    let (server, address) = served(&setup);
    let mut agent = Agent::new(&setup);
    up(&mut agent);
    let from: Ipv4Addr = setup.next_address();
    let large = Datagrams::new((from, 5060).into(), address);
    let head = invite(1, large.local(), address, 9).replace("Content-Length: ", "X-Length: ");
    let (head, _) = head.split_once("\r\n\r\n").expect("a body");
    let datagram = format!("{head}\r\nContent-Length: 60000\r\n\r\n{}", "v".repeat(60_000));
    let over = AtomicBool::new(false);
    let lost = scope(|all| {
        for _ in 0..2 {
            all.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    large.send(datagram.as_bytes());
                }
            });
        }
        let lost = lost(&mut agent, 10);
        over.store(true, Ordering::Relaxed);
        lost
    });
    Datagrams::new((setup.next_address(), 0).into(), address).is_alive();
    println!("figure: packets lost by the present call under the largest datagrams = {lost}");
    println!("figure: memory at the peak of the largest datagrams, KiB = {}", memory_peak_kib(server.id()));
    assert_eq!(lost, 0);
    assert!(memory_peak_kib(server.id()) < MEMORY_KIB_MAX);
}
