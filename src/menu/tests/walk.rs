//! The exhaustive walk: from every state that can be reached, every key, time-out, hang-up, completion and reply.
//!
//! States are told apart by [`Dialogue::state`]; limits are two instead of three so that there are fewer of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::time::Duration;

use super::audio;
use super::replies::{replies, session, usual};
use crate::access::{Action, Actor, Permissions, Refusal, Reply, Role, Session};
use crate::menu::tree::{self, Place};
use crate::menu::{CallerInfo, Dialogue, Input, Limits, Output, SiteName, Ticket, speech};
use crate::model::{ChangeNumber, Clip, Extension, Key, Language, Mono, Sound, Take, Verdict};

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
    /// What was said where.
    said_at: BTreeMap<Clip, BTreeSet<Clip>>,
    /// Who alone logs in, presses keys in peace and is refused nothing; else everything happens.
    only: Option<Session>,
}

#[test]
fn every_state_has_a_way_on_and_every_way_ends() {
    let mut walk = Walk::default();
    let site = SiteName { spoken: None, number: 2 };
    let info = CallerInfo { site: Some(site), languages: Language::ALL.to_vec(), ..CallerInfo::default() };
    let known = CallerInfo { extension: Extension::parse("1000"), site: None, ..info.clone() };
    let states = walk.everywhere(&[info, known]);
    assert!(states > 10_000, "only {states} states");

    let spoken: BTreeSet<Clip> = speech::clips(Language::English).into_iter().collect();
    let known: BTreeSet<Clip> =
        tree::clips(Language::English).into_iter().filter(|clip| !spoken.contains(clip)).collect();
    let heard: BTreeSet<Clip> = walk.heard.into_iter().filter(|clip| !spoken.contains(clip)).collect();
    let never: Vec<_> = known.difference(&heard).collect();
    let unlisted: Vec<_> = heard.difference(&known).collect();
    assert!(never.is_empty() && unlisted.is_empty(), "never heard: {never:?}, not listed: {unlisted:?}");
    let declared = declared_ways();
    let never: Vec<_> = declared.difference(&walk.ways).collect();
    let undrawn: Vec<_> = walk.ways.difference(&declared).collect();
    assert!(never.is_empty() && undrawn.is_empty(), "never gone: {never:?}, not drawn: {undrawn:?}");
}

/// Every call that goes well, in each language: what is heard is what its folder is to hold.
#[test]
fn in_each_language_only_its_own_clips_are_heard() {
    for language in Language::ALL {
        let listed = tree::clips(language);
        let session = Session { language: Some(language), ..session(Permissions::ALL, true, false, Vec::new()) };
        let mut walk = Walk { only: Some(session), ..Walk::default() };
        walk.everywhere(&[CallerInfo { language, languages: vec![language], ..CallerInfo::default() }]);
        let unlisted: Vec<_> = walk.heard.iter().filter(|clip| !listed.contains(clip)).collect();
        assert!(unlisted.is_empty(), "{language:?}: {unlisted:?}");
        assert!(walk.heard.len() > 300, "{language:?}: {}", walk.heard.len());
    }
}

/// The reviewed grid: the keys that each role is offered at each place that it gets to, as they were said.
#[test]
fn each_role_hears_what_it_may_do() {
    let roles = Role::ALL.map(Some).into_iter().chain([None]);
    let said: Vec<BTreeMap<Clip, BTreeSet<Clip>>> = roles.map(said_to).collect();
    let mut grid = format!("{:<26}", "");
    for heading in ["Server", "System", "Phone", "Network", "Support", "no role"] {
        let _ = write!(grid, "{heading:<11}");
    }
    for place in Place::all().filter(|place| said.iter().any(|said| said.contains_key(place.name()))) {
        let _ = write!(grid, "\n{:<26}", place.name());
        for said in &said {
            let cell = match (said.get(place.name()), place) {
                (None, _) => ".".to_owned(),
                (Some(_), Place::Question(_)) => "asks".to_owned(),
                (Some(clips), Place::Menu(menu)) => {
                    let offered = menu.choices.iter().filter(|choice| !choice.said || clips.contains(choice.name));
                    offered.map(|choice| choice.key.to_char()).chain(menu.other_keys.map(|_| '?')).collect()
                }
            };
            let _ = write!(grid, "{cell:<11}");
        }
    }
    let grid: String = grid.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    assert_eq!(grid, include_str!("roles.txt"), "\n{grid}");
}

