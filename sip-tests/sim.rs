//! Whole calls from seeds: the pure core in a world with a clock that is moved by hand. No socket, no thread, no sleep.
//!
//! `SIM_SEED=17` runs one seed and prints its transcript, `SIM_SEEDS=5000` that many, `SIM_LONG=1` the long run of
//! keys. `SIM_RIVALS="two keep"` runs the rivalries of that name only, each with the seeds of `SIM_RIVAL_SEEDS`, or with
//! `SIM_SEED` alone. A failure prints its seed; the same seed fails in the same way, everywhere.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test, to its last file")]

#[path = "world/sim/presses.rs"]
mod presses;
#[path = "world/sim/mod.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use switchhook::menu::tree::Place;
use world::rivals::{self, Rivalry};
use world::{Seen, Story, World};

/// Seeds of a usual run.
const SEEDS: u64 = 2000;
/// Seeds of each rivalry.
const RIVAL_SEEDS: u64 = 16;
/// Seeds of a usual run of keys, and of the long one.
const PRESS_SEEDS: u64 = 1500;
const PRESS_SEEDS_LONG: u64 = 100_000;
/// Lines of the transcript that a failure prints.
const LINES_MAX: usize = 400;

/// How often what must have been asked in a usual run, and been refused.
const LEAST: &[(&str, u64)] = &[
    ("login", 500),
    ("login LoginFailed", 20),
    ("login TryLater", 2),
    ("account_pin.changed", 5),
    ("account_pin.changed PinWrong", 2),
    ("voicemail_pin.changed", 20),
    ("voicemail_pin.changed PinTooShort", 2),
    ("support_pin.changed", 5),
    ("forwarding.changed", 20),
    ("forwarding.check", 20),
    ("forwarding.check ForwardNotAllowed", 5),
    ("dnd.changed", 20),
    ("greeting.changed", 5),
    ("greeting.restored", 2),
    ("greeting.restored NothingThere", 2),
    ("greeting.removed", 2),
    ("name.changed", 5),
    ("language.changed", 5),
    ("settings.read", 5),
    ("recording.changed", 20),
    ("recording.restored", 5),
    ("recording.restored NothingThere", 1),
    ("recording.draft_saved", 10),
    ("recording.listen", 5),
    ("recording.who", 5),
    ("user.added", 2),
    ("user.disabled", 2),
    ("user.disabled NotYourself", 1),
    ("user.enabled", 1),
    ("user.unlocked", 1),
    ("user.change NotAllowedForThisAccount", 1),
    ("check user.deleted", 2),
    ("user.deleted", 2),
    ("voicemail_pin.reset", 10),
    ("voicemail_pin.reset NotAllowedForThisAccount", 2),
    ("account_pin.reset", 1),
    ("handset.assigned", 2),
    ("handset.removed", 1),
    ("mode.changed", 10),
    ("attendant.changed", 2),
    ("attendant.changed OtherUnknown", 1),
    ("group.member_added", 2),
    ("group.member_added AlreadySo", 1),
    ("group.member_removed", 1),
    ("group.member_removed NothingThere", 1),
    ("callcenter.opened", 2),
    ("line.disabled", 2),
    ("line.enabled", 1),
    ("gateway.disabled LastEnabled", 2),
    ("check gateway.disabled", 2),
    ("gateway.disabled", 1),
    ("network.status", 2),
    ("backup.requested", 5),
    ("backup.read", 10),
    ("logging.detailed", 2),
    ("logging.normal", 2),
    ("logging.file_closed", 2),
    ("system.status", 2),
    ("support_pin.verified", 5),
    ("support_pin.verified Unknown", 2),
    ("check reboot.requested", 5),
    ("reboot.requested", 5),
    ("reboot.requested PinWrong", 2),
    ("reboot.cancelled", 5),
    ("check role.assigned", 2),
    ("check role.assigned PinTooShortForRole", 1),
    ("role.assigned", 2),
    ("check role.removed LastServerAdministrator", 1),
    ("check role.removed NothingThere", 1),
    ("role.removed", 1),
    ("change.list", 2),
    ("check change.undone", 10),
    ("check change.undone Unknown", 2),
    ("check change.undone CannotUndo", 2),
    ("change.undone", 10),
    ("menu.denied", 5),
];

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
fn rivals_lose_nothing_and_hear_what_came_of_it() {
    let wanted = std::env::var("SIM_RIVALS").unwrap_or_default();
    let rivalries: Vec<&'static Rivalry> = rivals::all().filter(|rivalry| rivalry.name.contains(&wanted)).collect();
    assert!(!rivalries.is_empty(), "no rivalry is called `{wanted}`");
    if let Some(seed) = number("SIM_SEED") {
        // Alone it is a seed of the whole calls.
        for rivalry in rivalries.into_iter().filter(|_| !wanted.is_empty()) {
            let drawn = run(seed, |seed, story| World::of_rivals(rivalry, seed, story));
            let seen = drawn.unwrap_or_else(|story| panic!("{}: seed {seed} failed\n{story}", rivalry.name));
            println!("{}: seed {seed}: {:?}", rivalry.name, seen.replies);
        }
        return;
    }
    let seeds = number("SIM_RIVAL_SEEDS").unwrap_or(RIVAL_SEEDS);
    let count = rivalries.len() as u64;
    let all = on_two_threads(count * seeds, |number| {
        let (rivalry, seed) = (rivalries[(number % count) as usize], number / count);
        let drawn = run(seed, |seed, story| World::of_rivals(rivalry, seed, story));
        drawn.map_err(|story| format!("{story} (SIM_RIVALS=\"{}\")", rivalry.name))
    });
    let mut first: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for (name, [one, other]) in all.iter().flat_map(|seen| &seen.first) {
        let sum = first.entry(*name).or_default();
        *sum = [sum[0] + one, sum[1] + other];
    }
    println!("{count} rivalries, {seeds} seeds of each; who was first: {first:#?}");
    if seeds >= RIVAL_SEEDS {
        for (name, [one, other]) in first {
            assert!(one > 0 && other > 0, "{name}: of the two, one was never first ({one}, {other})");
        }
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
    for (what, least) in LEAST {
        let seen = total.replies.get(*what).copied().unwrap_or(0);
        assert!(seen >= *least, "{what}: {seen} times in {count} worlds");
    }
    let unseen: Vec<&str> = Place::all().map(Place::name).filter(|name| !total.places.contains(name)).collect();
    assert!(unseen.is_empty(), "nobody came to {unseen:?} in {count} worlds");
    let gone: u64 = total.replies.iter().filter(|(what, _)| what.ends_with("NoLongerAllowed")).map(|(_, n)| n).sum();
    assert!(gone >= 3, "{gone} refusals because a right was gone");
    for end in ["Bye", "HungUp", "NoAck"] {
        assert!(total.ends.get(end).is_some_and(|n| *n >= 3), "{end}: {:?}", total.ends);
    }
    assert!(total.offers_within >= 10 && total.satisfied * 5 > count, "{} {}", total.offers_within, total.satisfied);
}

/// Runs one world; what is left when it fails is its transcript.
fn run(seed: u64, draw: impl FnOnce(u64, Story) -> World) -> Result<Seen, String> {
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
