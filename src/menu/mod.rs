//! The dialogue with a caller: what is said, which keys do what, and what is asked of the store.
//!
//! [`Dialogue`] is a pure machine. Keys, completions, replies and the time go in by [`Dialogue::handle`] and
//! [`Dialogue::handle_timeout`]; what to play, record and ask comes out of [`Dialogue::poll_output`]. After each
//! input all outputs are to be drained before the next input.

mod dialogue;
mod entry;
pub mod speech;
pub mod tree;
mod type_ahead;

#[cfg(test)]
mod tests;

pub use crate::model::Ticket;
pub use dialogue::Dialogue;

use std::time::Duration;

use crate::access::{Action, Reply};
use crate::model::{Audio, Extension, Key, Language, Sound, Take};

/// What happened to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The call is up and hears us: the greeting begins.
    Answered,
    /// A key went down.
    Key(Key),
    /// The key that went down last is up again (a held key stops the silence timers until then).
    KeyUp,
    /// All sounds of that [`Output::Play`] were sent.
    Played(Ticket),
    /// That [`Output::Record`] has ended: by [`Output::EndRecording`], a long silence or the length limit.
    Recorded(Ticket, Take),
    /// The answer to that [`Output::Ask`].
    Replied(Ticket, Reply),
    /// The caller hung up.
    HungUp {
        /// What a recording in progress had got so far.
        take: Option<Take>,
    },
}

/// What is to be done for the caller, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Clips are spoken in this language from now on; until the first of these in the language of [`CallerInfo`].
    Language(Language),
    /// Play these one after the other; ends whatever is playing.
    Play(Ticket, Vec<Sound>),
    /// Stop playing at once (barge-in).
    StopPlaying,
    /// Record from now on.
    Record(Ticket),
    /// End the recording: [`Input::Recorded`] follows.
    EndRecording,
    /// Drop the recording: nothing follows.
    AbandonRecording,
    /// Ask the store. What is asked after [`Input::HungUp`] is done too; its reply goes nowhere.
    Ask(Ticket, Action),
    /// Hang up (after what has been played).
    HangUp,
}

/// The limits of a call (`[menu]` and `[login]` in the configuration).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the end of a prompt to the first key.
    pub first_key: Duration,
    /// Between keys of an entry.
    pub between_keys: Duration,
    /// Silences in a row that end the call.
    pub silences: u32,
    /// Wrong keys in a row that end the call.
    pub wrong_keys: u32,
    /// The longest call.
    pub call_max: Duration,
    /// Failed logins that end the call.
    pub tries_per_call: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_key: Duration::from_secs(8),
            between_keys: Duration::from_secs(3),
            silences: 3,
            wrong_keys: 3,
            call_max: Duration::from_secs(1800),
            tries_per_call: 3,
        }
    }
}

/// What is known of the caller before a key is pressed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerInfo {
    /// The caller's extension as a trusted peer gave it (P-Asserted-Identity, else From).
    pub extension: Option<Extension>,
    /// This site, where there are several.
    pub site: Option<SiteName>,
    /// The language of calls whose account has chosen none.
    pub language: Language,
    /// The languages whose prompts are installed; `language` always counts as one of them.
    pub languages: Vec<Language>,
}

/// How a site is told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteName {
    /// Its recorded name, where there is one.
    pub spoken: Option<Audio>,
    /// Its number, said where there is no recorded name.
    pub number: i64,
}
