//! A token bucket: bounds what may come in a while without minding when in it.

use crate::model::Mono;

/// A token in units of the level: the time is in microseconds and the rate per second.
const TOKEN: u64 = 1_000_000;

/// The bucket of one call and one kind of thing.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    level_max: u64,
    level: u64,
    per_second: u64,
    filled: Mono,
}

impl Bucket {
    /// A full one, which holds `at_once` tokens and gets `per_second`.
    pub fn new(now: Mono, at_once: u32, per_second: u32) -> Self {
        let level = u64::from(at_once) * TOKEN;
        Self { level_max: level, level, per_second: u64::from(per_second), filled: now }
    }

    /// Takes so many tokens, or none where there are fewer.
    pub fn take(&mut self, now: Mono, count: u32) -> bool {
        let elapsed = u64::try_from(now.since(self.filled).as_micros()).unwrap_or(u64::MAX);
        self.level = self.level.saturating_add(elapsed.saturating_mul(self.per_second)).min(self.level_max);
        self.filled = self.filled.max(now);
        let left = self.level.checked_sub(u64::from(count) * TOKEN);
        self.level = left.unwrap_or(self.level);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_what_it_holds_and_then_its_rate() {
        let mut bucket = Bucket::new(Mono(0), 32, 20);
        let mut taken = |ms: u64| (0..1000).filter(|_| bucket.take(Mono(ms * 1000), 1)).count();
        assert_eq!((taken(0), taken(49), taken(50), taken(1050)), (32, 0, 1, 20));
        assert_eq!(taken(3_600_000), 32, "no more than it holds, however long it was left alone");
        assert_eq!(taken(3_599_000), 0, "an earlier time gives nothing");
        assert!(!bucket.take(Mono(u64::MAX), 33) && bucket.take(Mono(u64::MAX), 32), "all or nothing");
    }
}
