//! Users and extensions.

use crate::access::{Action, Destructive, Refusal, Reply};
use crate::menu::entry::Entry;
use crate::menu::speech::Words;
use crate::menu::tree::{EXTENSION_FREE, Place, TEMPORARY_PIN, USER, USER_EXTENSION, USER_FORWARD, USER_NAME, Users};
use crate::model::{ChangeNumber, Clip, Extension, Pin};

use super::own::all_forwarding;
use super::recordings::{Recording, Subject};
use super::{Dialogue, Then, Work};

/// The user that the caller has chosen.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) extension: Extension,
    /// Whether the account was enabled when last heard of.
    enabled: bool,
    /// A temporary PIN that was just made, until the caller goes on.
    temporary_pin: Option<Pin>,
    /// The user was just added.
    is_new: bool,
}

#[cfg(test)]
impl User {
    /// What tells two of them apart, for the tests that walk all states.
    pub(super) fn state(&self) -> String {
        format!("user enabled {} pin {:?} new {}", self.enabled, self.temporary_pin, self.is_new)
    }
}

impl Dialogue {
    pub(super) fn run_users(&mut self, function: Users) {
        match function {
            Users::Add => {
                self.ask_about_user(|extension| Action::AddUser { extension }, Self::user_added);
            }
            Users::ResetVoicemailPin => {
                self.ask_about_user(|extension| Action::ResetVoicemailPin { extension }, Self::voicemail_pin_reset);
            }
            Users::ResetAccountPin => {
                self.ask_about_user(|extension| Action::ResetAccountPin { extension }, Self::account_pin_reset);
            }
            Users::RepeatTemporaryPin => self.say_temporary_pin(Words::none()),
            Users::LeaveTemporaryPin => self.leave_temporary_pin(),
            Users::Unlock => {
                self.ask_about_user(|extension| Action::UnlockUser { extension }, Self::user_unlocked);
            }
            Users::EnableOrDisable => self.enable_or_disable(),
            Users::OpenHandsets => {
                self.ask_about_user(|extension| Action::CheckUser { extension }, Self::handsets_opened);
            }
            Users::HearHandsets => self.hear_handsets(),
            Users::AssignHandset => self.list_unassigned_handsets(),
            Users::RemoveHandset => self.list_handsets_to_remove(),
            Users::HearForwarding => {
                self.ask_about_user(|extension| Action::ReadUserForwarding { extension }, Self::user_forwarding_read);
            }
            Users::ForwardingOff => {
                self.ask_about_user(|extension| Action::UserForwardingOff { extension }, Self::user_forwarding_ended);
            }
            Users::RecordName => {
                self.ask_about_user(|extension| Action::CheckUser { extension }, Self::user_name_may_be_recorded);
            }
            Users::Delete => match self.user() {
                Some(user) => self.check(Destructive::DeleteUser { extension: user.extension }, Place::Menu(&USER)),
                None => self.ask_user(Words::none()),
            },
        }
    }

    pub(super) fn user_extension(&mut self, entry: &Entry) {
        match entry.extension().filter(|_| !entry.overlong()) {
            Some(extension) => {
                let action = Action::OpenUser { extension: extension.clone() };
                self.work = Work::User(User { extension, enabled: true, temporary_pin: None, is_new: false });
                self.ask(action, Place::Question(&USER_EXTENSION), Self::user_opened);
            }
            None => self.stay("extension-unknown"),
        }
    }

    fn user_opened(&mut self, reply: &Reply) {
        match (reply, &mut self.work) {
            (Reply::User { spoken_name, enabled, locked }, Work::User(user)) => {
                user.enabled = *enabled;
                let disabled = (!*enabled).then_some("user-state-disabled");
                let locked = locked.then_some("user-state-locked");
                let fine = (disabled.is_none() && locked.is_none()).then_some("user-state-enabled");
                let name = Words::from("extension-is").digits(user.extension.as_str()).audio(spoken_name.clone());
                self.go(Place::Menu(&USER), name.clips(disabled).clips(locked).clips(fine));
            }
            (Reply::Refused(Refusal::Unknown), Work::User(_)) => self.go(Place::Menu(&EXTENSION_FREE), Words::none()),
            (reply, _) => self.user_refused(reply),
        }
    }

    fn user_added(&mut self, reply: &Reply) {
        match (reply, &mut self.work) {
            (Reply::TemporaryPin { pin, change }, Work::User(user)) => {
                user.is_new = true;
                user.enabled = true;
                self.tell_temporary_pin(pin, "user-added", *change);
            }
            // Somebody else was faster: it can be opened now.
            (Reply::Refused(Refusal::AlreadySo), _) => self.ask_user("already-so"),
            (reply, _) => self.user_refused(reply),
        }
    }

