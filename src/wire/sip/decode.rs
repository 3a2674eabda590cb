//! Bytes to messages.

use rsip::Uri;

use super::head::{Field, Name, read_fields};
use super::message::{Body, CSeq, Head, Message, Request, Response};
use super::scan::{is_blank, is_token, run, skip_blanks, split_list};
use super::uri::{NameAddr, parse_uri};
use super::via::{COOKIE, Via};
use super::{Bad, Method};

/// The longest start line and header section together, in bytes, the empty line included; over it: 513.
pub const HEADERS_BYTES_MAX: usize = 16 * 1024;
/// The longest message, in bytes; over it: 513.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// The most header fields of a message; over it: 400.
pub const HEADERS_MAX: usize = 256;
/// The most Via values of a message; over it: 400. Max-Forwards, which begins at 70, lets no more servers pass it on.
pub const VIAS_MAX: usize = 128;

/// How the end of a message is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A datagram: bytes after Content-Length are ignored, without one the body goes to the end (RFC 3261 section 18.3).
    Datagram,
    /// One message of a stream, as [`super::Framer`] cuts it: Content-Length must be there.
    Stream,
}

/// How much longer than the request what a response repeats of it may be, in bytes: list elements become lines, and what is
/// no UTF-8 becomes three bytes each. Beyond it there is no answer: whose address is forged would get it.
const ECHO_EXTRA_BYTES_MAX: usize = 1536;

/// What a response repeats of its request (RFC 3261 section 8.2.6); a field that the request has not is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Echo {
    /// Each Via, the topmost first.
    pub vias: Vec<String>,
    /// From.
    pub from: String,
    /// To.
    pub to: String,
    /// Call-ID.
    pub call_id: String,
    /// CSeq.
    pub cseq: String,
}

impl Echo {
    /// How long its header fields are.
    fn bytes(&self) -> usize {
        let others = [&self.from, &self.to, &self.call_id, &self.cseq];
        self.vias.iter().chain(others).map(|value| "Call-ID: \r\n".len() + value.len()).sum()
    }
}

/// A message that is not SIP as we take it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SIP message refused with {code}: {why}")]
pub struct Reject {
    /// 400, 505 (version) or 513 (size).
    pub code: u16,
    /// What is wrong with it; holds nothing of the message.
    pub why: &'static str,
    /// What the answer repeats; `None` where there must be no answer (a response, an ACK, or nothing to send it by).
    pub echo: Option<Box<Echo>>,
}

/// Decodes one message.
///
/// # Errors
/// [`Reject`] says whether an answer is possible, and which.
pub fn decode(bytes: &[u8], framing: Framing) -> Result<Message, Reject> {
    let bytes = skip_empty_lines(bytes);
    let (head, body, cut) = split_head(bytes);
    let head = String::from_utf8_lossy(head);
    let (start, section) = head.split_once("\r\n").unwrap_or((&head, ""));
    let (fields, fault) = if section.is_empty() { (vec![], None) } else { read_fields(section, HEADERS_MAX) };
    let refuse = |bad: Bad| {
        let echo = is_answerable(start).then(|| echo(&fields));
        let echo = echo.filter(|echo| !echo.vias.is_empty() && echo.bytes() <= bytes.len() + ECHO_EXTRA_BYTES_MAX);
        Reject { code: bad.code, why: bad.why, echo: echo.map(Box::new) }
    };
    if let Some(bad) = cut {
        return Err(refuse(bad));
    }
    let start_line = read_start(start).map_err(&refuse)?;
    if let Some(bad) = fault {
        return Err(refuse(bad));
    }
    let body = read_body(body, &fields, framing).map_err(&refuse)?;
    let head = read_head(&fields).map_err(&refuse)?;
    if head.echo.bytes() > bytes.len() + ECHO_EXTRA_BYTES_MAX {
        return Err(refuse(Bad::syntax("an answer would be longer than what it answers")));
    }
    match start_line {
        Start::Request(method, _) if method != head.cseq.method => Err(refuse(Bad::syntax("CSeq of another method"))),
        Start::Request(method, uri) => Ok(Message::Request(Request { method, uri: *uri, head, body })),
        Start::Response(code) => Ok(Message::Response(Response { code, head, body })),
    }
}

