//! The power cut while the command line and a caller write.
//!
//! The store is on a disk of its own, ext4 in a file. At a random moment the file system is stopped: what it had not
//! sent to its device is lost, as in a power cut, in the middle of whatever call was under way. Then the disk is mounted
//! again, so that its journal is replayed, and the store must have all that was acknowledged outside.
//!
//! What this shows: nothing that was acknowledged was only in the memory of a process or of the system, and what is on
//! the disk after the replay is whole. What it does not show: a disk that loses what it has acknowledged itself, or that
//! writes in another order than it was given between two flushes; here all that was sent to the device is there.
//!
//! Stopping a file system is not quite a power cut: an fsync that is under way may come back as if it were done, and what
//! it wrote is lost. So what is acknowledged once the cut has begun counts as in doubt, as if nobody had been there any
//! more to hear it; `soak_an_fsync_that_came_back_before_the_cut_is_true` shows that this is enough, without our program.

use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use crate::caller::{Caller, install_prompts};
use crate::kills::seed;
use crate::load::{last_change, work};
use crate::mount::{Disk, may_mount};
use crate::serving::exports_are_as_their_rows;
use crate::state::is_whole;
use crate::world::random::Random;
use crate::world::setup::{Options, Setup};
use crate::world::tools::are_here;

/// Of the disk.
const DISK_MIB: u64 = 96;
/// Files that are written at a time where only the disk is looked at, and what each fsync of them is for, in bytes.
const FILES: u64 = 6;
const WRITE_BYTES: u64 = 4096;
/// The power is on so long after the server takes calls, in milliseconds.
const POWER_MS: (u64, u64) = (50, 900);

/// Gives how many changes were acknowledged; none where this may not be tried.
fn cut_at_random(cuts: usize) -> Option<usize> {
    let setup = Setup::with(Options { languages: &[], ..Options::default() });
    if !are_here(&["sqlite3", "mkfs.ext4", "perl"]) || !may_mount(&setup) {
        return None;
    }
    install_prompts(&setup);
    let disk = Disk::in_file(setup.path("disk"), setup.path("image"), DISK_MIB);
    disk.takes_the_store_of(&setup);
    let (store, mut random) = (setup.path("switchhook.db"), Random::new(seed()));
    let (mut caller, mut acknowledged) = (Caller::new(&setup), 0);
    for cut in 1..=cuts {
        let server = setup.serve();
        exports_are_as_their_rows(&setup);
        let since = last_change(&store);
        let told = work(&setup, &mut caller, &mut random, |random, dark| {
            sleep(Duration::from_millis(random.between(POWER_MS.0, POWER_MS.1)));
            dark.store(true, Ordering::SeqCst);
            disk.cut();
        });
        drop(server);
        disk.power_on();
        is_whole(&setup);
        // What failed as the power went may be there or not.
        told.is_true(&store, since, false, &format!("cut {cut}"));
        acknowledged += told.acknowledged();
    }
    drop(setup.serve());
    exports_are_as_their_rows(&setup);
    Some(acknowledged)
}

#[test]
fn what_was_acknowledged_survives_power_cuts() {
    if let Some(acknowledged) = cut_at_random(3) {
        assert!(acknowledged > 5, "{acknowledged}");
    }
}

#[test]
#[ignore = "a long run"]
fn soak_fifty_power_cuts() {
    if let Some(acknowledged) = cut_at_random(50) {
        println!("figure: power cuts under load = 50 cuts, {acknowledged} changes acknowledged, 0 lost, 0 half");
    }
}

/// Appends to a file and has it synced until that fails; gives how much was synced before the cut began, and in all.
fn append(file: &mut File, dark: &AtomicBool) -> (u64, u64) {
    let (mut before, mut synced) = (0, 0);
    while file.write_all(&[7; WRITE_BYTES as usize]).and_then(|()| file.sync_all()).is_ok() {
        synced += WRITE_BYTES;
        if !dark.load(Ordering::SeqCst) {
            before = synced;
        }
    }
    (before, synced)
}

#[test]
#[ignore = "a long run"]
fn soak_an_fsync_that_came_back_before_the_cut_is_true() {
    let setup = Setup::with(Options { languages: &[], ..Options::default() });
    if !are_here(&["mkfs.ext4", "perl"]) || !may_mount(&setup) {
        return;
    }
    let disk = Disk::in_file(setup.path("disk"), setup.path("image"), DISK_MIB);
    let (mut random, mut before, mut during, mut untrue) = (Random::new(seed()), 0, 0, 0);
    for cut in 0..40 {
        let (dark, synced) = (AtomicBool::new(false), std::sync::Mutex::new(Vec::new()));
        let path = |number: u64| disk.path(&format!("{cut}-{number}"));
        scope(|scope| {
            for number in 0..FILES {
                let (dark, synced, path) = (&dark, &synced, path(number));
                let mut file = File::create(path).expect("a file");
                scope.spawn(move || synced.lock().expect("what was synced").push((number, append(&mut file, dark))));
            }
            sleep(Duration::from_millis(random.between(20, 300)));
            dark.store(true, Ordering::SeqCst);
            disk.cut();
        });
        disk.power_on();
        for (number, (told, all)) in synced.into_inner().expect("what was synced") {
            let there = std::fs::metadata(path(number)).map_or(0, |file| file.len());
            assert!(there >= told, "cut {cut}: {told} bytes were synced before it, {there} are there");
            before += told / WRITE_BYTES;
            during += (all - told) / WRITE_BYTES;
            untrue += all.saturating_sub(there) / WRITE_BYTES;
        }
        for number in 0..FILES {
            let _ = std::fs::remove_file(path(number));
        }
    }
    println!(
        "figure: fsyncs that came back before one of 40 cuts = {before}, 0 untrue; once it had begun = {during}, {untrue} untrue"
    );
}
