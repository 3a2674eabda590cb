//! What is destructive is checked, read back, and done only once one's own account PIN was keyed again.

use crate::access::{Action, Destructive, RebootWhen, Refusal, Reply};
use crate::menu::entry::Entry;
use crate::menu::speech::Words;
use crate::menu::tree::{CHANGES, CONFIRM, Place, ROLE, TRUNK};

use super::Dialogue;
use super::changes::told;
use super::lists::person;
use super::maintenance::calls_in_progress;
use super::network::disabled_clip;
use super::roles::role_clip;

/// What is being confirmed.
#[derive(Clone, Debug)]
pub(super) struct Confirm {
    what: Destructive,
    /// Where it came from.
    home: Place,
    /// The PIN was wrong once.
    tried: bool,
}

#[cfg(test)]
impl Confirm {
    /// What tells two of them apart, for the tests that walk all states.
    pub(super) fn state(&self) -> String {
        let what = match &self.what {
            Destructive::Reboot { when } => when.name(),
            what => what.name(),
        };
        format!("{what} {:?} {}", self.home, self.tried)
    }
}

impl Dialogue {
    /// Asks whether it could be done, before anything is read back or a PIN is asked for.
    pub(super) fn check(&mut self, what: Destructive, home: Place) {
        self.confirm = Some(Box::new(Confirm { what: what.clone(), home, tried: false }));
        self.ask(Action::Check(what), home, Self::checked);
    }

    fn checked(&mut self, reply: &Reply) {
        let Some(confirm) = &self.confirm else { return self.failed() };
        match read_back(&confirm.what, reply) {
            Some(words) => self.go(Place::Question(&CONFIRM), words),
            None => self.destructive_refused(reply),
        }
    }

    pub(super) fn confirm_pin(&mut self, entry: &Entry) {
        let Some(confirm) = &self.confirm else { return self.go(self.top(), Words::none()) };
        let home = confirm.home;
        // An overlong PIN is wrong, like an empty one.
        let action = Action::Confirm(confirm.what.clone(), entry.pin().unwrap_or_default());
        self.ask(action, home, Self::confirm_replied);
    }

    pub(super) fn leave_confirm(&mut self) {
        let home = self.confirm.take().map_or(self.top(), |confirm| confirm.home);
        self.go(home, Words::none());
    }

    fn confirm_replied(&mut self, reply: &Reply) {
        let Some(confirm) = &mut self.confirm else { return self.failed() };
        match reply {
            Reply::Refused(Refusal::PinWrong) if !confirm.tried => {
                confirm.tried = true;
                self.stay("pin-wrong");
            }
            Reply::Refused(Refusal::PinWrong) => self.go(self.home(), "nothing-changed"),
            reply => self.confirmed(reply),
        }
    }

    fn confirmed(&mut self, reply: &Reply) {
        let Some(confirm) = &self.confirm else { return self.failed() };
        match (&confirm.what, reply) {
            (Destructive::Reboot { when }, Reply::RebootRequested { delay_s, change }) => {
                self.reboot_confirmed(*when, *delay_s, *change);
            }
            (Destructive::DeleteUser { .. }, Reply::Changed(change)) => {
                self.ask_user(Words::from("user-deleted").change(*change));
            }
            (Destructive::DisableTrunk { kind, .. }, Reply::Changed(change)) => {
                self.changed(Place::Menu(&TRUNK), disabled_clip(*kind), *change);
            }
            (Destructive::AssignRole { .. }, Reply::Changed(change)) => {
                self.changed(Place::Menu(&ROLE), "role-assigned", *change);
            }
            (Destructive::RemoveRole { .. }, Reply::Changed(change)) => {
                self.changed(Place::Menu(&ROLE), "role-removed", *change);
            }
            (Destructive::Undo { .. }, Reply::Changed(change)) => {
                self.changed(Place::Menu(&CHANGES), "change-undone", *change);
            }
            (_, reply) => self.destructive_refused(reply),
        }
    }

    fn destructive_refused(&mut self, reply: &Reply) {
        let Some(confirm) = self.confirm.take() else { return self.failed() };
        if *reply == Reply::Refused(Refusal::NotEncrypted) {
            return self.refused(reply);
        }
        match &confirm.what {
            Destructive::Reboot { .. } => self.reboot_refused(reply),
            Destructive::DeleteUser { .. } => self.user_refused(reply),
            Destructive::DisableTrunk { .. } => self.item_refused(reply),
            Destructive::AssignRole { .. } | Destructive::RemoveRole { .. } => self.role_refused(reply),
            Destructive::Undo { .. } => self.undo_refused(reply),
        }
    }
}

/// What is to be done, as it is read back; `None` where the check's reply is none that allows it.
fn read_back(what: &Destructive, reply: &Reply) -> Option<Words> {
    match (what, reply) {
        (Destructive::Reboot { when }, Reply::RebootState { other_calls, .. }) => {
            let clip = match when {
                RebootWhen::Now => "reboot-now-confirm",
                RebootWhen::Idle => "reboot-when-idle-confirm",
            };
            Some(calls_in_progress(clip.into(), *other_calls))
        }
        (Destructive::DeleteUser { .. }, Reply::MayChange(who)) => {
            let digits = Words::from("user-delete-confirm").digits(who.extension.as_str());
            Some(digits.audio(who.spoken_name.clone()))
        }
        (Destructive::DisableTrunk { .. }, Reply::Done) => Some("trunk-last-enabled".into()),
        (Destructive::AssignRole { role, .. }, Reply::MayChange(who)) => {
            Some(person(Words::from("role-assign-confirm").clip(role_clip(*role)), who))
        }
        (Destructive::RemoveRole { role, .. }, Reply::MayChange(who)) => {
            Some(person(Words::from("role-remove-confirm").clip(role_clip(*role)), who))
        }
        (Destructive::Undo { .. }, Reply::MayUndo(change)) => Some(told("change-undo-confirm".into(), change)),
        _ => None,
    }
}
