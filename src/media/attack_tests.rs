//! Forged RTP and RTCP: a session that is flooded with it goes on exactly as its twin that only gets the caller's own.

use std::net::SocketAddr;
use std::time::Duration;

use super::random_tests::Random;
use super::recorder::RecordLimits;
use super::session::{Agreed, Event, KeysBy, PACKET_BYTES, Session, Start};
use crate::model::{Mono, Ticket};
use crate::wire::g711::{FRAME, Law};
use crate::wire::rtcp::REPORT_BYTES_MAX;
use crate::wire::rtp::{HEADER_BYTES, Packet};

const CALLER: ([u8; 4], u16) = ([10, 0, 0, 5], 4000);
const SSRC: u32 = 0x5EED;
const EVENT: u8 = 101;
/// Where a report says when the caller's last one came (8 bytes of header, 20 of the sender, 16 of the block before it).
const LAST_REPORT: std::ops::Range<usize> = 44..52;

#[test]
fn forged_packets_give_no_key_move_no_media_and_get_no_byte() {
    let keys = attacked(4733, 200_000);
    assert!(keys > 500, "{keys} keys of the caller's");
}

#[test]
#[ignore = "a long run"]
fn soak_a_million_forged_packets_give_no_key() {
    let keys = attacked(1_000_000, 1_000_000);
    println!("figure: forged RTP packets = 1000000");
    println!("figure: keys, packets moved and samples recorded because of them = 0");
    println!("figure: keys of the caller's own meanwhile, all told = {keys}");
}

/// The caller, who talks and presses keys, and the session that hears it.
struct Caller {
    sequence: u16,
    timestamp: u32,
    /// Packets of the present press that are still to come, its event and its timestamp.
    press: Option<(u16, u8, u32)>,
}

impl Caller {
    /// The next packet: audio, or one of a press's.
    fn packet(&mut self, random: &mut Random) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        if self.press.is_none() && random.below(8) == 0 {
            self.press = Some((6, random.below(12) as u8, self.timestamp));
        }
        match self.press {
            Some((left, code, timestamp)) => {
                self.press = (left > 1).then_some((left - 1, code, timestamp));
                let (end, duration) = (left <= 3, 160 * (7 - left.max(3)));
                self.written(EVENT, SSRC, self.sequence, timestamp, &event(code, end, duration))
            }
            None => {
                let loud = [Law::Mu.encode(random.below(9000) as i16); FRAME];
                self.written(0, SSRC, self.sequence, self.timestamp, &loud)
            }
        }
    }

    /// A packet that is not the caller's, and where it comes from.
    fn forged(&self, random: &mut Random) -> (SocketAddr, Vec<u8>) {
        let caller = SocketAddr::from(CALLER);
        let next = self.sequence.wrapping_add(1 + random.below(4) as u16);
        let payload_type = [0, 8, EVENT, EVENT, random.below(128) as u8][random.below(5) as usize];
        let payload = match random.below(3) {
            0 => vec![Law::Mu.encode(9000); FRAME],
            1 => event(random.below(12) as u8, random.below(2) == 0, 800).to_vec(),
            _ => (0..random.below(40)).map(|_| random.next() as u8).collect(),
        };
        let other_ssrc = if random.below(2) == 0 { SSRC + 1 } else { random.next() as u32 };
        match random.below(5) {
            0 => (caller, self.written(payload_type, other_ssrc, next, self.timestamp, &payload)),
            1 => (elsewhere(random), self.written(payload_type, SSRC, next, self.timestamp, &payload)),
            2 => (elsewhere(random), self.written(payload_type, other_ssrc, next, self.timestamp, &payload)),
            3 => {
                // Both right, and a sequence number that is none of the stream's.
                let far = self.sequence.wrapping_add(4000 + random.below(57_000) as u16);
                (caller, self.written(payload_type, SSRC, far, random.next() as u32, &payload))
            }
            _ => {
                let bytes = (0..random.below(200)).map(|_| random.next() as u8).collect();
                (if random.below(2) == 0 { caller } else { elsewhere(random) }, bytes)
            }
        }
    }

    fn written(&self, payload_type: u8, ssrc: u32, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let packet = Packet { payload_type, marker: false, sequence, timestamp, ssrc, payload };
        let mut bytes = vec![0; HEADER_BYTES + payload.len()];
        packet.write(&mut bytes).expect("room");
        bytes
    }
}

