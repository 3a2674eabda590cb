//! The network in one direction: it loses, doubles, delays and reorders.

use std::time::Duration;

use switchhook::model::Mono;

use super::random::Random;

/// How bad a link is. Percentages; `bursts` in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quality {
    pub loss: u64,
    pub bursts: u64,
    pub doubles: u64,
    pub late: u64,
    pub delay_ms: u64,
    pub jitter_ms: u64,
}

impl Quality {
    /// Nothing is lost, doubled or overtaken.
    pub fn good(random: &mut Random) -> Self {
        Self { delay_ms: random.between(1, 60), jitter_ms: random.below(15), ..Self::default() }
    }

    /// Up to 30 % are lost, bursts too.
    pub fn bad(random: &mut Random) -> Self {
        Self {
            loss: random.below(31),
            bursts: random.below(15),
            doubles: random.below(15),
            late: random.below(20),
            delay_ms: random.between(1, 150),
            jitter_ms: random.below(40),
        }
    }
}

pub struct Link {
    quality: Quality,
    random: Random,
    lost_next: u64,
    last: Mono,
}

impl Link {
    pub fn new(quality: Quality, random: Random) -> Self {
        Self { quality, random, lost_next: 0, last: Mono(0) }
    }

    /// When the copies of a datagram arrive: none where it is lost, two where it is doubled.
    pub fn carry(&mut self, now: Mono) -> [Option<Mono>; 2] {
        let q = self.quality;
        if self.lost_next > 0 {
            self.lost_next -= 1;
            return [None; 2];
        }
        if self.random.below(1000) < q.bursts {
            self.lost_next = self.random.between(2, 6);
            return [None; 2];
        }
        if self.random.percent(q.loss) {
            return [None; 2];
        }
        let jitter = self.random.below(q.jitter_ms * 1000 + 1);
        let in_order = (now + Duration::from_micros(q.delay_ms * 1000 + jitter)).max(self.last);
        self.last = in_order;
        // What is late is overtaken by up to five packets of a stream.
        let late_ms = if self.random.percent(q.late) { self.random.between(20, 100) } else { 0 };
        let first = in_order + Duration::from_millis(late_ms);
        let second = self.random.percent(q.doubles).then(|| first + Duration::from_millis(self.random.below(60)));
        [Some(first), second]
    }
}
