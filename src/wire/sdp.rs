//! SDP offers and answers for one audio stream (RFC 3264, RFC 8866), plain or encrypted by keys in them (RFC 4568); parsed
//! by `sdp-types`.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use sdp_types::{Attribute, Media};

use super::g711::Law;
use super::srtp::{Crypto, Key};

/// Longest description that is looked at, in bytes.
pub const SDP_BYTES_MAX: usize = 16 * 1024;
/// Streams in one description; more are not acceptable.
pub const STREAMS_MAX: usize = 8;
/// A stream that is not encrypted (RFC 3551), as SDP has it.
const AVP: &str = "RTP/AVP";
/// One that is (RFC 3711 section 10).
const SAVP: &str = "RTP/SAVP";
/// The payload type of telephone-event in our own offers.
const EVENT_PAYLOAD_TYPE: u8 = 101;

/// Which streams are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Those that are not encrypted.
    Off,
    /// One that is encrypted before any that is not.
    Optional,
    /// Those that are encrypted.
    Required,
}

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
    /// The key that it encrypts with, where the stream is to be encrypted: the first of those that we can take.
    pub crypto: Option<Crypto>,
    /// The streams that it lists.
    pub streams: Streams,
}

/// The streams of a session, the taken one and the rejected ones, in the order in which every later description lists them
/// too (RFC 3264 section 8). None are those of a session that nobody has described yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Streams(Vec<Stream>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stream {
    Taken { proto: &'static str },
    Rejected { media: String, proto: String, fmt: String },
}

/// Why a description can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// It is no SDP: 400.
    #[error("the session description can't be read")]
    Malformed,
    /// No audio stream in it that we can take: 488.
    #[error("no audio stream that can be taken")]
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
pub fn read(body: &[u8], laws: &[Law], encryption: Encryption) -> Result<Remote, SdpError> {
    if body.len() > SDP_BYTES_MAX {
        return Err(SdpError::NotAcceptable);
    }
    let session = sdp_types::Session::parse(body).map_err(|_| SdpError::Malformed)?;
    if session.medias.len() > STREAMS_MAX {
        return Err(SdpError::NotAcceptable);
    }
    let mut candidates: Vec<Option<Remote>> =
        session.medias.iter().map(|media| take(&session, media, laws, encryption)).collect();
    let encrypted = |remote: &Option<Remote>| remote.as_ref().is_some_and(|remote| remote.crypto.is_some());
    let chosen = candidates.iter().position(encrypted).or_else(|| candidates.iter().position(Option::is_some));
    let chosen = chosen.ok_or(SdpError::NotAcceptable)?;
    let remote = candidates.get_mut(chosen).and_then(Option::take).ok_or(SdpError::NotAcceptable)?;
    let streams = session.medias.iter().enumerate().map(|(n, media)| {
        if n == chosen {
            Stream::Taken { proto: if media.proto == SAVP { SAVP } else { AVP } }
        } else {
            Stream::Rejected { media: media.media.clone(), proto: media.proto.clone(), fmt: media.fmt.clone() }
        }
    });
    Ok(Remote { streams: Streams(streams.collect()), ..remote })
}

impl Remote {
    /// Writes the answer: each stream of the offer in its place, with port 0 where it is not taken. `ours` is what we
    /// encrypt with, by the suite of [`Self::crypto`].
    pub fn answer(&self, local: &Local, ours: Option<&Key>) -> String {
        let mut text = session_lines(local);
        self.streams.write(&mut text, |text, proto| {
            audio_lines(text, local, proto, &[self.law], self.event_payload_type);
            if let (Some(theirs), Some(ours)) = (&self.crypto, ours) {
                text.push_str(&Crypto { tag: theirs.tag, key: ours.clone() }.line());
            }
            text.push_str(direction(self.receives, self.sends));
        });
        text
    }
}

