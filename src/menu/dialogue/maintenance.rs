//! Maintenance: the reboot.

use std::time::Duration;

use crate::access::{Action, Destructive, RebootWhen, Refusal, Reply};
use crate::menu::speech::Words;
use crate::menu::tree::{COUNTDOWN, MAINTENANCE, Place, REBOOT};

use super::{Dialogue, Work};

/// What the reboot menu is about.
#[derive(Clone, Debug)]
pub(super) struct Reboot {
    other_calls: u32,
}

impl Dialogue {
    pub(super) fn ask_reboot(&mut self) {
        self.ask(Action::AskReboot, Place::Menu(&MAINTENANCE), Self::reboot_state_told);
    }

    fn reboot_state_told(&mut self, reply: &Reply) {
        match reply {
            Reply::RebootState { other_calls, waiting } => {
                self.work = Work::Reboot(Reboot { other_calls: *other_calls });
                let waiting = waiting.then_some("reboot-is-waiting");
                self.go(Place::Menu(&REBOOT), calls_in_progress(Words::none(), *other_calls).clips(waiting));
            }
            _ => self.failed(),
        }
    }

    pub(super) fn reboot_now(&mut self) {
        let read_back = self.reboot_read_back("reboot-now-confirm".into());
        self.ask_to_confirm(
            read_back,
            |pin| Action::Confirm(Destructive::Reboot { when: RebootWhen::Now }, pin),
            Place::Menu(&REBOOT),
            Self::reboot_now_replied,
        );
    }

    pub(super) fn reboot_when_idle(&mut self) {
        let read_back = self.reboot_read_back("reboot-when-idle-confirm".into());
        self.ask_to_confirm(
            read_back,
            |pin| Action::Confirm(Destructive::Reboot { when: RebootWhen::Idle }, pin),
            Place::Menu(&REBOOT),
            Self::reboot_when_idle_replied,
        );
    }

    fn reboot_read_back(&self, action: Words) -> Words {
        match &self.work {
            Work::Reboot(reboot) => calls_in_progress(action, reboot.other_calls),
            _ => action,
        }
    }

    /// Counts down: the caller may cancel until it starts.
    fn reboot_now_replied(&mut self, reply: &Reply) {
        match reply {
            Reply::RebootRequested { delay_s, change } => {
                let words = Words::from("reboot-in").number(*delay_s).clip("seconds");
                self.enter(Place::Menu(&COUNTDOWN), words.clip(COUNTDOWN.clip).change(*change));
                let starts = self.now + Duration::from_secs(u64::from(*delay_s));
                self.moves_on = Some((starts, Place::Menu(&MAINTENANCE)));
            }
            reply => self.reboot_refused(reply),
        }
    }

    fn reboot_when_idle_replied(&mut self, reply: &Reply) {
        match reply {
            Reply::RebootRequested { change, .. } => self.changed(Place::Menu(&REBOOT), "reboot-waiting", *change),
            reply => self.reboot_refused(reply),
        }
    }

    pub(super) fn cancel_reboot(&mut self) {
        self.ask(Action::CancelReboot, Place::Menu(&REBOOT), Self::reboot_cancel_replied);
    }

    fn reboot_cancel_replied(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&REBOOT), "reboot-cancelled", *change),
            reply => self.reboot_refused(reply),
        }
    }

    fn reboot_refused(&mut self, reply: &Reply) {
        let reason = match reply {
            Reply::Refused(Refusal::AlreadySo) => "reboot-already-waiting",
            Reply::Refused(Refusal::NothingThere) => "reboot-none-waiting",
            _ => return self.failed(),
        };
        self.go(Place::Menu(&REBOOT), reason);
    }
}

/// How many would be cut off.
fn calls_in_progress(first: Words, other_calls: u32) -> Words {
    match other_calls {
        0 => first.clip("reboot-no-other-calls"),
        1 => first.clip("reboot-one-other-call"),
        calls => first.number(calls).clip("reboot-other-calls"),
    }
}
