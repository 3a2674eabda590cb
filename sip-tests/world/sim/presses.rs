//! One session and a phone that presses keys over a bad link, with audio between them.

use std::net::SocketAddr;
use std::time::Duration;

use switchhook::media::session::{Agreed, Event, KeysBy, PACKET_BYTES, Session, Start};
use switchhook::model::Mono;
use switchhook::wire::g711::Law;

use super::world::handset::{Handset, KeyWay};
use super::world::link::{Link, Quality};
use super::world::random::Random;

/// Presses of one run.
pub const PRESSES: u64 = 10;
const PEER: ([u8; 4], u16) = ([10, 0, 0, 5], 4000);

/// The keys of which a packet came, in the order of the first ones, and those that were reported.
pub struct Heard {
    pub told: String,
    pub keys: String,
}

pub fn run(seed: u64) -> Heard {
    let random = &mut Random::new(seed);
    let (mut session, mut handset) = (session(random), Handset::new(KeyWay::Events, random));
    handset.event_type = Some(101);
    handset.sends_silence = true;
    let mut link = Link::new(Quality::bad(random), random.fork());
    let mut coming: Vec<(Mono, Vec<u8>, Option<usize>)> = Vec::new();
    let (mut now, mut pressed, mut pause) = (Mono(0), 0, 5);
    let mut heard = Heard { told: String::new(), keys: String::new() };
    let mut counted = [false; PRESSES as usize];
    while pressed < PRESSES || handset.is_pressing() || !coming.is_empty() {
        if !handset.is_pressing() && pressed < PRESSES {
            if pause == 0 {
                handset.press(random.pick(&['1', '2', '2', '3', '#', '*']), random.between(2, 14) as u32);
                (pressed, pause) = (pressed + 1, random.between(2, 20));
            } else {
                pause -= 1;
            }
        }
        let mut sent = Vec::new();
        if pressed < PRESSES || handset.is_pressing() {
            handset.tick(&mut sent);
        }
        for packet in sent {
            coming.extend(link.carry(now).into_iter().flatten().map(|at| (at, packet.bytes.clone(), packet.press)));
        }
        now = now + Duration::from_millis(20);
        coming.sort_by_key(|(at, ..)| *at);
        let due = coming.iter().take_while(|(at, ..)| *at <= now).count();
        for (at, bytes, press) in coming.drain(..due) {
            session.handle_rtp(at, SocketAddr::from(PEER), &bytes);
            if let Some(press) = press.filter(|press| !std::mem::replace(&mut counted[*press], true)) {
                heard.told.push(handset.presses[press]);
            }
        }
        session.frame(now, &mut [0; PACKET_BYTES]);
        while let Some(event) = session.poll_event() {
            if let Event::Key(key) = event {
                heard.keys.push(key.to_char());
            }
        }
    }
    heard
}

fn session(random: &mut Random) -> Session {
    let rtp = SocketAddr::from(PEER);
    let rtcp = SocketAddr::from(([10, 0, 0, 5], 4001));
    let agreed =
        Agreed { rtp, rtcp, law: Law::Mu, event_payload_type: Some(101), receives: true, sends: true, security: None };
    let keys_by = KeysBy { events: true, info: true, inband: true };
    let (sequence, timestamp) = (random.next() as u16, random.next() as u32);
    Session::new(Mono(0), agreed, Start { ssrc: 1, sequence, timestamp, keys_by })
}
