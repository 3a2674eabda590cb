//! What must be so when nothing is left to happen.

use switchhook::sip::Tables;

use super::rivals::{Outcome, Rivalry};
use super::{BYES_UNANSWERED, World};

impl World {
    /// Nothing is left of any call, and every request had its answer.
    pub(super) fn check_end(&mut self) {
        assert_eq!(self.endpoint.tables(), Tables::default(), "left in the endpoint");
        assert!(self.calls.is_empty() && self.dialogs.is_empty(), "calls are left");
        assert!(self.running.is_empty() && self.inboxes.is_empty(), "media is left");
        for call_id in &self.byes_due {
            let sent = self.byes_sent.get(call_id).copied().unwrap_or(0);
            assert!(sent > 0, "{call_id} was ended without a BYE");
            let is_reliable = self.phones.iter().any(|site| {
                let signals = &site.phone.signals;
                signals.is_reliable && signals.call_id == *call_id
            });
            let is_answered = is_reliable || self.byes_answered.contains(call_id);
            assert!(is_answered || sent == BYES_UNANSWERED, "a BYE without an answer was sent {sent} times");
        }
        for site in &self.phones {
            for transaction in &site.phone.signals.transactions {
                let key = (transaction.branch.clone(), transaction.method.to_owned());
                let Some(audit) = self.audits.get(&key) else { continue };
                let (delivered, answered) = (audit.delivered, audit.answered);
                assert!(answered > 0, "{} came {delivered} times and has no answer", transaction.method);
                if transaction.method != "INVITE" {
                    assert_eq!(answered, delivered, "answers to {}", transaction.method);
                }
            }
        }
        self.store.check_nothing_is_lost();
        match self.rivalry {
            Some(rivalry) => self.check_rivalry(rivalry),
            None if self.is_clean => self.check_goals(),
            None => {}
        }
    }

    /// Over good links, with no faults, every caller gets what was wanted.
    fn check_goals(&mut self) {
        let phone = &self.phones[0].phone;
        if let Some(clip) = phone.missed {
            panic!("{clip} was never heard");
        }
        if !phone.is_satisfied {
            return;
        }
        self.seen.satisfied += 1;
        for goal in &phone.goals {
            assert!((goal.holds)(&self.store), "{} is not as it was wanted", goal.about);
        }
    }

    /// Both callers have heard what came of it, and what they have heard is what is so.
    fn check_rivalry(&mut self, rivalry: &Rivalry) {
        for (number, site) in self.phones.iter().enumerate() {
            if let Some(clip) = site.phone.missed {
                panic!("caller {number} never heard {clip}");
            }
            assert!(!site.phone.is_left_waiting(), "caller {number} was cut off from what was to be heard");
        }
        let heard = [0, 1].map(|number| self.phones[number].phone.listener.since_meeting());
        let outcome = Outcome { rivalry, ledger: &self.store, heard, applied: &self.applied };
        (rivalry.after)(&outcome);
        let first = outcome.first();
        *self.seen.first.entry(rivalry.name).or_default().get_mut(first).expect("two callers") += 1;
    }
}
