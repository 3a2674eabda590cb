//! A relay between a telephone and the server that loses packets of the media: the same ones for the same seed, as long
//! as they come in the same order.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::setup::Setup;

/// A relay for one call; it ends when it is dropped.
pub struct Relay {
    /// What the telephone calls instead of the server.
    pub uri: String,
    shared: Arc<Shared>,
}

/// One side of the relay: what it is bound to, and whom it serves there.
struct Side {
    sip: UdpSocket,
    rtp: UdpSocket,
    sip_peer: Mutex<Option<SocketAddr>>,
    rtp_peer: Mutex<Option<SocketAddr>>,
}

struct Shared {
    caller: Side,
    server: Side,
    loss_percent: u64,
    seed: u64,
    carried: AtomicU32,
    lost: AtomicU32,
    ends: AtomicBool,
}

impl Relay {
    /// Starts it; of the media, that many packets in a hundred are lost in each direction.
    pub fn start(setup: &Setup, loss_percent: u64, seed: u64) -> Self {
        let caller = Side::bind(setup.next_address());
        let server = Side::bind(setup.next_address());
        *server.sip_peer.lock().expect("its peer") = Some(SocketAddr::from((setup.address(), 5060)));
        let uri = format!("sip:7000@{}", caller.sip.local_addr().expect("its address"));
        let (carried, lost) = (AtomicU32::new(0), AtomicU32::new(0));
        let shared = Shared { caller, server, loss_percent, seed, carried, lost, ends: AtomicBool::new(false) };
        let shared = Arc::new(shared);
        for to_server in [true, false] {
            let sip = Arc::clone(&shared);
            std::thread::spawn(move || sip.carry_sip(to_server));
            let rtp = Arc::clone(&shared);
            std::thread::spawn(move || rtp.carry_rtp(to_server));
        }
        Self { uri, shared }
    }

    /// Packets of the media that were carried, and those that were lost.
    pub fn counts(&self) -> (u32, u32) {
        (self.shared.carried.load(Ordering::Relaxed), self.shared.lost.load(Ordering::Relaxed))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
    }
}

impl Side {
    fn bind(address: Ipv4Addr) -> Self {
        let socket = |port| {
            let socket = UdpSocket::bind((address, port)).expect("the relay's port");
            socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out");
            socket
        };
        Self { sip: socket(5060), rtp: socket(30_000), sip_peer: Mutex::new(None), rtp_peer: Mutex::new(None) }
    }
}

impl Shared {
    /// From the side that a packet comes to, to the other one.
    fn sides(&self, to_server: bool) -> (&Side, &Side) {
        if to_server { (&self.caller, &self.server) } else { (&self.server, &self.caller) }
    }

    fn carry_sip(&self, to_server: bool) {
        let (from, to) = self.sides(to_server);
        let mut buffer = [0; 65_535];
        while !self.ends.load(Ordering::Relaxed) {
            let Ok((length, peer)) = from.sip.recv_from(&mut buffer) else { continue };
            *from.sip_peer.lock().expect("its peer") = Some(peer);
            let text = String::from_utf8_lossy(&buffer[..length]);
            let text = redirected(&text, from, to);
            if let Some(peer) = *to.sip_peer.lock().expect("its peer") {
                to.sip.send_to(text.as_bytes(), peer).expect("carried");
            }
        }
    }

    fn carry_rtp(&self, to_server: bool) {
        let (from, to) = self.sides(to_server);
        let mut random = self.seed ^ u64::from(to_server);
        let mut buffer = [0; 2048];
        while !self.ends.load(Ordering::Relaxed) {
            let Ok((length, _)) = from.rtp.recv_from(&mut buffer) else { continue };
            if next(&mut random) % 100 < self.loss_percent {
                self.lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            self.carried.fetch_add(1, Ordering::Relaxed);
            if let Some(peer) = *to.rtp_peer.lock().expect("its peer") {
                // A side that has closed its port is about to end the call.
                let _ = to.rtp.send_to(&buffer[..length], peer);
            }
        }
    }
}

/// Notes where the sender of an offer or answer wants its media, and puts the relay's place there instead.
fn redirected(text: &str, from: &Side, to: &Side) -> String {
    let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.contains("m=audio ")) else {
        return text.to_owned();
    };
    let after = |begin: &str| body.lines().find_map(|line| line.strip_prefix(begin));
    let address = after("c=IN IP4 ").and_then(|address| address.trim().parse::<Ipv4Addr>().ok()).expect("an address");
    let port = after("m=audio ").and_then(|rest| rest.split(' ').next()?.parse::<u16>().ok()).expect("a port");
    *from.rtp_peer.lock().expect("its peer") = Some(SocketAddr::from((address, port)));
    let place = to.rtp.local_addr().expect("its address");
    let body = body
        .replace(&format!("c=IN IP4 {address}"), &format!("c=IN IP4 {}", place.ip()))
        .replace(&format!("m=audio {port} "), &format!("m=audio {} ", place.port()));
    let length = |line: &str| line.to_ascii_lowercase().starts_with("content-length:");
    let head: Vec<String> = head
        .split("\r\n")
        .map(|line| if length(line) { format!("Content-Length: {}", body.len()) } else { line.to_owned() })
        .collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}

/// The next number of a SplitMix64 sequence.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
