//! Forged RTP at the port of a call, and calls whose end was lost.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::world::agent::{Agent, KEYS_BY_RTP, Message};
use crate::world::setup::Setup;
use crate::world::tools::are_here;
use crate::world::wait::until;

/// The source of the agent's stream.
const SSRC: u32 = 0x00A6_E270;
/// The payload type of telephone-event in [`KEYS_BY_RTP`].
const EVENT: u8 = 101;
/// Forged packets in each millisecond.
const FORGED_A_MS: u16 = 4;

#[test]
fn keys_and_audio_go_on_while_forged_packets_flood_the_port() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let _server = setup.serve();
    let mut agent = Agent::new(&setup);
    agent.new_call();
    let port = media_port(&agent.call(1, KEYS_BY_RTP));
    let target = SocketAddr::from((setup.address(), port));
    let mut phone = Speaker { media: agent.media(), target, sequence: Arc::default(), timestamp: 0 };
    phone.audio();
    let over = Arc::new(AtomicBool::new(false));
    // From another host, and from the agent's own address and port with another source.
    let stranger = UdpSocket::bind((setup.next_address(), 4000)).expect("the stranger's port");
    let heard_by_stranger = stranger.try_clone().expect("its socket");
    let flood = {
        let (own, sequence, over) = (agent.media(), Arc::clone(&phone.sequence), Arc::clone(&over));
        std::thread::spawn(move || flood(&stranger, &own, target, &sequence, &over))
    };
    let phone = std::thread::spawn(move || {
        phone.listen_for(25);
        phone.dial("1005#904826#");
        phone.listen_for(25);
    });
    let headers = agent.rtp(150);
    phone.join().expect("the phone");
    until(Duration::from_secs(10), "logged in", || {
        setup.value("SELECT account FROM v_audit WHERE action = 'login' AND outcome = 'ok'") == "1005"
    });
    over.store(true, Ordering::Relaxed);
    let forged = flood.join().expect("the flood");
    assert!(forged > 3000, "{forged} forged packets");
    for pair in headers.windows(2) {
        let [(before, stamp, _), (after, next_stamp, _)] = *pair else { continue };
        assert_eq!((after, next_stamp), (before.wrapping_add(1), stamp.wrapping_add(160)), "a gap in the audio");
    }
    assert_eq!(setup.value("SELECT count(*) FROM v_audit WHERE action = 'login'"), "1", "a key that nobody pressed");
    heard_by_stranger.set_nonblocking(true).expect("no waiting");
    assert!(heard_by_stranger.recv_from(&mut [0; 2048]).is_err(), "the stranger hears something");
    assert_eq!(agent.bye(2).code(), 200);
}

#[test]
fn a_call_whose_bye_was_lost_is_ended_when_no_rtp_comes() {
    let setup = Setup::new();
    let text = setup.text("switchhook.toml");
    fs::write(setup.config(), format!("{text}[menu]\nrtp_silence_s = 3\n")).expect("the configuration");
    let server = setup.serve();
    let mut agent = Agent::new(&setup);
    agent.new_call();
    assert_eq!(agent.call(1, KEYS_BY_RTP).code(), 200);
    agent.rtp(50);
    let end = agent.receive().expect("a request of the server");
    assert_eq!(end.method(), "BYE");
    assert!(server.log_text().contains("no RTP from the caller"));
}

/// What is on its way to the call that had the port must not reach the next one.
#[test]
fn the_port_of_a_call_that_has_ended_rests_before_another_gets_it() {
    let setup = Setup::new();
    let text = setup.text("switchhook.toml");
    fs::write(setup.config(), format!("{text}[media]\nports = \"20000-20003\"\n")).expect("the configuration");
    let _server = setup.serve();
    let mut agent = Agent::new(&setup);
    // Two pairs: the third call in a row is too early for either, unless this machine is slow; then a later one.
    let refused = (0..20).find_map(|_| {
        agent.new_call();
        let answer = agent.call(1, KEYS_BY_RTP);
        if answer.code() == 200 {
            assert_eq!(agent.bye(2).code(), 200);
        }
        Some(answer).filter(|answer| answer.code() != 200)
    });
    let refused = refused.expect("a call without a port");
    assert_eq!(refused.code(), 503);
    assert!(refused.header("Retry-After").is_some());
    until(Duration::from_secs(20), "a port has rested", || {
        agent.new_call();
        agent.call(1, KEYS_BY_RTP).code() == 200
    });
    assert_eq!(agent.bye(2).code(), 200);
}

fn media_port(answer: &Message) -> u16 {
    let port = answer.body().split("m=audio ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    port.unwrap_or_else(|| panic!("no media port in {answer:?}"))
}

/// The agent's own stream.
struct Speaker {
    media: UdpSocket,
    target: SocketAddr,
    sequence: Arc<AtomicU16>,
    timestamp: u32,
}

impl Speaker {
    fn audio(&mut self) {
        self.send(0, self.timestamp + 160, &[0xFF; 160]);
    }

    fn listen_for(&mut self, frames: u32) {
        for _ in 0..frames {
            self.audio();
        }
    }

    /// Presses keys, 100 ms each, with as much between them.
    fn dial(&mut self, keys: &str) {
        for key in keys.chars() {
            let code = "0123456789*#".find(key).expect("a key") as u8;
            let begun = self.timestamp + 160;
            for n in 1..=7u16 {
                let [high, low] = (160 * n.min(5)).to_be_bytes();
                self.send(EVENT, begun, &[code, if n < 5 { 0x0A } else { 0x8A }, high, low]);
            }
            self.listen_for(5);
        }
    }

    /// Sends a packet and waits for the time of the next one.
    fn send(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        self.timestamp += 160;
        let datagram = packet(payload_type, sequence, timestamp, SSRC, payload);
        self.media.send_to(&datagram, self.target).expect("sent");
        sleep(Duration::from_millis(20));
    }
}

/// Sends what is forged until it is over, 20 s at most; how many packets.
fn flood(stranger: &UdpSocket, own: &UdpSocket, target: SocketAddr, sequence: &AtomicU16, over: &AtomicBool) -> u32 {
    let mut sent = 0;
    for n in 0..20_000u16 {
        if over.load(Ordering::Relaxed) {
            break;
        }
        for k in 0..FORGED_A_MS {
            // The very next sequence number, and a key.
            let next = sequence.load(Ordering::Relaxed).wrapping_add(k);
            let stamp = u32::from(n) * 8000;
            let key = packet(EVENT, next, stamp, SSRC, &[9, 0x8A, 3, 32]);
            let other_source = packet(EVENT, next, stamp, SSRC + 1, &[8, 0x8A, 3, 32]);
            let nonsense = [n as u8, k as u8, 7, 7, 7, 7];
            let result = match (n + k) % 4 {
                0 => stranger.send_to(&key, target),
                1 => own.send_to(&other_source, target),
                2 => stranger.send_to(&packet(0, next, stamp, SSRC, &[0; 160]), target),
                _ => own.send_to(&nonsense, target),
            };
            sent += u32::from(result.is_ok());
        }
        sleep(Duration::from_millis(1));
    }
    sent
}

fn packet(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(timestamp.to_be_bytes());
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(payload);
    bytes
}