    fn voicemail_pin_reset(&mut self, reply: &Reply) {
        match reply {
            Reply::TemporaryPin { pin, change } => self.tell_temporary_pin(pin, "voicemail-pin-reset", *change),
            reply => self.user_refused(reply),
        }
    }

    fn account_pin_reset(&mut self, reply: &Reply) {
        match reply {
            Reply::TemporaryPin { pin, change } => self.tell_temporary_pin(pin, "account-pin-reset", *change),
            reply => self.user_refused(reply),
        }
    }

    fn tell_temporary_pin(&mut self, pin: &Pin, what: Clip, change: ChangeNumber) {
        if let Work::User(user) = &mut self.work {
            user.temporary_pin = Some(pin.clone());
        }
        // A PIN that is told once is not to be skipped by a key that came before it.
        self.ahead.clear();
        self.say_temporary_pin(Words::from(what).change(change));
    }

    /// The one PIN that is ever spoken: to the administrator who asked for it.
    fn say_temporary_pin(&mut self, first: Words) {
        match &self.work {
            Work::User(User { temporary_pin: Some(pin), .. }) => {
                let words = first.clip("temporary-pin-is").digits(pin.digits());
                self.go(Place::Menu(&TEMPORARY_PIN), words);
            }
            _ => self.leave_temporary_pin(),
        }
    }

    fn leave_temporary_pin(&mut self) {
        let Work::User(user) = &mut self.work else { return self.ask_user(Words::none()) };
        user.temporary_pin = None;
        let is_new = std::mem::take(&mut user.is_new);
        self.go(Place::Menu(if is_new { &USER_NAME } else { &USER }), Words::none());
    }

    fn user_unlocked(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&USER), "user-unlocked", *change),
            reply => self.user_refused(reply),
        }
    }

    fn enable_or_disable(&mut self) {
        let Some(user) = self.user() else { return self.ask_user(Words::none()) };
        let action = Action::SetUserEnabled { extension: user.extension, enabled: !user.enabled };
        self.ask(action, Place::Menu(&USER), Self::user_enabled_or_disabled);
    }

    fn user_enabled_or_disabled(&mut self, reply: &Reply) {
        let Work::User(user) = &mut self.work else { return self.failed() };
        match reply {
            Reply::Changed(change) => {
                user.enabled = !user.enabled;
                let what = if user.enabled { "user-enabled" } else { "user-disabled" };
                self.changed(Place::Menu(&USER), what, *change);
            }
            // Somebody else has done it meanwhile; the next press does the other thing.
            Reply::Refused(Refusal::AlreadySo) => {
                user.enabled = !user.enabled;
                self.user_refused(reply);
            }
            reply => self.user_refused(reply),
        }
    }

    fn user_forwarding_read(&mut self, reply: &Reply) {
        match reply {
            Reply::Forwardings(numbers) => self.go(Place::Menu(&USER_FORWARD), all_forwarding(numbers)),
            reply => self.user_refused(reply),
        }
    }

    fn user_forwarding_ended(&mut self, reply: &Reply) {
        match reply {
            Reply::Changed(change) => self.changed(Place::Menu(&USER_FORWARD), "forward-off", *change),
            Reply::Refused(Refusal::NothingThere) => self.go(Place::Menu(&USER_FORWARD), "forward-is-off"),
            reply => self.user_refused(reply),
        }
    }

    /// Recording for nothing would be annoying: whether the name may be kept is asked for first.
    fn user_name_may_be_recorded(&mut self, reply: &Reply) {
        match (reply, self.user()) {
            (Reply::Done, Some(user)) => {
                self.work = Work::Recording(Box::new(Recording::new(Subject::Name(user))));
                self.start_recorder();
            }
            (reply, _) => self.user_refused(reply),
        }
    }

    /// A user that is not there any more is asked for again.
    pub(super) fn user_refused(&mut self, reply: &Reply) {
        match reply {
            Reply::Refused(Refusal::Unknown) => self.ask_user("extension-unknown"),
            reply => self.refused(reply),
        }
    }

    pub(super) fn user(&self) -> Option<User> {
        match &self.work {
            Work::User(user) => Some(user.clone()),
            _ => None,
        }
    }

    pub(super) fn ask_user(&mut self, first: impl Into<Words>) {
        self.go(Place::Question(&USER_EXTENSION), first);
    }

    /// Asks about the user in hand; where it can't be done, the caller stays in the menu.
    fn ask_about_user(&mut self, action: fn(Extension) -> Action, then: Then) {
        match self.user() {
            Some(user) => self.ask(action(user.extension), self.place, then),
            None => self.ask_user(Words::none()),
        }
    }
}
