//! What a caller has heard, and makes of it: what is waited for, where in the menu that is, the last change's number.

use std::collections::HashSet;
use std::sync::OnceLock;

use switchhook::menu::tree::Place;
use switchhook::model::Clip;

use crate::world::ear::Ear;

#[derive(Default)]
pub struct Listener {
    ear: Ear,
    /// Everything, from the beginning of the call on.
    all: Vec<Clip>,
    /// How much of it was heard before the last time that the other caller was waited for.
    before_meeting: usize,
    /// What was not waited for yet, since the last key.
    recent: Vec<Clip>,
    /// What the last wait has ended with.
    pub waited_for: Option<Clip>,
    /// The place in the menu that was named since the last key.
    pub place: Option<Clip>,
}

impl Listener {
    /// The clip that begins with this packet.
    pub fn hear(&mut self, sequence: u16, payload: &[u8]) -> Option<Clip> {
        self.ear.hear(sequence, payload)
    }

    /// A clip has begun while the caller listens.
    pub fn heard(&mut self, clip: Clip) {
        self.all.push(clip);
        self.recent.push(clip);
        if places().contains(clip) {
            self.place = Some(clip);
        }
    }

    /// Whether one of these was heard; it and what came before are forgotten then.
    pub fn take(&mut self, clips: &[Clip]) -> bool {
        let Some(at) = self.recent.iter().position(|heard| clips.contains(heard)) else { return false };
        self.waited_for = self.recent.get(at).copied();
        self.recent.drain(..=at);
        true
    }

    /// Whether one of these could be taken.
    pub fn has_heard(&self, clips: &[Clip]) -> bool {
        self.recent.iter().any(|heard| clips.contains(heard))
    }

    /// What was heard before a key has nothing to do with what comes of it.
    pub fn forget(&mut self) {
        self.recent.clear();
    }

    /// What is heard from now on comes of what both callers do.
    pub fn has_met(&mut self) {
        self.before_meeting = self.all.len();
    }

    pub fn since_meeting(&self) -> &[Clip] {
        &self.all[self.before_meeting..]
    }

    /// The digits of the last change number that was told.
    pub fn last_change(&self) -> Option<String> {
        let at = self.all.iter().rposition(|clip| *clip == "change-number")?;
        Some(self.all[at + 1..].iter().map_while(|clip| digit(clip)).collect())
    }
}

/// The digit that a clip says.
pub fn digit(clip: Clip) -> Option<char> {
    let mut rest = clip.strip_prefix("digit-")?.chars();
    rest.next().filter(char::is_ascii_digit).filter(|_| rest.next().is_none())
}

/// The names of all places in the menu.
fn places() -> &'static HashSet<Clip> {
    static PLACES: OnceLock<HashSet<Clip>> = OnceLock::new();
    PLACES.get_or_init(|| Place::all().map(Place::name).collect())
}
