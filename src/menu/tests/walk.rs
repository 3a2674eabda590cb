//! The exhaustive walk: from every state that can be reached, every key, time-out, hang-up, completion and reply.
//!
//! States are told apart by [`Dialogue::state`]; limits are two instead of three so that there are fewer of them.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::audio;
use super::replies::replies;
use crate::access::{Action, Actor, Refusal, Reply};
use crate::menu::tree::{self, Place};
use crate::menu::{CallerInfo, Dialogue, Input, Limits, Output, SiteName, Ticket, speech};
use crate::model::{Clip, Extension, Key, Language, Mono, Sound, Take, Verdict};

/// A dialogue and what it waits for.
#[derive(Clone)]
struct State {
    dialogue: Dialogue,
    now: Mono,
    playing: Option<Ticket>,
    recording: Option<Ticket>,
    asking: Option<(Ticket, Action)>,
    over: bool,
}

#[derive(Clone, Debug)]
enum Event {
    Press(Key),
    Hold(Key),
    /// More digits than any entry takes.
    Overlong,
    Release,
    Played,
    Recorded(Take),
    Replied(Reply),
    HungUp(Option<Take>),
    TimeOut,
    /// Eleven minutes pass: longer than a backup is waited for.
    LongWait,
    CallLimit,
}

/// All that the walk has seen.
#[derive(Default)]
struct Walk {
    heard: BTreeSet<Clip>,
    /// Ways from one place to another.
    ways: BTreeSet<(Clip, Clip)>,
}

#[test]
fn every_state_has_a_way_on_and_every_way_ends() {
    let mut walk = Walk::default();
    let site = SiteName { spoken: None, number: 2 };
    let info = CallerInfo { site: Some(site), languages: Language::ALL.to_vec(), ..CallerInfo::default() };
    let known = CallerInfo { extension: Extension::parse("1000"), site: None, ..info.clone() };
    let states = walk.everywhere([info, known]);
    println!("{states} states");
    assert!(states > 10_000, "only {states} states");

    let spoken: BTreeSet<Clip> = speech::en::clips().collect();
    let known: BTreeSet<Clip> = tree::clips().into_iter().filter(|clip| !spoken.contains(clip)).collect();
    let heard: BTreeSet<Clip> = walk.heard.into_iter().filter(|clip| !spoken.contains(clip)).collect();
    assert_eq!(heard, known, "the clips that are heard and those that are listed");
    assert_eq!(walk.ways, declared_ways(), "the ways that are there and those that the tree shows");
}

impl Walk {
    /// Walks all states that follow the answer to a call; returns how many there are.
    fn everywhere(&mut self, callers: [CallerInfo; 2]) -> usize {
        let mut states: Vec<State> = callers.into_iter().map(|caller| State::answered(caller, self)).collect();
        let mut numbers: HashMap<String, usize> =
            states.iter().enumerate().map(|(number, state)| (state.dialogue.state(), number)).collect();
        let mut quiet: Vec<usize> = Vec::new();
        while let Some(state) = states.get(quiet.len()).cloned() {
            state.check();
            // Who is gone stays gone.
            let mut follows = if state.over { Some(quiet.len()) } else { None };
            for event in state.events() {
                let next = state.after(&event, self);
                let number = *numbers.entry(next.dialogue.state()).or_insert_with(|| {
                    states.push(next);
                    states.len() - 1
                });
                follows.get_or_insert(number);
            }
            quiet.push(follows.expect("something follows"));
        }
        all_end(&states, &quiet);
        states.len()
    }
}

/// Follows what happens to a caller who does nothing, from every state to the end of the call.
fn all_end(states: &[State], quiet: &[usize]) {
    for first in 0..states.len() {
        let mut at = first;
        for _ in 0..40 {
            at = quiet[at];
        }
        assert!(states[at].over, "does not end: {}", states[first].dialogue.state());
    }
}

