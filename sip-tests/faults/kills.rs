//! The server killed at random moments while the command line and a caller write, and started again.

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::caller::{Caller, install_prompts};
use crate::load::{last_change, work};
use crate::serving::exports_are_as_their_rows;
use crate::state::is_whole;
use crate::world::random::Random;
use crate::world::setup::{Options, Setup};
use crate::world::tools::are_here;
use crate::world::wait::until;

/// The server lives so long after it takes calls, in milliseconds.
const LIVES_MS: (u64, u64) = (20, 700);
/// Between two looks at the whole store, in kills: it takes longer the longer the audit trail is.
const LOOK_EVERY: usize = 10;
/// All that is to be told is told by then.
const TOLD_WITHIN: Duration = Duration::from_secs(120);

/// The seed of a run: the one that is asked for, or another one each time.
pub fn seed() -> u64 {
    let asked = std::env::var("FAULTS_SEED").ok().and_then(|seed| seed.parse().ok());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let seed = asked.unwrap_or(now.as_millis() as u64 % 1_000_000);
    println!("FAULTS_SEED={seed}");
    seed
}

/// Gives how many changes were acknowledged.
fn kill_at_random(kills: usize) -> usize {
    let setup = Setup::with(Options { languages: &[], ..Options::default() });
    install_prompts(&setup);
    let (store, mut random) = (setup.path("switchhook.db"), Random::new(seed()));
    let (mut caller, begun, mut acknowledged) = (Caller::new(&setup), last_change(&store), 0);
    for kill in 1..=kills {
        let server = setup.serve();
        if kill % LOOK_EVERY == 0 {
            exports_are_as_their_rows(&setup);
        }
        let since = last_change(&store);
        let told = work(&setup, &mut caller, &mut random, |random, _| {
            sleep(Duration::from_millis(random.between(LIVES_MS.0, LIVES_MS.1)));
            server.signal("KILL");
        });
        drop(server);
        told.is_true(&store, since, true, &format!("kill {kill}"));
        assert!(told.refused().is_empty(), "kill {kill}: refused to the command line: {:?}", told.refused());
        acknowledged += told.acknowledged();
        if kill % LOOK_EVERY == 0 {
            is_whole(&setup);
        }
    }
    let server = setup.serve();
    until(TOLD_WITHIN, "all is told", || {
        setup.value("SELECT count(*) FROM intents WHERE state IN ('requested', 'claimed')") == "0"
    });
    exports_are_as_their_rows(&setup);
    all_was_told(&setup, begun);
    drop(server);
    is_whole(&setup);
    acknowledged
}

/// The hook was told of each change, but of those that it was given up for.
fn all_was_told(setup: &Setup, since: i64) {
    let told = setup.text("told");
    let numbers = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()?["change"].as_i64());
    let told: std::collections::HashSet<i64> = numbers.collect();
    let sql = format!(
        "SELECT number FROM changes WHERE number > {since} AND number NOT IN
         (SELECT change_number FROM intents WHERE state = 'failed' AND change_number IS NOT NULL)"
    );
    let untold: Vec<String> =
        setup.rows(&sql).into_iter().filter(|n| !told.contains(&n.parse().expect("a number"))).collect();
    assert!(untold.is_empty(), "the hook was not told of {untold:?}");
}

#[test]
fn what_was_acknowledged_survives_kills_at_random() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    assert!(kill_at_random(15) > 30);
}

#[test]
#[ignore = "a long run"]
fn soak_a_thousand_kills_at_random() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let acknowledged = kill_at_random(1000);
    println!("figure: random kills under load = 1000 kills, {acknowledged} changes acknowledged, 0 lost");
}
