//! Sequences that concern one stream, derived from RFC 4733 and from what breaks receivers.

use super::*;

const SSRC: u32 = 0x1111;

/// One packet: (ms of arrival, sequence, timestamp, marker, events as (code, end, duration)).
type Row<'a> = (u64, u16, u32, bool, &'a [(u8, bool, u16)]);

fn hear(rows: &[Row<'_>]) -> String {
    let mut detector = Detector::default();
    let mut keys = String::new();
    for &(ms, sequence, timestamp, marker, events) in rows {
        let payload: Vec<u8> = events
            .iter()
            .flat_map(|&(code, end, duration)| {
                let [high, low] = duration.to_be_bytes();
                [code, if end { 0x8A } else { 0x0A }, high, low]
            })
            .collect();
        let packet = Packet { payload_type: 101, marker, sequence, timestamp, ssrc: SSRC, payload: &payload };
        detector.handle(Mono(ms * 1000), &packet, |told| note(&mut keys, told));
    }
    keys
}

fn note(keys: &mut String, told: Told) {
    if let Told::Down(code) = told {
        keys.push(char::from(b"0123456789*#ABCD"[usize::from(code)]));
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn presses_that_break_naive_receivers() {
    let cases: &[(&str, &str, &[Row<'_>])] = &[
        (
            "an update after the end",
            "5",
            &[
                (0, 1, 8, true, &[(5, false, 160)]),
                (20, 3, 8, false, &[(5, true, 480)]),
                (40, 2, 8, false, &[(5, false, 320)]),
            ],
        ),
        ("the start lost", "5", &[(20, 2, 8, false, &[(5, false, 320)]), (40, 3, 8, false, &[(5, true, 480)])]),
        (
            "no marker, one timestamp for two keys",
            "12",
            &[(0, 1, 8, false, &[(1, true, 480)]), (90, 9, 8, false, &[(2, true, 480)])],
        ),
        (
            "one timestamp, the same key again after its end",
            "55",
            &[
                (0, 1, 8, true, &[(5, false, 160)]),
                (20, 2, 8, false, &[(5, true, 320)]),
                (90, 9, 8, true, &[(5, false, 160)]),
                (110, 10, 8, false, &[(5, false, 320)]),
                (130, 11, 8, false, &[(5, true, 480)]),
            ],
        ),
        (
            "one timestamp, ends lost, begins again",
            "55",
            &[
                (0, 1, 8, true, &[(5, false, 640)]),
                (90, 9, 8, true, &[(5, false, 160)]),
                (130, 11, 8, false, &[(5, true, 800)]),
            ],
        ),
        (
            "one timestamp, only an end of the second",
            "55",
            &[
                (0, 1, 8, true, &[(5, true, 640)]),
                (900, 40, 8, false, &[(5, true, 640)]),
                (920, 41, 8, false, &[(5, true, 640)]),
            ],
        ),
        (
            "two events in a packet",
            "57",
            &[(0, 1, 8, true, &[(5, true, 400), (7, false, 80)]), (20, 2, 408, false, &[(7, true, 240)])],
        ),
        (
            "the last ends stamped anew",
            "5",
            &[
                (0, 1, 8, true, &[(5, false, 160)]),
                (20, 2, 8, false, &[(5, true, 320)]),
                (40, 3, 488, false, &[(5, true, 320)]),
                (60, 4, 648, false, &[(5, true, 320)]),
            ],
        ),
        (
            "the last ends stamped anew, 50 ms apart",
            "5",
            &[
                (0, 1, 8, true, &[(5, false, 400)]),
                (100, 3, 808, false, &[(5, true, 800)]),
                (150, 4, 1208, false, &[(5, true, 800)]),
            ],
        ),
        (
            "no audio between two short presses, the updates of the second lost",
            "55",
            &[
                (0, 1, 8, true, &[(5, false, 160)]),
                (40, 3, 8, false, &[(5, true, 480)]),
                (80, 5, 8, false, &[(5, true, 480)]),
                (320, 8, 2248, false, &[(5, true, 480)]),
            ],
        ),
        (
            "held over 0xFFFF, a late packet of the first segment",
            "5",
            &[
                (0, 1, 8, true, &[(5, false, 64000)]),
                (9, 3, 8 + 0xFFFF, false, &[(5, false, 160)]),
                (10, 2, 8, false, &[(5, false, 65535)]),
                (20, 4, 8 + 0xFFFF, false, &[(5, true, 320)]),
            ],
        ),
        (
            "held over 0xFFFF, a late packet of the first segment that is not its last",
            "5",
            &[
                (0, 1, 8, true, &[(5, false, 65_120)]),
                (40, 4, 8 + 0xFFFF, false, &[(5, false, 65)]),
                (41, 3, 8, false, &[(5, false, 65_440)]),
                (42, 2, 8, false, &[(5, false, 65_280)]),
                (60, 5, 8 + 0xFFFF, false, &[(5, true, 225)]),
            ],
        ),
        (
            "a new press exactly 0xFFFF later, after the end",
            "55",
            &[(0, 1, 8, true, &[(5, true, 800)]), (8192, 409, 8 + 0xFFFF, true, &[(5, false, 160)])],
        ),
        (
            "the timestamp wraps within a stamped-anew press",
            "5",
            &[
                (0, 1, u32::MAX - 100, true, &[(5, false, 160)]),
                (20, 2, 59, false, &[(5, false, 320)]),
                (40, 3, 219, false, &[(5, true, 480)]),
            ],
        ),
        (
            "the next press of the key, by chance as much longer as it is later",
            "33",
            &[
                (0, 1, 8, true, &[(3, false, 160)]),
                (20, 2, 8, false, &[(3, false, 320)]),
                (80, 5, 8, false, &[(3, true, 640)]),
                (600, 26, 1608, false, &[(3, true, 2240)]),
            ],
        ),
        (
            "the same, after a press of which one packet came: the second packet tells",
            "55",
            &[
                (0, 1, 8, true, &[(5, false, 160)]),
                (360, 17, 1448, false, &[(5, false, 1600)]),
                (380, 18, 1448, false, &[(5, false, 1760)]),
            ],
        ),
        (
            "a new press half the range of timestamps later, which is as far before as after",
            "55",
            &[(0, 1, 8, true, &[(5, true, 800)]), (900, 40, 8 + (1 << 31), false, &[(5, false, 160)])],
        ),
        ("duration 0", "", &[(0, 1, 8, true, &[(5, false, 0)])]),
        ("no key", "", &[(0, 1, 8, true, &[(16, true, 800), (255, true, 800)])]),
    ];
    for (name, expected, rows) in cases {
        assert_eq!(hear(rows), *expected, "{name}");
    }
}

#[test]
fn a_key_is_up_at_its_end_or_when_its_packets_stop() {
    let mut detector = Detector::default();
    let payload = [5, 0x0A, 0, 160];
    let packet = Packet { payload_type: 101, marker: true, sequence: 1, timestamp: 8, ssrc: SSRC, payload: &payload };
    detector.handle(Mono(0), &packet, |_| {});
    assert!(detector.is_down());
    detector.handle_timeout(Mono(199_000), |_| panic!("not yet"));
    let mut ups = 0;
    detector.handle_timeout(Mono(200_000), |told| ups += usize::from(told == Told::Up));
    assert_eq!((ups, detector.is_down()), (1, false));
}

/// Presses of one key each, 200 ms apart, and then a late update of the first one.
fn late_after(presses: usize) -> String {
    let down: Vec<[(u8, bool, u16); 1]> = (0..presses).map(|n| [(n as u8, true, 480)]).collect();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (n, events) in down.iter().enumerate() {
        rows.push((200 * n as u64, 10 * n as u16 + 1, 2000 * n as u32, true, events));
    }
    rows.push((200 * presses as u64, 0, 0, false, &[(0, false, 320)]));
    hear(&rows)
}

#[test]
fn so_many_presses_are_known_again_when_a_packet_of_them_is_late() {
    assert_eq!(late_after(PRESSES_REMEMBERED), "01234567");
    assert_eq!(late_after(PRESSES_REMEMBERED + 1), "0123456780", "the oldest is forgotten");
}

/// Ends that are stamped anew come no later than the press's packets may be apart.
#[test]
fn an_end_that_is_stamped_anew_too_late_is_another_press() {
    let heard = |packets: u16, later: u32| {
        let end: Row<'_> = (20 * u64::from(packets), 1 + packets, 8 + 480 + later, false, &[(5, true, 480)]);
        hear(&[(0, 1, 8, true, &[(5, true, 480)]), end])
    };
    let interval = UPDATE_INTERVAL_MAX as u32;
    for packets in 1..=3u16 {
        let most = u32::from(packets) * interval;
        assert_eq!((heard(packets, most), heard(packets, most + 1)), ("5".into(), "55".into()), "{packets} packets");
    }
}
