//! Sessions with SRTP: only what is encrypted with the right key counts, and once.

use super::*;
use crate::wire::srtp::{Key, Protector, Suite, Unprotector};

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
