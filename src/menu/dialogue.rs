//! The machine. Here: what comes in and goes out, what is being waited for, and the timers.
//!
//! `keys.rs` has what keys mean everywhere; the files named after a branch have what its choices do. A flow says where
//! the caller is next with [`Dialogue::go`], asks the store with [`Dialogue::ask`], and ends the call with
//! [`Dialogue::close`]; each of the three leaves the dialogue waiting for something that is sure to come.

mod confirm;
mod keys;
mod login;
mod maintenance;
mod pins;
mod recorder;
mod recordings;
mod review;
mod users;

#[cfg(test)]
mod state;

use std::collections::VecDeque;
use std::time::Duration;

use crate::access::{Action, Actor, Permission, Permissions, Refusal, Reply};
use crate::model::{AccountId, ChangeNumber, Clip, Key, Mono};

use super::entry::Entry;
use super::speech::Words;
use super::tree::{ENTER_EXTENSION, MAIN, MY, Place};
use super::type_ahead::TypeAhead;
use super::{CallerInfo, Input, Limits, Output, Ticket};
use confirm::Confirm;
use login::Greeting;
use maintenance::Reboot;
use pins::PinChange;
use recorder::Stage;
use recordings::{List, Recording};
use users::User;

/// A goodbye whose end is never reported holds the line no longer than this.
const GOODBYE_MAX: Duration = Duration::from_secs(20);
/// A recording that the call's time limit ends is waited for this long.
const RECORDED_MAX: Duration = Duration::from_secs(5);

/// One caller's way through the menu, from the answer to the hang-up.
#[derive(Clone, Debug)]
pub struct Dialogue {
    limits: Limits,
    caller: CallerInfo,
    /// The time of the input that is being handled.
    now: Mono,
    /// When the whole call has lasted long enough.
    ends: Mono,
    time_is_up: bool,
    last_ticket: u32,
    outputs: VecDeque<Output>,
    phase: Phase,
    place: Place,
    work: Work,
    confirm: Option<Confirm>,
    greeting: Option<Box<Greeting>>,
    account: Option<Account>,
    ahead: TypeAhead,
    entry: Entry,
    /// A key is down: silence is not counted.
    held: bool,
    timer: Option<Mono>,
    /// Where the caller goes without a key, and when (a countdown).
    moves_on: Option<(Mono, Place)>,
    silences: u32,
    wrong_keys: u32,
    failed_logins: u32,
}

/// What is being waited for. Every phase but `Over` has a timer running or a completion outstanding.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The answer to the call.
    Ringing,
    /// The end of the prompt of this place, or a key.
    Prompting(Ticket),
    /// A key, or the silence timer.
    Listening,
    /// The end of something that leads on by itself; the caller's keys cut it short.
    Announcing(Ticket, After),
    /// The store.
    Asking(Pending),
    /// The stages of a recording.
    Recording(Stage, Ticket),
    /// The end of the goodbye.
    Closing(Ticket),
    /// Nothing: the call is over.
    Over,
}

/// What comes after an announcement, told whether it was heard to its end.
type After = fn(&mut Dialogue, bool);
/// What comes after a reply.
type Then = fn(&mut Dialogue, Reply);

/// A request to the store that is under way.
#[derive(Clone, Copy, Debug)]
struct Pending {
    ticket: Ticket,
    permission: Option<Permission>,
    /// Where the caller stays when it could not be done.
    home: Place,
    then: Then,
}

/// What the caller has in hand at the places that keep it ([`Place::in_hand`]).
#[derive(Clone, Debug)]
enum Work {
    Nothing,
    /// The login's first answer.
    Login(login::Attempt),
    PinChange(PinChange),
    List(List),
    Recording(Recording),
    User(User),
    Reboot(Reboot),
}

/// Who is logged in.
#[derive(Clone, Copy, Debug)]
struct Account {
    id: AccountId,
    granted: Permissions,
    /// What is left of `granted`, as far as refusals have told.
    left: Permissions,
    has_role: bool,
}

impl Dialogue {
    /// A dialogue that waits for [`Input::Answered`].
    pub fn new(limits: Limits, caller: CallerInfo, now: Mono) -> Self {
        let ends = now + limits.call_max;
        Self {
            limits,
            caller,
            now,
            ends,
            time_is_up: false,
            last_ticket: 0,
            outputs: VecDeque::new(),
            phase: Phase::Ringing,
            place: Place::Question(&ENTER_EXTENSION),
            work: Work::Nothing,
            confirm: None,
            greeting: None,
            account: None,
            ahead: TypeAhead::default(),
            entry: Entry::default(),
            held: false,
            timer: None,
            moves_on: None,
            silences: 0,
            wrong_keys: 0,
            failed_logins: 0,
        }
    }

