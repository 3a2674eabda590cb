//! The Authorization header field of a request, and the challenge that asks for it (RFC 3261 section 22, RFC 7616,
//! RFC 8760).

use super::scan::{is_token, quoted, run, skip_blanks, split_list, trim_blanks};

/// Most parameters of one field.
const PARAMS_MAX: usize = 20;

/// How the response is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `SHA-256`.
    Sha256,
    /// `MD5`, also where none is named.
    Md5,
}

impl Algorithm {
    /// Those that are offered, best first (RFC 8760 section 2.3).
    pub const ALL: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Md5];

    /// The name in the header fields.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Md5 => "MD5",
        }
    }
}

/// What one Authorization field says, unquoted; all of it is the sender's word.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The account.
    pub username: String,
    /// For whom it is.
    pub realm: String,
    /// Of the challenge.
    pub nonce: String,
    /// The URI that the response was made for.
    pub uri: String,
    /// Hexadecimal digits, in lower case.
    pub response: String,
    /// How it was made.
    pub algorithm: Algorithm,
    /// `nc` and `cnonce`, where `qop=auth` was used: the count as it was written, eight hexadecimal digits.
    pub counted: Option<(String, String)>,
}

/// Prints nothing of it: it is as good as a password for as long as its nonce is.
impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorization")
    }
}

impl Authorization {
    /// Reads a field's value; `None` where it is of another scheme, malformed, or asks for what was never offered
    /// (another algorithm, `auth-int`).
    pub fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = run(trim_blanks(value), |b| b != b' ' && b != b'\t');
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let parts = split_list(rest).ok()?;
        let params: Vec<(&str, String)> =
            parts.into_iter().filter(|part| !part.is_empty()).map(param).collect::<Option<_>>()?;
        if params.len() > PARAMS_MAX {
            return None;
        }
        let get = |name: &str| {
            let mut found = params.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
            let first = found.next().map(|(_, value)| value.clone());
            // Twice is once too often: which one counts?
            first.filter(|_| found.next().is_none())
        };
        let algorithm = match get("algorithm") {
            None => Algorithm::Md5,
            Some(name) => Algorithm::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(&name))?,
        };
        let counted = match get("qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {
                let count = get("nc").filter(|nc| nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit()))?;
                Some((count, get("cnonce")?))
            }
            Some(_) => return None,
        };
        Some(Self {
            username: get("username")?,
            realm: get("realm")?,
            nonce: get("nonce")?,
            uri: get("uri")?,
            response: get("response")?.to_ascii_lowercase(),
            algorithm,
            counted,
        })
    }
}

/// `name=token` or `name="quoted"`.
fn param(text: &str) -> Option<(&str, String)> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (trim_blanks(name), skip_blanks(value));
    if !is_token(name) {
        return None;
    }
    if !value.starts_with('"') {
        return is_token(value).then(|| (name, value.to_owned()));
    }
    let (whole, rest) = quoted(value)?;
    let inner = whole.strip_prefix('"')?.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next()? } else { c });
    }
    trim_blanks(rest).is_empty().then_some((name, plain))
}

/// The value of a WWW-Authenticate field; realm and nonce are ours and need no escapes.
pub fn challenge(realm: &str, nonce: &str, algorithm: Algorithm, stale: bool) -> String {
    let stale = if stale { ", stale=true" } else { "" };
    format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={}, qop=\"auth\"{stale}", algorithm.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "Digest username=\"Mu\\\"fasa\", realm=\"switchhook\", nonce=\"abc\", uri=\"sip:7000@h\", \
                         response=\"6629FAE49393A05397450978507C4EF1\", algorithm=MD5, qop=auth, nc=0000002a, cnonce=\"0a4f\"";

    #[test]
    fn a_field_is_read() {
        let read = Authorization::parse(VALUE).expect("a field");
        assert_eq!((read.username.as_str(), read.algorithm), ("Mu\"fasa", Algorithm::Md5));
        assert_eq!(read.counted, Some(("0000002a".to_owned(), "0a4f".to_owned())));
        assert_eq!(read.response, "6629fae49393a05397450978507c4ef1");
        assert_eq!(format!("{read:?}"), "Authorization");
        let old = VALUE.replace(", algorithm=MD5, qop=auth, nc=0000002a, cnonce=\"0a4f\"", "");
        assert_eq!(Authorization::parse(&old).expect("a field of RFC 2069").counted, None);
    }

    #[test]
    fn what_is_malformed_or_was_not_offered_is_none() {
        for (from, to) in [
            ("Digest", "Basic"),
            ("algorithm=MD5", "algorithm=SHA-512"),
            ("algorithm=MD5", "algorithm=MD5-sess"),
            ("qop=auth", "qop=auth-int"),
            ("nc=0000002a", "nc=2a"),
            ("nc=0000002a", "nc=0000002g"),
            (", nc=0000002a", ""),
            ("nonce=\"abc\"", "nonce=\"abc"),
            ("nonce=\"abc\"", "nonce=\"abc\"x"),
            ("nonce=\"abc\", ", ""),
            ("nonce=\"abc\"", "nonce=\"abc\", nonce=\"abd\""),
            ("realm", "re alm"),
        ] {
            assert_eq!(Authorization::parse(&VALUE.replace(from, to)), None, "{from} → {to}");
        }
        let many = format!("{VALUE}{}", ", x=1".repeat(PARAMS_MAX));
        assert_eq!(Authorization::parse(&many), None);
    }
}
