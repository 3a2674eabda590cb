//! Lock-outs of one account, one kind of PIN and one origin, and of a source. Pure: the time is an argument, the rows are kept by `login`.
//!
//! ```text
//! failures  1 2 3 4 5            6 … 10         11 … 15         16 … 20
//! locked            5 min           10 min          20 min          until an administrator unlocks
//! ```
//! A success puts everything back. What is tried during a lock is not counted.
//!
//! A source is locked at as many failures in a row as lock an account for good, whichever accounts they were on, and then
//! at each five more, but never for good. A success is worth five failures: what is right now and then hides nobody.

use crate::model::Wall;

/// When a kind of PIN is locked, and for how long (`[login]` in the configuration).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginLimits {
    /// Failures that lock for the first time, and again each time that many more have come.
    pub lock_after: u32,
    /// The first lock, in seconds; each further one lasts twice as long.
    pub lock_s: u32,
    /// The longest lock that ends by itself, in seconds.
    pub lock_max_s: u32,
    /// Failures without a success that lock until an administrator unlocks.
    pub unlock_after: u32,
    /// Failures in a row that lock a source.
    pub source_lock_after: u32,
    /// Tokens of the bucket of each source, and how many of them come back in a minute; 1 to 60,000.
    pub source_tries_per_minute: u32,
    /// The same for all strangers together.
    pub overall_tries_per_minute: u32,
    /// How long a temporary PIN is good for, in hours.
    pub temporary_pin_hours: u32,
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self {
            lock_after: 5,
            lock_s: 300,
            lock_max_s: 3600,
            unlock_after: 20,
            source_lock_after: 20,
            source_tries_per_minute: 20,
            overall_tries_per_minute: 300,
            temporary_pin_hours: 24,
        }
    }
}

/// The end of a lock that only an administrator ends: 9999-12-30T00:00:00Z, which every calendar has.
pub const UNTIL_UNLOCKED: Wall = Wall(253_402_128_000_000);

/// What is further ahead than it can be by this much was written by a clock that has been set back since, and counts
/// no more. Tries under way are seconds apart.
pub(super) const CLOCK_SET_BACK_MS: i64 = 10 * 60_000;

/// What is kept of the failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lockout {
    /// Failures since the last success.
    pub failures: u32,
    /// Locks since the last success.
    pub locks: u32,
    /// The end of the last lock.
    pub locked_until: Option<Wall>,
}

impl Lockout {
    /// Whether a lock is on.
    pub fn is_locked(&self, now: Wall, limits: &LoginLimits) -> bool {
        self.locked_until.is_some_and(|end| is_on(end, now, limits))
    }

    /// The state after one more failure, which came while no lock was on.
    pub fn after_failure(self, now: Wall, limits: &LoginLimits) -> Self {
        let failures = self.failures.saturating_add(1);
        if failures >= limits.unlock_after.max(1) {
            return Self { failures, locks: self.locks.saturating_add(1), locked_until: Some(UNTIL_UNLOCKED) };
        }
        if !failures.is_multiple_of(limits.lock_after.max(1)) {
            return Self { failures, ..self };
        }
        self.locked_at(failures, now, limits)
    }

    /// The state of a source after one more failure.
    pub fn after_failure_of_source(self, now: Wall, limits: &LoginLimits) -> Self {
        let failures = self.failures.saturating_add(1);
        match failures.checked_sub(limits.source_lock_after.max(1)) {
            Some(beyond) if beyond.is_multiple_of(limits.lock_after.max(1)) => self.locked_at(failures, now, limits),
            Some(_) | None => Self { failures, ..self },
        }
    }

    /// The state of a source after a success.
    pub fn after_success_of_source(self, limits: &LoginLimits) -> Self {
        match self.failures.saturating_sub(limits.lock_after.max(1)) {
            0 => Self::default(),
            failures => Self { failures, ..self },
        }
    }

    fn locked_at(self, failures: u32, now: Wall, limits: &LoginLimits) -> Self {
        let doubled = u64::from(limits.lock_s).saturating_mul(1 << self.locks.min(20));
        let lock_ms = doubled.min(u64::from(limits.lock_max_s)) * 1000;
        let end = Wall(now.0.saturating_add(i64::try_from(lock_ms).unwrap_or(i64::MAX)));
        Self { failures, locks: self.locks.saturating_add(1), locked_until: Some(end) }
    }
}

/// Whether a lock that ends then is on. One that ends later than any lock can, and is not one that only an administrator
/// ends, was put on by a clock that was ahead.
pub(super) fn is_on(end: Wall, now: Wall, limits: &LoginLimits) -> bool {
    now < end && (end == UNTIL_UNLOCKED || end <= latest(now, limits))
}

/// When a lock may end at the latest that is on now and ends by itself.
pub(super) fn latest(now: Wall, limits: &LoginLimits) -> Wall {
    Wall(now.0.saturating_add(i64::from(limits.lock_max_s) * 1000 + CLOCK_SET_BACK_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_of_a_clock_that_was_ahead_is_over_when_that_is_set_back() {
        let limits = LoginLimits::default();
        let ten_years = 315_360_000_000;
        let mut state = Lockout::default();
        for _ in 0..5 {
            state = state.after_failure(Wall(ten_years), &limits);
        }
        assert!(state.is_locked(Wall(ten_years), &limits) && !state.is_locked(Wall(0), &limits));
        let longest = i64::from(limits.lock_max_s) * 1000 + CLOCK_SET_BACK_MS;
        let at = |now| is_on(Wall(ten_years), Wall(now), &limits);
        assert!(at(ten_years - longest) && !at(ten_years - longest - 1));
        assert!(is_on(UNTIL_UNLOCKED, Wall(0), &limits), "an administrator has to end that");
    }

    #[test]
    fn five_failures_lock_for_five_minutes_doubling() {
        let limits = LoginLimits { unlock_after: 100, ..LoginLimits::default() };
        let (mut state, mut now, mut locks_s) = (Lockout::default(), Wall(0), Vec::new());
        for _ in 0..35 {
            state = state.after_failure(now, &limits);
            if state.is_locked(now, &limits) {
                let end = state.locked_until.unwrap();
                locks_s.push((end.0 - now.0) / 1000);
                assert!(state.is_locked(Wall(end.0 - 1), &limits) && !state.is_locked(end, &limits));
                now = end;
            }
        }
        assert_eq!(locks_s, [300, 600, 1200, 2400, 3600, 3600, 3600]);
    }

    #[test]
    fn twenty_failures_lock_until_unlocked() {
        let limits = LoginLimits::default();
        let mut state = Lockout::default();
        for n in 1..=20 {
            assert_ne!(state.locked_until, Some(UNTIL_UNLOCKED), "after {n}");
            state = state.after_failure(Wall(n * 10_000_000), &limits);
        }
        assert_eq!(state.locked_until, Some(UNTIL_UNLOCKED));
        assert!(state.is_locked(Wall(250_000_000_000_000), &limits));
    }
}
