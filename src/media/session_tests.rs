//! The session as its peers see it: datagrams in and out, byte for byte.

use super::*;
use crate::wire::srtp::{Key, Protector, Suite, Unprotector};

const PEER: ([u8; 4], u16) = ([10, 0, 0, 5], 4000);

#[path = "session_peer_tests.rs"]
mod peer;

fn session(event_payload_type: Option<u8>) -> Session {
    let rtp = SocketAddr::from(PEER);
    let rtcp = SocketAddr::from(([10, 0, 0, 5], 4001));
    let agreed = Agreed { rtp, rtcp, law: Law::Mu, event_payload_type, receives: true, sends: true, security: None };
    let keys_by = KeysBy { events: true, info: true, inband: true };
    Session::new(Mono(0), agreed, Start { ssrc: 0xABCD, sequence: 65_534, timestamp: u32::MAX - 200, keys_by })
}

fn frame(session: &mut Session, ms: u64) -> Option<Vec<u8>> {
    let mut bytes = [0; PACKET_BYTES];
    session.frame(Mono(ms * 1000), &mut bytes).map(|(length, _)| bytes[..length].to_vec())
}

fn keys(session: &mut Session) -> String {
    std::iter::from_fn(|| session.poll_event())
        .filter_map(|event| match event {
            Event::Key(key) => Some(key.to_char()),
            Event::KeyUp | Event::Played(_) | Event::Recorded(..) => None,
        })
        .collect()
}

fn audio(session: &mut Session, ms: u64, sequence: u16, payload: &[u8]) {
    let packet =
        Packet { payload_type: 0, marker: false, sequence, timestamp: u32::from(sequence) * 160, ssrc: 1, payload };
    let mut bytes = [0; 1500];
    let length = packet.write(&mut bytes).expect("room");
    session.handle_rtp(Mono(ms * 1000), SocketAddr::from(PEER), &bytes[..length]);
}

#[test]
fn packets_follow_each_other_without_a_break() {
    let mut session = session(None);
    let headers: Vec<String> = (0..4)
        .map(|n| frame(&mut session, n * 20).expect("a packet")[..12].iter().map(|b| format!("{b:02x}")).collect())
        .collect();
    assert_eq!(
        headers,
        [
            "8080ffffffffffd70000abcd", // marker on the first
            "80000000000000770000abcd", // both wrapped
            "80000001000001170000abcd",
            "80000002000001b70000abcd",
        ]
    );
}

#[test]
fn a_hold_keeps_the_prompt_where_it_was_and_the_clock_going() {
    let mut session = session(None);
    session.play(Ticket(1), [Item::Audio(crate::model::Audio(vec![5000; 320].into()))]);
    let first = frame(&mut session, 0).expect("a packet");
    let agreed = session.agreed.clone();
    session.renegotiate(Mono(20_000), Agreed { receives: false, ..agreed.clone() });
    assert!(frame(&mut session, 20).is_none() && frame(&mut session, 40).is_none());
    assert_eq!(session.poll_event(), None);
    session.renegotiate(Mono(60_000), agreed);
    let after = frame(&mut session, 60).expect("a packet");
    let (before, after) = (Packet::parse(&first).expect("RTP"), Packet::parse(&after).expect("RTP"));
    assert_eq!(after.timestamp.wrapping_sub(before.timestamp), 3 * 160);
    assert_eq!((after.sequence.wrapping_sub(before.sequence), after.marker), (1, true));
    assert_eq!(after.payload[0], Law::Mu.encode(5000), "the second half of the prompt");
    assert_eq!(session.poll_event(), Some(Event::Played(Ticket(1))));
}

#[test]
fn info_counts_only_where_no_event_was_agreed_and_before_any_tone() {
    let mut with_events = session(Some(101));
    with_events.handle_info('5');
    assert_eq!(keys(&mut with_events), "");
    let mut without = session(None);
    without.handle_info('5');
    without.handle_info('A');
    without.handle_info('#');
    assert_eq!(keys(&mut without), "5#");
}

