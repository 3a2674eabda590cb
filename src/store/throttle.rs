//! Token buckets and locks of the sources that PINs are tried from. Pure: the time is an argument, the rows are kept by
//! [`super::sources`].
//!
//! ```text
//!                          source's bucket   everybody's bucket   source's lock   account's lock
//! from the own handset            x                                                    own
//! by a stranger                   x                  x                  x              other
//! by who is logged in                                                                  own
//! ```
//! What fails from the own handsets of one place is watched together ([`Source::watched`]), and stops nobody. So no stranger
//! uses up what lets the owner in. A right PIN costs no token, and one must be there all the same.
//!
//! Kept in the store, a bucket outlives the process and is shared by all that run: that is why it is one number.

use super::lockout::{CLOCK_SET_BACK_MS, Lockout, LoginLimits};
use crate::model::Wall;

const MINUTE_MS: i64 = 60_000;
/// The failures of a source are forgotten when none has come for this long.
pub(super) const SOURCE_REMEMBERED_MS: i64 = 24 * 60 * MINUTE_MS;
/// Tries that are refused unseen are noted in the audit trail and the log once in this time: each source's, and together
/// those that only find everybody's bucket empty.
const NOTED_EVERY_MS: i64 = 5 * MINUTE_MS;

/// From where a PIN is tried, as an account's lock-outs are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// The account's own handset, or whoever is logged in to it.
    Own,
    /// Anywhere else.
    Other,
}

impl Origin {
    /// The name in the store.
    pub(super) fn name(self) -> &'static str {
        match self {
            Origin::Own => "own",
            Origin::Other => "other",
        }
    }
}

/// A token bucket of a minute's worth as one number, the theoretical arrival time of the generic cell rate algorithm
/// (ITU-T I.371 annex A): when it is full again, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket(pub(super) i64);

impl Bucket {
    /// The bucket without one token more; `None` where it is empty.
    pub(super) fn take(self, now: Wall, per_minute: u32) -> Option<Self> {
        let (each, whole) = sizes(per_minute);
        let full_at = self.full_at(now, whole);
        (full_at + each <= now.0 + whole).then_some(Bucket(full_at + each))
    }

    /// How many tokens there are.
    fn holds(self, now: Wall, per_minute: u32) -> i64 {
        let (each, whole) = sizes(per_minute);
        (now.0 + whole - self.full_at(now, whole)) / each
    }

    fn full_at(self, now: Wall, whole: i64) -> i64 {
        let is_real = now.0 <= self.0 && self.0 <= now.0 + whole + CLOCK_SET_BACK_MS;
        if is_real { self.0 } else { now.0 }
    }
}

/// What one token is worth, and a full bucket, in milliseconds.
fn sizes(per_minute: u32) -> (i64, i64) {
    let per_minute = i64::from(per_minute.max(1));
    let each = (MINUTE_MS / per_minute).max(1);
    (each, each * per_minute)
}

/// Tries of this process that are being looked at, and have taken no token yet: a flood is not to get past an empty bucket
/// while the PINs before it are still being checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UnderWay {
    /// Of the same source.
    pub(super) source: u32,
    /// Of all strangers.
    pub(super) total: u32,
}

/// What is kept of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) bucket: Bucket,
    /// Failures in a row on other people's accounts.
    pub(super) lock: Lockout,
    /// When refused tries were noted last.
    pub(super) noted_at: i64,
    /// The last change.
    pub(super) changed_at: i64,
}

impl Source {
    /// All own handsets of one place after one more try, whichever account it was on, and whether it is to be told: that
    /// many failed in a row, as they lock a stranger, or more a minute than a stranger may. Told once in five minutes, and
    /// nobody is locked out: owners have to get in.
    #[must_use]
    pub(super) fn watched(self, now: Wall, right: bool, limits: &LoginLimits) -> (Self, bool) {
        let is_old = now.0 - self.changed_at > SOURCE_REMEMBERED_MS;
        let lock = if is_old { Lockout::default() } else { self.lock };
        if right {
            let lock = lock.after_success_of_source(limits);
            let changed_at = if lock == self.lock { self.changed_at } else { now.0 };
            return (Self { lock, changed_at, ..self }, false);
        }
        let lock = Lockout { locked_until: None, ..lock.after_failure_of_source(now, limits) };
        let bucket = self.bucket.take(now, limits.source_tries_per_minute);
        let is_much = lock.failures >= limits.source_lock_after.max(1) || bucket.is_none();
        let is_told = is_much && !(0..NOTED_EVERY_MS).contains(&(now.0 - self.noted_at));
        let noted_at = if is_told { now.0 } else { self.noted_at };
        (Self { bucket: bucket.unwrap_or(self.bucket), lock, noted_at, changed_at: now.0 }, is_told)
    }
}