/// Leaves out the empty lines that may be before a message (RFC 3261 section 7.5).
pub(super) fn skip_empty_lines(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b"\r\n") {
        bytes = rest;
    }
    bytes
}

/// Where the header section ends, the empty line included, if it does within the limit.
pub(super) fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let window = bytes.get(..bytes.len().min(HEADERS_BYTES_MAX))?;
    let tail = window.get(from..)?;
    tail.windows(4).position(|four| four == b"\r\n\r\n").map(|at| from + at + 4)
}

/// The head without its empty line, the rest, and the fault if there is no such cut.
fn split_head(bytes: &[u8]) -> (&[u8], &[u8], Option<Bad>) {
    if let Some(end) = head_end(bytes, 0) {
        let (head, body) = bytes.split_at(end);
        return (head.get(..end - 4).unwrap_or_default(), body, None);
    }
    let too_long = bytes.len() > HEADERS_BYTES_MAX;
    let bad = if too_long {
        Bad { code: 513, why: "headers over 16 KB" }
    } else {
        Bad::syntax("no empty line after the headers")
    };
    // Only whole lines are looked at for the answer.
    let window = bytes.get(..bytes.len().min(HEADERS_BYTES_MAX)).unwrap_or_default();
    let end = window.windows(2).rposition(|two| two == b"\r\n").unwrap_or(0);
    (window.get(..end).unwrap_or_default(), &[], Some(bad))
}

enum Start {
    Request(Method, Box<Uri>),
    Response(u16),
}

fn read_start(line: &str) -> Result<Start, Bad> {
    if line.contains(['\r', '\n']) {
        return Err(Bad::syntax("CR or LF by itself in the start line"));
    }
    if is_status_line(line) {
        let mut parts = line.splitn(3, ' ');
        let (version, code) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        check_version(version)?;
        let code =
            (code.len() == 3).then(|| code.parse::<u16>().ok()).flatten().filter(|code| (100..=699).contains(code));
        return code.map(Start::Response).ok_or(Bad::syntax("bad status code"));
    }
    let mut parts = line.split(' ');
    let (Some(method), Some(uri), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Bad::syntax("bad request line"));
    };
    if !is_token(method) {
        return Err(Bad::syntax("bad method"));
    }
    check_version(version)?;
    let parsed = parse_uri(uri)?;
    if parsed.has_headers {
        return Err(Bad::syntax("headers in the Request-URI"));
    }
    Ok(Start::Request(Method::of_token(method), Box::new(parsed.uri)))
}

fn is_status_line(line: &str) -> bool {
    line.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("SIP/"))
}

fn check_version(version: &str) -> Result<(), Bad> {
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let number = version.get(..4).filter(|begin| begin.eq_ignore_ascii_case("SIP/")).and(version.get(4..));
    let is_number = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    match number.and_then(|n| n.split_once('.')) {
        Some((major, minor)) if is_number(major) && is_number(minor) => {
            Err(Bad { code: 505, why: "a SIP version other than 2.0" })
        }
        Some(_) | None => Err(Bad::syntax("no SIP version in the start line")),
    }
}

/// Whether the line is a request's, however broken, and not an ACK's: only that gets an answer.
fn is_answerable(line: &str) -> bool {
    let version_at_end = line.split([' ', '\t']).skip(1).any(|part| part.get(..4).is_some_and(is_status_line));
    !is_status_line(line) && version_at_end && !line.starts_with("ACK ")
}

