//! Whole calls as transcripts: what a caller hears and dials, with a store that answers from memory.

mod attendants;
mod changes;
mod interruptions;
mod keys;
mod language;
mod login;
mod maintenance;
mod network;
mod own;
mod random;
mod recordings;
mod replies;
mod roles;
mod secrets;
mod store;
mod time_limit;
mod users;
mod walk;

use std::collections::VecDeque;
use std::time::Duration;

use super::tree::Place;
use super::{CallerInfo, Dialogue, Input, Limits, Output, Ticket};
use crate::access::{Action, Refusal, Reply};
use crate::model::{Audio, Extension, Key, Language, Mono, Sound, Take, Verdict};
use store::FakeStore;

/// A caller with a handset, a store behind the line, and a clock of their own.
pub struct Caller {
    dialogue: Dialogue,
    now: Mono,
    store: FakeStore,
    /// Replies that come instead of the store's, in order.
    instead: VecDeque<Reply>,
    /// Replies wait until [`Caller::store_replies`].
    slow: bool,
    waiting: VecDeque<(Ticket, Reply)>,
    playing: Option<(Ticket, Vec<Sound>)>,
    recording: Option<Ticket>,
    asked: Vec<Action>,
    hung_up: bool,
    /// In which clips are spoken.
    pub language: Language,
}

/// Audio that can be told apart by its length in samples.
pub fn audio(samples: usize) -> Audio {
    Audio(vec![1; samples].into())
}

impl Caller {
    /// A call that was just answered.
    pub fn new() -> Self {
        Self::from(None)
    }

    /// A call from a known extension that was just answered.
    pub fn from(extension: Option<&str>) -> Self {
        let languages = Language::ALL.to_vec();
        let extension = extension.and_then(Extension::parse);
        Self::with(CallerInfo { extension, languages, ..CallerInfo::default() })
    }

    /// A call of whom this is known, just answered.
    pub fn with(info: CallerInfo) -> Self {
        let now = Mono(5_000_000);
        let mut caller = Self {
            dialogue: Dialogue::new(Limits::default(), info, now),
            now,
            store: FakeStore::new(),
            instead: VecDeque::new(),
            slow: false,
            waiting: VecDeque::new(),
            playing: None,
            recording: None,
            asked: Vec::new(),
            hung_up: false,
            language: Language::default(),
        };
        caller.input(Input::Answered);
        caller
    }

    /// A call of someone who has logged in and heard the greeting to its end.
    pub fn logged_in(extension: &str) -> Self {
        let mut caller = Self::new();
        let pin = caller.store.pin_of(extension);
        caller.dials(&format!("{extension}#{pin}#")).finishes_hearing();
        caller.asked.clear();
        caller
    }

    /// What is playing is exactly this, and is heard to its end. Audio is written as its length: `audio-800`.
    pub fn hears(&mut self, clips: &str) -> &mut Self {
        self.begins_to_hear(clips).finishes_hearing()
    }

    /// What is playing is exactly this.
    pub fn begins_to_hear(&mut self, clips: &str) -> &mut Self {
        let heard = self.playing.as_ref().map_or_else(|| "(nothing)".to_owned(), |(_, sounds)| line(sounds));
        assert_eq!(heard, clips, "in {}", self.dialogue.state());
        self
    }

    pub fn hears_nothing(&mut self) -> &mut Self {
        self.begins_to_hear("(nothing)")
    }

    /// What is playing comes to its end.
    pub fn finishes_hearing(&mut self) -> &mut Self {
        if let Some((ticket, sounds)) = self.playing.take() {
            self.now = self.now + Duration::from_secs(sounds.len() as u64);
            self.input(Input::Played(ticket));
        }
        self
    }

    /// Presses keys one after the other, none held.
    pub fn dials(&mut self, keys: &str) -> &mut Self {
        for key in keys.chars() {
            self.holds(key).waits_ms(100).releases().waits_ms(100);
        }
        self
    }

    pub fn holds(&mut self, key: char) -> &mut Self {
        self.input(Input::Key(Key::from_char(key).expect("a key")));
        self
    }

    pub fn releases(&mut self) -> &mut Self {
        self.input(Input::KeyUp);
        self
    }

    /// Lets time pass; timers fire when they are due.
    pub fn waits_ms(&mut self, ms: u64) -> &mut Self {
        let until = self.now + Duration::from_millis(ms);
        while let Some(due) = self.dialogue.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.dialogue.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
        self
    }

    pub fn waits(&mut self, seconds: u64) -> &mut Self {
        self.waits_ms(seconds * 1000)
    }

    /// Lets time pass until the next timer fires.
    pub fn waits_for_the_timer(&mut self) -> &mut Self {
        let due = self.dialogue.poll_timeout().expect("a timer");
        self.now = self.now.max(due);
        self.waits_ms(0)
    }

    /// Says something into a recording that then ends by itself or was ended.
    pub fn take_arrives(&mut self, samples: usize, verdict: Option<Verdict>) -> &mut Self {
        let ticket = self.recording.take().expect("a recording");
        self.input(Input::Recorded(ticket, Take { audio: audio(samples), verdict }));
        self
    }

    pub fn is_recorded(&mut self) -> &mut Self {
        assert!(self.recording.is_some(), "no recording in {}", self.dialogue.state());
        self
    }

