//! Offers and answers, as text.

use super::*;
use crate::wire::srtp::Suite;
use proptest::prelude::*;

const LAWS: [Law; 2] = [Law::Mu, Law::A];

fn with(media: &str) -> Result<Remote, SdpError> {
    under(Encryption::Optional, media)
}

fn under(encryption: Encryption, media: &str) -> Result<Remote, SdpError> {
    read(
        format!("v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}").as_bytes(),
        &LAWS,
        encryption,
    )
}

fn local() -> Local {
    Local { rtp: SocketAddr::from(([198, 51, 100, 7], 10_000)), session: 5, version: 1 }
}

#[test]
fn an_answer_keeps_the_offered_event_type_and_the_order_of_streams() {
    let remote = with(
        "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\nm=audio 4000 RTP/AVP 18 8 0 97\r\na=rtpmap:97 telephone-event/8000\r\n",
    )
    .expect("acceptable");
    assert_eq!((remote.law, remote.event_payload_type), (Law::A, Some(97)));
    assert_eq!(
        remote.answer(&local(), None),
        "v=0\r\no=switchhook 5 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
         m=video 0 RTP/AVP 96\r\n\
         m=audio 10000 RTP/AVP 8 97\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:97 telephone-event/8000\r\n\
         a=fmtp:97 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

#[test]
fn directions_are_mirrored() {
    for (offered, answered) in
        [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv")]
    {
        let remote = with(&format!("m=audio 4000 RTP/AVP 0\r\na={offered}\r\n")).expect("acceptable");
        assert!(remote.answer(&local(), None).ends_with(&format!("a={answered}\r\n")), "{offered}");
    }
    let old_hold = with("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n").expect("acceptable");
    assert!(!old_hold.receives && old_hold.sends);
}

/// `::ffff:a.b.c.d` is `a.b.c.d`: a group stays a group, and a hold a hold (RFC 5118 section 4.9: the address is good).
#[test]
fn an_ipv4_address_that_is_written_as_an_ipv6_one_is_taken_for_what_it_is() {
    let at = |ip: &str| with(&format!("m=audio 4000 RTP/AVP 0\r\nc=IN IP6 {ip}\r\n"));
    for nowhere in ["::ffff:239.1.1.1", "::ffff:255.255.255.255", "::ffff:efff:ffff", "ff02::1"] {
        assert_eq!(at(nowhere), Err(SdpError::NotAcceptable), "{nowhere}");
    }
    let hold = at("::ffff:0.0.0.0").expect("acceptable");
    assert!(!hold.receives, "{hold:?}");
    let phone = at("::ffff:192.0.2.7").expect("acceptable");
    assert!(phone.receives && phone.rtp.ip().to_canonical() == IpAddr::from([192, 0, 2, 7]), "{phone:?}");
    assert_eq!(at("2001:db8::7").map(|remote| remote.rtp.to_string()), Ok("[2001:db8::7]:4000".into()));
}

#[test]
fn what_can_not_be_taken() {
    assert_eq!(with("m=audio 4000 RTP/AVP 18\r\n"), Err(SdpError::NotAcceptable));
    assert_eq!(with("m=audio 0 RTP/AVP 0\r\n"), Err(SdpError::NotAcceptable));
    for nowhere in ["239.1.1.1", "255.255.255.255"] {
        let media = format!("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 {nowhere}\r\n");
        assert_eq!(with(&media), Err(SdpError::NotAcceptable), "{nowhere}");
    }
    assert_eq!(with("m=audio 4000 RTP/SAVP 0\r\n"), Err(SdpError::NotAcceptable));
    assert_eq!(with("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 G723/8000\r\n"), Err(SdpError::NotAcceptable));
    assert_eq!(with(""), Err(SdpError::NotAcceptable));
    assert_eq!(with(&"m=audio 4000 RTP/AVP 0\r\n".repeat(9)), Err(SdpError::NotAcceptable));
    assert_eq!(read(b"hello", &LAWS, Encryption::Optional), Err(SdpError::Malformed));
    assert_eq!(with("m=audio 4000 RTP/AVP 8\r\n").map(|r| r.law), Ok(Law::A));
}

#[test]
fn a_description_may_have_so_many_streams_and_bytes_and_no_more() {
    let stream = "m=audio 4000 RTP/AVP 0\r\n";
    assert!(with(&stream.repeat(STREAMS_MAX)).is_ok());
    assert_eq!(with(&stream.repeat(STREAMS_MAX + 1)), Err(SdpError::NotAcceptable));
    let head = format!("v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{stream}a=");
    let of = |bytes: usize| format!("{head}{}\r\n", "x".repeat(bytes - head.len() - 2));
    assert!(read(of(SDP_BYTES_MAX).as_bytes(), &LAWS, Encryption::Optional).is_ok());
    let too_long = read(of(SDP_BYTES_MAX + 1).as_bytes(), &LAWS, Encryption::Optional);
    assert_eq!(too_long, Err(SdpError::NotAcceptable));
}

#[test]
fn rtcp_is_where_it_was_said() {
    let said = |extra: &str| with(&format!("m=audio 4000 RTP/AVP 0\r\n{extra}")).expect("acceptable").rtcp.port();
    // An offer to share one port (RFC 5761) is not taken: the answer does not say so.
    assert_eq!((said(""), said("a=rtcp:5003\r\n"), said("a=rtcp-mux\r\n")), (4001, 5003, 4001));
}

#[test]
fn our_offer_can_be_read_as_an_answer() {
    let remote = read(offer(&local(), &Streams::default(), &LAWS, true, &[]).as_bytes(), &LAWS, Encryption::Optional)
        .expect("acceptable");
    assert_eq!((remote.rtp, remote.event_payload_type), (local().rtp, Some(101)));
}

/// RFC 3264 section 8: no later description has fewer streams, or others in their places.
#[test]
fn a_later_offer_of_ours_lists_the_streams_that_there_were() {
    let remote =
        with("m=video 5000 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 0\r\nm=image 6000 udptl t38\r\n").expect("acceptable");
    let offer = offer(&local(), &remote.streams, &LAWS, true, &[]);
    let streams: Vec<&str> = offer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(streams, ["m=video 0 RTP/AVP 96", "m=audio 10000 RTP/AVP 0 8 101", "m=image 0 udptl t38"]);
}

/// Two of whose suites we have one, and then the other.
const KEYS: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20\r\n\
                    a=crypto:2 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0OD1F1aWQgcHJvIHF1bw==\r\n\
                    a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";

fn ours(suite: Suite) -> Key {
    Key::new(suite, &[7; 30])
}

#[test]
fn an_encrypted_stream_is_answered_with_the_first_suite_that_we_have_and_a_key_of_ours() {
    let remote = with(&format!("m=audio 4000 RTP/SAVP 0\r\n{KEYS}")).expect("acceptable");
    let crypto = remote.crypto.clone().expect("a key");
    assert_eq!((crypto.tag, crypto.key.suite()), (2, Suite::AeadAes128Gcm));
    let answer = remote.answer(&local(), Some(&ours(Suite::AeadAes128Gcm)));
    let media = answer.split_once("m=").expect("a stream").1;
    assert_eq!(
        media,
        "audio 10000 RTP/SAVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n\
         a=crypto:2 AEAD_AES_128_GCM inline:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==\r\na=sendrecv\r\n"
    );
    assert!(!format!("{remote:?}").contains("AAECAwQF"), "{remote:?}");
}

#[test]
fn what_is_taken_is_as_the_configuration_wants() {
    let (plain, secure) = ("m=audio 4000 RTP/AVP 0\r\n", "m=audio 4002 RTP/SAVP 0\r\n");
    let both = format!("{plain}{secure}{KEYS}");
    let best = format!("{plain}{KEYS}");
    let keyed = format!("{secure}{KEYS}");
    let no_key =
        format!("{secure}a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n");
    // What is offered; then for each of off, optional and required the port that is taken, `s` where it is encrypted.
    for (offer, taken) in [
        (plain, ["4000", "4000", ""]),
        (&keyed, ["", "4002s", "4002s"]),
        (&both, ["4000", "4002s", "4002s"]),
        (&best, ["4000", "4000s", "4000s"]),
        (&no_key, ["", "", ""]),
        ("m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n", ["", "", ""]),
    ] {
        let found = [Encryption::Off, Encryption::Optional, Encryption::Required].map(|encryption| {
            let remote = under(encryption, offer);
            remote.map_or(String::new(), |r| format!("{}{}", r.rtp.port(), if r.crypto.is_some() { "s" } else { "" }))
        });
        assert_eq!(found, taken, "{offer}");
    }
}

#[test]
fn a_stream_that_may_be_encrypted_is_answered_as_it_was_offered() {
    let remote = with(&format!("m=audio 4000 RTP/AVP 0\r\n{KEYS}")).expect("acceptable");
    let answer = remote.answer(&local(), Some(&ours(Suite::AeadAes128Gcm)));
    assert!(answer.contains("m=audio 10000 RTP/AVP 0\r\n") && answer.contains("a=crypto:2 AEAD"), "{answer}");
    let both = with(&format!("m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/SAVP 0\r\n{KEYS}")).expect("acceptable");
    let answer = both.answer(&local(), Some(&ours(Suite::AeadAes128Gcm)));
    assert!(answer.contains("m=audio 0 RTP/AVP 0\r\nm=audio 10000 RTP/SAVP 0\r\n"), "{answer}");
}

#[test]
fn our_offer_of_an_encrypted_stream_has_a_key_for_each_suite() {
    let offer = offer(&local(), &Streams::default(), &LAWS, true, &Suite::ALL.map(ours));
    let read = read(offer.as_bytes(), &LAWS, Encryption::Required).expect("acceptable");
    let crypto = read.crypto.expect("a key");
    assert_eq!((crypto.tag, crypto.key), (1, ours(Suite::AesCm128HmacSha1_80)));
    assert!(
        offer.contains("m=audio 10000 RTP/SAVP 0 8 101\r\n") && offer.contains("a=crypto:2 AEAD_AES_128_GCM inline:")
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, &LAWS, Encryption::Optional);
    }

    #[test]
    fn an_answer_never_has_a_line_of_its_own(fmt in "[ -~]{0,20}") {
        if let Ok(remote) = with(&format!("m=image 5000 udptl {fmt}\r\nm=audio 4000 RTP/AVP 0\r\n")) {
            prop_assert_eq!(remote.answer(&local(), None).lines().filter(|l| l.starts_with("m=")).count(), 2);
        }
    }
}
