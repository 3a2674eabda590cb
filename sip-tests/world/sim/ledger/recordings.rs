//! System recordings: versions of which one is live, and drafts.

use std::collections::BTreeMap;

use switchhook::access::{Action, Refusal, Reply, RestoreTo};
use switchhook::model::{AccountId, Audio, Civil, Extension, RecordingNumber};

use super::changes::{Slot, Value};
use super::{Ledger, Request};

#[derive(Default)]
pub struct Recording {
    /// All that were kept, the factory one first.
    pub versions: Vec<Audio>,
    pub drafts: BTreeMap<AccountId, Audio>,
    changed_by: Option<Extension>,
}

impl Recording {
    pub(super) fn factory(number: u32) -> Self {
        Self { versions: vec![Audio(vec![number as i16 * 100; 4000].into())], ..Self::default() }
    }
}

impl Ledger {
    /// The live version; 0 is the factory one.
    pub fn live(&self, number: u32) -> usize {
        match self.value(Slot::Recording(RecordingNumber(number))) {
            Value::Number(version) => version as usize,
            _ => 0,
        }
    }

    /// How many versions there are, the factory one among them.
    pub fn kept(&self, number: u32) -> usize {
        self.recordings.get(&RecordingNumber(number)).map_or(0, |recording| recording.versions.len())
    }

    pub fn has_draft(&self, number: u32) -> bool {
        self.recordings.get(&RecordingNumber(number)).is_some_and(|recording| !recording.drafts.is_empty())
    }

    /// A version that somebody has kept before the calls, for others to build on.
    pub fn keep_by_account(&mut self, extension: &str, number: u32) {
        let recording = self.recordings.get_mut(&RecordingNumber(number)).expect("a recording");
        recording.versions.push(Audio(vec![7; 4000].into()));
        let live = Value::Number(recording.versions.len() as u32 - 1);
        self.by_account(extension, "recording.changed", vec![(Slot::Recording(RecordingNumber(number)), live)]);
    }

    pub(super) fn act_on_recording(&mut self, request: &Request<'_>) -> Result<Reply, Refusal> {
        let (Action::OpenRecording { number }
        | Action::ListenRecording { number }
        | Action::KeepRecording { number, .. }
        | Action::RestoreRecording { number, .. }
        | Action::WhoChangedRecording { number }
        | Action::SaveDraft { number, .. }
        | Action::DiscardDraft { number }) = request.action
        else {
            return Err(Refusal::NotAllowed);
        };
        let (id, live) = (request.id, self.live(number.0));
        let recording = self.recordings.get_mut(number).ok_or(Refusal::Unknown)?;
        let live = match request.action {
            Action::ListenRecording { .. } => return Ok(Reply::Audio(recording.versions.get(live).cloned())),
            Action::WhoChangedRecording { .. } => {
                let at = Civil { year: 2026, month: 1, day: 2, weekday: 4, hour: 3, minute: 4 };
                return Ok(Reply::Who { by: recording.changed_by.clone(), spoken_name: None, at: Some(at) });
            }
            Action::SaveDraft { audio, .. } | Action::KeepRecording { audio, .. } if audio.0.is_empty() => {
                return Err(Refusal::NothingThere);
            }
            Action::SaveDraft { audio, .. } => {
                recording.drafts.insert(id, audio.clone());
                return Ok(Reply::Done);
            }
            Action::DiscardDraft { .. } => {
                return recording.drafts.remove(&id).map(|_| Reply::Done).ok_or(Refusal::NothingThere);
            }
            Action::KeepRecording { audio, .. } => {
                recording.drafts.remove(&id);
                recording.versions.push(audio.clone());
                recording.versions.len() - 1
            }
            Action::RestoreRecording { to: RestoreTo::Previous, .. } => {
                live.checked_sub(1).ok_or(Refusal::NothingThere)?
            }
            Action::RestoreRecording { to: RestoreTo::Factory, .. } if live == 0 => return Err(Refusal::NothingThere),
            Action::RestoreRecording { to: RestoreTo::Factory, .. } => 0,
            _ => {
                let draft = recording.drafts.get(&id).cloned();
                return Ok(Reply::Recording { factory: live == 0, draft });
            }
        };
        let by = self.extension(id);
        if let Some(recording) = self.recordings.get_mut(number) {
            recording.changed_by = Some(by);
        }
        let edit = (Slot::Recording(*number), Value::Number(live as u32));
        Ok(Reply::Changed(self.change(request, number.0, vec![edit])))
    }
}