#[test]
fn tones_count_only_where_no_event_was_agreed_and_before_any_info() {
    let wave = |f: f64, n: usize| (n as f64 * f * std::f64::consts::TAU / 8000.0).sin();
    let tone: Vec<u8> =
        (0..800).map(|n| Law::Mu.encode((5000.0 * (wave(770.0, n) + wave(1336.0, n))) as i16)).collect();
    let play = |session: &mut Session| {
        for (n, payload) in tone.chunks(160).enumerate() {
            audio(session, n as u64 * 20, n as u16, payload);
        }
    };
    let mut without = session(None);
    play(&mut without);
    without.handle_info('5');
    assert_eq!(keys(&mut without), "5", "one source a call");
    let mut with_events = session(Some(101));
    play(&mut with_events);
    assert_eq!(keys(&mut with_events), "");
    let mut by_info = session(None);
    by_info.handle_info('5');
    play(&mut by_info);
    assert_eq!(keys(&mut by_info), "5");
}

#[test]
fn a_recording_ends_by_key_or_silence_or_is_taken() {
    let limits = RecordLimits { silence: Duration::from_secs(4), length: Duration::from_secs(60) };
    let mut session = session(Some(101));
    session.record(Mono(0), Ticket(3), limits);
    audio(&mut session, 0, 1, &[Law::Mu.encode(9000); 160]);
    session.end_recording();
    let Some(Event::Recorded(Ticket(3), take)) = session.poll_event() else { panic!("no take") };
    assert_eq!((take.samples().len(), take.by_key), (160, true));
    session.record(Mono(0), Ticket(4), limits);
    frame(&mut session, 3999);
    assert_eq!(session.poll_event(), None);
    frame(&mut session, 4000);
    assert!(matches!(session.poll_event(), Some(Event::Recorded(Ticket(4), _))));
    session.record(Mono(0), Ticket(5), limits);
    assert!(session.take_recording().is_some() && session.take_recording().is_none());
}

#[test]
fn so_many_events_wait_and_the_oldest_give_way() {
    // A key is two: down and up.
    for (pressed, heard) in [(EVENTS_MAX / 2, 0..EVENTS_MAX / 2), (EVENTS_MAX / 2 + 1, 1..EVENTS_MAX / 2 + 1)] {
        let mut session = session(None);
        let key = |n: usize| char::from(b'0' + (n % 10) as u8);
        (0..pressed).for_each(|n| session.handle_info(key(n)));
        assert_eq!(session.events.len(), EVENTS_MAX, "{pressed} keys");
        assert_eq!(keys(&mut session), heard.map(key).collect::<String>(), "{pressed} keys");
    }
}

#[test]
fn reports_say_what_was_sent_and_end_with_bye() {
    let mut session = session(None);
    frame(&mut session, 0);
    assert!(!session.report_is_due(Mono(2_499_000)) && session.report_is_due(Mono(7_500_000)));
    let mut bytes = [0; REPORT_BYTES_MAX];
    let (length, to) = session.report(Mono(5_000_000), 1 << 32, true, &mut bytes);
    assert_eq!(to, SocketAddr::from(([10, 0, 0, 5], 4001)));
    assert_eq!((bytes[1], bytes[length - 7]), (200, 203));
}

#[test]
fn silence_counts_only_while_the_peer_is_to_send() {
    let mut session = session(None);
    assert_eq!(session.silent_for(Mono(60_000_000)), Duration::from_secs(60));
    let agreed = Agreed { sends: false, receives: false, ..session.agreed.clone() };
    session.renegotiate(Mono(1), agreed);
    assert_eq!(session.silent_for(Mono(90_000_000)), Duration::ZERO);
}

