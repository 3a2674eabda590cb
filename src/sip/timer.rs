//! The RFC's timer values, and the one table of wake-ups.

use std::collections::BTreeSet;
use std::time::Duration;

use super::DialogKey;
use super::key::TransactionKey;
use crate::model::Mono;

/// The round-trip estimate (RFC 3261 section 17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);
/// The longest wait between retransmissions (RFC 3261 section 17.1.2.1).
pub const T2: Duration = Duration::from_secs(4);
/// How long a message may stay in the network (RFC 3261 section 17.1.2.1).
pub const T4: Duration = Duration::from_secs(5);
/// 64*T1: Timers F, H, J and L, and how long a 2xx waits for its ACK.
pub const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(32);
/// An INVITE that has no final response after this gets a 100 (RFC 3261 section 17.2.1).
pub const TRYING_AFTER: Duration = Duration::from_millis(200);

/// What a wake-up is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Server(TransactionKey),
    Client(u64),
    Dialog(DialogKey),
}

/// All wake-ups, by time; each target has one at most, and keeps its time itself.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeSet<(Mono, Target)>,
}

impl Timers {
    /// Moves the wake-up of a target from `armed` to `at`.
    pub(super) fn arm(&mut self, target: Target, armed: &mut Option<Mono>, at: Option<Mono>) {
        if *armed == at {
            return;
        }
        if let Some(old) = armed.take() {
            self.due.remove(&(old, target));
        }
        if let Some(new) = at {
            self.due.insert((new, target));
        }
        *armed = at;
    }

    /// The time of the next wake-up.
    pub(super) fn next(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes out the first target that is due, if there is one; the target has no wake-up then.
    pub(super) fn pop_due(&mut self, now: Mono) -> Option<Target> {
        let (at, _) = self.due.first()?;
        if *at > now {
            return None;
        }
        self.due.pop_first().map(|(_, target)| target)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.due.len()
    }
}