impl Streams {
    /// Writes each in its place: the taken one by `take`, which is told its protocol, the others with port 0.
    fn write(&self, text: &mut String, mut take: impl FnMut(&mut String, &'static str)) {
        for stream in &self.0 {
            match stream {
                Stream::Taken { proto } => take(text, proto),
                Stream::Rejected { media, proto, fmt } => {
                    let _ = write!(text, "m={media} 0 {proto} {fmt}\r\n");
                }
            }
        }
        if self.0.is_empty() {
            take(text, AVP);
        }
    }
}

/// Writes an offer of our own, for an INVITE that came without one: `streams` as they were; `events`: with
/// telephone-event; `ours`: the keys of which one is to be taken, none for a stream that is not encrypted.
pub fn offer(local: &Local, streams: &Streams, laws: &[Law], events: bool, ours: &[Key]) -> String {
    let mut text = session_lines(local);
    streams.write(&mut text, |text, _| {
        let proto = if ours.is_empty() { AVP } else { SAVP };
        audio_lines(text, local, proto, laws, events.then_some(EVENT_PAYLOAD_TYPE));
        for (tag, key) in (1..).zip(ours) {
            text.push_str(&Crypto { tag, key: key.clone() }.line());
        }
        text.push_str(direction(true, true));
    });
    text
}

fn take(session: &sdp_types::Session, media: &Media, laws: &[Law], encryption: Encryption) -> Option<Remote> {
    if media.media != "audio" || media.port == 0 {
        return None;
    }
    let crypto = crypto(media, encryption)?;
    let formats: Vec<u8> = media.fmt.split_ascii_whitespace().take(64).filter_map(|f| f.parse().ok()).collect();
    let law = formats.iter().find_map(|&format| law_of(media, format).filter(|law| laws.contains(law)))?;
    let event_payload_type =
        formats.iter().copied().find(|&f| (96..128).contains(&f) && is_mapped(media, f, "telephone-event/8000"));
    let connection = media.connections.first().or(session.connection.as_ref())?;
    // An address may carry a time to live or a count behind a slash.
    let address = connection.connection_address.split('/').next().unwrap_or("").trim();
    let ip: IpAddr = address.parse().ok()?;
    // An IPv4 address may be written as an IPv6 one (RFC 5118 section 4.9): what it is is asked of the address that is meant.
    let meant = ip.to_canonical();
    if !is_somewhere(meant) {
        return None;
    }
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
        receives: receives && !meant.is_unspecified(),
        sends,
        crypto,
        streams: Streams::default(),
    })
}

/// The key of a stream that is to be encrypted, where it has one; `None` where the stream can't be taken.
///
/// A key with RTP/AVP is how many telephones offer what RFC 4568 has no words for: encrypted if you can.
fn crypto(media: &Media, encryption: Encryption) -> Option<Option<Crypto>> {
    let values = media.attributes.iter().filter(|a| a.attribute == "crypto").filter_map(|a| a.value.as_deref());
    let first = || values.map(str::trim).find_map(Crypto::parse);
    match (media.proto.as_str(), encryption) {
        (AVP, Encryption::Off) => Some(None),
        (AVP, Encryption::Optional) => Some(first()),
        (AVP, Encryption::Required) | (SAVP, Encryption::Optional | Encryption::Required) => first().map(Some),
        _ => None,
    }
}

/// Whether one peer can be there: no group, and not everybody.
fn is_somewhere(ip: IpAddr) -> bool {
    !ip.is_multicast() && ip != IpAddr::from([255u8; 4])
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

fn audio_lines(text: &mut String, local: &Local, proto: &str, laws: &[Law], event: Option<u8>) {
    let formats: Vec<(u8, &str)> = laws
        .iter()
        .map(|law| match law {
            Law::Mu => (0, "PCMU"),
            Law::A => (8, "PCMA"),
        })
        .chain(event.map(|format| (format, "telephone-event")))
        .collect();
    let _ = write!(text, "m=audio {} {proto}", local.rtp.port());
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
#[path = "sdp_tests.rs"]
mod tests;
