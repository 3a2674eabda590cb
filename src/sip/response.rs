//! Responses, as each is built from its request (RFC 3261 section 8.2.6).

use crate::wire::sip::{Echo, Encoder};

/// Why a request is not done, as its sender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A code that says all.
    pub(super) fn plain(code: u16) -> Self {
        Self { code, headers: vec![] }
    }

    /// A code that needs a header field.
    pub(super) fn with(code: u16, name: &'static str, value: impl Into<String>) -> Self {
        Self { code, headers: vec![(name, value.into())] }
    }
}

/// Begins a response with what it repeats of its request; `tag` is added to a To that has none.
pub(super) fn begin(code: u16, echo: &Echo, tag: Option<&str>, server_name: &str) -> Encoder {
    let mut response = Encoder::response(code);
    for via in &echo.vias {
        response.header("Via", via);
    }
    let to_parts = [echo.to.as_str(), if tag.is_some() { ";tag=" } else { "" }, tag.unwrap_or_default()];
    // Only the answer to a malformed request can miss one of these.
    for (name, parts) in [
        ("From", &[echo.from.as_str()][..]),
        ("To", if echo.to.is_empty() { &[][..] } else { &to_parts[..] }),
        ("Call-ID", &[echo.call_id.as_str()][..]),
        ("CSeq", &[echo.cseq.as_str()][..]),
    ] {
        if parts.iter().any(|part| !part.is_empty()) {
            response.header_parts(name, parts);
        }
    }
    response.header("Server", server_name);
    response
}

/// A whole response without a body.
pub(super) fn refusal(refusal: &Refusal, echo: &Echo, tag: Option<&str>, server_name: &str) -> Vec<u8> {
    let mut response = begin(refusal.code, echo, tag, server_name);
    for (name, value) in &refusal.headers {
        response.header(name, value);
    }
    response.finish()
}
