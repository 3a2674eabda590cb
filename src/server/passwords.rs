//! Passwords of `[[sip.accounts]]`, each in the first line of a file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use zeroize::Zeroizing;

/// Longest password, in bytes.
const PASSWORD_BYTES_MAX: usize = 4096;
/// `\r\n`.
const LINE_END_BYTES: usize = 2;
const ADVICE: &str = "write the password in its first line, and give this user the right to read it";

/// The first line of a password file; what follows it may be anything.
pub(super) fn password_of(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let name = path.display();
    let room = PASSWORD_BYTES_MAX + LINE_END_BYTES;
    // Room for all at once: what a buffer outgrows is not wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * room));
    let read = File::open(path).and_then(|file| file.take(room as u64).read_to_end(&mut bytes));
    read.with_context(|| format!("password_file {name}: {ADVICE}"))?;
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        bail!("password_file {name} is empty: {ADVICE}");
    }
    // A password that was cut off would be another one.
    if line.len() > PASSWORD_BYTES_MAX {
        bail!("password_file {name}: its first line has more than {PASSWORD_BYTES_MAX} bytes: {ADVICE}");
    }
    match std::str::from_utf8(line) {
        Ok(line) => Ok(Zeroizing::new(line.to_owned())),
        Err(_) => bail!("password_file {name}: its first line is not UTF-8: {ADVICE}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The password in a file with these bytes, or why there is none.
    fn read(bytes: &[u8]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("written");
        password_of(file.path()).map(|line| line.to_string()).map_err(|why| format!("{why:#}"))
    }

    #[test]
    fn a_password_is_a_whole_first_line_or_refused() {
        let longest = "ö".repeat(2048);
        for end in ["", "\n", "\r\n", "\nmore\n"] {
            assert_eq!(read(format!("{longest}{end}").as_bytes()), Ok(longest.clone()), "{end:?}");
        }
        let why = read(format!("{longest}x\n").as_bytes()).expect_err("too long");
        assert!(why.contains("its first line has more than 4096 bytes: write the password"), "{why}");
        assert_eq!(read(b"secret\n\xff\xff"), Ok("secret".to_owned()), "what follows may be anything");
        let far = [b"secret\n".as_slice(), "ö".repeat(4096).as_bytes()].concat();
        assert_eq!(read(&far), Ok("secret".to_owned()), "also what is cut off in the middle of a character");
    }

    #[test]
    fn what_is_no_password_is_told_with_its_file() {
        for (bytes, told) in [(b"".as_slice(), "is empty"), (b"\nsecret\n", "is empty"), (b"\xff\n", "is not UTF-8")] {
            let why = read(bytes).expect_err(told);
            assert!(why.starts_with("password_file /") && why.contains(told) && !why.contains("secret"), "{why}");
        }
        let why = format!("{:#}", password_of(Path::new("/nonexistent/password")).expect_err("it is missing"));
        assert!(why.starts_with("password_file /nonexistent/password: write the password"), "{why}");
    }
}
