//! Whole calls from seeds: the pure core in a world with a clock that is moved by hand. No socket, no thread, no sleep.
//!
//! `SIM_SEED=17` runs one seed and prints its transcript, `SIM_SEEDS=5000` that many, `SIM_LONG=1` the long run of
//! keys. A failure prints its seed; the same seed fails in the same way, everywhere.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test, to its last file")]

#[path = "world/sim/presses.rs"]
mod presses;
#[path = "world/sim/mod.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use world::{Seen, Story, World};

/// Seeds of a usual run.
const SEEDS: u64 = 2500;
/// Seeds of a usual run of keys, and of the long one.
const PRESS_SEEDS: u64 = 1500;
const PRESS_SEEDS_LONG: u64 = 100_000;
/// Lines of the transcript that a failure prints.
const LINES_MAX: usize = 400;

#[test]
fn whole_calls_from_seeds() {
    if let Some(seed) = number("SIM_SEED") {
        let seen = run(seed, World::draw).unwrap_or_else(|story| panic!("seed {seed} failed\n{story}"));
        return println!("seed {seed}: {} keys, {:?}, {:?}", seen.keys, seen.replies, seen.ends);
    }
    let count = number("SIM_SEEDS").unwrap_or(SEEDS);
    let all = on_two_threads(count, |seed| run(seed, World::draw));
    let total = sum(&all);
    println!("{count} worlds, {} s of theirs: {} keys, {} packets", total.virtual_s, total.keys, total.packets);
    println!("ends {:?}\nplaces {:?}\nreplies {:#?}", total.ends, total.places, total.replies);
    if count >= SEEDS {
        nothing_was_left_out(&total, count);
    }
}

#[test]
fn the_longest_call_ends() {
    for seed in 0..2 {
        let seen = run(seed, World::with_one_who_stays).unwrap_or_else(|story| panic!("seed {seed} failed\n{story}"));
        assert!((1800..1900).contains(&seen.virtual_s), "{} s", seen.virtual_s);
        assert!(seen.keys > 250, "{} keys", seen.keys);
        assert_eq!(seen.ends.get("HungUp"), Some(&1));
    }
}

#[test]
fn every_press_of_which_a_packet_came_is_one_key() {
    let count = if number("SIM_LONG").is_some() { PRESS_SEEDS_LONG } else { PRESS_SEEDS };
    let all = on_two_threads(count, |seed| {
        let presses::Heard { told, keys } = presses::run(seed);
        if told == keys { Ok(keys.len() as u64) } else { Err(format!("told {told}, heard {keys}")) }
    });
    let (presses, sent) = (all.iter().sum::<u64>(), count * presses::PRESSES);
    println!("{count} sessions: {presses} keys of {sent} presses");
    assert!(presses > sent * 9 / 10 && presses < sent, "the links lose something, and not everything");
}

/// A simulation that skips something proves nothing about it.
fn nothing_was_left_out(total: &Seen, count: u64) {
    for (what, least) in [
        ("login", 500),
        ("login LoginFailed", 20),
        ("login TryLater", 2),
        ("account_pin.changed", 5),
        ("voicemail_pin.changed", 20),
        ("voicemail_pin.changed PinTooShort", 2),
        ("voicemail_pin.reset", 10),
        ("voicemail_pin.reset NotAllowedForThisAccount", 2),
        ("recording.changed", 20),
        ("recording.restored", 5),
        ("recording.restored NothingThere", 1),
        ("recording.draft_saved", 20),
        ("recording.listen", 5),
        ("recording.who", 5),
        ("reboot.requested", 5),
        ("reboot.requested PinWrong", 2),
        ("reboot.cancelled", 5),
        ("menu.denied", 5),
    ] {
        let seen = total.replies.get(what).copied().unwrap_or(0);
        assert!(seen >= least, "{what}: {seen} times in {count} worlds");
    }
    let gone: u64 = total.replies.iter().filter(|(what, _)| what.ends_with("NoLongerAllowed")).map(|(_, n)| n).sum();
    assert!(gone >= 3, "{gone} refusals because a right was gone");
    for end in ["Bye", "HungUp", "NoAck"] {
        assert!(total.ends.get(end).is_some_and(|n| *n >= 3), "{end}: {:?}", total.ends);
    }
    assert!(total.offers_within >= 10 && total.satisfied * 5 > count, "{} {}", total.offers_within, total.satisfied);
}

/// Runs one world; what is left when it fails is its transcript.
fn run(seed: u64, draw: fn(u64, Story) -> World) -> Result<Seen, String> {
    let story: Story = Arc::new(Mutex::new(Vec::new()));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut world = draw(seed, Arc::clone(&story));
        world.run();
        world.seen
    }));
    let lines = story.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if number("SIM_SEED").is_some() {
        println!("{}", lines.join("\n"));
    }
    outcome.map_err(|panic| {
        let why = panic.downcast_ref::<String>().cloned().or(panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        let last = &lines[lines.len().saturating_sub(LINES_MAX)..];
        format!("{}\nSIM_SEED={seed}: {}", last.join("\n"), why.unwrap_or_default().replace('\n', " /"))
    })
}

/// Does all seeds and panics with the failures, the first in full.
fn on_two_threads<T: Send>(count: u64, work: impl Fn(u64) -> Result<T, String> + Sync) -> Vec<T> {
    let (next, done, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        return;
                    }
                    match work(seed) {
                        Ok(value) => done.lock().expect("values").push(value),
                        Err(story) => drop(failed.lock().expect("failures").insert(seed, story)),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("failures");
    if let Some((seed, story)) = failed.first_key_value() {
        println!("{story}");
        for story in failed.values() {
            println!("{}", story.lines().last().unwrap_or_default());
        }
        let seeds: Vec<u64> = failed.keys().copied().collect();
        panic!("{} of {count} seeds failed, the first is {seed}: {seeds:?}", seeds.len());
    }
    done.into_inner().expect("values")
}

fn sum(all: &[Seen]) -> Seen {
    let mut total = Seen { places: BTreeSet::new(), ..Seen::default() };
    for seen in all {
        total.keys += seen.keys;
        total.packets += seen.packets;
        total.offers_within += seen.offers_within;
        total.satisfied += seen.satisfied;
        total.virtual_s += seen.virtual_s;
        total.places.extend(&seen.places);
        for (map, counts) in [(&mut total.replies, &seen.replies), (&mut total.ends, &seen.ends)] {
            for (what, n) in counts {
                *map.entry(what.clone()).or_default() += n;
            }
        }
    }
    total
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}
