//! What of a peer's packets and reports is taken for its stream, and what is not.

use super::*;

fn send(session: &mut Session, payload_type: u8, ssrc: u32, sequence: u16, payload: &[u8]) -> bool {
    let timestamp = u32::from(sequence) * 160;
    let packet = Packet { payload_type, marker: false, sequence, timestamp, ssrc, payload };
    let mut bytes = [0; 1500];
    let length = packet.write(&mut bytes).expect("room");
    session.handle_rtp(Mono(0), SocketAddr::from(PEER), &bytes[..length])
}

/// A phone that multiplexes sends its first report before its first packet; another one comfort noise, or a codec that was
/// not agreed.
#[test]
fn what_comes_before_the_stream_does_not_keep_it_out() {
    let mut session = session(Some(101));
    for _ in 0..9 {
        assert!(!session.handle_rtp(Mono(0), SocketAddr::from(PEER), &report_on(0xABCD)), "RTCP at the port of RTP");
    }
    for payload_type in [13, 8, 102] {
        assert!(!send(&mut session, payload_type, 66, 7, &[0; 160]), "payload type {payload_type}");
    }
    assert!(send(&mut session, 0, 1, 100, &[0xFF; 160]));
    assert!(send(&mut session, 101, 1, 101, &[5, 0x8A, 3, 32]));
    assert!(send(&mut session, 13, 1, 102, &[60]), "comfort noise is of the stream that is there");
    assert_eq!(keys(&mut session), "5");
}

/// What a report tells keeps it apart from a flood's: nobody else knows the sources.
#[test]
fn a_report_tells_something_where_it_is_on_our_stream_or_of_the_callers() {
    let mut session = session(Some(101));
    let (own, elsewhere) = (SocketAddr::from(([10, 0, 0, 5], 4001)), SocketAddr::from(([192, 0, 2, 66], 4001)));
    let mut bytes = [0; REPORT_BYTES_MAX];
    let report = Report { ssrc: 1, sent: Some(Sent::default()), received: None, cname: "a", bye: false };
    let length = report.write(&mut bytes);
    let sent = &bytes[..length];
    assert!(!session.handle_rtcp(Mono(1), own, sent), "of a stream that nobody has heard");
    assert!(send(&mut session, 0, 1, 100, &[0xFF; 160]));
    assert!(session.handle_rtcp(Mono(1), own, sent) && session.handle_rtcp(Mono(1), own, &report_on(0xABCD)));
    assert!(!session.handle_rtcp(Mono(1), elsewhere, sent));
    assert!(!session.handle_rtcp(Mono(1), elsewhere, &report_on(0xABCD)));
    assert!(!session.handle_rtcp(Mono(1), own, &report_on(0xABCE)), "on another's stream");
    assert!(!session.handle_rtcp(Mono(1), own, &[0x80, 203, 0, 1, 0, 0, 0, 1]), "a BYE alone");
}
