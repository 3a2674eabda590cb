//! The clock: the only place that reads it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::model::{Mono, Wall};

/// Seconds from 1900 (NTP) to 1970 (Unix).
const NTP_TO_UNIX_S: u64 = 2_208_988_800;

/// The process's clock; a copy is the same clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// Starts at zero.
    #[allow(clippy::disallowed_methods)]
    pub fn start() -> Self {
        Self { epoch: Instant::now() }
    }

    /// The monotonic clock.
    #[allow(clippy::disallowed_methods)]
    pub fn now(&self) -> Mono {
        Mono(u64::try_from(Instant::now().duration_since(self.epoch).as_micros()).unwrap_or(u64::MAX))
    }

    /// That moment as the runtime's timers want it.
    pub fn deadline(&self, at: Mono) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.epoch + std::time::Duration::from_micros(at.0))
    }

    /// The monotonic clock as systemd wants to be told it.
    pub fn for_systemd() -> std::io::Result<sd_notify::NotifyState<'static>> {
        sd_notify::NotifyState::monotonic_usec_now()
    }

    /// The wall clock.
    pub fn wall() -> Wall {
        Wall(i64::try_from(since_1970().as_millis()).unwrap_or(i64::MAX))
    }

    /// The wall clock as NTP has it: seconds since 1900, 32.32 bits.
    pub fn ntp() -> u64 {
        let now = since_1970();
        (now.as_secs().wrapping_add(NTP_TO_UNIX_S) << 32) | ((u64::from(now.subsec_nanos()) << 32) / 1_000_000_000)
    }
}

#[allow(clippy::disallowed_methods)]
fn since_1970() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
