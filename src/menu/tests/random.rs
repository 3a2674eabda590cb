//! Calls from a seed: whatever is pressed, replied and timed how, what must always hold holds.

use super::*;

/// Xorshift: the same numbers from the same seed everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Lets one thing happen that was due anyway, or some time pass.
fn something_happens(caller: &mut Caller, random: &mut Random) {
    match random.below(4) {
        0 => {
            caller.finishes_hearing();
        }
        1 => {
            caller.store_replies();
        }
        2 if caller.recording.is_some() => {
            let verdict = random.one_in(3).then_some(Verdict::TooQuiet);
            caller.take_arrives(random.below(900) as usize, verdict);
        }
        _ => {
            let ms = [0, 20, 200, 2000, 4000, 9000][random.below(6) as usize];
            caller.waits_ms(ms);
        }
    }
}

#[test]
fn any_call_stays_within_bounds_and_ends() {
    for seed in 0..1500 {
        let random = &mut Random::new(seed);
        let known = ["1000#61849273#", "1002#83517294#", "1005#904826#", "1007#12345678#", ""];
        let mut caller = Caller::new();
        if random.one_in(2) {
            caller.store_is_slow();
        }
        caller.dials(known[random.below(5) as usize]);
        for _ in 0..random.below(120) {
            if random.one_in(3) {
                something_happens(&mut caller, random);
            } else if random.one_in(20) {
                stale_completions_change_nothing(&mut caller);
            } else {
                caller.holds(Key::ALL[random.below(12) as usize].to_char());
                if random.one_in(8) {
                    something_happens(&mut caller, random);
                }
                caller.releases();
            }
        }
        if random.one_in(4) {
            let ended = caller.hung_up;
            caller.hangs_up();
            assert_eq!(caller.dialogue.poll_timeout(), None, "seed {seed}");
            assert_eq!(caller.hung_up, ended, "seed {seed}");
        } else {
            ends_by_itself(&mut caller, seed);
        }
    }
}

/// Ticket 0 is never given out, and those of the last call are far above.
fn stale_completions_change_nothing(caller: &mut Caller) {
    let before = caller.dialogue.state();
    for ticket in [Ticket(0), Ticket(u32::MAX)] {
        caller.input(Input::Played(ticket));
        caller.input(Input::Replied(ticket, Reply::Done));
        caller.input(Input::Recorded(ticket, Take { audio: audio(80), verdict: None }));
    }
    assert_eq!(caller.dialogue.state(), before);
}

/// A caller who does nothing more is hung up on, even where no completion ever comes.
fn ends_by_itself(caller: &mut Caller, seed: u64) {
    for _ in 0..50 {
        match caller.dialogue.poll_timeout() {
            Some(due) => {
                let ms = due.since(caller.now).as_millis() as u64 + 1;
                caller.waits_ms(ms);
            }
            None => return assert!(caller.hung_up, "seed {seed}"),
        }
    }
    panic!("seed {seed} does not end: {}", caller.dialogue.state());
}

/// However fast the keys come, the same is asked of the store, in the same order.
#[test]
fn type_ahead_changes_nothing_but_the_time() {
    for keys in [
        "1000#61849273#11730185#730185#",
        "1000#61849273#1561849273#73946185#73946185#",
        "1000#61849273#0#031005#**2#1",
        "1000#61849273#2##11345*1#5*12#1",
        "1002#83517294#22#2",
        "1004#29618374#631",
        "1007#12345678#73946185#73946185#6",
        "1005#1#1005#904826#11*1111*730185#730185#",
    ] {
        let mut patient = Caller::new();
        for key in keys.chars() {
            patient.finishes_hearing().finishes_hearing().dials(&key.to_string());
        }
        for seed in 0..100 {
            let random = &mut Random::new(seed);
            let mut hasty = Caller::new();
            hasty.store_is_slow();
            for (n, key) in keys.chars().enumerate() {
                hasty.holds(key).waits_ms(random.below(80)).releases();
                // 32 keys wait at most.
                if n % 25 == 24 || random.one_in(6) {
                    hasty.store_replies();
                }
                if random.one_in(6) {
                    hasty.finishes_hearing();
                }
            }
            hasty.store_replies();
            assert_eq!(hasty.asked, patient.asked, "seed {seed}, keys {keys}");
            assert_eq!(hasty.dialogue.place(), patient.dialogue.place(), "seed {seed}, keys {keys}");
        }
    }
}
