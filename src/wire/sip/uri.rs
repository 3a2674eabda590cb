//! URIs and the header values that hold one (RFC 3261 sections 19.1 and 20.10).

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rsip::{Auth, Host, HostWithPort, Param, Port, Scheme, Uri};

use super::Bad;
use super::scan::{is_token_byte, param, params, quoted, skip_blanks, transport_name, trim_blanks};

/// A URI with a display name and header parameters: the value of From, To, Contact, Route and Record-Route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name as it was written, quotes and escapes included.
    pub display_name: Option<String>,
    /// The URI; headers in it (`?Route=…`) are left out and never applied.
    pub uri: Uri,
    /// The parameters outside the angle brackets.
    pub params: Vec<Param>,
}

impl NameAddr {
    /// The `tag` parameter.
    pub fn tag(&self) -> Option<&str> {
        self.params.iter().find_map(|param| match param {
            Param::Tag(tag) => Some(tag.value()),
            _ => None,
        })
    }

    /// Reads `[display-name] <URI>[;params]` or `URI[;params]`.
    ///
    /// More liberal than the grammar in one thing: an unquoted display name may have characters outside ASCII.
    pub(crate) fn parse(text: &str) -> Result<Self, Bad> {
        let text = trim_blanks(text);
        let (display_name, rest) = display_name(text)?;
        let (uri, rest) = match rest.strip_prefix('<') {
            Some(inner) => inner.split_once('>').ok_or(Bad::syntax("no > after a URI"))?,
            None => {
                let end = rest.bytes().position(|b| b == b';' || b == b' ' || b == b'\t').unwrap_or(rest.len());
                rest.split_at_checked(end).unwrap_or((rest, ""))
            }
        };
        let in_brackets = rest.len() != text.len() && text.contains('<');
        let parsed = parse_uri(uri)?;
        if parsed.has_headers && !in_brackets {
            return Err(Bad::syntax("URI with headers outside angle brackets"));
        }
        Ok(Self { display_name, uri: parsed.uri, params: params(rest)? })
    }
}

fn display_name(text: &str) -> Result<(Option<String>, &str), Bad> {
    if text.starts_with('"') {
        let (name, rest) = quoted(text).ok_or(Bad::syntax("quoted string without an end"))?;
        let rest = skip_blanks(rest);
        if !rest.starts_with('<') {
            return Err(Bad::syntax("display name without a URI in angle brackets"));
        }
        return Ok((Some(name.to_owned()), rest));
    }
    let Some(at) = text.find('<') else { return Ok((None, text)) };
    let (name, rest) = text.split_at_checked(at).unwrap_or((text, ""));
    let name = trim_blanks(name);
    let fits = |b: u8| is_token_byte(b) || b == b' ' || b == b'\t' || b >= 0x80;
    if !name.bytes().all(fits) {
        return Err(Bad::syntax("display name that needs quotes"));
    }
    Ok(((!name.is_empty()).then(|| name.to_owned()), rest))
}

/// A URI, and whether it had headers (which rsip's model has no place for).
pub(super) struct ParsedUri {
    pub(super) uri: Uri,
    pub(super) has_headers: bool,
}

/// Reads a SIP URI, or any other absolute URI, whose part after the colon becomes the host, opaque.
pub(super) fn parse_uri(text: &str) -> Result<ParsedUri, Bad> {
    let (scheme, rest) = text.split_once(':').ok_or(Bad::syntax("URI without a scheme"))?;
    let begins = scheme.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if !begins || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return Err(Bad::syntax("URI with a bad scheme"));
    }
    if rest.is_empty() || !rest.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b)) {
        return Err(Bad::syntax("URI with a character that has no place there"));
    }
    let scheme = match () {
        () if scheme.eq_ignore_ascii_case("sip") => Scheme::Sip,
        () if scheme.eq_ignore_ascii_case("sips") => Scheme::Sips,
        () => {
            let opaque = HostWithPort { host: Host::Domain(rest.into()), port: None };
            let scheme = Some(Scheme::Other(scheme.to_owned()));
            let uri = Uri { scheme, auth: None, host_with_port: opaque, params: vec![], headers: vec![] };
            return Ok(ParsedUri { uri, has_headers: false });
        }
    };
    let (auth, rest) = match rest.split_once('@') {
        Some((user_info, rest)) => (Some(parse_user_info(user_info)?), rest),
        None => (None, rest),
    };
    let (rest, headers) = rest.split_once('?').map_or((rest, None), |(rest, headers)| (rest, Some(headers)));
    let mut parts = rest.split(';');
    let host_with_port = parse_host_port(parts.next().unwrap_or_default())?;
    let params = parts.map(parse_uri_param).collect::<Result<Vec<_>, _>>()?;
    let uri = Uri { scheme: Some(scheme), auth, host_with_port, params, headers: vec![] };
    Ok(ParsedUri { uri, has_headers: headers.is_some() })
}