fn event(code: u8, end: bool, duration: u16) -> [u8; 4] {
    let [high, low] = duration.to_be_bytes();
    [code, if end { 0x8A } else { 0x0A }, high, low]
}

/// The caller's host by another port, another host by the caller's, or anywhere.
fn elsewhere(random: &mut Random) -> SocketAddr {
    match random.below(3) {
        0 => SocketAddr::from((CALLER.0, 4002)),
        1 => SocketAddr::from(([192, 0, 2, 66], CALLER.1)),
        _ => SocketAddr::from(([192, 0, 2, random.next() as u8], random.next() as u16)),
    }
}

fn session() -> Session {
    let address = |port| SocketAddr::from((CALLER.0, port));
    let agreed = Agreed {
        rtp: address(4000),
        rtcp: address(4001),
        law: Law::Mu,
        event_payload_type: Some(EVENT),
        receives: true,
        security: None,
        sends: true,
    };
    let keys_by = KeysBy { events: true, info: true, inband: true };
    let mut session = Session::new(Mono(0), agreed, Start { ssrc: 1, sequence: 1, timestamp: 1, keys_by });
    let limits = RecordLimits { silence: Duration::from_secs(3600), length: Duration::from_secs(3600) };
    session.record(Mono(0), Ticket(1), limits);
    session
}

/// Runs a call with so many forged packets in it; how many keys the caller pressed, all of which were told.
fn attacked(seed: u64, forged: usize) -> usize {
    let random = &mut Random(seed);
    let mut caller = Caller { sequence: 65_000, timestamp: 0, press: None };
    let (mut flooded, mut twin) = (session(), session());
    let (mut now, mut sent, mut keys) = (Mono(0), 0, 0);
    while sent < forged {
        let own = caller.packet(random);
        for session in [&mut flooded, &mut twin] {
            assert!(session.handle_rtp(now, SocketAddr::from(CALLER), &own), "seed {seed}: the caller's own");
        }
        for _ in 0..random.below(40) {
            let (from, datagram) = caller.forged(random);
            assert!(!flooded.handle_rtp(now, from, &datagram), "seed {seed}: from {from}: {datagram:?}");
            sent += 1;
        }
        now = now + Duration::from_millis(20);
        keys += same_frame(seed, now, &mut flooded, &mut twin);
    }
    let takes = [flooded.take_recording(), twin.take_recording()].map(|take| take.expect("a take").samples());
    assert!(takes[0] == takes[1] && takes[0].len() > 8000, "seed {seed}: what was recorded is not the caller's alone");
    keys
}

/// Both send the same to the same address and tell the same; how many keys.
fn same_frame(seed: u64, now: Mono, flooded: &mut Session, twin: &mut Session) -> usize {
    let (mut packet, mut expected) = ([0; PACKET_BYTES], [0; PACKET_BYTES]);
    assert_eq!(flooded.frame(now, &mut packet).map(|(_, to)| to), Some(SocketAddr::from(CALLER)), "seed {seed}");
    twin.frame(now, &mut expected);
    assert_eq!(packet, expected, "seed {seed}");
    let told: Vec<Event> = std::iter::from_fn(|| flooded.poll_event()).collect();
    assert_eq!(told, std::iter::from_fn(|| twin.poll_event()).collect::<Vec<_>>(), "seed {seed}");
    assert_eq!(report(flooded, now), report(twin, now), "seed {seed}");
    told.iter().filter(|event| matches!(event, Event::Key(_))).count()
}

fn report(session: &mut Session, now: Mono) -> (Vec<u8>, SocketAddr) {
    let mut bytes = [0; REPORT_BYTES_MAX];
    let (length, to) = session.report(now, 1 << 32, false, &mut bytes);
    (bytes[..length].to_vec(), to)
}