/// What is kept of all strangers together, for one kind of PIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) bucket: Bucket,
    pub(super) noted_at: i64,
}

/// Who tries, as far as the buckets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Try {
    pub(super) origin: Origin,
    /// Neither logged in nor at the account's own handset: everybody's bucket counts as well.
    pub(super) is_stranger: bool,
}

/// What a try has to pass before its PIN is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gate {
    pub(super) source: Source,
    pub(super) total: Total,
}

impl Gate {
    /// Whether a try is looked at.
    pub(super) fn lets_in(&self, now: Wall, who: Try, limits: &LoginLimits) -> bool {
        self.lets_in_besides(now, who, limits, UnderWay::default())
    }

    /// Whether a try is looked at while others are.
    pub(super) fn lets_in_besides(&self, now: Wall, who: Try, limits: &LoginLimits, others: UnderWay) -> bool {
        let left = self.total.bucket.holds(now, limits.overall_tries_per_minute);
        let is_full = who.is_stranger && left <= i64::from(others.total);
        !self.stops_source(now, who, limits, others.source) && !is_full
    }

    /// Whether it is the source itself that is stopped.
    fn stops_source(&self, now: Wall, who: Try, limits: &LoginLimits, others: u32) -> bool {
        let is_locked = who.origin == Origin::Other && self.source.lock.is_locked(now, limits);
        is_locked || self.source.bucket.holds(now, limits.source_tries_per_minute) <= i64::from(others)
    }

    /// After a try that was looked at.
    #[must_use]
    pub(super) fn after(self, now: Wall, who: Try, right: bool, limits: &LoginLimits) -> Self {
        let Gate { mut source, mut total } = self;
        let is_old = now.0 - source.changed_at > SOURCE_REMEMBERED_MS;
        let lock = if is_old { Lockout::default() } else { source.lock };
        source.lock = match (who.origin, right) {
            (Origin::Own, _) => lock,
            (Origin::Other, true) => lock.after_success_of_source(limits),
            (Origin::Other, false) => lock.after_failure_of_source(now, limits),
        };
        if !right {
            let taken = |bucket: Bucket, per_minute| bucket.take(now, per_minute).unwrap_or(bucket);
            source.bucket = taken(source.bucket, limits.source_tries_per_minute);
            if who.is_stranger {
                total.bucket = taken(total.bucket, limits.overall_tries_per_minute);
            }
        }
        if source != self.source {
            source.changed_at = now.0;
        }
        Self { source, total }
    }