/// Reads a URI as somebody has written it down, without headers.
pub fn read_uri(text: &str) -> Result<Uri, Bad> {
    match parse_uri(text)? {
        ParsedUri { has_headers: true, .. } => Err(Bad::syntax("URI with headers where none may be")),
        ParsedUri { uri, has_headers: false } => Ok(uri),
    }
}

/// The transport that a URI asks for, in lower case; `None` where it names none.
pub fn uri_transport(uri: &Uri) -> Option<&'static str> {
    uri.params.iter().find_map(|param| match param {
        Param::Transport(transport) => Some(transport_name(*transport)),
        Param::Other(name, _) if name.value().eq_ignore_ascii_case("transport") => Some("other"),
        _ => None,
    })
}

fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&b)
}

/// Checks that each byte fits or is part of an escape, `%` and two hexadecimal digits.
fn is_escaped_text(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        let ok = match b {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|b| b.is_ascii_hexdigit())),
            _ => is_unreserved(b) || fits(b),
        };
        if !ok {
            return false;
        }
    }
    true
}

/// `user[:password]`. More liberal than the grammar: a bare `#`, as feature codes have it.
fn parse_user_info(text: &str) -> Result<Auth, Bad> {
    let (user, password) = match text.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (text, None),
    };
    let user_fits = !user.is_empty() && is_escaped_text(user, |b| b"&=+$,;?/#".contains(&b));
    let password_fits = password.is_none_or(|p| is_escaped_text(p, |b| b"&=+$,".contains(&b)));
    if !user_fits || !password_fits {
        return Err(Bad::syntax("URI with a bad user part"));
    }
    Ok(Auth { user: user.to_owned(), password: password.map(str::to_owned) })
}

/// `host[:port]`. An IPv6 host is kept as a domain with its brackets.
pub(super) fn parse_host_port(text: &str) -> Result<HostWithPort, Bad> {
    let bad = Bad::syntax("bad host or port");
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or(bad)?;
            let address = ipv6_text(address).ok_or(bad)?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or(bad)?) };
            (Host::Domain(format!("[{address}]").into()), port)
        }
        None => {
            let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
            if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
                return Err(bad);
            }
            let host = match host.parse::<Ipv4Addr>() {
                Ok(address) => Host::IpAddr(IpAddr::V4(address)),
                Err(_) => Host::Domain(host.into()),
            };
            (host, port)
        }
    };
    let port = match port {
        Some(digits) if !digits.bytes().all(|b| b.is_ascii_digit()) => return Err(bad),
        Some(digits) => Some(Port::new(digits.parse::<u16>().map_err(|_| bad)?)),
        None => None,
    };
    Ok(HostWithPort { host, port })
}

/// The text of an IPv6 address. RFC 3261's grammar wants one colon too many before an IPv4 address at its end, which is
/// forgiven and taken out (RFC 5118 section 4.10).
fn ipv6_text(text: &str) -> Option<Cow<'_, str>> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Some(Cow::Borrowed(text));
    }
    let (begin, end) = text.split_once(":::")?;
    end.parse::<Ipv4Addr>().ok()?;
    let mended = format!("{begin}::{end}");
    mended.parse::<Ipv6Addr>().is_ok().then_some(Cow::Owned(mended))
}

fn parse_uri_param(text: &str) -> Result<Param, Bad> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let fits = |text: &str| !text.is_empty() && is_escaped_text(text, |b| b"[]/:&+$".contains(&b));
    if !fits(name) || value.is_some_and(|value| !fits(value)) {
        return Err(Bad::syntax("bad URI parameter"));
    }
    Ok(param(name, value))
}