/// Who only listens shows by its reports on our stream, or by requests, that it is still there.
#[test]
fn who_only_listens_has_to_show_a_sign_of_life() {
    let mut session = session(None);
    let agreed = Agreed { sends: false, ..session.agreed.clone() };
    session.renegotiate(Mono(0), agreed);
    let rtcp = SocketAddr::from(([10, 0, 0, 5], 4001));
    let at = |s: u64| Mono(s * 1_000_000);
    assert_eq!(session.silent_for(at(90)), Duration::from_secs(90));
    session.handle_request(at(90));
    assert_eq!(session.silent_for(at(100)), Duration::from_secs(10));
    session.handle_rtcp(at(100), rtcp, &report_on(0xABCD));
    assert_eq!(session.silent_for(at(110)), Duration::from_secs(10));
    session.handle_rtcp(at(110), rtcp, &report_on(0xABCE));
    session.handle_rtcp(at(110), SocketAddr::from(([192, 0, 2, 66], 4001)), &report_on(0xABCD));
    assert_eq!(session.silent_for(at(120)), Duration::from_secs(20), "reports on others' streams, or from elsewhere");
}

/// A receiver report on that source.
fn report_on(ssrc: u32) -> Vec<u8> {
    let received = rtcp::Received { ssrc, ..Default::default() };
    let report = Report { ssrc: 1, sent: None, received: Some(received), cname: "a", bye: false };
    let mut bytes = [0; REPORT_BYTES_MAX];
    let length = report.write(&mut bytes);
    bytes[..length].to_vec()
}

/// How many packets of that many frames are sent, and to where the last one went.
fn sent(session: &mut Session, frames: u64) -> (usize, Option<SocketAddr>) {
    let mut last = None;
    let sent = (0..frames).filter_map(|n| session.frame(Mono(n * 20_000), &mut [0; PACKET_BYTES]));
    let count = sent.inspect(|(_, to)| last = Some(*to)).count();
    (count, last)
}

/// A caller can't have our stream sent to somebody who never asked for it.
#[test]
fn media_that_goes_elsewhere_than_sip_has_to_be_wanted_there() {
    let (pbx, victim) = (IpAddr::from([10, 0, 0, 1]), SocketAddr::from(PEER));
    let mut session = session(None);
    session.set_peer(pbx);
    assert_eq!(sent(&mut session, 3000), (250, Some(victim)));
    session.handle_info('5');
    session.handle_request(Mono(0));
    assert_eq!(sent(&mut session, 3000).0, 0, "keys by INFO are the caller's, not the victim's");
    let mut bytes = [0; REPORT_BYTES_MAX];
    assert_eq!(session.report(Mono(5_000_000), 1 << 32, false, &mut bytes).0, 0, "nor does it get reports");

    let later = Mono(60_000_000);
    session.handle_rtcp(later, SocketAddr::from(([10, 0, 0, 5], 4001)), &report_on(0xABCD));
    let first = frame(&mut session, 60_000).expect("it wants us");
    assert!(Packet::parse(&first).expect("RTP").marker, "a stretch begins");
    assert_eq!(sent(&mut session, 3000).0, 1499);
    audio(&mut session, 90_000, 1, &[0; 160]);
    assert_eq!(sent(&mut session, 3000).0, 1500);
    let moved = SocketAddr::from(([198, 51, 100, 9], 53));
    session.renegotiate(later, Agreed { rtp: moved, ..session.agreed.clone() });
    assert_eq!(sent(&mut session, 3000), (250, Some(moved)), "the next one has to show it anew");
}

#[test]
fn a_phone_that_only_listens_at_the_sip_peers_address_goes_on_hearing_us() {
    let mut session = session(None);
    session.set_peer(IpAddr::from(PEER.0));
    session.renegotiate(Mono(0), Agreed { sends: false, ..session.agreed.clone() });
    assert_eq!(sent(&mut session, 10_000).0, 10_000);
}

