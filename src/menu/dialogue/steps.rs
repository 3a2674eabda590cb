//! What flows are made of: going to a place, saying, asking the store, ending the call.

use std::time::Duration;

use crate::access::{Action, Destructive, Permissions};
use crate::menu::speech::Words;
use crate::menu::tree::{MAIN, MY, Place};
use crate::menu::{Output, Ticket};
use crate::model::{ChangeNumber, Clip, Key};

use super::{ANSWER_MAX, After, Dialogue, Pending, Phase, Then, Work};

/// A goodbye whose end is never reported holds the line no longer than this.
const GOODBYE_MAX: Duration = Duration::from_secs(20);

impl Dialogue {
    /// Goes to a place: says `first`, then what the place says, and listens.
    pub(super) fn go(&mut self, place: Place, first: impl Into<Words>) {
        let granted = self.account.map_or(Permissions::default(), |account| account.left);
        let prompt = place.prompt(granted, self.installed());
        self.enter(place, first.into().clips(prompt));
    }

    /// Goes to a place, says no more than `words`, and listens.
    pub(super) fn enter(&mut self, place: Place, words: Words) {
        if place != self.place {
            self.moves_on = None;
        }
        if !place.in_hand() {
            self.work = Work::Nothing;
            self.confirm = None;
        }
        if let Place::Question(question) = place
            && question.destructive
        {
            self.ahead.clear();
        }
        self.place = place;
        self.entry.clear();
        self.timer = None;
        // Who has typed ahead hears nothing: it would be stopped before its first sample.
        self.phase = if self.key_is_waiting() { Phase::Listening } else { Phase::Prompting(self.play(words)) };
    }

    /// Stays at the place: says `first`, then what the place says, and listens.
    pub(super) fn stay(&mut self, first: impl Into<Words>) {
        self.go(self.place, first);
    }

    /// Says something that leads on by itself; a late `#` does not cut it short, any other key does.
    pub(super) fn announce(&mut self, words: Words, after: After) {
        self.timer = None;
        while self.ahead.first() == Some(Key::Pound) {
            self.ahead.pop();
        }
        if self.ahead.is_empty() {
            self.phase = Phase::Announcing(self.play(words), after);
        } else {
            after(self, false);
        }
    }

    /// Asks the store, and goes on with its reply; where it can't be done now, or no reply comes within
    /// [`ANSWER_MAX`], the caller goes to `home`.
    pub(super) fn ask(&mut self, action: Action, home: Place, then: Then) {
        let needs = match &action {
            Action::Check(Destructive::Undo { .. }) | Action::Confirm(Destructive::Undo { .. }, _) => {
                Some(Permissions::default())
            }
            action => action.needs(),
        };
        let may_change = may_change(&action);
        let keeps_take = matches!(action, Action::KeepRecording { .. });
        let ticket = self.next_ticket();
        self.outputs.push_back(Output::Ask(ticket, action));
        self.timer = Some(self.now + ANSWER_MAX);
        self.phase = Phase::Asking(Pending { ticket, needs, home, then, may_change, keeps_take });
    }

    /// Tells the store something whose reply doesn't matter to the caller.
    pub(super) fn tell(&mut self, action: Action) -> Ticket {
        let ticket = self.next_ticket();
        self.outputs.push_back(Output::Ask(ticket, action));
        ticket
    }

    /// Says that a change was made and its number, then goes on at `place`.
    pub(super) fn changed(&mut self, place: Place, what: Clip, change: ChangeNumber) {
        self.go(place, Words::from(what).change(change));
    }

    /// Where the caller goes when what was asked for can't be done.
    pub(super) fn home(&self) -> Place {
        match self.phase {
            Phase::Asking(pending) => pending.home,
            _ => self.top(),
        }
    }

    /// The reply says that it could not be done (or is none that fits): the caller goes where the action began.
    pub(super) fn failed(&mut self) {
        self.go(self.home(), "failed-try-later");
    }

    /// No reply came in time; one that comes later is ignored by its ticket.
    pub(super) fn not_answered(&mut self, pending: Pending) {
        // What was typed ahead was meant for after it was done; and nothing is changed by a time-out.
        self.ahead.clear();
        self.go(pending.home, if pending.may_change { "not-answered" } else { "failed-try-later" });
    }

    /// A right was taken away since the login: the main menu with what is left.
    pub(super) fn no_longer_allowed(&mut self, needs: Permissions) {
        if needs == Permissions::OWN {
            return self.close("no-longer-allowed");
        }
        if let Some(account) = &mut self.account {
            account.left = account.left.without(needs);
        }
        self.go(self.top(), "no-longer-allowed");
    }

    /// The top menu of who is logged in.
    pub(super) fn top(&self) -> Place {
        match self.account {
            Some(account) if account.has_role => Place::Menu(&MAIN),
            Some(_) => Place::Menu(&MY),
            None => self.first_question(),
        }
    }

    /// Says goodbye and hangs up; a take in review is kept as a draft.
    pub(super) fn close(&mut self, first: impl Into<Words>) {
        self.save_draft();
        self.forget();
        self.phase = Phase::Closing(self.play(first.into().clip("goodbye")));
        self.timer = Some(self.now + GOODBYE_MAX);
    }

    pub(super) fn hang_up(&mut self) {
        self.forget();
        self.phase = Phase::Over;
        self.outputs.push_back(Output::HangUp);
    }

    /// Forgets all that was keyed or in hand.
    pub(super) fn forget(&mut self) {
        self.ahead.clear();
        self.entry.clear();
        self.work = Work::Nothing;
        self.confirm = None;
        self.greeting = None;
        self.moves_on = None;
        self.timer = None;
    }

    pub(super) fn play(&mut self, words: Words) -> Ticket {
        let ticket = self.next_ticket();
        self.outputs.push_back(Output::Play(ticket, words.into_sounds(self.language)));
        ticket
    }

    pub(super) fn next_ticket(&mut self) -> Ticket {
        self.last_ticket = self.last_ticket.wrapping_add(1);
        Ticket(self.last_ticket)
    }
}

/// Whether something may have been changed where no answer comes: by everything but what only reads.
fn may_change(action: &Action) -> bool {
    use Action as A;
    !matches!(
        action,
        A::Login { .. }
            | A::ReadForwarding { .. }
            | A::CheckForwardNumber { .. }
            | A::ListenOwn { .. }
            | A::ReadSettings
            | A::List { .. }
            | A::OpenRecording { .. }
            | A::ListenRecording { .. }
            | A::WhoChangedRecording { .. }
            | A::OpenUser { .. }
            | A::CheckUser { .. }
            | A::ListHandsets { .. }
            | A::ListUnassignedHandsets
            | A::ReadUserForwarding { .. }
            | A::ReadMode
            | A::OpenAttendant { .. }
            | A::ListMembers { .. }
            | A::OpenCallCenter { .. }
            | A::OpenTrunk { .. }
            | A::NetworkStatus
            | A::ReadBackup { .. }
            | A::LastBackup
            | A::AskReboot
            | A::VerifySupportPin { .. }
            | A::SystemStatus
            | A::RoleHolders { .. }
            | A::ListChanges
            | A::Check(_)
    )
}
