//! Keys over bad lines: seeded calls with loss, bursts, duplicates and reordering, and tones in speech and noise.

use std::net::SocketAddr;

use super::inband::{InBand, Tone};
use super::random_tests::Random;
use super::session::{Agreed, Event, KeysBy, Session, Start};
use crate::model::{Language, Mono};
use crate::wire::g711::{FRAME, Law};
use crate::wire::rtp::Packet;
use crate::wire::wav;

const PEER: ([u8; 4], u16) = ([10, 0, 0, 5], 4000);
const SSRC: u32 = 0x1111;
/// Presses of one call.
const PRESSES: usize = 10;

/// One packet that the caller sends.
#[derive(Clone, Copy)]
struct Row {
    ms: u64,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    /// Which press it is of, its event, end bit and duration; `None` for audio.
    event: Option<(usize, u8, bool, u16)>,
}

/// One press of which a packet arrived is one key.
#[test]
fn no_extra_key_and_none_missed_over_seeded_losses() {
    let (keys, missed) = calls(0..3000);
    assert!(keys > 28_000 && missed > 0, "{keys} keys, and {missed} of which nothing arrived");
}

#[test]
#[ignore = "a long run"]
fn soak_no_extra_key_and_none_missed_over_100_000_calls() {
    let (keys, missed) = calls(1_000_000..1_100_000);
    println!("figure: calls with loss, keys told of those pressed = {keys} of {}", keys + missed);
    println!("figure: presses all of whose packets were lost = {missed}");
    println!("figure: extra keys, and keys missed of which a packet arrived = 0");
}

/// Runs the calls; how many keys were told, and of how many nothing had arrived.
fn calls(seeds: std::ops::Range<u64>) -> (usize, usize) {
    let (mut keys, mut missed) = (0, 0);
    for seed in seeds {
        let (sent, heard) = seeded_call(seed);
        assert_eq!(heard, sent, "seed {seed}");
        keys += heard.len();
        missed += PRESSES - heard.len();
    }
    (keys, missed)
}

/// The keys of which a packet arrived, in the order of first arrivals, and those that were told.
fn seeded_call(seed: u64) -> (String, String) {
    let random = &mut Random(seed);
    let rows = dialled(random);
    let mut session = session(Some(101));
    let (mut sent, mut heard) = (String::new(), String::new());
    let mut arrived = [false; PRESSES];
    for (us, row) in over_a_bad_line(&rows, random) {
        if let Some((press, code, ..)) = row.event
            && !std::mem::replace(&mut arrived[press], true)
        {
            sent.push(char::from(b"0123456789*#"[usize::from(code)]));
        }
        session.handle_rtp(Mono(us), SocketAddr::from(PEER), &datagram(&row));
        heard.push_str(&keys(&mut session));
    }
    (sent, heard)
}

/// What the caller sends: presses with audio, or with nothing, between them.
fn dialled(random: &mut Random) -> Vec<Row> {
    let mut rows = Vec::new();
    let (mut ms, mut sequence) = (1000, random.next() as u16);
    let base = random.next() as u32;
    let never_marks = random.below(4) == 0;
    let timestamp = |ms: u64| base.wrapping_add((ms * 8) as u32);
    let mut push = |ms: u64, timestamp, marker, event| {
        rows.push(Row { ms, sequence, timestamp, marker: marker && !never_marks, event });
        sequence = sequence.wrapping_add(1);
    };
    push(0, timestamp(0), true, None);
    for press in 0..PRESSES {
        let code = random.below(12) as u8;
        // Now and then a key is held for longer than one duration can say (RFC 4733 section 2.5.1.3).
        let updates = if random.below(200) == 0 { 450 } else { 2 + random.below(12) };
        let begun = ms;
        for n in 0..updates + 3 {
            let whole = 160 * (n + 1).min(updates + 1);
            let (segment, duration) = if whole > 0xFFFF { (0xFFFF, whole - 0xFFFF) } else { (0, whole) };
            let stamp = timestamp(begun).wrapping_add(segment);
            push(ms, stamp, n == 0, Some((press, code, n >= updates, duration as u16)));
            ms += 20;
        }
        let talks = random.below(4) > 0;
        for _ in 0..2 + random.below(20) {
            if talks {
                push(ms, timestamp(ms), false, None);
            }
            ms += 20;
        }
    }
    rows
}

