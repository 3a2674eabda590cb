//! The body of a SIP INFO.

use switchhook::wire::dtmf::info_key;

/// A line with the media type, and the body.
pub fn run(data: &[u8]) {
    let at = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let (kind, body) = data.split_at(at);
    let body = body.get(1..).unwrap_or_default();
    let kind = String::from_utf8_lossy(kind);
    if let Some(key) = info_key(&kind, body) {
        assert!("0123456789*#ABCD".contains(key), "{key:?}");
        assert!(kind.to_ascii_lowercase().contains("application/dtmf"), "{kind}");
        assert!(!body.is_empty());
    }
}