    /// After a try that was refused unseen, where that is to be noted; `None` where one was noted not long ago.
    #[must_use]
    pub(super) fn noted(self, now: Wall, who: Try, limits: &LoginLimits) -> Option<Self> {
        let Gate { mut source, mut total } = self;
        let is_source = self.stops_source(now, who, limits, 0);
        let last = if is_source { &mut source.noted_at } else { &mut total.noted_at };
        if (0..NOTED_EVERY_MS).contains(&(now.0 - *last)) {
            return None;
        }
        *last = now.0;
        Some(Self { source, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: Try = Try { origin: Origin::Other, is_stranger: true };
    const OWNER: Try = Try { origin: Origin::Own, is_stranger: false };
    /// 2026-01-31T08:15:00Z.
    const MORNING: i64 = 1_769_847_300_000;

    fn takes(bucket: &mut Bucket, now: i64, per_minute: u32) -> bool {
        let taken = bucket.take(Wall(now), per_minute);
        *bucket = taken.unwrap_or(*bucket);
        taken.is_some()
    }

    /// How many of so many tries at once find a token.
    fn burst(bucket: &mut Bucket, now: i64, per_minute: u32) -> usize {
        (0..2000).filter(|_| takes(bucket, now, per_minute)).count()
    }

    #[test]
    fn a_bucket_holds_a_minute_s_tokens_and_fills_evenly() {
        for per_minute in [1, 7, 20, 300, 1000] {
            let (mut bucket, now) = (Bucket::default(), MORNING);
            assert_eq!(burst(&mut bucket, now, per_minute), per_minute as usize);
            let each = 60_000 / i64::from(per_minute);
            assert!(!takes(&mut bucket, now + each - 1, per_minute));
            assert!(takes(&mut bucket, now + each, per_minute) && !takes(&mut bucket, now + each, per_minute));
            assert_eq!(burst(&mut bucket, now + 10 * 60_000, per_minute), per_minute as usize, "no more than that");
        }
        assert!(Bucket::default().take(Wall(MORNING), 0).is_some(), "none a minute counts as one");
    }

    #[test]
    fn over_an_hour_no_more_than_the_rate_and_one_burst() {
        let mut bucket = Bucket::default();
        let tries = (0..3_600_000).step_by(100);
        assert_eq!(tries.filter(|ms| takes(&mut bucket, MORNING + ms, 20)).count(), 20 * 60 + 20 - 1);
    }

    #[test]
    fn a_clock_that_is_set_back_shuts_nobody_out_and_one_that_lags_gives_nothing() {
        let mut bucket = Bucket::default();
        assert_eq!(burst(&mut bucket, MORNING, 20), 20);
        assert!(!takes(&mut bucket, MORNING - 5_000, 20), "a try that was begun a little earlier");
        let mut before = bucket;
        assert_eq!(burst(&mut before, MORNING - 86_400_000, 20), 20, "the day before");
        assert!(takes(&mut bucket, MORNING + 3_000, 20));

        let limits = LoginLimits::default();
        let mut gate = Gate::default();
        for _ in 0..20 {
            gate = gate.after(Wall(MORNING), STRANGER, false, &limits);
        }
        assert!(!gate.lets_in(Wall(MORNING + 299_999), STRANGER, &limits), "locked for five minutes");
        assert!(gate.lets_in(Wall(MORNING + 300_000), STRANGER, &limits));
        assert!(gate.lets_in(Wall(MORNING - 86_400_000), STRANGER, &limits), "the day before");
    }

    /// How long each lock of a source lasts, in seconds, and how many failures came before it.
    fn locks_of(tries: usize, limits: &LoginLimits, is_right: impl Fn(usize) -> bool) -> Vec<(usize, i64)> {
        let (mut gate, mut now, mut locks) = (Gate::default(), MORNING, Vec::new());
        for n in 0..tries {
            now += 60_000;
            let before = gate.source.lock.locks;
            gate = gate.after(Wall(now), STRANGER, is_right(n), limits);
            if gate.source.lock.locks > before {
                let end = gate.source.lock.locked_until.unwrap();
                locks.push((n + 1, (end.0 - now) / 1000));
                now = end.0;
            }
        }
        locks
    }

    #[test]
    fn a_source_is_locked_at_twenty_failures_in_a_row_whichever_accounts_they_were_on() {
        let limits = LoginLimits::default();
        let locks = locks_of(60, &limits, |_| false);
        let expected = [(20, 300), (25, 600), (30, 1200), (35, 2400), (40, 3600), (45, 3600), (50, 3600), (55, 3600)];
        assert_eq!(locks[..8], expected);
        assert_eq!(locks_of(200, &limits, |n| n % 5 == 4), [], "one of five is right: a place with many people");
        let one_of_ten = locks_of(200, &limits, |n| n % 10 == 9);
        assert!(!one_of_ten.is_empty(), "a right PIN now and then does not hide the others");
    }

    #[test]
    fn what_a_source_did_is_forgotten_a_day_later() {
        let limits = LoginLimits::default();
        let (mut gate, mut now) = (Gate::default(), MORNING);
        for _ in 0..19 {
            gate = gate.after(Wall(now), STRANGER, false, &limits);
        }
        now += SOURCE_REMEMBERED_MS + 1;
        gate = gate.after(Wall(now), STRANGER, false, &limits);
        assert_eq!(gate.source.lock, Lockout { failures: 1, ..Lockout::default() });
    }

    #[test]
    fn strangers_use_up_nothing_of_the_owner_s() {
        let limits = LoginLimits::default();
        let (mut total, mut own) = (Total::default(), Source::default());
        for n in 0..1000 {
            // Each from somewhere else.
            let gate = Gate { source: Source::default(), total };
            assert_eq!(gate.lets_in(Wall(MORNING), STRANGER, &limits), n < 300, "{n}");
            if gate.lets_in(Wall(MORNING), STRANGER, &limits) {
                total = gate.after(Wall(MORNING), STRANGER, false, &limits).total;
            }
        }
        let mut admitted = 0;
        for _ in 0..100 {
            let gate = Gate { source: own, total };
            if gate.lets_in(Wall(MORNING), OWNER, &limits) {
                admitted += 1;
                let after = gate.after(Wall(MORNING), OWNER, false, &limits);
                assert_eq!((after.total, after.source.lock), (total, Lockout::default()));
                own = after.source;
            }
        }
        assert_eq!(admitted, 20, "its own bucket");
    }

    #[test]
    fn a_right_pin_costs_nothing_and_an_empty_bucket_takes_none() {
        let limits = LoginLimits::default();
        let mut gate = Gate::default();
        for _ in 0..1000 {
            assert!(gate.lets_in(Wall(MORNING), STRANGER, &limits));
            gate = gate.after(Wall(MORNING), STRANGER, true, &limits);
        }
        assert_eq!(gate, Gate::default());
        gate.source.bucket = Bucket(MORNING + 60_000);
        assert!(!gate.lets_in(Wall(MORNING), STRANGER, &limits) && !gate.lets_in(Wall(MORNING), OWNER, &limits));
    }

    #[test]
    fn what_own_handsets_of_one_place_fail_is_told_once_in_five_minutes() {
        let limits = LoginLimits::default();
        let told = |every_ms: i64, tries: i64, is_right: &dyn Fn(i64) -> bool| {
            let (mut place, mut told) = (Source::default(), Vec::new());
            for n in 0..tries {
                let (after, is_told) = place.watched(Wall(MORNING + n * every_ms), is_right(n), &limits);
                assert_eq!(after.lock.locked_until, None, "nobody is kept out");
                place = after;
                told.extend(is_told.then_some(n));
            }
            told
        };
        assert_eq!(told(60_000, 40, &|_| false), [19, 24, 29, 34, 39], "one a minute, without any success");
        assert!(told(60_000, 400, &|n| n % 5 == 4).is_empty(), "many people, of whom some mistype");
        assert_eq!(told(1000, 900, &|n| n % 2 == 0).len(), 3, "thirty wrong ones a minute, whatever else succeeds");
        assert!(told(SOURCE_REMEMBERED_MS + 1, 40, &|_| false).is_empty(), "one a day");
    }

    #[test]
    fn refused_tries_are_noted_once_in_five_minutes() {
        let limits = LoginLimits::default();
        let mut gate = Gate::default();
        gate.source.bucket = Bucket(MORNING + 60_000);
        let mut notes = Vec::new();
        for s in 0..600 {
            gate.source.bucket = Bucket(MORNING + s * 1000 + 60_000);
            if let Some(noted) = gate.noted(Wall(MORNING + s * 1000), STRANGER, &limits) {
                gate = noted;
                notes.push(s);
            }
        }
        assert_eq!(notes, [0, 300]);
        assert_eq!(gate.total.noted_at, 0, "the source's own fault");
        let full = Total { bucket: Bucket(MORNING + 60_000), noted_at: 0 };
        let noted = Gate { source: Source::default(), total: full }.noted(Wall(MORNING), STRANGER, &limits).unwrap();
        assert_eq!((noted.source.noted_at, noted.total.noted_at), (0, MORNING), "everybody's");
        let other = Gate { source: Source::default(), total: noted.total };
        assert_eq!(other.noted(Wall(MORNING + 1), STRANGER, &limits), None, "one note for all of them");
    }
}