/// Before the caller's first packet too: strangers without four packets in sequence don't get the call.
#[test]
fn strangers_who_come_first_do_not_get_the_call() {
    let random = &mut Random(62);
    let caller = Caller { sequence: 100, timestamp: 0, press: None };
    let mut session = session();
    for n in 0..20_000u64 {
        let (from, datagram) = caller.forged(random);
        if from != SocketAddr::from(CALLER) {
            let far = [&datagram[..2.min(datagram.len())], &random.next().to_be_bytes()[..2]].concat();
            let datagram = [&far[..], datagram.get(4..).unwrap_or_default()].concat();
            assert!(!session.handle_rtp(Mono(n * 100), from, &datagram));
        }
    }
    let sent = session.frame(Mono(3_000_000), &mut [0; PACKET_BYTES]);
    assert_eq!(sent.map(|(_, to)| to), Some(SocketAddr::from(CALLER)));
    assert_eq!(session.poll_event(), None);
    let own = caller.written(EVENT, SSRC, 101, 160, &event(7, true, 800));
    assert!(session.handle_rtp(Mono(4_000_000), SocketAddr::from(CALLER), &own));
    assert!(matches!(session.poll_event(), Some(Event::Key(key)) if key.to_char() == '7'));
}

/// False lengths, nonsense, a BYE for whatever source, reports that lie: nothing changes but what our own reports say of
/// the caller's last one, and that only by a report of the caller's host for the caller's source.
#[test]
fn no_rtcp_changes_anything() {
    let random = &mut Random(3550);
    let mut caller = Caller { sequence: 7, timestamp: 0, press: None };
    let (mut attacked, mut twin) = (session(), session());
    let mut believed = 0;
    for n in 0..20_000 {
        let now = Mono(n * 20_000);
        let own = caller.packet(random);
        for session in [&mut attacked, &mut twin] {
            session.handle_rtp(now, SocketAddr::from(CALLER), &own);
        }
        let from = if random.below(3) == 0 { elsewhere(random) } else { SocketAddr::from((CALLER.0, 4001)) };
        let datagram = rtcp(random);
        attacked.handle_rtcp(now, from, &datagram);
        assert_eq!(attacked.silent_for(now), twin.silent_for(now));
        let (mut packet, mut expected) = ([0; PACKET_BYTES], [0; PACKET_BYTES]);
        assert_eq!(attacked.frame(now, &mut packet), twin.frame(now, &mut expected));
        assert_eq!((packet, attacked.poll_event()), (expected, twin.poll_event()));
        let ((mut bytes, to), (mut expected, _)) = (report(&mut attacked, now), report(&mut twin, now));
        assert_eq!(to, SocketAddr::from((CALLER.0, 4001)));
        believed += u32::from(bytes[LAST_REPORT] != expected[LAST_REPORT]);
        bytes[LAST_REPORT].fill(0);
        expected[LAST_REPORT].fill(0);
        assert_eq!(bytes, expected, "packet {n}: {datagram:?}");
    }
    assert!(believed > 0, "the caller's own reports are taken");
}

/// A compound of one to four packets, each of a kind, with a length that is right or not.
fn rtcp(random: &mut Random) -> Vec<u8> {
    let mut datagram = Vec::new();
    for _ in 0..1 + random.below(4) {
        let kind = [200, 200, 201, 202, 203, 204, random.next() as u8][random.below(7) as usize];
        let words = random.below(14) as usize;
        let length = if random.below(4) == 0 { random.next() as u16 } else { words as u16 };
        let first = if random.below(8) == 0 { random.next() as u8 } else { 0x81 };
        datagram.extend([first, kind]);
        datagram.extend(length.to_be_bytes());
        let ssrc = if random.below(2) == 0 { SSRC } else { random.next() as u32 };
        datagram.extend(ssrc.to_be_bytes());
        // What follows is what a report says of losses and delays: anything, or the most that fits.
        let fill = random.below(2) == 0;
        datagram.extend((1..words.max(1) * 4).map(|_| if fill { 0xFF } else { random.next() as u8 }));
        datagram.truncate(1400);
    }
    datagram
}
