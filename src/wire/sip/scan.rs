//! The lexical pieces of a header value: tokens, quoted strings, parameters, lists (RFC 3261 section 25.1).
//!
//! Values come in unfolded: no CR or LF is left in them.

use rsip::common::uri::param;
use rsip::{Param, Transport};

use super::Bad;

/// Whether a byte may be in a `token`.
pub(super) fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b)
}

/// Whether the text is a `token`.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether a byte is a space or a tab.
pub(super) fn is_blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

/// The text without blanks at its beginning.
pub(super) fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// The text without blanks at both ends.
pub(super) fn trim_blanks(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The longest run of bytes that fit, and what follows it.
pub(super) fn run(text: &str, fits: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|b| !fits(b)).unwrap_or(text.len());
    // A multi-byte character is taken whole or not at all by every `fits` here.
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// A quoted string, quotes included, and what follows it; `None` where there is none or it never ends.
pub(super) fn quoted(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, b) in text.bytes().enumerate().skip(1) {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return text.split_at_checked(at + 1),
            _ => {}
        }
    }
    None
}

/// The parameters of a header value, `*(;name[=value])`, to the end of the text.
pub(super) fn params(mut text: &str) -> Result<Vec<Param>, Bad> {
    let mut params = Vec::new();
    loop {
        text = skip_blanks(text);
        if text.is_empty() {
            return Ok(params);
        }
        let rest = text.strip_prefix(';').ok_or(Bad::syntax("text after a header value"))?;
        let (name, rest) = run(skip_blanks(rest), is_token_byte);
        if name.is_empty() {
            return Err(Bad::syntax("header parameter without a name"));
        }
        let after = skip_blanks(rest);
        let Some(value) = after.strip_prefix('=') else {
            params.push(param(name, None));
            text = after;
            continue;
        };
        let (value, rest) = param_value(skip_blanks(value))?;
        params.push(param(name, Some(value)));
        text = rest;
    }
}

/// `gen-value`: a token, a host (IPv6 with or without brackets) or a quoted string, kept with its quotes.
fn param_value(text: &str) -> Result<(&str, &str), Bad> {
    if text.starts_with('"') {
        return quoted(text).ok_or(Bad::syntax("quoted string without an end"));
    }
    let (value, rest) = run(text, |b| is_token_byte(b) || b"[]:".contains(&b));
    if value.is_empty() {
        return Err(Bad::syntax("header parameter without its value"));
    }
    Ok((value, rest))
}

/// The rsip parameter of that name and value.
pub(super) fn param(name: &str, value: Option<&str>) -> Param {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    match value {
        None if is("lr") => Param::Lr,
        Some(v) if is("transport") => match transport(v) {
            Some(known) => Param::Transport(known),
            None => Param::Other("transport".into(), Some(v.into())),
        },
        Some(v) if is("branch") => Param::Branch(param::Branch::new(v)),
        Some(v) if is("received") => Param::Received(param::Received::new(v)),
        Some(v) if is("tag") => Param::Tag(param::Tag::new(v)),
        Some(v) if is("maddr") => Param::Maddr(param::Maddr::new(v)),
        Some(v) if is("user") => Param::User(param::User::new(v)),
        other => Param::Other(name.into(), other.map(Into::into)),
    }
}

fn transport(name: &str) -> Option<Transport> {
    Transport::all().into_iter().find(|known| transport_name(*known).eq_ignore_ascii_case(name))
}

/// The transport's name as a URI parameter.
pub(super) fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
        Transport::Sctp => "sctp",
        Transport::TlsSctp => "tls-sctp",
        Transport::Ws => "ws",
        Transport::Wss => "wss",
    }
}

/// The elements of a list, at the commas outside quotes and angle brackets, without the blanks around them.
pub(super) fn split_list(text: &str) -> Result<Vec<&str>, Bad> {
    let mut parts = Vec::new();
    let (mut start, mut escaped, mut in_quotes, mut in_brackets) = (0, false, false, false);
    for (at, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' if !in_brackets => in_quotes = !in_quotes,
            b'<' if !in_quotes => in_brackets = true,
            b'>' if !in_quotes => in_brackets = false,
            b',' if !in_quotes && !in_brackets => {
                parts.push(trim_blanks(text.get(start..at).unwrap_or_default()));
                start = at + 1;
            }
            _ => {}
        }
    }
    if in_quotes {
        return Err(Bad::syntax("quoted string without an end"));
    }
    parts.push(trim_blanks(text.get(start..).unwrap_or_default()));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_outside_quotes_and_brackets_only() {
        let list = split_list(r#" "a, \"b" <sip:c,d@e>;x=1 , <sip:f> "#).expect("a list");
        assert_eq!(list, [r#""a, \"b" <sip:c,d@e>;x=1"#, "<sip:f>"]);
        assert!(split_list(r#"a, "b"#).is_err());
    }

    #[test]
    fn parameters_keep_quotes_and_forgive_blanks() {
        let params = params(r#" ; tag = 98 ;x="a;b" ; lr"#).expect("parameters");
        assert_eq!(params.len(), 3);
        assert_eq!(params[1], Param::Other("x".into(), Some(r#""a;b""#.into())));
        assert_eq!(params[2], Param::Lr);
        for wrong in [";", ";;a", ";a=", "a", ";a=\"b"] {
            assert!(super::params(wrong).is_err(), "{wrong}");
        }
    }
}
