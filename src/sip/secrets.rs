//! Texts that are secret or made of secrets, in one piece: what a string outgrows goes back to the memory unwiped.

use std::fmt::Write as _;

use zeroize::Zeroizing;

/// The parts with `:` between them.
pub(super) fn joined(parts: &[&str]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len() + 1).sum()));
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            text.push(':');
        }
        text.push_str(part);
    }
    text
}

/// The bytes in small hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that had grown would have room for a power of two.
    #[test]
    fn secrets_are_written_in_one_piece() {
        for length in [16, 20, 32, 33] {
            let text = hex(&vec![0xA5; length]);
            assert_eq!((text.len(), text.capacity()), (2 * length, 2 * length), "{text}");
            assert!(text.starts_with("a5a5"));
        }
        let parts = ["bob", "switchhook", "", "zanzibar"];
        let text = joined(&parts);
        assert_eq!((text.as_str(), text.capacity()), ("bob:switchhook::zanzibar", 25));
    }
}