    /// Takes what happened; the outputs are to be drained before the next input.
    pub fn handle(&mut self, now: Mono, input: Input) {
        self.now = now;
        match input {
            Input::Answered => self.answered(),
            Input::Key(key) => self.key_down(key),
            Input::KeyUp => self.held = false,
            Input::Played(ticket) => self.played(ticket),
            Input::Recorded(ticket, take) => self.recorded(ticket, take),
            Input::Replied(ticket, reply) => self.replied(ticket, reply),
            Input::HungUp { take } => self.hung_up(take),
        }
        self.settle();
    }

    /// Takes the time; to be called when [`Dialogue::poll_timeout`] is due, harmless at any other time.
    pub fn handle_timeout(&mut self, now: Mono) {
        self.now = now;
        let is_due = |at: Option<Mono>| at.is_some_and(|at| at <= now);
        if is_due(self.call_limit()) {
            self.call_is_too_long();
        } else if is_due(self.timer) {
            self.timer = None;
            self.timer_fired();
        } else if let (Phase::Listening, Some((at, place))) = (self.phase, self.moves_on)
            && at <= now
        {
            self.go(place, Words::none());
        }
        self.settle();
    }

    /// The next thing to do for the caller.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if self.outputs.is_empty() {
            // A call that waits for a key holds no memory for outputs.
            self.outputs = VecDeque::new();
        }
        output
    }

    /// When [`Dialogue::handle_timeout`] is to be called, whatever else happens before; `None` when the call is over.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let moves_on = match self.phase {
            Phase::Listening => self.moves_on.map(|(at, _)| at),
            _ => None,
        };
        [self.call_limit(), self.timer, moves_on].into_iter().flatten().min()
    }

    /// The name of the place in the menu, for a live view.
    pub fn place(&self) -> &'static str {
        match self.phase {
            Phase::Ringing => "ringing",
            Phase::Recording(..) => "record",
            Phase::Closing(_) => "goodbye",
            Phase::Over => "over",
            Phase::Prompting(_) | Phase::Listening | Phase::Announcing(..) | Phase::Asking(_) => self.place.name(),
        }
    }

    /// In whose name the store is asked.
    pub fn actor(&self) -> Actor {
        match self.account {
            Some(Account { id, granted, .. }) => Actor::Account { id, granted },
            None => Actor::Caller,
        }
    }

    fn answered(&mut self) {
        if let Phase::Ringing = self.phase {
            self.ends = self.now + self.limits.call_max;
            self.ask_extension("welcome");
        }
    }

    fn played(&mut self, ticket: Ticket) {
        match self.phase {
            Phase::Prompting(playing) if playing == ticket => self.phase = Phase::Listening,
            Phase::Announcing(playing, after) if playing == ticket => after(self, true),
            Phase::Recording(stage, playing) if playing == ticket => self.recorder_played(stage),
            Phase::Closing(playing) if playing == ticket => self.hang_up(),
            // The end of something that was cut short.
            Phase::Prompting(_)
            | Phase::Listening
            | Phase::Announcing(..)
            | Phase::Recording(..)
            | Phase::Closing(_)
            | Phase::Ringing
            | Phase::Asking(_)
            | Phase::Over => {}
        }
    }

    fn replied(&mut self, ticket: Ticket, reply: Reply) {
        let Phase::Asking(pending) = self.phase else { return };
        if pending.ticket != ticket {
            return;
        }
        match (reply, pending.permission) {
            (Reply::Refused(Refusal::TryLater), _) => self.failed(),
            (Reply::Refused(Refusal::NotAllowed | Refusal::NoLongerAllowed), Some(permission)) => {
                self.no_longer_allowed(permission);
            }
            (reply, _) => (pending.then)(self, reply),
        }
    }

    /// Whatever waits in the keyboard buffer is taken by whoever can take it, then the silence is timed.
    fn settle(&mut self) {
        self.take_waiting_keys();
        if let Phase::Listening = self.phase
            && !self.held
            && self.timer.is_none()
        {
            let patience = if self.entry.is_empty() { self.limits.first_key } else { self.limits.between_keys };
            self.timer = Some(self.now + patience);
        }
    }

    fn timer_fired(&mut self) {
        match self.phase {
            Phase::Listening => self.silence(),
            Phase::Recording(..) => {
                self.outputs.push_back(Output::AbandonRecording);
                self.close(Words::none());
            }
            Phase::Closing(_) => self.hang_up(),
            Phase::Ringing | Phase::Prompting(_) | Phase::Announcing(..) | Phase::Asking(_) | Phase::Over => {}
        }
    }

    /// Nothing was keyed, or an entry was not ended: what was keyed is forgotten and the place says its prompt again.
    fn silence(&mut self) {
        self.silences += 1;
        if self.silences >= self.limits.silences {
            self.close(Words::none());
        } else {
            self.stay(Words::none());
        }
    }

    /// When the whole call is too long; `None` once it is being ended.
    fn call_limit(&self) -> Option<Mono> {
        match self.phase {
            Phase::Closing(_) | Phase::Over => None,
            _ => (!self.time_is_up).then_some(self.ends),
        }
    }

    fn call_is_too_long(&mut self) {
        self.time_is_up = true;
        match self.phase {
            Phase::Recording(Stage::Running, ticket) => {
                self.outputs.push_back(Output::EndRecording);
                self.phase = Phase::Recording(Stage::Ending, ticket);
                self.timer = Some(self.now + RECORDED_MAX);
            }
            Phase::Recording(Stage::Ending, _) => self.timer = Some(self.now + RECORDED_MAX),
            Phase::Ringing => self.hang_up(),
            _ => self.close(Words::none()),
        }
    }

    // What flows are made of.

    /// Goes to a place: says `first`, then what the place says, and listens.
    fn go(&mut self, place: Place, first: impl Into<Words>) {
        let granted = self.account.map_or(Permissions::default(), |account| account.left);
        self.enter(place, first.into().clips(place.prompt(granted)));
    }

    /// Goes to a place, says no more than `words`, and listens.
    fn enter(&mut self, place: Place, words: Words) {
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
    fn stay(&mut self, first: impl Into<Words>) {
        self.go(self.place, first);
    }

    /// Says something that leads on by itself; a late `#` does not cut it short, any other key does.
    fn announce(&mut self, words: Words, after: After) {
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

    /// Asks the store, and goes on with its reply; where it can't be done now, the caller stays at `home`.
    fn ask(&mut self, action: Action, home: Place, then: Then) {
        let permission = action.permission();
        let ticket = self.next_ticket();
        self.outputs.push_back(Output::Ask(ticket, action));
        self.timer = None;
        self.phase = Phase::Asking(Pending { ticket, permission, home, then });
    }

    /// Tells the store something whose reply doesn't matter to the caller.
    fn tell(&mut self, action: Action) {
        let ticket = self.next_ticket();
        self.outputs.push_back(Output::Ask(ticket, action));
    }

    /// Says that a change was made and its number, then goes on at `place`.
    fn changed(&mut self, place: Place, what: Clip, change: ChangeNumber) {
        self.go(place, Words::from(what).change(change));
    }

    /// The reply says that it could not be done (or is none that fits): the caller stays where the action began.
    fn failed(&mut self) {
        let home = match self.phase {
            Phase::Asking(pending) => pending.home,
            _ => self.top(),
        };
        self.go(home, "failed-try-later");
    }

    /// A right was taken away since the login: the main menu with what is left.
    fn no_longer_allowed(&mut self, permission: Permission) {
        if permission == Permission::Own {
            return self.close("no-longer-allowed");
        }
        if let Some(account) = &mut self.account {
            account.left = Permission::ALL.into_iter().filter(|p| *p != permission && account.left.has(*p)).collect();
        }
        self.go(self.top(), "no-longer-allowed");
    }

    /// The top menu of who is logged in.
    fn top(&self) -> Place {
        match self.account {
            Some(account) if account.has_role => Place::Menu(&MAIN),
            Some(_) => Place::Menu(&MY),
            None => self.first_question(),
        }
    }

    /// Says goodbye and hangs up; a take in review is kept as a draft.
    fn close(&mut self, first: impl Into<Words>) {
        self.save_draft();
        self.forget();
        self.phase = Phase::Closing(self.play(first.into().clip("goodbye")));
        self.timer = Some(self.now + GOODBYE_MAX);
    }

    fn hang_up(&mut self) {
        self.forget();
        self.phase = Phase::Over;
        self.outputs.push_back(Output::HangUp);
    }

    /// Forgets all that was keyed or in hand.
    fn forget(&mut self) {
        self.ahead.clear();
        self.entry.clear();
        self.work = Work::Nothing;
        self.confirm = None;
        self.greeting = None;
        self.moves_on = None;
        self.timer = None;
    }

    fn play(&mut self, words: Words) -> Ticket {
        let ticket = self.next_ticket();
        self.outputs.push_back(Output::Play(ticket, words.into_sounds()));
        ticket
    }

    fn next_ticket(&mut self) -> Ticket {
        self.last_ticket = self.last_ticket.wrapping_add(1);
        Ticket(self.last_ticket)
    }
}
