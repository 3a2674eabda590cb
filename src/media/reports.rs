//! When RTCP reports are due: each time a random while after the last one, so that calls that began together don't report
//! together (RFC 3550 section 6.3.1).

use std::time::Duration;

use crate::model::Mono;

/// Between two reports, on average (RFC 3550 section 6.2); one call has half of it to one and a half.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// The timer of one call.
#[derive(Clone, Copy, Debug)]
pub struct Reports {
    due: Mono,
    /// The state of splitmix64: what follows looks random, and follows from the seed.
    random: u64,
}

impl Reports {
    /// Begins now. All that follows is by the `seed`, which is to be another one for each call.
    pub fn new(now: Mono, seed: u64) -> Self {
        let mut reports = Self { due: now, random: seed };
        reports.sent(now);
        reports
    }

    /// Whether one is due.
    pub fn are_due(&self, now: Mono) -> bool {
        now >= self.due
    }

    /// One was sent: when the next one is due is drawn.
    ///
    /// RFC 3550 divides by 1.21828 besides, for what its reconsideration of the timer adds where many take part; there are
    /// two here, and nothing is reconsidered.
    pub fn sent(&mut self, now: Mono) {
        let every = REPORT_EVERY.as_nanos() as u64;
        let drawn = (u128::from(every) * u128::from(self.draw())) >> 64;
        self.due = now + Duration::from_nanos(every / 2 + drawn as u64);
    }

    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From one report to the next, in milliseconds, as a call sees it that looks each 20 ms.
    fn intervals(seed: u64, count: usize) -> Vec<u64> {
        let (mut reports, mut last, mut found) = (Reports::new(Mono(0), seed), 0, Vec::new());
        for ms in (0..).step_by(20) {
            if reports.are_due(Mono(ms * 1000)) {
                reports.sent(Mono(ms * 1000));
                found.push(ms - std::mem::replace(&mut last, ms));
            }
            if found.len() == count {
                break;
            }
        }
        found
    }

    #[test]
    fn rfc3550_6_3_1_reports_come_at_half_to_one_and_a_half_of_five_seconds() {
        for seed in 0..20 {
            let found = intervals(seed, 500);
            assert!(found.iter().all(|ms| (2500..=7520).contains(ms)), "seed {seed}: {found:?}");
            let (least, most) = (found.iter().min().expect("some"), found.iter().max().expect("some"));
            assert!(*least < 2700 && *most > 7300, "seed {seed}: {least} to {most}");
            let average = found.iter().sum::<u64>() / 500;
            assert!((4600..5400).contains(&average), "seed {seed}: {average}");
        }
    }

    #[test]
    fn calls_that_begin_together_do_not_report_together() {
        let mut firsts: Vec<u64> = (0..1000).map(|call| intervals(call, 1)[0]).collect();
        firsts.sort_unstable();
        let at_once = firsts.chunk_by(|a, b| a == b).map(<[u64]>::len).max();
        // There are 250 frames for 1000 calls.
        assert!(at_once.is_some_and(|calls| calls < 20), "{at_once:?} calls in one frame");
        assert_eq!(intervals(7, 50), intervals(7, 50), "the same seed, the same call");
    }
}