impl State {
    fn answered(caller: CallerInfo, walk: &mut Walk) -> Self {
        let limits = Limits { silences: 2, wrong_keys: 2, tries_per_call: 2, ..Limits::default() };
        let mut state = Self {
            dialogue: Dialogue::new(limits, caller, Mono(0)),
            now: Mono(0),
            playing: None,
            recording: None,
            asking: None,
            over: false,
        };
        state.dialogue.handle(Mono(0), Input::Answered);
        state.drain(walk, true);
        state
    }

    /// Nobody is left waiting for nothing.
    fn check(&self) {
        let waits = self.playing.is_some() || self.recording.is_some() || self.asking.is_some();
        let goes_on = waits || self.dialogue.has_own_timer() || self.dialogue.is_held();
        assert_eq!(self.dialogue.poll_timeout().is_none(), self.over, "{}", self.dialogue.state());
        assert!(self.over || goes_on, "dead end: {}", self.dialogue.state());
    }

    /// What can happen now; first what happens when the caller does nothing.
    fn events(&self) -> Vec<Event> {
        if self.over {
            return Vec::new();
        }
        let mut events = Vec::new();
        if let Some((_, action)) = &self.asking {
            events.extend(replies(action).into_iter().map(Event::Replied));
        }
        if self.recording.is_some() {
            let takes = [(800, None), (800, Some(Verdict::TooShort)), (0, Some(Verdict::Silent)), (0, None)];
            let more = [(800, Some(Verdict::TooQuiet)), (800, Some(Verdict::Clipped))];
            let takes = takes.into_iter().chain(more);
            events.extend(takes.map(|(samples, verdict)| Event::Recorded(Take { audio: audio(samples), verdict })));
        }
        if self.playing.is_some() {
            events.push(Event::Played);
        }
        if self.dialogue.is_held() {
            events.push(Event::Release);
        }
        events.push(Event::TimeOut);
        if self.dialogue.place() == "backup-wait" {
            events.push(Event::LongWait);
        }
        events.push(Event::CallLimit);
        events.push(Event::HungUp(None));
        if self.recording.is_some() {
            events.push(Event::HungUp(Some(Take { audio: audio(800), verdict: None })));
        }
        // One key that waits stands for many; the order of many is the property tests' affair.
        if !self.dialogue.has_key_waiting() {
            events.extend(Key::ALL.map(Event::Press));
            if let Place::Question(_) = self.dialogue.listens_at() {
                events.push(Event::Overlong);
            }
            events.extend([Key::Digit(1), Key::Star].map(Event::Hold));
        }
        events
    }

    fn after(&self, event: &Event, walk: &mut Walk) -> State {
        let mut next = self.clone();
        // A caller who types ahead may pass a place unheard.
        let is_key = matches!(event, Event::Press(_) | Event::Hold(_) | Event::Overlong);
        let passes = self.dialogue.has_key_waiting() || (is_key && self.dialogue.is_announcing());
        let from = (!passes).then(|| self.dialogue.listens_at());
        let mut may_change = true;
        match event.clone() {
            Event::Press(key) => {
                next.dialogue.handle(next.now, Input::Key(key));
                next.drain(walk, true);
                next.dialogue.handle(next.now, Input::KeyUp);
            }
            Event::Overlong => {
                for _ in 0..17 {
                    next.dialogue.handle(next.now, Input::Key(Key::Digit(1)));
                    next.drain(walk, true);
                }
                next.dialogue.handle(next.now, Input::KeyUp);
            }
            Event::Hold(key) => next.dialogue.handle(next.now, Input::Key(key)),
            Event::Release => next.dialogue.handle(next.now, Input::KeyUp),
            Event::Played => {
                let ticket = next.playing.take().expect("playing");
                next.dialogue.handle(next.now, Input::Played(ticket));
            }
            Event::Recorded(take) => {
                let ticket = next.recording.take().expect("recording");
                next.dialogue.handle(next.now, Input::Recorded(ticket, take));
            }
            Event::Replied(reply) => {
                let (ticket, _) = next.asking.take().expect("asking");
                next.dialogue.handle(next.now, Input::Replied(ticket, reply));
            }
            Event::HungUp(take) => {
                may_change = false;
                next.over = true;
                next.dialogue.handle(next.now, Input::HungUp { take });
            }
            Event::TimeOut => {
                may_change = false;
                next.now = next.dialogue.poll_timeout().expect("a timer").max(next.now);
                next.dialogue.handle_timeout(next.now);
            }
            Event::LongWait => {
                may_change = false;
                next.now = next.now + Duration::from_secs(660);
                next.dialogue.handle_timeout(next.now);
            }
            Event::CallLimit => {
                may_change = false;
                next.now = next.now.max(Mono(0) + Duration::from_secs(1800));
                next.dialogue.handle_timeout(next.now);
            }
        }
        next.drain(walk, may_change);
        if let Some(from) = from {
            next.note_way(from, event, walk);
        }
        next
    }