/// The phone behind a NAT: named by its private address, heard from another; it holds by `c=0.0.0.0` and is back.
#[test]
fn a_hold_that_names_no_address_leaves_the_call_with_a_phone_behind_a_nat() {
    let (nat, stranger) = (SocketAddr::from(([203, 0, 113, 4], 31_000)), SocketAddr::from(([192, 0, 2, 66], 4000)));
    let mut session = session(Some(101));
    session.set_peer(nat.ip());
    let agreed = session.agreed.clone();
    let say = |session: &mut Session, ms: u64, from: SocketAddr, sequence: u16| {
        let payload = [5, 0x8A, 3, 32];
        let packet = Packet {
            payload_type: 101,
            marker: true,
            sequence,
            timestamp: u32::from(sequence) * 8000,
            ssrc: 1,
            payload: &payload,
        };
        let mut bytes = [0; 16];
        packet.write(&mut bytes).expect("room");
        session.handle_rtp(Mono(ms * 1000), from, &bytes)
    };
    assert!((0..4).any(|n| say(&mut session, 100, nat, n)));
    assert_eq!(keys(&mut session), "5");
    let nowhere = SocketAddr::from(([0, 0, 0, 0], 4000));
    session.renegotiate(Mono(10_000_000), Agreed { rtp: nowhere, receives: false, ..agreed.clone() });
    assert!(!(0..20).any(|n| say(&mut session, 10_100, stranger, n)), "a stranger while it holds");
    assert_eq!((keys(&mut session), frame(&mut session, 10_100)), (String::new(), None));
    session.renegotiate(Mono(20_000_000), agreed);
    assert!(!(0..20).any(|n| say(&mut session, 20_100, stranger, n)), "a stranger when it is back");
    assert!(say(&mut session, 20_100, nat, 900));
    assert_eq!((keys(&mut session).as_str(), sent(&mut session, 1).1), ("5", Some(nat)));
}

/// What is listened to costs time: no more of it is than a caller can speak, in whatever packets.
#[test]
fn more_audio_than_anybody_speaks_is_not_listened_to() {
    for bytes in [10, 160, 1488] {
        let mut session = session(None);
        let mut next = 0u16;
        let loud = vec![Law::Mu.encode(9000); bytes];
        for ms in (0..10_000).step_by(20) {
            for _ in 0..(16 * 1488 / bytes).min(200) {
                audio(&mut session, ms, next, &loud);
                next = next.wrapping_add(1);
            }
        }
        let (sent, dropped) = (500 * (16 * 1488 / bytes).min(200), session.audio_dropped() as usize);
        let heard = (sent - dropped) * bytes;
        assert!(heard <= 16_000 + 10 * 10_000, "{heard} samples of 10 s, in packets of {bytes}");
        assert!(heard >= 95_000 || dropped == 0, "{heard} samples of 10 s, in packets of {bytes}");
    }
}

#[test]
fn audio_that_the_network_held_up_is_listened_to_whole() {
    for (pause, at_once) in [(20, 1), (60, 3), (200, 10), (2000, 100)] {
        let mut session = session(None);
        let mut next = 0u16;
        for ms in (0..60_000).step_by(pause) {
            for _ in 0..at_once {
                audio(&mut session, ms as u64, next, &[0; 160]);
                next = next.wrapping_add(1);
            }
        }
        assert_eq!(session.audio_dropped(), 0, "{at_once} packets each {pause} ms");
    }
}

/// A peer with SRTP.
struct Secure {
    security: Security,
    protector: Protector,
    unprotector: Unprotector,
}

fn key(suite: Suite, seed: u8) -> Key {
    Key::new(suite, &[seed; 30])
}

impl Secure {
    fn new(suite: Suite) -> Self {
        Self::with(Security { ours: key(suite, 1), theirs: key(suite, 2), is_private: true })
    }

    fn with(security: Security) -> Self {
        let (protector, unprotector) = (Protector::new(&security.theirs), Unprotector::new(&security.ours, 0));
        Self { security, protector, unprotector }
    }

    fn session(&self) -> Session {
        let mut agreed = session(Some(101)).agreed.clone();
        agreed.security = Some(self.security.clone());
        let keys_by = KeysBy { events: true, info: true, inband: true };
        Session::new(Mono(0), agreed, Start { ssrc: 0xABCD, sequence: 0x7FF0, timestamp: 0, keys_by })
    }

    /// Presses a key; the packet as it goes over the network.
    fn press(&mut self, sequence: u16, event: u8) -> Vec<u8> {
        let payload = [event, 10, 0, 160];
        let packet = Packet {
            payload_type: 101,
            marker: true,
            sequence,
            timestamp: sequence.into(),
            ssrc: 1,
            payload: &payload,
        };
        let mut bytes = [0; 100];
        let length = packet.write(&mut bytes).expect("room");
        let length = self.protector.protect_rtp(&mut bytes, length).expect("protected");
        bytes[..length].to_vec()
    }

