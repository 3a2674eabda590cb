//! SDP offers and answers for one audio stream (RFC 3264, RFC 8866), parsed by `sdp-types`.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use sdp_types::{Attribute, Media};

use super::g711::Law;

/// Longest description that is looked at, in bytes.
pub const SDP_BYTES_MAX: usize = 16 * 1024;
/// Streams in one description; more are not acceptable.
pub const STREAMS_MAX: usize = 8;
/// The payload type of telephone-event in our own offers.
const EVENT_PAYLOAD_TYPE: u8 = 101;

/// What the other side described, and what of it we take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Where its RTP is to go.
    pub rtp: SocketAddr,
    /// Where its RTCP is to go.
    pub rtcp: SocketAddr,
    /// The codec: the first of the description's that we know.
    pub law: Law,
    /// Its payload type for telephone-event, where it has one.
    pub event_payload_type: Option<u8>,
    /// Whether it wants to hear us.
    pub receives: bool,
    /// Whether it will send.
    pub sends: bool,
    /// The rejected and the taken streams, in order, for the answer.
    streams: Vec<Stream>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stream {
    Taken,
    Rejected { media: String, proto: String, fmt: String },
}

/// Why a description can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// It is no SDP: 400.
    #[error("the session description can't be read")]
    Malformed,
    /// No audio stream in it that we can take: 488.
    #[error("no audio stream with PCMU or PCMA over RTP/AVP")]
    NotAcceptable,
}

/// Our side of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The RTP address that we name; RTCP is on the next port.
    pub rtp: SocketAddr,
    /// The session's number (`o=` line).
    pub session: u64,
    /// Its version, one more for each new description (`o=` line).
    pub version: u64,
}

/// Reads an offer (or the answer to ours), taking of `laws` the first that it lists.
pub fn read(body: &[u8], laws: &[Law]) -> Result<Remote, SdpError> {
    if body.len() > SDP_BYTES_MAX {
        return Err(SdpError::NotAcceptable);
    }
    let session = sdp_types::Session::parse(body).map_err(|_| SdpError::Malformed)?;
    if session.medias.len() > STREAMS_MAX {
        return Err(SdpError::NotAcceptable);
    }
    let mut streams = Vec::with_capacity(session.medias.len());
    let mut taken = None;
    for media in &session.medias {
        let candidate = if taken.is_none() { take(&session, media, laws) } else { None };
        match candidate {
            Some(remote) => {
                taken = Some(remote);
                streams.push(Stream::Taken);
            }
            None => streams.push(Stream::Rejected {
                media: media.media.clone(),
                proto: media.proto.clone(),
                fmt: media.fmt.clone(),
            }),
        }
    }
    let mut remote = taken.ok_or(SdpError::NotAcceptable)?;
    remote.streams = streams;
    Ok(remote)
}

impl Remote {
    /// Writes the answer: each stream of the offer in its place, with port 0 where it is not taken.
    pub fn answer(&self, local: &Local) -> String {
        let mut text = session_lines(local);
        for stream in &self.streams {
            match stream {
                Stream::Taken => {
                    audio_lines(&mut text, local, &[self.law], self.event_payload_type);
                    text.push_str(direction(self.receives, self.sends));
                }
                Stream::Rejected { media, proto, fmt } => {
                    let _ = write!(text, "m={media} 0 {proto} {fmt}\r\n");
                }
            }
        }
        text
    }
}

/// Writes an offer of our own, for an INVITE that came without one; `events`: with telephone-event.
pub fn offer(local: &Local, laws: &[Law], events: bool) -> String {
    let mut text = session_lines(local);
    audio_lines(&mut text, local, laws, events.then_some(EVENT_PAYLOAD_TYPE));
    text.push_str(direction(true, true));
    text
}

fn take(session: &sdp_types::Session, media: &Media, laws: &[Law]) -> Option<Remote> {
    if media.media != "audio" || media.proto != "RTP/AVP" || media.port == 0 {
        return None;
    }
    let formats: Vec<u8> = media.fmt.split_ascii_whitespace().take(64).filter_map(|f| f.parse().ok()).collect();
    let law = formats.iter().find_map(|&format| law_of(media, format).filter(|law| laws.contains(law)))?;
    let event_payload_type =
        formats.iter().copied().find(|&f| (96..128).contains(&f) && is_mapped(media, f, "telephone-event/8000"));
    let connection = media.connections.first().or(session.connection.as_ref())?;
    // An address may carry a time to live or a count behind a slash.
    let address = connection.connection_address.split('/').next().unwrap_or("").trim();
    let ip: IpAddr = address.parse().ok().filter(is_somewhere)?;
    let (receives, sends) = wanted(session, media);
    let rtp = SocketAddr::new(ip, media.port);
    let rtcp_port = value(&media.attributes, "rtcp")
        .and_then(|v| v.split_ascii_whitespace().next()?.parse().ok())
        .unwrap_or(media.port.saturating_add(1));
    let rtcp = SocketAddr::new(ip, rtcp_port);
    Some(Remote {
        rtp,
        rtcp,
        law,
        event_payload_type,
        // 0.0.0.0 is how RFC 2543 put a call on hold: there is nowhere to send to.
        receives: receives && !ip.is_unspecified(),
        sends,
        streams: Vec::new(),
    })
}

/// Whether one peer can be there: no group, and not everybody.
fn is_somewhere(ip: &IpAddr) -> bool {
    !ip.is_multicast() && *ip != IpAddr::from([255u8; 4])
}

