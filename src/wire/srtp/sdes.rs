//! The attribute `a=crypto` of SDP (RFC 4568): a suite and its master key.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::{KEY_BYTES_MAX, Key, Suite};

/// Longest attribute that is looked at, in bytes.
const BYTES_MAX: usize = 512;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// One `a=crypto`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// By which an answer names the one of the offer's that it takes.
    pub tag: u32,
    /// The master key of whoever wrote it.
    pub key: Key,
}

impl Crypto {
    /// Reads the value of the attribute; `None` where it is malformed, or asks for what we have not: another suite, a key
    /// with an identifier in each packet (MKI), or a session parameter that may not be left aside.
    pub fn parse(value: &str) -> Option<Self> {
        if value.len() > BYTES_MAX {
            return None;
        }
        let mut words = value.split_ascii_whitespace();
        let (tag, suite, keys) = (words.next()?, words.next()?, words.next()?);
        let is_number = !tag.is_empty() && tag.len() <= 9 && tag.bytes().all(|b| b.is_ascii_digit());
        let tag = if is_number { tag.parse().ok()? } else { return None };
        let suite = Suite::parse(suite)?;
        // Section 6.3: those with a minus may be unknown, and the window size hint is no more than a hint.
        if !words.all(|parameter| parameter.starts_with('-') || parameter.starts_with("WSH=")) {
            return None;
        }
        let (method, info) = keys.split_once(':')?;
        // Several keys are told apart by MKI.
        if !method.eq_ignore_ascii_case("inline") || info.contains(';') {
            return None;
        }
        let mut info = info.split('|');
        let key = decode(info.next()?, suite)?;
        // The lifetime, which no call outlasts; an MKI has a colon.
        let is_lifetime = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'^');
        (info.next().is_none_or(is_lifetime) && info.next().is_none()).then_some(Self { tag, key })
    }

    /// Writes the attribute with its line end.
    pub fn line(&self) -> Zeroizing<String> {
        // With room for all of it: a text that grows leaves copies behind that nobody wipes.
        let mut line = Zeroizing::new(String::with_capacity(128));
        let _ = write!(line, "a=crypto:{} {} inline:", self.tag, self.key.suite.name());
        encode(&mut line, self.key.bytes.get(..self.key.suite.key_bytes()).unwrap_or_default());
        line.push_str("\r\n");
        line
    }
}

/// Base64 (RFC 4648 section 4), with its padding.
fn encode(text: &mut String, bytes: &[u8]) {
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, n| bits << 8 | u32::from(group.get(n).copied().unwrap_or(0)));
        for n in 0..4 {
            let letter = ALPHABET.get((bits >> (18 - 6 * n) & 0x3F) as usize).copied().unwrap_or(b'=');
            text.push(if n <= group.len() { char::from(letter) } else { '=' });
        }
    }
}

/// A key of just the suite's length; the padding may be missing.
fn decode(text: &str, suite: Suite) -> Option<Key> {
    let letters = text.trim_end_matches('=').as_bytes();
    let length = suite.key_bytes();
    if letters.len() != (length * 8).div_ceil(6) || text.len() > length.div_ceil(3) * 4 {
        return None;
    }
    let mut bytes = Zeroizing::new([0; KEY_BYTES_MAX]);
    let (mut bits, mut count, mut at) = (0_u32, 0, 0);
    for letter in letters {
        let value = ALPHABET.iter().position(|known| known == letter)?;
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            *bytes.get_mut(at)? = (bits >> count) as u8;
            at += 1;
        }
    }
    Some(Key::new(suite, &bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INLINE: &str = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    fn parse(value: &str) -> Option<Crypto> {
        Crypto::parse(value)
    }

    #[test]
    fn what_telephones_offer_is_read() {
        for rest in ["", "|2^20", "|2^48", "|1048576"] {
            let crypto = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 {INLINE}{rest}")).expect(rest);
            assert_eq!((crypto.tag, crypto.key.suite()), (1, Suite::AesCm128HmacSha1_80));
            // RFC 4568 section 6.1's key, as text.
            assert_eq!(&crypto.key.bytes[..], b"YS___semctl () {\t220;}\n}\nunles");
        }
        let gcm =
            parse("2 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0OD1F1aWQgcHJvIHF1bw== WSH=64 -OLD=1").expect("GCM");
        assert_eq!(gcm.key.bytes[12..28], *b"\x0c\x0d\x0e\x0fQuid pro quo");
        assert!(parse("2 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0OD1F1aWQgcHJvIHF1bw").is_some(), "without padding");
    }

    #[test]
    fn what_we_have_not_is_passed_over() {
        let good = format!("1 AES_CM_128_HMAC_SHA1_80 {INLINE}");
        assert!(parse(&good).is_some());
        for bad in [
            good.replace("SHA1_80", "SHA1_32"),
            format!("{good}|2^20|1:4"),
            format!("{good}|1:4"),
            format!("{good};{INLINE}"),
            format!("{good} UNENCRYPTED_SRTP"),
            format!("{good} KDR=1"),
            good.replace("inline", "uri"),
            good.replace("WVNf", "WVN"),
            good.replace("WVNf", "WVNfX"),
            good.replace("WVNf", "WV*f"),
            good.replacen('1', "-1", 1),
            good.replacen('1', "1234567890", 1),
            "1 AES_CM_128_HMAC_SHA1_80".to_owned(),
            String::new(),
            format!("{good}|{}", "1".repeat(600)),
        ] {
            assert_eq!(parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn an_attribute_may_be_so_long_and_no_longer() {
        let good = format!("1 AES_CM_128_HMAC_SHA1_80 {INLINE}|");
        let of = |bytes: usize| format!("{good}{}", "1".repeat(bytes - good.len()));
        assert!(parse(&of(BYTES_MAX)).is_some());
        assert_eq!(parse(&of(BYTES_MAX + 1)), None);
    }

    #[test]
    fn a_key_is_never_printed() {
        let crypto = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 {INLINE}")).expect("read");
        assert_eq!(format!("{crypto:?}"), "Crypto { tag: 1, key: Key(AES_CM_128_HMAC_SHA1_80) }");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: [u8; KEY_BYTES_MAX], tag in 0_u32..1_000_000_000, gcm: bool) {
            let suite = if gcm { Suite::AeadAes128Gcm } else { Suite::AesCm128HmacSha1_80 };
            let crypto = Crypto { tag, key: Key::new(suite, &bytes) };
            let line = crypto.line();
            let value = line.strip_prefix("a=crypto:").and_then(|rest| rest.strip_suffix("\r\n")).expect("a line");
            prop_assert_eq!(parse(value), Some(crypto));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[ -~]{0,100}") {
            let _ = parse(&text);
            let _ = parse(&format!("1 AEAD_AES_128_GCM inline:{text}"));
        }
    }
}