fn echo(fields: &[Field<'_>]) -> Echo {
    let mut echo = Echo::default();
    for (name, value) in fields {
        match name {
            Name::Via => match split_list(value) {
                Ok(vias) => echo.vias.extend(vias.into_iter().map(str::to_owned)),
                Err(_) => echo.vias.push(value.clone().into_owned()),
            },
            Name::From => echo.from = value.clone().into_owned(),
            Name::To => echo.to = value.clone().into_owned(),
            Name::CallId => echo.call_id = value.clone().into_owned(),
            Name::CSeq => echo.cseq = value.clone().into_owned(),
            _ => {}
        }
    }
    echo
}

fn read_head(fields: &[Field<'_>]) -> Result<Head, Bad> {
    let echo = echo(fields);
    let via = Via::parse(echo.vias.first().ok_or(Bad::syntax("no Via"))?)?;
    if echo.vias.len() > VIAS_MAX {
        return Err(Bad::syntax("too many Via values"));
    }
    if echo.vias.iter().any(String::is_empty) {
        return Err(Bad::syntax("empty Via"));
    }
    if via.branch() == Some(COOKIE) {
        return Err(Bad::syntax("branch with nothing after its cookie"));
    }
    for (value, why) in
        [(&echo.from, "no From"), (&echo.to, "no To"), (&echo.call_id, "no Call-ID"), (&echo.cseq, "no CSeq")]
    {
        if value.is_empty() {
            return Err(Bad::syntax(why));
        }
    }
    if !echo.call_id.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Bad::syntax("bad Call-ID"));
    }
    let (from, to, cseq) = (NameAddr::parse(&echo.from)?, NameAddr::parse(&echo.to)?, read_cseq(&echo.cseq)?);
    let others = fields.iter().filter(|(name, _)| {
        !matches!(name, Name::Via | Name::From | Name::To | Name::CallId | Name::CSeq | Name::ContentLength)
    });
    let fields: Vec<(Name, String)> = others.map(|(name, value)| (*name, value.clone().into_owned())).collect();
    if let Some((_, hops)) = fields.iter().find(|(name, _)| *name == Name::MaxForwards) {
        let fits = hops.bytes().all(|b| b.is_ascii_digit()) && hops.parse::<u8>().is_ok();
        if !fits {
            return Err(Bad::syntax("bad Max-Forwards"));
        }
    }
    Ok(Head { echo, via, from, to, cseq, fields })
}

fn read_cseq(text: &str) -> Result<CSeq, Bad> {
    let bad = Bad::syntax("bad CSeq");
    let (digits, rest) = run(text, |b| b.is_ascii_digit());
    let method = skip_blanks(rest);
    if !is_token(method) || !rest.bytes().next().is_some_and(is_blank) {
        return Err(bad);
    }
    Ok(CSeq { seq: digits.parse().map_err(|_| bad)?, method: Method::of_token(method) })
}

fn read_body(bytes: &[u8], fields: &[Field<'_>], framing: Framing) -> Result<Body, Bad> {
    let bytes = match content_length(fields)? {
        Some(length) if length > MESSAGE_BYTES_MAX => return Err(Bad { code: 513, why: "message over 64 KB" }),
        Some(length) => bytes.get(..length).ok_or(Bad::syntax("body shorter than Content-Length"))?,
        None if framing == Framing::Stream => return Err(Bad::syntax("no Content-Length in a stream")),
        None if bytes.len() > MESSAGE_BYTES_MAX => return Err(Bad { code: 513, why: "message over 64 KB" }),
        None => bytes,
    };
    Ok(Body(bytes.to_vec()))
}

/// The value of Content-Length; `None` where there is none.
pub(super) fn content_length(fields: &[Field<'_>]) -> Result<Option<usize>, Bad> {
    let Some((_, digits)) = fields.iter().find(|(name, _)| *name == Name::ContentLength) else { return Ok(None) };
    let bad = Bad::syntax("bad Content-Length");
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad);
    }
    let length: u32 = digits.parse().map_err(|_| bad)?;
    usize::try_from(length).map(Some).map_err(|_| bad)
}