    /// Takes the outputs as the call would, and checks each.
    fn drain(&mut self, walk: &mut Walk, may_change: bool) {
        let had_hung_up = self.over;
        while let Some(output) = self.dialogue.poll_output() {
            let is_draft = matches!(output, Output::Ask(_, Action::SaveDraft { .. }));
            assert!(!had_hung_up || is_draft, "to nobody: {output:?} in {}", self.dialogue.state());
            match output {
                Output::Language(_) => {}
                Output::Play(ticket, sounds) => {
                    assert!(!sounds.is_empty(), "{}", self.dialogue.state());
                    self.playing = Some(ticket);
                    walk.heard.extend(sounds.iter().filter_map(|sound| match sound {
                        Sound::Clip(clip) => Some(*clip),
                        Sound::Audio(_) => None,
                    }));
                }
                Output::StopPlaying => assert!(self.playing.take().is_some(), "{}", self.dialogue.state()),
                Output::Record(ticket) => self.recording = Some(ticket),
                Output::EndRecording => assert!(self.recording.is_some(), "{}", self.dialogue.state()),
                Output::AbandonRecording => assert!(self.recording.take().is_some(), "{}", self.dialogue.state()),
                Output::Ask(ticket, action) => self.note_action(ticket, action, may_change),
                Output::HangUp => self.over = true,
            }
        }
    }

    fn note_action(&mut self, ticket: Ticket, action: Action, may_change: bool) {
        if self.dialogue.actor() == Actor::Caller {
            assert!(matches!(action, Action::Login { .. }), "before the login: {action:?}");
        }
        match action {
            // Nothing waits for the replies to these.
            Action::SaveDraft { .. } | Action::NoteDenied { .. } | Action::NewsHeard => {}
            // Looked at while the caller waits.
            Action::ReadBackup { .. } => self.asking = Some((ticket, action)),
            action => {
                assert!(may_change, "{action:?} without a key: {}", self.dialogue.state());
                self.asking = Some((ticket, action));
            }
        }
    }

    /// Notes that a key, a reply or the end of a clip led from one place to another.
    fn note_way(&self, from: Place, event: &Event, walk: &mut Walk) {
        let to = self.dialogue.listens_at();
        let is_loss = matches!(event, Event::Replied(Reply::Refused(Refusal::NotAllowed | Refusal::NoLongerAllowed)));
        let by_time = matches!(event, Event::TimeOut | Event::LongWait | Event::CallLimit);
        let ended = self.over || self.dialogue.place() == "goodbye";
        if from != to && !is_loss && !by_time && !ended {
            walk.ways.insert((from.name(), to.name()));
        }
    }
}

/// What the drawings show.
fn declared_ways() -> BTreeSet<(Clip, Clip)> {
    let mut ways = BTreeSet::new();
    for from in Place::all() {
        let opens: Vec<Place> = match from {
            Place::Menu(menu) => menu.choices.iter().flat_map(|choice| choice.goes.opens()).collect(),
            Place::Question(question) => [question.answer.opens(), question.back.opens()].concat(),
        };
        ways.extend(opens.into_iter().filter(|to| *to != from).map(|to| (from.name(), to.name())));
    }
    ways
}
