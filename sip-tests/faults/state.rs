//! The state of a store, to be compared, and put back as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use regex::Regex;

use crate::world::setup::Setup;

/// What a run of the program may change in the test's folder, by the beginning of the name.
const PARTS: [&str; 4] = ["switchhook.db", "backups", "exported", "told"];

/// The files of a store, kept aside.
pub struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// Copies them; nobody may have the store open.
    pub fn of(setup: &Setup) -> Self {
        let folder = setup.path("kept");
        fs::create_dir_all(&folder).expect("a folder");
        copy_parts(&setup.path(""), &folder);
        Self { folder }
    }

    /// Puts them back, and takes away what has come since.
    pub fn put_back(&self, setup: &Setup) {
        copy_parts(&self.folder, &setup.path(""));
    }
}

fn copy_parts(from: &Path, to: &Path) {
    for part in parts(to) {
        let gone = if part.is_dir() { fs::remove_dir_all(&part) } else { fs::remove_file(&part) };
        gone.expect("the old one goes");
    }
    for part in parts(from) {
        copy(&part, &to.join(part.file_name().expect("a name")));
    }
}

fn parts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder").flatten().map(|entry| entry.path());
    let is_part = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        PARTS.iter().any(|part| name.starts_with(part))
    };
    entries.filter(is_part).collect()
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).expect("a copy");
        return;
    }
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the folder").flatten() {
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// Everything in a store as text: all rows of all tables. What differs from run to run is left out: times, the chain's
/// hashes, and the salts of PINs, of which only remains whether they are those of `before`.
pub fn state(store: &Path, before: Option<&str>) -> String {
    static TIMES: OnceLock<Regex> = OnceLock::new();
    static PINS: OnceLock<Regex> = OnceLock::new();
    let dump = dump(store);
    let times = TIMES.get_or_init(|| {
        let rfc3339 = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.0-9]*Z";
        Regex::new(&format!("[0-9a-f]{{64}}|{rfc3339}|[0-9]{{8}}T[0-9]{{6}}Z|(?-u:\\b)[0-9]{{13}}(?-u:\\b)"))
            .expect("a pattern")
    });
    let pins = PINS.get_or_init(|| Regex::new("\\$argon2id\\$[^']*").expect("a pattern"));
    let told_apart = pins.replace_all(&dump, |found: &regex::Captures<'_>| {
        if before.is_none_or(|before| before.contains(&found[0])) {
            found[0].to_owned()
        } else {
            "a new PIN".to_owned()
        }
    });
    times.replace_all(&told_apart, "-").into_owned()
}

/// The store as SQL.
pub fn dump(store: &Path) -> String {
    let output = Command::new("sqlite3").args(["-cmd", ".timeout 5000"]).arg(store).arg(".dump").output();
    let output = output.expect("sqlite3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What holds after each fault: the program opens the store, and the file and the audit trail are whole.
pub fn is_whole(setup: &Setup) {
    setup.done(&["audit", "verify"], "");
    assert_eq!(setup.value("PRAGMA integrity_check"), "ok");
    assert_eq!(setup.value("PRAGMA foreign_key_check"), "");
    let unheard = "SELECT number FROM changes WHERE number NOT IN (SELECT change_number FROM audit
                   WHERE change_number IS NOT NULL)";
    assert_eq!(setup.value(unheard), "", "a change without its audit row");
}

/// Where two states differ, for whoever has to find out why.
pub fn difference(a: &str, b: &str) -> String {
    let short = |line: &str| line.chars().take(200).collect::<String>();
    let only = |these: &str, those: &str, sign: &str| {
        let those: std::collections::HashSet<&str> = those.lines().collect();
        let lines = these.lines().filter(|line| !those.contains(line));
        lines.map(|line| format!("{sign} {}", short(line))).collect::<Vec<_>>().join("\n")
    };
    format!("{}\n{}", only(a, b, "-"), only(b, a, "+"))
}