    /// What is heard of a packet of ours.
    fn hear(&mut self, mut packet: Vec<u8>) -> Option<u8> {
        let length = self.unprotector.unprotect_rtp(&mut packet)?;
        Packet::parse(&packet[..length]).map(|packet| packet.payload[0])
    }
}

fn receive(session: &mut Session, bytes: &[u8]) -> bool {
    session.handle_rtp(Mono(0), SocketAddr::from(PEER), bytes)
}

#[test]
fn an_encrypted_stream_is_heard_and_its_keys_are_told_once() {
    for suite in Suite::ALL {
        let mut peer = Secure::new(suite);
        let mut session = peer.session();
        session.play(Ticket(1), [Item::Audio(crate::model::Audio(vec![5000; 320].into()))]);
        let packet = frame(&mut session, 0).expect("a packet");
        assert!(!packet[12..].contains(&Law::Mu.encode(5000)) || packet[12] != packet[13], "not readable on its way");
        assert_eq!(peer.hear(packet), Some(Law::Mu.encode(5000)));
        let (five, six) = (peer.press(100, 5), peer.press(101, 6));
        assert!(receive(&mut session, &five) && !receive(&mut session, &five) && receive(&mut session, &six));
        assert_eq!(keys(&mut session), "56", "{suite:?}");
    }
}

#[test]
fn in_an_encrypted_stream_nothing_else_counts_whatever_its_address() {
    let mut peer = Secure::new(Suite::AesCm128HmacSha1_80);
    let mut session = peer.session();
    assert!(receive(&mut session, &peer.press(100, 1)));
    let mut forged = peer.press(101, 2);
    let mut stranger = Secure::with(Security { theirs: key(Suite::AesCm128HmacSha1_80, 9), ..peer.security.clone() });
    assert!(!receive(&mut session, &stranger.press(101, 3)), "of another key");
    let payload = [4, 10, 0, 160];
    let plain = Packet { payload_type: 101, marker: true, sequence: 101, timestamp: 5, ssrc: 1, payload: &payload };
    let mut bytes = [0; 50];
    let length = plain.write(&mut bytes).expect("room");
    assert!(!receive(&mut session, &bytes[..length]), "not encrypted");
    forged[13] ^= 1;
    assert!(!receive(&mut session, &forged), "changed on its way");
    assert_eq!(keys(&mut session), "1");
}

/// Packets with keys in them that somebody makes who has no key: from the right address, of the right source, with
/// sequence numbers that fit, made of what was heard on the way. How many digits came of them.
fn digits_of_forged_packets(suite: Suite, count: u32) -> usize {
    let mut peer = Secure::new(suite);
    let mut session = peer.session();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut heard = peer.press(100, 1);
    assert!(receive(&mut session, &heard));
    let mut digits = keys(&mut session).len() - 1;
    for n in 0..count {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut forged = heard.clone();
        let at = 12 + (random >> 32) as usize % (forged.len() - 12);
        forged[at] ^= random as u8 | 1;
        forged[2..4].copy_from_slice(&(101 + (n % 50) as u16).to_be_bytes());
        assert!(!receive(&mut session, &forged), "packet {n} of {suite:?}");
        digits += keys(&mut session).len();
    }
    heard = peer.press(101, 2);
    assert!(receive(&mut session, &heard) && keys(&mut session) == "2", "the peer's own still count");
    digits
}

#[test]
fn forged_packets_in_an_encrypted_stream_are_no_keys() {
    for suite in Suite::ALL {
        assert_eq!(digits_of_forged_packets(suite, 20_000), 0);
    }
}

#[test]
#[ignore = "a long run"]
fn soak_a_million_forged_packets_in_an_encrypted_stream_are_no_keys() {
    let digits: usize = Suite::ALL.map(|suite| digits_of_forged_packets(suite, 500_000)).iter().sum();
    println!("figure: digits of 1,000,000 forged SRTP packets = {digits}");
    assert_eq!(digits, 0);
}

