//! The Authorization header field.

use switchhook::wire::sip::Authorization;

/// The input is the field's value.
pub fn run(data: &[u8]) {
    let value = String::from_utf8_lossy(data);
    let Some(read) = Authorization::parse(&value) else { return };
    assert_eq!(format!("{read:?}"), "Authorization");
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let counted = read.counted.as_ref().map(|(count, cnonce)| {
        assert!(count.len() == 8 && count.bytes().all(|b| b.is_ascii_hexdigit()), "{count}");
        format!(", qop=auth, nc={count}, cnonce=\"{}\"", quoted(cnonce))
    });
    let again = format!(
        "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{}\", algorithm={}{}",
        quoted(&read.username),
        quoted(&read.realm),
        quoted(&read.nonce),
        quoted(&read.uri),
        quoted(&read.response),
        read.algorithm.name(),
        counted.unwrap_or_default()
    );
    assert!(Authorization::parse(&again) == Some(read), "{again}");
}
