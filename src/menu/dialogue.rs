//! The machine. Here: what comes in and goes out, what is being waited for, and the timers.
//!
//! `keys.rs` has what keys mean everywhere; the files named after a branch have what its choices do. A flow says where
//! the caller is next with [`Dialogue::go`], asks the store with [`Dialogue::ask`], and ends the call with
//! [`Dialogue::close`]; each of the three leaves the dialogue waiting for something that is sure to come.

mod attendants;
mod backup;
mod changes;
mod confirm;
mod denied;
mod handsets;
mod keys;
mod lists;
mod login;
mod maintenance;
mod network;
mod own;
mod pins;
mod recorder;
mod recordings;
mod refusals;
mod review;
mod roles;
mod steps;
mod users;

#[cfg(test)]
mod state;

use std::collections::VecDeque;
use std::time::Duration;

use crate::access::{Actor, Mode, Permissions, Refusal, Reply};
use crate::model::{AccountId, Extension, Language, Mono};

use super::entry::Entry;
use super::speech::Words;
use super::tree::{ENTER_EXTENSION, Place};
use super::type_ahead::TypeAhead;
use super::{CallerInfo, Input, Limits, Output, Ticket};
use backup::Backup;
use confirm::Confirm;
use denied::Denied;
use lists::{Item, List};
use login::Greeting;
use own::Forwarding;
use pins::PinChange;
use recorder::Stage;
use recordings::Recording;
use roles::RoleInHand;
use users::User;

/// A recording that the call's time limit ends is waited for this long.
const RECORDED_MAX: Duration = Duration::from_secs(5);
/// A caller waits for the store no longer than this.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// One caller's way through the menu, from the answer to the hang-up.
#[derive(Clone, Debug)]
pub struct Dialogue {
    limits: Limits,
    caller: Box<CallerInfo>,
    /// The time of the input that is being handled.
    now: Mono,
    /// When the whole call has lasted long enough.
    ends: Mono,
    time_is_up: bool,
    last_ticket: u32,
    /// In which prompts are spoken.
    language: Language,
    outputs: VecDeque<Output>,
    phase: Phase,
    place: Place,
    work: Work,
    confirm: Option<Box<Confirm>>,
    greeting: Option<Box<Greeting>>,
    account: Option<Account>,
    denied: Denied,
    ahead: TypeAhead,
    entry: Entry,
    /// A key is down: silence is not counted.
    held: bool,
    timer: Option<Mono>,
    /// What happens without a key where the caller is, and when (a countdown, a look at a backup).
    moves_on: Option<(Mono, MovesOn)>,
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
type Then = fn(&mut Dialogue, &Reply);
/// What happens at a place without a key.
type MovesOn = fn(&mut Dialogue);

/// A request to the store that is under way.
#[derive(Clone, Copy, Debug)]
struct Pending {
    ticket: Ticket,
    /// What the action needs: any of these.
    needs: Option<Permissions>,
    /// Where the caller stays when it could not be done.
    home: Place,
    then: Then,
    /// Whether something may have been changed where no answer comes.
    may_change: bool,
    /// Whether a take is being kept, which is to become a draft where it can't be.
    keeps_take: bool,
}

/// What the caller has in hand at the places that keep it ([`Place::in_hand`]).
#[derive(Clone, Debug)]
enum Work {
    Nothing,
    /// The login's first answer.
    Login(login::Attempt),
    /// The language that was chosen.
    Language(Language),
    PinChange(PinChange),
    Forwarding(Forwarding),
    List(Box<List>),
    Item(Item),
    Recording(Box<Recording>),
    User(User),
    /// The mode that is to be set.
    Mode(Mode),
    Backup(Backup),
    /// Whose support PIN is to be verified.
    Support(Extension),
    Role(RoleInHand),
}

/// Who is logged in.
#[derive(Clone, Copy, Debug)]
struct Account {
    id: AccountId,
    granted: Permissions,
    /// What is left of `granted`, as far as refusals have told.
    left: Permissions,
    has_role: bool,
    pin_resets: i64,
}

impl Dialogue {
    /// A dialogue that waits for [`Input::Answered`].
    pub fn new(limits: Limits, caller: CallerInfo, now: Mono) -> Self {
        let ends = now + limits.call_max;
        let language = caller.language;
        Self {
            limits,
            caller: Box::new(caller),
            now,
            ends,
            time_is_up: false,
            last_ticket: 0,
            language,
            outputs: VecDeque::new(),
            phase: Phase::Ringing,
            place: Place::Question(&ENTER_EXTENSION),
            work: Work::Nothing,
            confirm: None,
            greeting: None,
            account: None,
            denied: Denied::default(),
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
        } else if let (Phase::Listening, Some((at, moves_on))) = (self.phase, self.moves_on)
            && at <= now
        {
            self.moves_on = None;
            moves_on(self);
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
            Some(Account { id, granted, pin_resets, .. }) => Actor::Account { id, granted, pin_resets },
            None => Actor::Caller,
        }
    }

    fn answered(&mut self) {
        if let Phase::Ringing = self.phase {
            self.ends = self.now + self.limits.call_max;
            let welcome = self.welcome();
            self.ask_extension(welcome);
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
        self.denied.answered(ticket);
        let Phase::Asking(pending) = self.phase else { return };
        if pending.ticket != ticket {
            return;
        }
        self.leave_with_waiting_key(&reply);
        match (reply, pending.needs) {
            (Reply::Refused(Refusal::TryLater), _) => self.failed(),
            // What undoing a change needs is up to the change: one may never have been allowed to undo this one.
            (Reply::Refused(Refusal::NotAllowed), Some(needs)) if needs == Permissions::default() => {
                self.go(pending.home, "change-not-allowed");
            }
            (Reply::Refused(Refusal::NotAllowed | Refusal::NoLongerAllowed), Some(needs)) => {
                self.no_longer_allowed(needs);
            }
            (reply, _) => (pending.then)(self, &reply),
        }
    }

    /// Whatever waits in the keyboard buffer is taken by whoever can take it, then the silence is timed.
    fn settle(&mut self) {
        // What the time limit had waited for is over.
        if self.time_is_up && matches!(self.phase, Phase::Prompting(_) | Phase::Listening | Phase::Announcing(..)) {
            self.close(Words::none());
        }
        self.take_waiting_keys();
        if let Phase::Listening = self.phase
            && !self.held
            && self.timer.is_none()
            && !matches!(self.work, Work::Backup(_))
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
            Phase::Asking(pending) => self.not_answered(pending),
            Phase::Ringing | Phase::Prompting(_) | Phase::Announcing(..) | Phase::Over => {}
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
            Phase::Asking(Pending { keeps_take: true, .. }) => {}
            Phase::Ringing => self.hang_up(),
            _ => self.close(Words::none()),
        }
    }
}