#[test]
fn a_packet_that_is_sent_on_from_elsewhere_does_not_use_up_the_original() {
    let mut peer = Secure::new(Suite::AeadAes128Gcm);
    let mut session = peer.session();
    assert!(receive(&mut session, &peer.press(100, 1)));
    let two = peer.press(101, 2);
    assert!(!session.handle_rtp(Mono(0), SocketAddr::from(([192, 0, 2, 66], 4000)), &two));
    assert!(receive(&mut session, &two));
    assert_eq!(keys(&mut session), "12");
}

#[test]
fn a_new_offer_with_the_same_keys_goes_on_where_it_was_and_with_new_ones_begins_again() {
    let mut peer = Secure::new(Suite::AesCm128HmacSha1_80);
    let mut session = peer.session();
    let five = peer.press(65_535, 5);
    assert!(receive(&mut session, &five) && peer.hear(frame(&mut session, 0).expect("a packet")).is_some());
    session.renegotiate(Mono(1), session.agreed.clone());
    assert!(!receive(&mut session, &five), "still known");
    assert!(receive(&mut session, &peer.press(0, 6)), "wrapped, under the same key");
    assert!(peer.hear(frame(&mut session, 20).expect("a packet")).is_some());

    let suite = Suite::AeadAes128Gcm;
    let mut rekeyed = Secure::with(Security { ours: key(suite, 3), theirs: key(suite, 4), is_private: false });
    let agreed = Agreed { security: Some(rekeyed.security.clone()), ..session.agreed.clone() };
    assert!(session.is_private());
    session.renegotiate(Mono(2), agreed);
    assert!(!session.is_private(), "whoever saw the signalling has these keys");
    assert!(!receive(&mut session, &peer.press(1, 7)), "the old key counts no more");
    assert!(receive(&mut session, &rekeyed.press(2, 8)));
    assert!(rekeyed.hear(frame(&mut session, 40).expect("a packet")).is_some());
    assert_eq!(keys(&mut session), "568");

    let agreed = Agreed { security: None, ..session.agreed.clone() };
    session.renegotiate(Mono(3), agreed);
    assert_eq!(frame(&mut session, 60).expect("a packet").len(), 172, "plain again");
}

#[test]
fn a_new_key_of_ours_after_a_wrap_comes_with_a_new_source() {
    let mut peer = Secure::new(Suite::AeadAes128Gcm);
    let mut session = peer.session();
    for n in 0..0x8010 {
        let packet = frame(&mut session, n * 20).expect("a packet");
        assert!(n < 0x8000 || peer.hear(packet).is_some(), "the packet {n}");
    }
    let suite = Suite::AeadAes128Gcm;
    let mut rekeyed = Secure::with(Security { ours: key(suite, 3), theirs: key(suite, 2), is_private: true });
    let agreed = Agreed { security: Some(rekeyed.security.clone()), ..session.agreed.clone() };
    session.renegotiate(Mono(1), agreed);
    let packet = frame(&mut session, 0).expect("a packet");
    let ssrc = Packet::parse(&packet).expect("RTP").ssrc;
    assert_eq!(ssrc, 0xABCE);
    assert!(rekeyed.hear(packet).is_some(), "a peer that begins to count again understands it");
}

#[test]
fn reports_of_an_encrypted_stream_are_encrypted_and_forged_ones_are_none() {
    for suite in Suite::ALL {
        let mut peer = Secure::new(suite);
        let mut session = peer.session();
        frame(&mut session, 0);
        let mut bytes = [0; REPORT_BYTES_MAX];
        let (length, _) = session.report(Mono(5_000_000), 1 << 32, true, &mut bytes);
        assert_eq!(rtcp::last_sender_report(&bytes[..length]).map(|(ssrc, _)| ssrc), Some(0xABCD), "its head stays");
        let mut packet = bytes[..length].to_vec();
        let plain = peer.unprotector.unprotect_rtcp(&mut packet).expect("ours");
        assert_eq!(packet[plain - 7], 203, "it ends with BYE");
        let report = rtcp::Report { ssrc: 1, sent: Some(Sent::default()), received: None, cname: "peer", bye: false };
        let length = report.write(&mut bytes);
        let heard = |session: &mut Session, bytes: &[u8]| {
            session.handle_rtcp(Mono(1), SocketAddr::from(PEER), bytes);
            session.statistics.report(Mono(1)).is_some_and(|received| received.last_report != 0)
        };
        assert!(receive(&mut session, &peer.press(100, 1)));
        assert!(!heard(&mut session, &bytes[..length]), "not encrypted");
    }
}