/// The address that a host names literally; `None` for a name.
pub fn host_ip(host: &Host) -> Option<IpAddr> {
    match host {
        Host::IpAddr(address) => Some(*address),
        Host::Domain(name) => {
            let inner = name.value().strip_prefix('[')?.strip_suffix(']')?;
            inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
    }
}

/// Whether the URI has the `lr` parameter, with or without a value (RFC 3261 section 19.1.1).
pub fn is_loose_router(uri: &Uri) -> bool {
    uri.params.iter().any(|param| match param {
        Param::Lr => true,
        Param::Other(name, _) => name.value().eq_ignore_ascii_case("lr"),
        _ => false,
    })
}

/// The user part of a `sip:` or `sips:` URI or the number of a `tel:` one, unescaped once; `None` where there is none.
pub fn sip_user(uri: &Uri) -> Option<String> {
    match &uri.scheme {
        Some(Scheme::Sip | Scheme::Sips) => uri.auth.as_ref().map(|auth| unescape(&auth.user).into_owned()),
        Some(Scheme::Other(scheme)) if scheme.eq_ignore_ascii_case("tel") => match &uri.host_with_port.host {
            Host::Domain(number) => number.value().split(';').next().map(str::to_owned),
            Host::IpAddr(_) => None,
        },
        Some(Scheme::Other(_)) | None => None,
    }
}

/// Takes the escapes out, once; what does not give UTF-8 is left as it is (RFC 3261 section 19.1.2).
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&b, after)) = rest.split_first() {
        let escape = (b == b'%').then(|| after.split_at_checked(2)).flatten();
        let byte =
            escape.and_then(|(hex, after)| Some((u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()?, after)));
        let (byte, after) = byte.unwrap_or((b, after));
        plain.push(byte);
        rest = after;
    }
    String::from_utf8(plain).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Writes a URI as it is sent.
pub fn encode_uri(uri: &Uri) -> String {
    let mut text = match &uri.scheme {
        Some(Scheme::Other(scheme)) => format!("{scheme}:"),
        Some(Scheme::Sips) => "sips:".to_owned(),
        Some(Scheme::Sip) | None => "sip:".to_owned(),
    };
    if let Some(auth) = &uri.auth {
        text.push_str(&auth.user);
        if let Some(password) = &auth.password {
            text.push(':');
            text.push_str(password);
        }
        text.push('@');
    }
    encode_host_port(&uri.host_with_port, &mut text);
    for param in &uri.params {
        encode_param(param, &mut text);
    }
    text
}

/// Appends `host[:port]`.
pub(super) fn encode_host_port(host_port: &HostWithPort, text: &mut String) {
    match &host_port.host {
        Host::Domain(name) => text.push_str(name.value()),
        Host::IpAddr(IpAddr::V4(address)) => text.push_str(&address.to_string()),
        Host::IpAddr(IpAddr::V6(address)) => text.push_str(&format!("[{address}]")),
    }
    if let Some(port) = host_port.port {
        text.push_str(&format!(":{}", port.value()));
    }
}

/// Appends `;name[=value]`.
pub(super) fn encode_param(param: &Param, text: &mut String) {
    let (name, value): (&str, Option<&str>) = match param {
        Param::Lr => ("lr", None),
        Param::Transport(transport) => ("transport", Some(transport_name(*transport))),
        Param::User(user) => ("user", Some(user.value())),
        Param::Method(method) => return text.push_str(&format!(";method={method}")),
        Param::Ttl(ttl) => ("ttl", Some(ttl.value())),
        Param::Maddr(maddr) => ("maddr", Some(maddr.value())),
        Param::Branch(branch) => ("branch", Some(branch.value())),
        Param::Received(received) => ("received", Some(received.value())),
        Param::Tag(tag) => ("tag", Some(tag.value())),
        Param::Expires(expires) => ("expires", Some(expires.value())),
        Param::Q(q) => ("q", Some(q.value())),
        Param::Other(name, value) => (name.value(), value.as_ref().map(|value| value.value())),
    };
    text.push(';');
    text.push_str(name);
    if let Some(value) = value {
        text.push('=');
        text.push_str(value);
    }
}
