//! Looks for what must not be written anywhere, nor kept: in files, in the store, and in a process's memory.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::setup::Setup;

/// What comes before the key that a line tells.
const KEY_WORDS: [&str; 8] = ["key", "digit", "dtmf", "signal", "tone", "press", "char", "event"];
/// Between such a word and the key, at most: `digit: Some('6')`.
const BETWEEN_MAX: usize = 8;
/// How far apart the digits of a PIN may lie in memory, where they are digits and where they are numbers: text and UTF-32;
/// bytes, keys, and queues of what a key is part of.
const DIGITS_APART: [usize; 2] = [1, 4];
const NUMBERS_APART: [usize; 11] = [1, 2, 4, 8, 16, 24, 32, 40, 48, 56, 64];
/// Longer mappings are no heap and no stack of ours.
const MAPPING_BYTES_MAX: u64 = 1 << 30;

impl Setup {
    /// Fails where one of these is in a file of the test's folder (the clients' own apart), by which name ever: logs, what
    /// hooks were told, exports, the store's bytes with those that it has freed.
    pub fn holds_none_of(&self, secrets: &[&str]) {
        for (path, bytes) in self.files() {
            let is_store = path.to_string_lossy().contains(".db");
            let text = String::from_utf8_lossy(&bytes);
            for secret in secrets {
                let found = if is_store { text.contains(secret) } else { tells(&text, secret) };
                assert!(!found, "{secret} is in {}", path.display());
            }
        }
    }

    /// Fails where a line of a log tells a key.
    pub fn logs_no_key(&self) {
        let text = self.logs();
        if let Some(line) = text.lines().find(|line| tells_a_key(line)) {
            panic!("a line of the log tells a key: {line}");
        }
    }

    /// Fails where a PIN's hash is anywhere but in the two tables that are for it and the backups of the store.
    pub fn keeps_hashes_to_itself(&self) {
        for (path, bytes) in self.files() {
            if !path.to_string_lossy().contains(".db") {
                assert!(!String::from_utf8_lossy(&bytes).contains("$argon2"), "a hash is in {}", path.display());
            }
        }
        let columns = self.rows(
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type IN ('table', 'view') AND m.name NOT IN ('pins', 'pin_history')",
        );
        assert!(columns.len() > 50, "{columns:?}");
        let held: Vec<String> = columns
            .iter()
            .filter_map(|column| column.split_once('|'))
            .map(|(table, column)| {
                format!("SELECT '{table}.{column}' FROM \"{table}\" WHERE instr(\"{column}\", '$argon2') > 0")
            })
            .collect();
        // A view more than SQLite joins at a time.
        for some in held.chunks(100) {
            assert_eq!(self.value(&some.join(" UNION ALL ")), "", "hashes are kept there");
        }
    }

    /// Everything that was logged.
    pub fn logs(&self) -> String {
        let files = self
            .files()
            .into_iter()
            .filter(|(path, _)| path.ends_with("stderr") || path.extension().is_some_and(|ending| ending == "log"));
        files.map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    /// All files in the test's folder, but what the clients and the installation have there.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut files, mut folders) = (Vec::new(), vec![self.path("")]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                let is_ours = !["phone-", "sipp-", "prompts", "password"].iter().any(|other| name.starts_with(other));
                match entry.file_type() {
                    Ok(kind) if is_ours && kind.is_dir() => folders.push(path),
                    // One that is being renamed is there under its other name.
                    Ok(kind) if is_ours && kind.is_file() => {
                        files.extend(fs::read(&path).ok().map(|bytes| (path, bytes)));
                    }
                    _ => {}
                }
            }
        }
        assert!(files.len() >= 2, "{files:?}");
        files
    }
}

/// Whether a text has a secret in it: by itself, or its digits one by one.
fn tells(text: &str, secret: &str) -> bool {
    if !secret.bytes().all(|b| b.is_ascii_digit()) {
        return text.contains(secret);
    }
    let one_by_one = |digits: Vec<String>| [", ", " ", "', '", "\", \""].map(|between| digits.join(between));
    let digits = one_by_one(secret.chars().map(String::from).collect());
    let codes = one_by_one(secret.bytes().map(|b| b.to_string()).collect());
    super::story::is_written(text, secret) || digits.iter().chain(&codes).any(|spelled| text.contains(spelled))
}

/// Whether a line names a key: a word for one, and soon after it a single digit.
fn tells_a_key(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let soon_a_digit = |rest: &str| {
        let mut characters = rest.chars().take(BETWEEN_MAX).skip_while(|c| !c.is_alphanumeric());
        let between = rest.chars().next().is_some_and(|c| !c.is_alphanumeric() && c != '_' && c != '/');
        let is_digit = characters.next().is_some_and(|c| c.is_ascii_digit());
        between && is_digit && !characters.next().is_some_and(|c| c.is_alphanumeric() || c == '.')
    };
    KEY_WORDS.iter().any(|word| line.match_indices(word).any(|(at, _)| soon_a_digit(&line[at + word.len()..])))
}

/// What a process has in memory that it can write to, as far as we may look.
pub struct Memory(Vec<(String, Vec<u8>)>);