/// What arrives, and when (in µs): up to 30 % lost, in bursts too, one in ten twice, one in eight up to five packets late.
fn over_a_bad_line(rows: &[Row], random: &mut Random) -> Vec<(u64, Row)> {
    let loss = random.below(31);
    let mut arrivals = Vec::new();
    let mut burst = 0;
    for row in rows {
        burst = if burst > 0 {
            burst - 1
        } else if random.below(400) < loss {
            3 + random.below(12)
        } else {
            0
        };
        if burst > 0 || random.below(100) < loss {
            continue;
        }
        let copies = 1 + u64::from(random.below(10) == 0);
        for _ in 0..copies {
            let late = if random.below(8) == 0 { random.below(6) } else { 0 };
            arrivals.push((row.ms * 1000 + late * 20_000 + random.below(2000), *row));
        }
    }
    arrivals.sort_by_key(|(us, _)| *us);
    arrivals
}

fn datagram(row: &Row) -> Vec<u8> {
    let (payload_type, payload) = match row.event {
        None => (0, vec![0xFF; FRAME]),
        Some((_, code, end, duration)) => {
            let [high, low] = duration.to_be_bytes();
            (101, vec![code, if end { 0x8A } else { 0x0A }, high, low])
        }
    };
    let Row { marker, sequence, timestamp, .. } = *row;
    let packet = Packet { payload_type, marker, sequence, timestamp, ssrc: SSRC, payload: &payload };
    let mut bytes = vec![0; 12 + payload.len()];
    packet.write(&mut bytes).expect("room");
    bytes
}

fn session(event_payload_type: Option<u8>) -> Session {
    let agreed = Agreed { event_payload_type, ..agreed_without_events() };
    let keys_by = KeysBy { events: true, info: true, inband: true };
    Session::new(Mono(0), agreed, Start { ssrc: 1, sequence: 1, timestamp: 1, keys_by })
}

fn keys(session: &mut Session) -> String {
    let events = std::iter::from_fn(|| session.poll_event());
    events.filter_map(|event| if let Event::Key(key) = event { Some(key.to_char()) } else { None }).collect()
}

/// Tones of 40 ms within what Q.24 allows of level, twist and frequency, over some noise, by either law.
#[test]
fn tones_of_40_ms_are_found_in_noise() {
    let (found, wrong) = tones(0..6000);
    assert_eq!((found, wrong), (6000, 0));
}

#[test]
#[ignore = "a long run"]
fn soak_100_000_tones_of_40_ms_are_found_in_noise() {
    let (found, wrong) = tones(1_000_000..1_100_000);
    println!("figure: in-band digits of 40 ms found = {found} of 100000");
    println!("figure: in-band digits taken for another or told twice = {wrong}");
    assert_eq!((found, wrong), (100_000, 0));
}

/// How many of the seeded tones were told as what they are, and how many as something else.
fn tones(seeds: std::ops::Range<u64>) -> (usize, usize) {
    let (mut found, mut wrong) = (0, 0);
    for seed in seeds {
        let random = &mut Random(seed);
        let (at, law) = (random.below(16) as usize, if random.below(2) == 0 { Law::Mu } else { Law::A });
        let samples = tone(at, random);
        let heard = keys_in(samples.iter().map(|sample| law.decode(law.encode(*sample))));
        if heard == "123A456B789C*0#D"[at..=at] {
            found += 1;
        } else {
            println!("seed {seed}: {heard:?}");
            wrong += usize::from(!heard.is_empty());
        }
    }
    (found, wrong)
}

