//! What a request asks for and brings: extensions, session descriptions, keys (RFC 3261 sections 8.2.2.3 and 8.2.3).

use super::response::Refusal;
use super::{ALLOW, Transport};
use crate::wire::sip::{Bad, Body, Head, Method, Name, Request, Scheme};

/// The media type of offers and answers.
pub(super) const SDP: &str = "application/sdp";
/// The media types of keys in an INFO.
const KEYS: [&str; 2] = ["application/dtmf-relay", "application/dtmf"];

/// Checks method and Request-URI scheme: 501, 405, 416. A `sips:` URI is for TLS alone (RFC 3261 section 26.2.2).
pub(super) fn check_line(request: &Request, transport: Transport) -> Result<(), Refusal> {
    match &request.method {
        Method::Other(_) => return Err(Refusal::with(501, "Allow", ALLOW)),
        Method::Message
        | Method::Notify
        | Method::Prack
        | Method::Publish
        | Method::Refer
        | Method::Register
        | Method::Subscribe => return Err(Refusal::with(405, "Allow", ALLOW)),
        Method::Ack
        | Method::Bye
        | Method::Cancel
        | Method::Info
        | Method::Invite
        | Method::Options
        | Method::Update => {}
    }
    match request.uri.scheme {
        Some(Scheme::Sip) => Ok(()),
        Some(Scheme::Sips) if transport.is_secure() => Ok(()),
        Some(Scheme::Sips | Scheme::Other(_)) | None => Err(Refusal::plain(416)),
    }
}

/// Checks Require: 420 for every extension, as none is supported.
pub(super) fn check_require(head: &Head) -> Result<(), Refusal> {
    let wanted = head.list(Name::Require).map_err(malformed)?;
    if wanted.is_empty() { Ok(()) } else { Err(Refusal::with(420, "Unsupported", wanted.join(", "))) }
}

/// The offer that an INVITE or UPDATE brings: 415 for a body of another kind, 406 where no answer would be accepted.
pub(super) fn take_offer(request: &mut Request) -> Result<Option<Body>, Refusal> {
    let head = &request.head;
    let ours = !request.body.is_empty() && is_wanted(head)?;
    if head.values(Name::Accept).next().is_some() {
        let accepted = head.list(Name::Accept).map_err(malformed)?;
        if !accepted.iter().any(|range| [SDP, "application/*", "*/*"].contains(&media_type(range).as_str())) {
            return Err(Refusal::plain(406));
        }
    }
    let body = std::mem::take(&mut request.body);
    Ok(ours.then_some(body))
}

/// The answer that an ACK brings; `None` where it brings something else.
pub(super) fn take_answer(request: &mut Request) -> Option<Body> {
    let is_sdp = request.head.first(Name::ContentType).is_some_and(|value| media_type(value) == SDP);
    let body = std::mem::take(&mut request.body);
    (is_sdp && !body.is_empty()).then_some(body)
}

/// The keys that an INFO brings, with their media type; `None` for an INFO without a body (RFC 6086 section 4.2.1).
///
/// 469 for an Info Package, as none is supported, and 415 for other content.
pub(super) fn take_keys(request: &mut Request) -> Result<Option<(String, Body)>, Refusal> {
    if request.head.first(Name::InfoPackage).is_some() {
        return Err(Refusal::with(469, "Recv-Info", ""));
    }
    let body = std::mem::take(&mut request.body);
    if body.is_empty() {
        return Ok(None);
    }
    let content_type = request.head.first(Name::ContentType).map(media_type).unwrap_or_default();
    if !KEYS.contains(&content_type.as_str()) {
        return Err(Refusal::with(415, "Accept", KEYS.join(", ")));
    }
    Ok(Some((content_type, body)))
}

/// Whether the body is a session description for us; false for one that may be left aside, 415 for any other.
fn is_wanted(head: &Head) -> Result<bool, Refusal> {
    let disposition = head.first(Name::ContentDisposition).unwrap_or("session").to_ascii_lowercase();
    let is_session = media_type(&disposition) == "session";
    let is_optional = disposition.split(';').skip(1).any(|param| param.replace([' ', '\t'], "") == "handling=optional");
    let encoded = head.list(Name::ContentEncoding).map_err(malformed)?;
    if encoded.iter().any(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return if is_optional { Ok(false) } else { Err(Refusal::with(415, "Accept-Encoding", "identity")) };
    }
    match head.first(Name::ContentType).map(media_type) {
        Some(kind) if kind == SDP && is_session => Ok(true),
        Some(_) | None if is_optional => Ok(false),
        Some(_) | None => Err(Refusal::with(415, "Accept", SDP)),
    }
}

/// `type/subtype` in lower case, without parameters.
fn media_type(value: &str) -> String {
    let bare = value.split(';').next().unwrap_or_default();
    bare.chars().filter(|c| !matches!(c, ' ' | '\t')).collect::<String>().to_ascii_lowercase()
}

/// A header field that was looked at only now, and is malformed.
pub(super) fn malformed(bad: Bad) -> Refusal {
    Refusal::plain(bad.code)
}
