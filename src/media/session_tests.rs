//! The session as its peers see it: datagrams in and out, byte for byte.

#[path = "session_encrypted_tests.rs"]
mod encrypted;

use super::*;

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
