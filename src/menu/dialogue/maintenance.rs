//! Maintenance: the reboot, logging, support PINs, the system's state.

use std::time::Duration;

use crate::access::{Action, Destructive, RebootWhen, Refusal, Reply, SystemStatus};
use crate::menu::entry::Entry;
use crate::menu::speech::{Noun, Words};
use crate::menu::tree::{COUNTDOWN, LOGGING, MAINTENANCE, Maintenance, Place, REBOOT, SUPPORT_EXTENSION, SUPPORT_PIN};
use crate::model::ChangeNumber;

use super::backup::size;
use super::{Dialogue, Work};

impl Dialogue {
    pub(super) fn run_maintenance(&mut self, function: Maintenance) {
        match function {
            Maintenance::StartBackup => self.start_backup(),
            Maintenance::LeaveBackup => self.go(Place::Menu(&MAINTENANCE), Words::none()),
            Maintenance::LastBackup => self.last_backup(),
            Maintenance::AskReboot => {
                self.ask(Action::AskReboot, Place::Menu(&MAINTENANCE), Self::reboot_state_told);
            }
            Maintenance::Reboot(when) => self.check(Destructive::Reboot { when }, Place::Menu(&REBOOT)),
            Maintenance::CancelReboot => {
                self.ask(Action::CancelReboot, Place::Menu(&REBOOT), Self::reboot_cancel_replied);
            }
            Maintenance::SetLogging { detailed } => {
                let then = if detailed { Self::logging_in_detail } else { Self::logging_normally };
                self.ask(Action::SetLogging { detailed }, Place::Menu(&LOGGING), then);
            }
            Maintenance::NewLogFile => self.ask(Action::NewLogFile, Place::Menu(&LOGGING), Self::log_file_closed),
            Maintenance::Status => {
                self.ask(Action::SystemStatus, Place::Menu(&MAINTENANCE), Self::system_status_read);
            }
            Maintenance::LeaveConfirm => self.leave_confirm(),
        }
    }

    fn reboot_state_told(&mut self, reply: &Reply) {
        match reply {
            Reply::RebootState { other_calls, waiting, .. } => {
                let waiting = waiting.then_some("reboot-is-waiting");
                self.go(Place::Menu(&REBOOT), calls_in_progress(Words::none(), *other_calls).clips(waiting));
            }
            reply => self.reboot_refused(reply),
        }
    }

    /// Counts down to a reboot: the caller may cancel until it starts.
    pub(super) fn reboot_confirmed(&mut self, when: RebootWhen, delay_s: u32, change: ChangeNumber) {
        if when == RebootWhen::Idle {
            return self.changed(Place::Menu(&REBOOT), "reboot-waiting", change);
        }
        let words = Words::from("reboot-in").counted(delay_s, Noun::Seconds);
        self.enter(Place::Menu(&COUNTDOWN), words.clip(COUNTDOWN.clip).change(change));
        let starts = self.now + Duration::from_secs(u64::from(delay_s));
        self.moves_on = Some((starts, Self::countdown_ends));
    }

    /// Somebody else may have cancelled it meanwhile, or it could not be done.
    fn countdown_ends(&mut self) {
        self.ask(Action::AskReboot, Place::Menu(&REBOOT), Self::countdown_ended);
    }

    fn countdown_ended(&mut self, reply: &Reply) {
        match reply {
            Reply::RebootState { waiting: true, .. } => self.close("reboot-started"),
            Reply::RebootState { waiting: false, failed, .. } => {
                // What was keyed at the end of the countdown was meant for it.
                self.ahead.clear();
                let ended = if *failed { "news-reboot-failed" } else { "reboot-cancelled" };
                self.go(Place::Menu(&REBOOT), ended);
            }
            reply => self.refused(reply),
        }
    }

    fn reboot_cancel_replied(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&REBOOT), "reboot-cancelled", *change),
            reply => self.reboot_refused(reply),
        }
    }

    pub(super) fn reboot_refused(&mut self, reply: &Reply) {
        match reply {
            Reply::Refused(Refusal::AlreadySo) => self.go(Place::Menu(&REBOOT), "reboot-already-waiting"),
            Reply::Refused(Refusal::NothingThere) => self.go(Place::Menu(&REBOOT), "reboot-none-waiting"),
            reply => self.refused(reply),
        }
    }

    fn logging_in_detail(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&LOGGING), "logging-detailed", *change),
            reply => self.refused(reply),
        }
    }

    fn logging_normally(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&LOGGING), "logging-normal", *change),
            reply => self.refused(reply),
        }
    }

    fn log_file_closed(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&LOGGING), "log-file-closed", *change),
            Reply::Refused(Refusal::NothingThere) => self.go(Place::Menu(&LOGGING), "log-file-none"),
            reply => self.refused(reply),
        }
    }

    /// Whatever was keyed, the PIN is asked for and the store is asked: nothing tells which extensions there are.
    pub(super) fn support_extension(&mut self, entry: &Entry) {
        match entry.extension() {
            Some(extension) => {
                self.work = Work::Support(extension);
                self.go(Place::Question(&SUPPORT_PIN), Words::none());
            }
            None => self.stay(Words::none()),
        }
    }

    pub(super) fn support_pin(&mut self, entry: &Entry) {
        let Work::Support(extension) = &self.work else {
            return self.go(Place::Question(&SUPPORT_EXTENSION), Words::none());
        };
        // An overlong PIN is wrong, like an empty one.
        let pin = entry.pin().unwrap_or_default();
        let action = Action::VerifySupportPin { extension: extension.clone(), pin };
        self.ask(action, Place::Menu(&MAINTENANCE), Self::support_pin_verified);
    }

    fn support_pin_verified(&mut self, reply: &Reply) {
        match reply {
            Reply::Done => self.go(Place::Menu(&MAINTENANCE), "support-pin-valid"),
            Reply::Refused(Refusal::Unknown | Refusal::PinWrong) => {
                self.go(Place::Menu(&MAINTENANCE), "support-pin-invalid");
            }
            reply => self.refused(reply),
        }
    }

    fn system_status_read(&mut self, reply: &Reply) {
        match reply {
            Reply::Status(status) => self.go(Place::Menu(&MAINTENANCE), system_status(status)),
            reply => self.refused(reply),
        }
    }
}

/// How many would be cut off.
pub(super) fn calls_in_progress(first: Words, other_calls: u32) -> Words {
    match other_calls {
        0 => first.clip("reboot-no-other-calls"),
        calls => first.counted(calls, Noun::OtherCalls),
    }
}

fn system_status(status: &SystemStatus) -> Words {
    let [major, minor, patch] = status.version;
    let mut words = Words::from("status-version").number(major).clip("address-dot").number(minor);
    words = words.clip("address-dot").number(patch);
    if let Some(since) = status.up_since {
        words = words.clip("status-started").moment(since);
    }
    words = words.counted(status.calls, Noun::Calls);
    if let Some(percent) = status.disk_used_percent {
        words = words.clip("status-disk").counted(u32::from(percent), Noun::Percent);
    }
    size(words.clip("status-store"), status.store_bytes)
}