/// The law of a payload type: by its rtpmap, else the static 0 and 8 (RFC 3551 table 4).
fn law_of(media: &Media, format: u8) -> Option<Law> {
    if is_mapped(media, format, "PCMU/8000") {
        return (format == 0).then_some(Law::Mu);
    }
    if is_mapped(media, format, "PCMA/8000") {
        return (format == 8).then_some(Law::A);
    }
    let mapped = rtpmap(media, format).is_some();
    match format {
        0 if !mapped => Some(Law::Mu),
        8 if !mapped => Some(Law::A),
        _ => None,
    }
}

fn rtpmap(media: &Media, format: u8) -> Option<&str> {
    let maps = media.attributes.iter().filter(|a| a.attribute == "rtpmap").filter_map(|a| a.value.as_deref());
    maps.filter_map(|map| map.trim().split_once(' '))
        .find_map(|(number, encoding)| (number.parse() == Ok(format)).then(|| encoding.trim()))
}

/// Whether the payload type is mapped to that encoding, its parameter for one channel aside.
fn is_mapped(media: &Media, format: u8, encoding: &str) -> bool {
    rtpmap(media, format).is_some_and(|map| map.strip_suffix("/1").unwrap_or(map).eq_ignore_ascii_case(encoding))
}

/// The direction attribute of the stream, else the session's: (receives, sends).
fn wanted(session: &sdp_types::Session, media: &Media) -> (bool, bool) {
    let of = |attributes: &[Attribute]| {
        attributes.iter().find_map(|a| match a.attribute.as_str() {
            "sendrecv" => Some((true, true)),
            "sendonly" => Some((false, true)),
            "recvonly" => Some((true, false)),
            "inactive" => Some((false, false)),
            _ => None,
        })
    };
    of(&media.attributes).or_else(|| of(&session.attributes)).unwrap_or((true, true))
}

fn value<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes.iter().find(|a| a.attribute == name).map(|a| a.value.as_deref().unwrap_or(""))
}

fn session_lines(local: &Local) -> String {
    let (family, ip) = (if local.rtp.is_ipv4() { "IP4" } else { "IP6" }, local.rtp.ip());
    let (session, version) = (local.session, local.version);
    format!("v=0\r\no=switchhook {session} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n")
}

fn audio_lines(text: &mut String, local: &Local, laws: &[Law], event: Option<u8>) {
    let formats: Vec<(u8, &str)> = laws
        .iter()
        .map(|law| match law {
            Law::Mu => (0, "PCMU"),
            Law::A => (8, "PCMA"),
        })
        .chain(event.map(|format| (format, "telephone-event")))
        .collect();
    let _ = write!(text, "m=audio {} RTP/AVP", local.rtp.port());
    for (format, _) in &formats {
        let _ = write!(text, " {format}");
    }
    text.push_str("\r\n");
    for (format, name) in &formats {
        let _ = write!(text, "a=rtpmap:{format} {name}/8000\r\n");
    }
    if let Some(format) = event {
        let _ = write!(text, "a=fmtp:{format} 0-15\r\n");
    }
    text.push_str("a=ptime:20\r\n");
}

/// Our direction, from whether the other side receives and sends.
fn direction(receives: bool, sends: bool) -> &'static str {
    match (receives, sends) {
        (true, true) => "a=sendrecv\r\n",
        (true, false) => "a=sendonly\r\n",
        (false, true) => "a=recvonly\r\n",
        (false, false) => "a=inactive\r\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LAWS: [Law; 2] = [Law::Mu, Law::A];

    fn with(media: &str) -> Result<Remote, SdpError> {
        read(
            format!("v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}").as_bytes(),
            &LAWS,
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
            remote.answer(&local()),
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
            assert!(remote.answer(&local()).ends_with(&format!("a={answered}\r\n")), "{offered}");
        }
        let old_hold = with("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n").expect("acceptable");
        assert!(!old_hold.receives && old_hold.sends);
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
        assert_eq!(read(b"hello", &LAWS), Err(SdpError::Malformed));
        assert_eq!(with("m=audio 4000 RTP/AVP 8\r\n").map(|r| r.law), Ok(Law::A));
    }

    #[test]
    fn rtcp_is_where_it_was_said() {
        let said = |extra: &str| with(&format!("m=audio 4000 RTP/AVP 0\r\n{extra}")).expect("acceptable").rtcp.port();
        // An offer to share one port (RFC 5761) is not taken: the answer does not say so.
        assert_eq!((said(""), said("a=rtcp:5003\r\n"), said("a=rtcp-mux\r\n")), (4001, 5003, 4001));
    }

    #[test]
    fn our_offer_can_be_read_as_an_answer() {
        let remote = read(offer(&local(), &LAWS, true).as_bytes(), &LAWS).expect("acceptable");
        assert_eq!((remote.rtp, remote.event_payload_type), (local().rtp, Some(101)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes, &LAWS);
        }

        #[test]
        fn an_answer_never_has_a_line_of_its_own(fmt in "[ -~]{0,20}") {
            if let Ok(remote) = with(&format!("m=image 5000 udptl {fmt}\r\nm=audio 4000 RTP/AVP 0\r\n")) {
                prop_assert_eq!(remote.answer(&local()).lines().filter(|l| l.starts_with("m=")).count(), 2);
            }
        }
    }
}
