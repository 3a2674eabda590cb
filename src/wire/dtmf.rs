//! Key events on the wire: RFC 4733 payloads and the bodies of SIP INFO.

/// Events in one payload that are looked at (a packet may carry several, RFC 4733 section 2.5.1.5).
pub const EVENTS_MAX: usize = 8;
/// Longest INFO body that is looked at, in bytes; a longer one tells no key.
pub const INFO_BYTES_MAX: usize = 256;

/// One event block of a telephone-event payload (RFC 4733 section 2.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// 0 to 9, 10 `*`, 11 `#`, 12 to 15 A to D; above: no keys.
    pub code: u8,
    /// The E bit: the key is up.
    pub end: bool,
    /// Since the event's timestamp, in units of 1/8000 s.
    pub duration: u16,
}

/// Reads the whole four-byte blocks of a payload, [`EVENTS_MAX`] at most; a short rest is left out, the reserved bit and the volume are not looked at.
pub fn events(payload: &[u8]) -> impl Iterator<Item = Event> + '_ {
    payload.chunks_exact(4).take(EVENTS_MAX).map(|block| Event {
        code: block[0],
        end: block[1] & 0x80 != 0,
        duration: u16::from_be_bytes([block[2], block[3]]),
    })
}

/// The key that an INFO body tells, as a character (`0`–`9`, `*`, `#`, `A`–`D`).
///
/// `application/dtmf-relay` has a line `Signal=5` (10 and 11 stand for `*` and `#`); `application/dtmf` is the key alone.
pub fn info_key(content_type: &str, body: &[u8]) -> Option<char> {
    if body.len() > INFO_BYTES_MAX {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    let kind = content_type.split(';').next().unwrap_or("").trim();
    if kind.eq_ignore_ascii_case("application/dtmf-relay") {
        let signal = text.lines().find_map(|line| {
            let (name, value) = line.split_once(['=', ':'])?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
        });
        signal.and_then(key)
    } else if kind.eq_ignore_ascii_case("application/dtmf") {
        key(text.trim())
    } else {
        None
    }
}

fn key(text: &str) -> Option<char> {
    match text {
        "10" => return Some('*'),
        "11" => return Some('#'),
        _ => {}
    }
    let mut characters = text.chars();
    let key = characters.next()?.to_ascii_uppercase();
    (characters.next().is_none() && matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_payloads_have_no_events() {
        for length in 0..4 {
            assert_eq!(events(&[5, 0x8A, 3][..length.min(3)]).count(), 0);
        }
        assert_eq!(events(&[5; 7]).count(), 1);
    }

    #[test]
    fn so_many_events_of_a_packet_are_looked_at_and_no_more() {
        for (blocks, seen) in [(EVENTS_MAX, EVENTS_MAX), (EVENTS_MAX + 1, EVENTS_MAX), (100, EVENTS_MAX)] {
            let payload: Vec<u8> = (0..blocks).flat_map(|n| [n as u8, 0x8A, 0, 80]).collect();
            let codes: Vec<u8> = events(&payload).map(|event| event.code).collect();
            assert_eq!(codes, (0..seen as u8).collect::<Vec<_>>(), "{blocks}: the first ones");
        }
    }

    #[test]
    fn the_bodies_of_info() {
        let relay = |body: &str| info_key("application/dtmf-relay", body.as_bytes());
        assert_eq!(relay("Signal=5\r\nDuration=160\r\n"), Some('5'));
        assert_eq!(relay("signal = #\n"), Some('#'));
        assert_eq!(relay("Duration=100\r\nSignal= 11\r\n"), Some('#'));
        assert_eq!(relay("Signal=\r\n"), None);
        assert_eq!(relay("Signal=55\r\n"), None);
        assert_eq!(info_key("application/DTMF; x=y", b" 7\r\n"), Some('7'));
        assert_eq!(info_key("text/plain", b"7"), None);
        assert_eq!(info_key("application/dtmf", &[0xFF, 0xFE]), None);
    }

    #[test]
    fn a_longer_body_of_info_tells_no_key() {
        let of = |bytes: usize| format!("Signal=5\r\nX={}", "x".repeat(bytes - 12));
        assert_eq!(info_key("application/dtmf-relay", of(INFO_BYTES_MAX).as_bytes()), Some('5'));
        assert_eq!(info_key("application/dtmf-relay", of(INFO_BYTES_MAX + 1).as_bytes()), None);
        // One that was cut off in the middle of the key would tell another.
        let late = format!("{}Signal=10", "\n".repeat(INFO_BYTES_MAX - 8));
        assert_eq!(info_key("application/dtmf-relay", late.as_bytes()), None);
    }
}