/// What someone with that role is told where.
fn said_to(role: Option<Role>) -> BTreeMap<Clip, BTreeSet<Clip>> {
    let session = session(Permissions::of(role.as_slice()), role.is_some(), false, Vec::new());
    let mut walk = Walk { only: Some(session), ..Walk::default() };
    walk.everywhere(&[CallerInfo { languages: Language::ALL.to_vec(), ..CallerInfo::default() }]);
    walk.said_at
}

impl Walk {
    /// Walks all states that follow the answer to a call; returns how many there are.
    fn everywhere(&mut self, callers: &[CallerInfo]) -> usize {
        let mut states: Vec<State> = callers.iter().cloned().map(|caller| State::answered(caller, self)).collect();
        let mut numbers: HashMap<String, usize> =
            states.iter().enumerate().map(|(number, state)| (state.dialogue.state(), number)).collect();
        let mut quiet: Vec<usize> = Vec::new();
        while let Some(state) = states.get(quiet.len()).cloned() {
            state.check();
            // Who is gone stays gone.
            let mut follows = if state.over { Some(quiet.len()) } else { None };
            for event in state.events(self.only.as_ref()) {
                let next = state.after(&event, self);
                let number = *numbers.entry(next.dialogue.state()).or_insert_with(|| {
                    states.push(next);
                    states.len() - 1
                });
                follows.get_or_insert(number);
            }
            quiet.push(follows.expect("something follows"));
        }
        if self.only.is_none() {
            all_end(&states, &quiet);
        }
        states.len()
    }
}

/// Follows what happens to a caller who does nothing, from every state to the end of the call.
fn all_end(states: &[State], quiet: &[usize]) {
    for first in 0..states.len() {
        let mut way = vec![first];
        while way.len() < 40 && !states[way[way.len() - 1]].over {
            way.push(quiet[way[way.len() - 1]]);
        }
        let way: Vec<&State> = way.into_iter().map(|at| &states[at]).collect();
        let told = || way.iter().map(|state| state.dialogue.state()).collect::<Vec<_>>().join("\n");
        assert!(way[way.len() - 1].over, "does not end:\n{}", told());
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
    fn events(&self, only: Option<&Session>) -> Vec<Event> {
        if self.over {
            return Vec::new();
        }
        if let Some(session) = only {
            return self.events_in_peace(session);
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

    /// What the caller or the store does next when nothing goes wrong.
    fn events_in_peace(&self, session: &Session) -> Vec<Event> {
        match &self.asking {
            Some((_, Action::Login { .. })) => vec![Event::Replied(Reply::LoggedIn(session.clone()))],
            Some((_, action @ Action::OpenUser { .. })) => {
                let free = Event::Replied(Reply::Refused(Refusal::Unknown));
                usual(action).into_iter().map(Event::Replied).chain([free]).collect()
            }
            Some((_, action)) => usual(action).into_iter().map(Event::Replied).collect(),
            None if self.recording.is_some() => {
                vec![Event::Recorded(Take { audio: audio(800), verdict: None })]
            }
            None if self.playing.is_some() => vec![Event::Played],
            None => Key::ALL.map(Event::Press).into_iter().chain([Event::TimeOut]).collect(),
        }
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
        next.late_reply_changes_nothing();
        if let Some(from) = from {
            next.note_way(from, event, walk);
        }
        next
    }

    /// The reply to what is no longer waited for.
    fn late_reply_changes_nothing(&mut self) {
        if let Some((ticket, _)) = self.asking.take_if(|_| !self.dialogue.is_asking()) {
            let before = self.dialogue.state();
            self.dialogue.handle(self.now, Input::Replied(ticket, Reply::Changed(ChangeNumber(42))));
            assert_eq!((self.dialogue.state(), self.dialogue.poll_output()), (before, None));
        }
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
                    let said_at = walk.said_at.entry(self.dialogue.place()).or_default();
                    said_at.extend(sounds.iter().filter_map(clip));
                    walk.heard.extend(sounds.iter().filter_map(clip));
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
            // Looked at while the caller waits, and at the end of a countdown.
            Action::ReadBackup { .. } => self.asking = Some((ticket, action)),
            Action::AskReboot if self.dialogue.place() == "press-star-to-cancel" => {
                self.asking = Some((ticket, action));
            }
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

fn clip(sound: &Sound) -> Option<Clip> {
    match sound {
        Sound::Clip(clip) => Some(*clip),
        Sound::Audio(_) => None,
    }
}

/// What the drawings show.
fn declared_ways() -> BTreeSet<(Clip, Clip)> {
    let mut ways = BTreeSet::new();
    for from in Place::all() {
        ways.extend(from.opens().into_iter().filter(|to| *to != from).map(|to| (from.name(), to.name())));
    }
    ways
}
