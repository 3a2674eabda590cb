//! Token buckets, as the generic cell rate algorithm keeps them (ITU-T I.371 annex A).
//!
//! ```text
//!   bucket = the time at which it will be full again
//!   take:  full_at = max(full_at, now) + interval × count    only where that is at most interval × burst after now
//! ```

use std::time::Duration;

use super::Mono;

/// How fast a bucket fills, and how much is in it.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    interval: Duration,
    burst: u32,
}

impl Rate {
    /// `count` tokens in `time`, and a bucket that holds `burst` of them. A rate of none is taken for one.
    pub const fn per(time: Duration, count: u32, burst: u32) -> Self {
        let count = if count == 0 { 1 } else { count };
        Self { interval: Duration::from_nanos(time.as_nanos() as u64 / count as u64), burst }
    }

    /// `count` tokens a second, and a bucket that holds `burst` of them.
    pub const fn per_second(count: u32, burst: u32) -> Self {
        Self::per(Duration::from_secs(1), count, burst)
    }
}

/// When a bucket will be full; the default one is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket(Mono);

impl Bucket {
    /// Whether so many tokens are left.
    pub fn has(self, now: Mono, rate: Rate, count: u32) -> bool {
        self.without(now, rate, count).is_some()
    }

    /// Takes so many tokens, or none where there are fewer.
    pub fn take(&mut self, now: Mono, rate: Rate, count: u32) -> bool {
        let rest = self.without(now, rate, count);
        *self = rest.unwrap_or(*self);
        rest.is_some()
    }

    /// When it will be full, where nothing more is taken.
    pub fn full_at(self) -> Mono {
        self.0
    }

    fn without(self, now: Mono, rate: Rate, count: u32) -> Option<Self> {
        let full_at = self.0.max(now) + rate.interval.saturating_mul(count);
        (full_at.since(now) <= rate.interval.saturating_mul(rate.burst)).then_some(Self(full_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_what_it_holds_and_then_its_rate() {
        let (mut bucket, rate) = (Bucket::default(), Rate::per_second(20, 32));
        let mut taken = |ms: u64| (0..1000).filter(|_| bucket.take(Mono(ms * 1000), rate, 1)).count();
        assert_eq!((taken(0), taken(49), taken(50), taken(1050)), (32, 0, 1, 20));
        assert_eq!(taken(3_600_000), 32, "no more than it holds, however long it was left alone");
        assert_eq!(taken(3_599_000), 0, "an earlier time gives nothing");
        let late = Mono(u64::MAX / 2);
        assert!(!bucket.has(late, rate, 33) && !bucket.take(late, rate, 33), "all or nothing");
        assert!(bucket.has(late, rate, 32) && bucket.take(late, rate, 32));
        assert_eq!(bucket.full_at(), late + Duration::from_millis(1600));
    }
}