    pub fn hangs_up(&mut self) -> &mut Self {
        self.input(Input::HungUp { take: None });
        self
    }

    pub fn hangs_up_having_said(&mut self, samples: usize) -> &mut Self {
        self.recording.take().expect("a recording");
        self.input(Input::HungUp { take: Some(Take { audio: audio(samples), verdict: None }) });
        self
    }

    /// The next request is answered so, whatever the store would say.
    pub fn store_will(&mut self, reply: Reply) -> &mut Self {
        self.instead.push_back(reply);
        self
    }

    pub fn store_refuses(&mut self, refusal: Refusal) -> &mut Self {
        self.store_will(Reply::Refused(refusal))
    }

    pub fn store_is_slow(&mut self) -> &mut Self {
        self.slow = true;
        self
    }

    /// The replies that were waiting arrive.
    pub fn store_replies(&mut self) -> &mut Self {
        while let Some((ticket, reply)) = self.waiting.pop_front() {
            self.input(Input::Replied(ticket, reply));
        }
        self
    }

    /// The store was asked this since the last such question, by the names of the actions; checks have a `?`.
    pub fn asked(&mut self, names: &str) -> &mut Self {
        let name = |action: &Action| match action {
            Action::Check(_) => format!("{}?", action.name()),
            action => action.name().to_owned(),
        };
        let asked: Vec<String> = self.asked.iter().map(name).collect();
        assert_eq!(asked.join(" "), names);
        self.asked.clear();
        self
    }

    /// The store was asked so many things since the last such question.
    pub fn asked_at_least(&mut self, count: usize) -> &mut Self {
        let asked = std::mem::take(&mut self.asked).len();
        assert!(asked >= count, "{asked}");
        self
    }

    pub fn asked_nothing(&mut self) -> &mut Self {
        self.asked("")
    }

    pub fn is_on_the_line(&mut self) -> &mut Self {
        assert!(!self.hung_up && self.dialogue.poll_timeout().is_some());
        self
    }

    pub fn was_hung_up(&mut self) -> &mut Self {
        assert!(self.hung_up, "in {}", self.dialogue.state());
        assert_eq!(self.dialogue.poll_timeout(), None);
        assert_eq!(self.dialogue.place(), "over");
        self
    }

    pub fn is_at(&mut self, place: &str) -> &mut Self {
        assert_eq!(self.dialogue.place(), place);
        self
    }

    pub fn input(&mut self, input: Input) {
        self.dialogue.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        let mut replies = Vec::new();
        while let Some(output) = self.dialogue.poll_output() {
            assert!(!self.hung_up, "after the hang-up: {output:?}");
            match output {
                Output::Language(language) => self.language = language,
                Output::Play(ticket, sounds) => {
                    assert!(!sounds.is_empty());
                    self.playing = Some((ticket, sounds));
                }
                Output::StopPlaying => assert!(self.playing.take().is_some(), "nothing is playing"),
                Output::Record(ticket) => self.recording = Some(ticket),
                Output::EndRecording => assert!(self.recording.is_some()),
                Output::AbandonRecording => assert!(self.recording.take().is_some()),
                Output::Ask(ticket, action) => {
                    let reply = self.instead.pop_front().unwrap_or_else(|| self.store.apply(&action));
                    self.asked.push(action);
                    replies.push((ticket, reply));
                }
                Output::HangUp => self.hung_up = true,
            }
        }
        self.waiting.extend(replies);
        if !self.slow {
            self.store_replies();
        }
    }
}

/// Sounds as one line.
pub fn line(sounds: &[Sound]) -> String {
    let name = |sound: &Sound| match sound {
        Sound::Clip(clip) => (*clip).to_owned(),
        Sound::Audio(audio) => format!("audio-{}", audio.0.len()),
    };
    sounds.iter().map(name).collect::<Vec<_>>().join(" ")
}

pub const MAIN_OF_1000: &str = "main-menu main-my-settings main-recordings main-users main-attendants main-network \
                                main-maintenance main-roles main-changes";
pub const MAIN_OF_1002: &str =
    "main-menu main-my-settings main-recordings main-users main-attendants main-maintenance main-changes";
pub const MAIN_OF_1003: &str = "main-menu main-my-settings main-network main-changes";
pub const MAIN_OF_1004: &str = "main-menu main-my-settings main-maintenance main-changes";
pub const MY_MENU: &str = "my-menu my-voicemail-pin my-forwarding my-dnd my-greeting my-account-pin my-name \
                           my-support-pin my-language my-hear-all";
pub const RECORDING_MENU: &str =
    "recording-menu recording-listen recording-record recording-previous recording-factory recording-who";
pub const REVIEW_MENU: &str = "review-menu review-play review-keep review-again review-discard";
pub const LANGUAGES: &str = "language-menu language-choose-en language-choose-es language-choose-fr language-choose-de";
pub const REBOOT_MENU: &str = "reboot-menu reboot-now reboot-when-idle reboot-cancel";
pub const MAINTENANCE_MENU: &str = "maintenance-menu maintenance-backup maintenance-last-backup maintenance-reboot \
                                    maintenance-logging maintenance-support-pin maintenance-status";
pub const USER_MENU: &str = "user-menu user-voicemail-pin user-account-pin user-unlock user-enable-or-disable \
                             user-handsets user-forwarding user-name user-delete";
