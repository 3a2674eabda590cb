//! Users and extensions.

use crate::access::{Action, Refusal, Reply};
use crate::menu::entry::Entry;
use crate::menu::speech::Words;
use crate::menu::tree::{Place, TEMPORARY_PIN, USER, USER_EXTENSION};
use crate::model::{Extension, Pin};

use super::{Dialogue, Work};

/// The user that the caller has chosen.
#[derive(Clone, Debug)]
pub(super) struct User {
    extension: Extension,
    /// A temporary PIN that was just made, until the caller goes on.
    temporary_pin: Option<Pin>,
}

impl Dialogue {
    pub(super) fn user_extension(&mut self, entry: &Entry) {
        match entry.extension().filter(|_| !entry.overlong()) {
            Some(extension) => {
                self.work = Work::User(User { extension: extension.clone(), temporary_pin: None });
                self.ask(Action::OpenUser { extension }, Place::Question(&USER_EXTENSION), Self::user_opened);
            }
            None => self.stay("extension-free"),
        }
    }

    fn user_opened(&mut self, reply: &Reply) {
        match (reply, &self.work) {
            (Reply::User { spoken_name, enabled, locked }, Work::User(user)) => {
                let disabled = (!*enabled).then_some("user-state-disabled");
                let locked = locked.then_some("user-state-locked");
                let fine = (disabled.is_none() && locked.is_none()).then_some("user-state-enabled");
                let name = Words::from("extension-is").digits(user.extension.as_str()).audio(spoken_name.clone());
                self.go(Place::Menu(&USER), name.clips(disabled).clips(locked).clips(fine));
            }
            (reply, _) => self.user_refused(reply),
        }
    }

    pub(super) fn reset_voicemail_pin(&mut self) {
        match &self.work {
            Work::User(user) => {
                let action = Action::ResetVoicemailPin { extension: user.extension.clone() };
                self.ask(action, Place::Menu(&USER), Self::voicemail_pin_reset);
            }
            _ => self.go(Place::Question(&USER_EXTENSION), Words::none()),
        }
    }

    fn voicemail_pin_reset(&mut self, reply: &Reply) {
        match (reply, &mut self.work) {
            (Reply::TemporaryPin { pin, change }, Work::User(user)) => {
                user.temporary_pin = Some(pin.clone());
                // A PIN that is told once is not to be skipped by a key that came before it.
                self.ahead.clear();
                self.say_temporary_pin(Words::from("voicemail-pin-reset").change(*change));
            }
            (reply, _) => self.user_refused(reply),
        }
    }

    /// The one PIN that is ever spoken: to the administrator who asked for it.
    pub(super) fn say_temporary_pin(&mut self, first: Words) {
        match &self.work {
            Work::User(User { temporary_pin: Some(pin), .. }) => {
                let words = first.clip("temporary-pin-is").digits(pin.digits());
                self.go(Place::Menu(&TEMPORARY_PIN), words);
            }
            _ => self.leave_temporary_pin(),
        }
    }

    pub(super) fn leave_temporary_pin(&mut self) {
        if let Work::User(user) = &mut self.work {
            user.temporary_pin = None;
        }
        self.go(Place::Menu(&USER), Words::none());
    }

    fn user_refused(&mut self, reply: &Reply) {
        match reply {
            Reply::Refused(Refusal::Unknown) => self.go(Place::Question(&USER_EXTENSION), "extension-free"),
            Reply::Refused(Refusal::NotAllowedForThisAccount) => self.stay("not-allowed-for-this-account"),
            _ => self.failed(),
        }
    }
}
