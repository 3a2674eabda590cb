//! The power cut while the command line and a caller write.
//!
//! The store is on a disk of its own, ext4 in a file. At a random moment the file system is stopped: what it had not
//! sent to its device is lost, as in a power cut, in the middle of whatever call was under way. Then the disk is mounted
//! again, so that its journal is replayed, and the store must have all that was acknowledged outside.
//!
//! What this shows: nothing that was acknowledged was only in the memory of a process or of the system, and what is on
//! the disk after the replay is whole. What it does not show: a disk that loses what it has acknowledged itself, or that
//! writes in another order than it was given between two flushes; here all that was sent to the device is there.

use std::sync::atomic::Ordering;
use std::thread::sleep;
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
            // Stopping takes a moment, and a call that is under way may come back as if it were done.
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