impl Memory {
    /// Reads it; `None`, said loudly, where this machine does not let us.
    pub fn of(process: u32) -> Option<Self> {
        let folder = Path::new("/proc").join(process.to_string());
        let opened =
            File::open(folder.join("mem")).and_then(|memory| Ok((memory, fs::read_to_string(folder.join("maps"))?)));
        let (mut memory, maps) = match opened {
            Ok(opened) => opened,
            Err(why) => {
                let _ = writeln!(std::io::stderr(), "SKIPPED, the memory of the server can't be read: {why}");
                return None;
            }
        };
        let mut regions = Vec::new();
        for line in maps.lines() {
            let Some((range, rest)) = line.split_once(' ').filter(|(_, rest)| rest.starts_with("rw")) else { continue };
            let ends = range
                .split_once('-')
                .and_then(|(from, to)| Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?)));
            let Some((from, to)) = ends.filter(|(from, to)| to - from <= MAPPING_BYTES_MAX) else { continue };
            let mut bytes = Vec::new();
            // A mapping may have gone meanwhile.
            if memory.seek(SeekFrom::Start(from)).is_ok() && (&memory).take(to - from).read_to_end(&mut bytes).is_ok() {
                regions.push((format!("{from:x} {}", rest.split_whitespace().last().unwrap_or_default()), bytes));
            }
        }
        assert!(!regions.is_empty(), "{maps}");
        Some(Self(regions))
    }

    /// Which of these texts are there.
    pub fn holds(&self, texts: &[&str]) -> BTreeSet<String> {
        let wanted = Wanted::new(texts.iter().map(|text| (text.to_string(), text.as_bytes().to_vec(), 1)));
        let found = self.0.iter().flat_map(|(_, bytes)| wanted.find(bytes));
        found.map(|(_, what, _)| what.to_owned()).collect()
    }

    /// Where these PINs are: as text, as key codes, as keys in a queue.
    pub fn remains_of(&self, pins: &[&str]) -> Vec<String> {
        let digits = |pin: &&'_ str| DIGITS_APART.map(|apart| (pin.to_string(), pin.as_bytes().to_vec(), apart));
        let codes = |pin: &str| pin.bytes().map(|b| b - b'0').collect::<Vec<u8>>();
        let keys = |pin: &&'_ str| NUMBERS_APART.map(|apart| (format!("the keys of {pin}"), codes(pin), apart));
        let wanted = Wanted::new(pins.iter().flat_map(digits).chain(pins.iter().flat_map(keys)));
        let mut remains = Vec::new();
        for (region, bytes) in &self.0 {
            for (at, what, apart) in wanted.find(bytes) {
                let around = bytes.get(at.saturating_sub(48)..(at + 16 * apart + 48).min(bytes.len()));
                let around = String::from_utf8_lossy(around.unwrap_or_default()).escape_default().to_string();
                remains.push(format!("{what}, {apart} apart, in {region} +{at:x}: {around}"));
            }
        }
        remains
    }
}

/// Bytes that are looked for, each with how far apart they may lie, by the first of them.
struct Wanted {
    all: Vec<(String, Vec<u8>, usize)>,
    by_first: Vec<Vec<usize>>,
}

impl Wanted {
    fn new(wanted: impl IntoIterator<Item = (impl Into<String>, Vec<u8>, usize)>) -> Self {
        let all: Vec<_> = wanted.into_iter().map(|(what, bytes, apart)| (what.into(), bytes, apart)).collect();
        let mut by_first = vec![Vec::new(); 256];
        for (at, (_, bytes, _)) in all.iter().enumerate() {
            by_first[usize::from(bytes[0])].push(at);
        }
        Self { all, by_first }
    }

    /// Where they are; loops without frills, as all of a server's memory goes through them without optimisation.
    fn find(&self, bytes: &[u8]) -> Vec<(usize, &str, usize)> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let candidates = &self.by_first[bytes[at] as usize];
            let mut n = 0;
            while n < candidates.len() {
                let (what, wanted, apart) = &self.all[candidates[n]];
                let mut same = 1;
                while same < wanted.len() && at + same * apart < bytes.len() && bytes[at + same * apart] == wanted[same]
                {
                    same += 1;
                }
                if same == wanted.len() {
                    found.push((at, what.as_str(), *apart));
                }
                n += 1;
            }
            at += 1;
        }
        found
    }
}

#[test]
fn a_search_finds_what_is_there() {
    for line in
        ["key=6", "a key: '6' came", "Digit(6)", "dtmf-6", "Signal=6", "{\"event\":6}", "clip=digit-6", "tone \"6\" up"]
    {
        assert!(tells_a_key(line), "{line}");
    }
    for line in ["foreign_keys = 1", "keys=12", "key=6.5", "an event of 2026", "monkey business", "RTP/AVP 0"] {
        assert!(!tells_a_key(line), "{line}");
    }
    for text in ["pin=904826", "[9, 0, 4, 8, 2, 6]", "[57, 48, 52, 56, 50, 54]", "('9', '0', '4', '8', '2', '6')"] {
        assert!(tells(text, "904826"), "{text}");
    }
    assert!(!tells("2026-11-27T03:52:02.904826Z", "904826") && !tells("1904826", "904826"));
    let utf32: Vec<u8> = "904826".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let keys = vec![7, 0, 9, 0, 0, 0, 4, 0, 8, 0, 2, 0, 6, 0];
    let events: Vec<u8> = [9, 0, 4, 8, 2, 6].into_iter().flat_map(|code| [[1; 8], [code; 8]].concat()).collect();
    for bytes in [b"xx904826xx".to_vec(), utf32, keys, events, vec![9, 0, 4, 8, 2, 6]] {
        let memory = Memory(vec![("heap".to_owned(), bytes)]);
        assert!(!memory.remains_of(&["618049", "904826"]).is_empty());
        assert!(memory.remains_of(&["904827"]).is_empty());
    }
}
