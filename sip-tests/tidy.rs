//! Holds the shape of the project: which room may open which door, and what only one room may name.
//!
//! The tables here are those of ARCHITECTURE.md. A line that breaks one is named with file and number.

#![allow(clippy::expect_used)]

#[path = "limits.rs"]
mod limits;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each room may import; everyone may import `model`.
const DOORS: [(&str, &[&str]); 13] = [
    ("main", &["cli"]),
    ("cli", &["access", "config", "media", "menu", "server", "store", "wire"]),
    ("server", &["access", "call", "config", "effects", "media", "menu", "sip", "store", "wire"]),
    ("call", &["access", "media", "menu", "wire"]),
    ("menu", &["access"]),
    ("access", &[]),
    ("sip", &["wire"]),
    ("media", &["wire"]),
    ("wire", &[]),
    ("store", &["access"]),
    ("effects", &["access", "store", "wire"]),
    ("config", &["access"]),
    ("model", &[]),
];

/// What only these places may name.
const ONLY: [(&str, &[&str]); 13] = [
    ("sqlx::", &["src/store/"]),
    ("argon2::", &["src/store/"]),
    ("rsip::", &["src/wire/sip/"]),
    ("rtp_rs::", &["src/wire/rtp.rs"]),
    ("sdp_types::", &["src/wire/sdp.rs"]),
    ("hound::", &["src/wire/wav.rs"]),
    ("process::Command", &["src/effects/"]),
    // So that no test reboots the machine that it runs on, by a default somewhere else.
    ("\"systemctl\"", &["src/config/mod.rs"]),
    ("UdpSocket", &["src/server/"]),
    ("TcpListener", &["src/server/"]),
    ("Instant::now", &["src/server/clock.rs"]),
    ("SystemTime::now", &["src/server/clock.rs"]),
    ("thread::sleep", &["src/server/"]),
];

/// Longest file of the program, in lines.
const LINES_MAX: usize = 500;
/// Longest ARCHITECTURE.md, in lines.
const ARCHITECTURE_LINES_MAX: usize = 150;

#[test]
fn every_import_goes_through_a_door() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let room = room_of(&path);
        let doors = DOORS.iter().find(|(name, _)| *name == room).map(|(_, doors)| *doors);
        let Some(doors) = doors else {
            faults.push(format!("{}: no such room in the table: {room}", path.display()));
            continue;
        };
        for (number, line) in code_lines(&path, &text) {
            for named in rooms_named(line) {
                if named != room && named != "model" && !doors.contains(&named.as_str()) {
                    faults.push(format!("{}:{number}: {room} may not open {named}", path.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn what_only_one_room_names() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        for (number, line) in code_lines(&path, &text) {
            for (word, places) in ONLY {
                if line.contains(word) && !places.iter().any(|place| path.starts_with(place)) {
                    faults.push(format!("{}:{number}: only {} may name {word}", path.display(), places.join(", ")));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn files_fit_their_limits() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(path, text)| (code_lines(&path, &text).count(), path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, path)| format!("{}: {lines} lines, {LINES_MAX} are meant", path.display()))
        .collect();
    assert!(long.is_empty(), "\n{}", long.join("\n"));
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    assert!(architecture.lines().count() <= ARCHITECTURE_LINES_MAX);
}

#[test]
fn every_door_is_used() {
    let mut used = BTreeSet::new();
    for (path, text) in sources() {
        let room = room_of(&path);
        for (_, line) in code_lines(&path, &text) {
            used.extend(rooms_named(line).into_iter().map(|named| (room.clone(), named)));
        }
    }
    for (room, doors) in DOORS {
        for door in doors {
            assert!(
                used.contains(&(room.to_owned(), (*door).to_owned())),
                "{room} has a door to {door} and no use for it"
            );
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All of `src`, by path from the project's folder.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&entry).expect("text");
                found.push((entry.strip_prefix(root()).expect("below the root").to_owned(), text));
            }
        }
    }
    assert!(found.len() > 50, "{} files", found.len());
    found
}

/// `src/menu/dialogue/keys.rs` is of `menu`, `src/call.rs` of `call`; `lib.rs` only names the rooms.
fn room_of(path: &Path) -> String {
    let first = path.components().nth(1).expect("below src").as_os_str().to_string_lossy().into_owned();
    let room = first.strip_suffix(".rs").unwrap_or(&first);
    let room = room.strip_suffix("_tests").unwrap_or(room).to_owned();
    if room == "lib" { "main".to_owned() } else { room }
}

/// The lines of the program itself, numbered from 1: no comments, and nothing from the tests on.
fn code_lines<'a>(path: &Path, text: &'a str) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
    let is_test = path.components().any(|part| part.as_os_str().to_string_lossy().contains("tests"));
    let lines = if is_test { "" } else { text };
    let mut numbered = lines.lines().enumerate().map(|(at, line)| (at + 1, line)).peekable();
    let mut over = false;
    std::iter::from_fn(move || {
        let (number, line) = numbered.next()?;
        let next = numbered.peek().map_or("", |(_, next)| *next);
        over |= line.starts_with("#[cfg(test)]") && next.starts_with("mod ") && next.ends_with('{');
        Some((number, line)).filter(|_| !over)
    })
    .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The rooms that a line names as `crate::ROOM` or, in the program, `switchhook::ROOM`; a `{…}` group counts too.
fn rooms_named(line: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, root) in line.match_indices("crate::").chain(line.match_indices("switchhook::")) {
        let rest = &line[at + root.len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let names = group.split(['}', ';']).next().unwrap_or("").split(',').map(first_word);
                rooms.extend(names.filter(|name| !name.is_empty()));
            }
            None => rooms.push(first_word(rest)),
        }
    }
    rooms.retain(|room| DOORS.iter().any(|(name, _)| name == room));
    rooms
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}
