//! RTP: one packet, and a session that gets many.

use std::net::SocketAddr;
use std::time::Duration;

use switchhook::media::session::{Agreed, Event, KeysBy, PACKET_BYTES, Session, Start};
use switchhook::model::Mono;
use switchhook::wire::dtmf::{EVENTS_MAX, events};
use switchhook::wire::g711::Law;
use switchhook::wire::rtp::{DATAGRAM_BYTES_MAX, HEADER_BYTES, Packet};

use super::bytes::Bytes;

/// Where our stream begins.
pub const START: Start = Start {
    ssrc: 7,
    sequence: 65_530,
    timestamp: u32::MAX - 400,
    keys_by: KeysBy { events: true, info: true, inband: true },
};
/// The payload type of telephone-event.
pub const EVENT: u8 = 101;

/// One of the addresses that datagrams come from; the first is the signalled one.
pub fn address(number: usize) -> SocketAddr {
    let host = number % 3;
    SocketAddr::from(([10, 0, 0, 5 + host as u8], 4000))
}

/// What was agreed with the signalled address.
pub fn agreed(event_payload_type: Option<u8>) -> Agreed {
    let rtcp = SocketAddr::new(address(0).ip(), 4001);
    Agreed { rtp: address(0), rtcp, law: Law::Mu, event_payload_type, receives: true, sends: true, security: None }
}

/// Makes datagrams that are nearly those of a stream.
#[derive(Default)]
pub struct Sender {
    sequence: u16,
    timestamp: u32,
}

impl Sender {
    /// The next datagram, and where it comes from.
    pub fn datagram(&mut self, bytes: &mut Bytes<'_>) -> (SocketAddr, Vec<u8>) {
        let from = address(bytes.pick(&[0, 0, 0, 1, 2]));
        if bytes.below(8) == 0 {
            return (from, bytes.piece().to_vec());
        }
        self.sequence = self.sequence.wrapping_add(bytes.pick(&[1, 1, 1, 1, 0, 2, 5, 0xFFFF, 0xFFF0, 2000, 30_000]));
        self.timestamp =
            self.timestamp.wrapping_add(bytes.pick(&[160, 160, 160, 0, 0, 320, 0xFFFF, u32::MAX - 159, 1 << 31]));
        let payload = match bytes.below(4) {
            0 => vec![bytes.byte(); 160],
            1 => bytes.piece().to_vec(),
            _ => (0..=bytes.below(3)).flat_map(|_| event(bytes)).collect(),
        };
        let packet = Packet {
            payload_type: bytes.pick(&[0, 0, 8, EVENT, EVENT, EVENT, 96]),
            marker: bytes.flag(),
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: bytes.pick(&[1, 1, 1, 2, 3]),
            payload: &payload,
        };
        (from, written(&packet))
    }
}

/// The bytes of a packet.
pub fn written(packet: &Packet<'_>) -> Vec<u8> {
    let mut datagram = vec![0; HEADER_BYTES + packet.payload.len()];
    assert_eq!(packet.write(&mut datagram), Some(datagram.len()));
    datagram
}

fn event(bytes: &mut Bytes<'_>) -> [u8; 4] {
    [
        bytes.below(18) as u8,
        bytes.pick(&[0x0A, 0x0A, 0x8A, 0xFF]),
        bytes.pick(&[0, 0, 1, 2, 3, 0xFF]),
        bytes.pick(&[160, 0, 64, 224]),
    ]
}

/// The input is one packet, and then says what a session gets.
pub fn run(data: &[u8]) {
    one(data);
    let mut bytes = Bytes::new(data);
    let event_payload_type = bytes.flag().then_some(EVENT);
    let mut session = Session::new(Mono(0), agreed(event_payload_type), START);
    let (mut now, mut sender, mut locked) = (Mono(0), Sender::default(), None);
    while !bytes.is_empty() {
        now = now + Duration::from_millis(u64::from(bytes.byte()));
        let (from, datagram) = sender.datagram(&mut bytes);
        let is_own = session.handle_rtp(now, from, &datagram);
        if is_own {
            let before = locked.replace(from);
            assert!(before.is_none_or(|before| before == from || from == address(0)), "the lock has moved");
        }
        let told: Vec<Event> = std::iter::from_fn(|| session.poll_event()).collect();
        assert!(is_own || told.is_empty(), "a stranger's packet told something");
        assert!(told.iter().filter(|event| matches!(event, Event::Key(_))).count() <= EVENTS_MAX);
        let to = session.frame(now, &mut [0; PACKET_BYTES]);
        assert_eq!(to.map(|(_, to)| to), Some(locked.unwrap_or(address(0))));
        // A key whose end was lost is up after a while.
        assert!(session.poll_event().is_none_or(|event| event == Event::KeyUp));
    }
}

fn one(data: &[u8]) {
    let Some(packet) = Packet::parse(data) else { return };
    assert!(data.len() <= DATAGRAM_BYTES_MAX && packet.payload.len() + HEADER_BYTES <= data.len());
    assert!(packet.payload_type < 128);
    assert_eq!(Packet::parse(&written(&packet)), Some(packet));
    assert!(events(packet.payload).count() <= EVENTS_MAX.min(packet.payload.len() / 4));
}
