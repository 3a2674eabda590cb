//! RTCP: whatever comes changes nothing but what our reports say of the peer's last report.

use std::time::Duration;

use switchhook::media::session::{PACKET_BYTES, Session};
use switchhook::model::Mono;
use switchhook::wire::rtcp::{REPORT_BYTES_MAX, last_sender_report};

use super::bytes::Bytes;
use super::rtp::{EVENT, START, Sender, address, agreed};

/// Where the report block says when the peer's last report came: behind 8 bytes of header and 20 of sender information.
const LAST_REPORT: std::ops::Range<usize> = 44..52;

/// A first byte says how many packets of RTP come before; the rest is RTCP, each with its length.
pub fn run(data: &[u8]) {
    let _ = last_sender_report(data);
    let mut bytes = Bytes::new(data);
    let mut with = Session::new(Mono(0), agreed(Some(EVENT)), START);
    let mut without = Session::new(Mono(0), agreed(Some(EVENT)), START);
    let (mut now, mut sender) = (Mono(0), Sender::default());
    for _ in 0..bytes.below(4) {
        let (from, datagram) = sender.datagram(&mut bytes);
        let is_own = with.handle_rtp(now, from, &datagram);
        assert_eq!(without.handle_rtp(now, from, &datagram), is_own);
    }
    while !bytes.is_empty() {
        now = now + Duration::from_millis(u64::from(bytes.byte()));
        with.handle_rtcp(now, address(bytes.below(2)), bytes.piece());
        assert_eq!(with.silent_for(now), without.silent_for(now));
        let (mut packet, mut expected) = ([0; PACKET_BYTES], [0; PACKET_BYTES]);
        assert_eq!(with.frame(now, &mut packet), without.frame(now, &mut expected));
        assert_eq!(packet, expected);
        assert_eq!(with.poll_event(), without.poll_event());
        let (mut report, mut expected) = ([0; REPORT_BYTES_MAX], [0; REPORT_BYTES_MAX]);
        let (length, to) = with.report(now, 1 << 32, false, &mut report);
        assert_eq!((length, to), without.report(now, 1 << 32, false, &mut expected));
        check_report(&report[..length]);
        report[LAST_REPORT].fill(0);
        expected[LAST_REPORT].fill(0);
        assert_eq!(report, expected);
    }
}

/// The lengths of the compound packet add up.
fn check_report(report: &[u8]) {
    let mut rest = report;
    while let [first, kind, high, low, ..] = *rest {
        assert_eq!(first >> 6, 2);
        assert!((200..=203).contains(&kind));
        let length = (usize::from(high) << 8 | usize::from(low)) * 4 + 4;
        rest = rest.get(length..).unwrap_or(&[0]);
    }
    assert!(rest.is_empty(), "{report:?}");
}