/// `../shared/dtmf/vectors.json`, where that folder of test data is there.
#[test]
fn the_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/dtmf/vectors.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("SKIPPED: no {path}");
        return;
    };
    let vectors: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let vectors = vectors.as_array().expect("a list");
    assert!(vectors.len() >= 20, "{} vectors", vectors.len());
    for vector in vectors {
        let mut session = session(Some(101));
        let mut heard = String::new();
        for row in vector["packets"].as_array().expect("packets") {
            if row["kind"] == "inband" {
                // The same key as tones, in the audio right before.
                tones(&mut session, row);
            } else {
                let from: SocketAddr = row["src"].as_str().and_then(|s| s.parse().ok()).expect("an address");
                session.handle_rtp(Mono(number(row, "t") * 1000), from, &datagram(row));
            }
            // A to D are told by the detector; the menu has no such keys.
            heard.push_str(&keys(&mut session));
        }
        let expected: String =
            vector["expect"].as_str().expect("keys").chars().filter(|k| !('A'..='D').contains(k)).collect();
        assert_eq!(heard, expected, "{}", vector["id"]);
    }
}

/// Plays the tones of `5`, in the caller's stream up to the packet before the first one of the event.
fn tones(session: &mut Session, row: &serde_json::Value) {
    assert_eq!(row["digit"], "5");
    let wave = |f: f64, n: usize| (n as f64 * f * std::f64::consts::TAU / 8000.0).sin();
    let samples = (number(row, "end") - number(row, "start")) as usize * 8;
    let codes: Vec<u8> =
        (0..samples).map(|n| Law::Mu.encode((5000.0 * (wave(770.0, n) + wave(1336.0, n))) as i16)).collect();
    for (n, payload) in codes.chunks(FRAME).enumerate() {
        let sequence = 100 - (samples / FRAME) as u16 + n as u16;
        let packet = Packet { payload_type: 0, marker: false, sequence, timestamp: 9000, ssrc: 0x1111, payload };
        let mut bytes = [0; 400];
        let length = packet.write(&mut bytes).expect("room");
        assert!(session.handle_rtp(Mono(n as u64 * 20_000), SocketAddr::from(PEER), &bytes[..length]));
    }
}

fn number(row: &serde_json::Value, name: &str) -> u64 {
    row[name].as_u64().expect("a number")
}

fn datagram(row: &serde_json::Value) -> Vec<u8> {
    let mut payload = Vec::new();
    for event in row["events"].as_array().into_iter().flatten() {
        let field = |n: usize| event[n].as_u64().expect("a number");
        payload.extend([field(0) as u8, (field(1) as u8) << 7 | field(2) as u8]);
        payload.extend((field(3) as u16).to_be_bytes());
    }
    if let Some(raw) = row["raw"].as_str() {
        payload = raw
            .as_bytes()
            .chunks(2)
            .filter_map(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok())
            .collect();
    }
    if row["kind"] == "audio" {
        payload = vec![0xFF; 160];
    }
    let packet = Packet {
        payload_type: number(row, "pt") as u8,
        marker: number(row, "m") == 1,
        sequence: number(row, "seq") as u16,
        timestamp: number(row, "ts") as u32,
        ssrc: number(row, "ssrc") as u32,
        payload: &payload,
    };
    let mut bytes = vec![0; 600];
    let length = packet.write(&mut bytes).expect("room");
    bytes.truncate(length);
    bytes
}
