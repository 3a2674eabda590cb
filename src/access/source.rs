//! The name by which one who asks is told from others.

use std::fmt::Display;

/// Longest name in a source, in characters; what is beyond is cut off.
pub const SOURCE_NAME_CHARS_MAX: usize = 32;

/// A source: the place, and within it who says to be calling, as `10.0.0.5 (1002)`.
///
/// A PBX is one place for everybody who calls through it, so the name tells them apart. It may be anything that somebody
/// put into a header: letters, digits and `+-_.*#@` are kept, everything else becomes `?`.
pub fn source(place: impl Display, name: Option<&str>) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{place} ({})", name.chars().take(SOURCE_NAME_CHARS_MAX).map(clean).collect::<String>()),
        None => place.to_string(),
    }
}

/// The place in a source.
pub fn place_of(source: &str) -> &str {
    // What a caller calls itself has no space in it.
    source.split_once(" (").map_or(source, |(place, _)| place)
}

fn clean(c: char) -> char {
    if c.is_ascii_alphanumeric() || "+-_.*#@".contains(c) { c } else { '?' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_short_line_whatever_a_caller_calls_itself() {
        assert_eq!(source("10.0.0.5", Some("1002")), "10.0.0.5 (1002)");
        assert_eq!(source("10.0.0.5", Some("+15551234567")), "10.0.0.5 (+15551234567)");
        assert_eq!(source("2001:db8::/64", Some("road.warrior@example")), "2001:db8::/64 (road.warrior@example)");
        assert_eq!(source("10.0.0.5", None), "10.0.0.5");
        assert_eq!(source("10.0.0.5", Some("")), "10.0.0.5");
        assert_eq!(source("10.0.0.5", Some("a\r\nb\u{1b}[2J (1003)")), "10.0.0.5 (a??b??2J??1003?)");
        for name in [None, Some("1002"), Some("a (1003)")] {
            assert_eq!(place_of(&source("2001:db8::/64", name)), "2001:db8::/64");
        }
        let long = source("10.0.0.5", Some(&"ü1".repeat(500)));
        assert_eq!(long, format!("10.0.0.5 ({})", "?1".repeat(16)));
    }
}
