//! The fuzz targets without a fuzzer: each body over its seeds in `fuzz/seeds`, RFC 4475's messages where they are there,
//! and some thousand seeded mutations of them.
//!
//! `FUZZ_FIRST` and `FUZZ_ROUNDS` choose the seeds of the mutations; an input that fails is kept in a file that is named.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::print_stderr, reason = "these are tests")]

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;
#[path = "world/sim/random.rs"]
mod random;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use random::Random;

/// Longest input.
const INPUT_BYTES_MAX: usize = 4096;
/// What parsers are full of.
const WORDS: [&[u8]; 16] = [
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x80\0\0\0",
    b"\x7f\xff",
    b" ",
    b"\t",
    b"\"",
    b"\\",
    b"<",
    b";",
    b",",
    b"%",
    b":",
    b"=",
];

#[test]
fn authorization() {
    fuzz("authorization", bodies::authorization::run, 4000);
}

#[test]
fn call() {
    fuzz("call", bodies::call::run, 2000);
}

#[test]
fn config() {
    fuzz("config", bodies::config::run, 1500);
}

#[test]
fn endpoint() {
    fuzz("endpoint", bodies::endpoint::run, 2000);
}

#[test]
fn info() {
    fuzz("info", bodies::info::run, 4000);
}

#[test]
fn rtcp() {
    fuzz("rtcp", bodies::rtcp::run, 4000);
}

#[test]
fn rtp() {
    fuzz("rtp", bodies::rtp::run, 4000);
}

#[test]
fn sdp() {
    fuzz("sdp", bodies::sdp::run, 4000);
}

#[test]
fn sip() {
    fuzz("sip", bodies::sip::run, 4000);
}

#[test]
fn srtp() {
    fuzz("srtp", bodies::srtp::run, 1500);
}

#[test]
fn stream() {
    fuzz("stream", bodies::stream::run, 4000);
}

#[test]
fn wav() {
    fuzz("wav", bodies::wav::run, 1500);
}

/// The body over the target's seeds, and over so many mutations of them.
fn fuzz(target: &str, body: fn(&[u8]), rounds: u64) {
    let seeds = seeds(target);
    for (name, input) in &seeds {
        attempt(target, name, body, input);
    }
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let first = number("FUZZ_FIRST", 1);
    for seed in first..first + number("FUZZ_ROUNDS", rounds) {
        let random = &mut Random::new(seed).fork();
        attempt(target, &format!("seed-{seed}"), body, &mutated(&seeds, random));
    }
}

fn attempt(target: &str, name: &str, body: fn(&[u8]), input: &[u8]) {
    if catch_unwind(|| body(input)).is_err() {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{target}-{name}"));
        fs::write(&kept, input).expect("the input is kept");
        panic!("{target} failed with {name}; the input is {}: {:?}", kept.display(), input.escape_ascii().to_string());
    }
}

/// Name and content of each seed.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = files(&project.join("fuzz/seeds").join(target));
    assert!(!seeds.is_empty(), "{target} has no seeds");
    let torture = project.join("../shared/rfc4475");
    if ["sip", "stream"].contains(&target) && torture.is_dir() {
        seeds.extend(files(&torture));
    }
    seeds
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read(path).expect("a seed"))).collect()
}

/// One of the seeds, or two put together, changed in a few places.
fn mutated(seeds: &[(String, Vec<u8>)], random: &mut Random) -> Vec<u8> {
    let (_, mut input) = random.pick(seeds);
    if random.percent(20) {
        let (_, other) = random.pick(seeds);
        input.truncate(random.between(0, input.len() as u64) as usize);
        input.extend_from_slice(&other[random.between(0, other.len() as u64) as usize..]);
    }
    for _ in 0..random.between(1, 6) {
        let at = random.between(0, input.len() as u64) as usize;
        let end = (at + random.between(1, 8) as usize).min(input.len());
        let put = match random.below(6) {
            0 => vec![random.next() as u8],
            1 => random.pick(&WORDS).to_vec(),
            2 => {
                let count = random.between(1, 12);
                random.digits(count).into_bytes()
            }
            // A piece from elsewhere, or the same once more.
            3 => input[at / 2..].iter().copied().take(1 + at % 40).collect(),
            4 => input.get(at).map(|byte| byte ^ 1 << random.below(8)).into_iter().collect(),
            _ => Vec::new(),
        };
        let replaced = if random.percent(50) { at..end } else { at..at };
        input.splice(replaced, put);
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}