/// One digit of 40 ms in a fifth of a second of noise that is 25 dB weaker.
fn tone(at: usize, random: &mut Random) -> Vec<i16> {
    let (low, high) = ([697.0, 770.0, 852.0, 941.0][at / 4], [1209.0, 1336.0, 1477.0, 1633.0][at % 4]);
    let fraction = |random: &mut Random| random.below(10_001) as f64 / 10_000.0;
    // Down to 27 dB under full scale; the high tone up to 4 dB stronger or 8 dB weaker (Q.24); ±1.5 % off.
    let amplitude = 10f64.powf(4.0 - 1.35 * fraction(random));
    let twist = 10f64.powf((fraction(random) * 12.0 - 8.0) / 20.0);
    let off = |random: &mut Random| 1.0 + (fraction(random) - 0.5) * 0.03;
    let (low, high) = (low * off(random), high * off(random));
    let (phase, begin) = (fraction(random) * 6.0, 400 + random.below(200) as usize);
    let weaker = amplitude * 10f64.powf(-25.0 / 20.0);
    let wave = |frequency: f64, n: usize| (std::f64::consts::TAU * frequency * n as f64 / 8000.0 + phase).sin();
    (0..1600)
        .map(|n| {
            let noise = weaker * (fraction(random) * 2.0 - 1.0);
            let is_on = (begin..begin + 320).contains(&n);
            let both = if is_on { amplitude * (wave(low, n) + twist * wave(high, n)) } else { 0.0 };
            (both + noise).clamp(-32_000.0, 32_000.0) as i16
        })
        .collect()
}

/// The prompts of one language, at three levels: three quarters of an hour of synthetic speech.
#[test]
fn speech_is_never_taken_for_a_key() {
    let seconds = speech(Language::English, &[1, 2, 3]);
    assert!(seconds > 40 * 60, "{seconds} s");
}

/// The prompts of all languages, more than an hour, at three levels.
#[test]
#[ignore = "a long run"]
fn soak_hours_of_speech_are_never_taken_for_a_key() {
    let seconds: u64 = Language::ALL.iter().map(|language| speech(*language, &[1, 2, 3])).sum();
    println!("figure: synthetic speech without a key in it, in s = {seconds}");
    assert!(seconds > 3 * 3600, "{seconds} s");
}

/// How many seconds were listened to; no key is in them.
fn speech(language: Language, gains: &[i16]) -> u64 {
    let folder = format!("{}/prompts/{language}", env!("CARGO_MANIFEST_DIR"));
    let mut samples = 0;
    for entry in std::fs::read_dir(folder).expect("the prompts").map(|entry| entry.expect("an entry").path()) {
        if entry.extension().is_none_or(|ending| ending != "wav") {
            continue;
        }
        let bytes = std::fs::read(&entry).expect("a file");
        let audio = wav::read(&bytes, 60).expect("a prompt");
        for gain in gains {
            let louder = audio.0.iter().map(|sample| Law::Mu.decode(Law::Mu.encode(sample.saturating_mul(*gain))));
            assert_eq!(keys_in(louder), "", "{} × {gain}", entry.display());
            samples += audio.0.len();
        }
    }
    samples as u64 / 8000
}

fn keys_in(samples: impl Iterator<Item = i16>) -> String {
    let mut found = String::new();
    InBand::default().handle(samples, |tone| {
        if let Tone::Down(key) = tone {
            found.push(key);
        }
    });
    found
}

/// A re-INVITE that takes the events away or brings them changes the one source of keys with it.
#[test]
fn there_is_one_source_of_keys_whatever_is_renegotiated() {
    let row = |n: u16, code| Row {
        ms: u64::from(n) * 500,
        sequence: n,
        timestamp: u32::from(n) * 4000,
        marker: true,
        event: Some((0, code, true, 800)),
    };
    let mut session = session(None);
    let agreed = |event_payload_type| Agreed { event_payload_type, ..agreed_without_events() };
    let press = |session: &mut Session, n, code, info: char| {
        session.handle_rtp(Mono(u64::from(n) * 500_000), SocketAddr::from(PEER), &datagram(&row(n, code)));
        session.handle_info(info);
        keys(session)
    };
    assert_eq!(press(&mut session, 1, 1, '2'), "2", "INFO without events");
    session.renegotiate(Mono(600_000), agreed(Some(101)));
    assert_eq!(press(&mut session, 2, 3, '4'), "3", "events once they are agreed");
    session.renegotiate(Mono(1_100_000), agreed(None));
    assert_eq!(press(&mut session, 3, 5, '6'), "6");
    session.renegotiate(Mono(1_600_000), agreed(Some(96)));
    assert_eq!(press(&mut session, 4, 7, '8'), "", "events of another payload type are none");
}

fn agreed_without_events() -> Agreed {
    let address = |port| SocketAddr::from((PEER.0, port));
    Agreed {
        rtp: address(4000),
        rtcp: address(4001),
        law: Law::Mu,
        event_payload_type: None,
        receives: true,
        security: None,
        sends: true,
    }
}
