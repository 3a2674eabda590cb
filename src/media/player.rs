//! What a caller hears next, 20 ms at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::{Audio, Ticket};
use crate::wire::g711::{FRAME, Law};

/// Sounds that one playlist may hold; the dialogue's longest, five changes with the longest extensions, is below.
pub const PLAYLIST_MAX: usize = 512;

/// A prompt, encoded once for each law, whole frames; shared by all calls and never changed.
#[derive(Debug)]
pub struct Frames {
    mu: Box<[u8]>,
    a: Box<[u8]>,
}

impl Frames {
    /// Encodes linear samples; the last frame is filled up with silence.
    pub fn encode(samples: &[i16]) -> Self {
        let coded = |law: Law| {
            let mut bytes: Vec<u8> = samples.iter().map(|s| law.encode(*s)).collect();
            bytes.resize(samples.len().next_multiple_of(FRAME), law.silence());
            bytes.into_boxed_slice()
        };
        Self { mu: coded(Law::Mu), a: coded(Law::A) }
    }

    fn bytes(&self, law: Law) -> &[u8] {
        match law {
            Law::Mu => &self.mu,
            Law::A => &self.a,
        }
    }
}

/// One sound of a playlist.
#[derive(Clone, Debug)]
pub enum Item {
    /// A prompt.
    Frames(Arc<Frames>),
    /// Linear audio, encoded as it is played: takes and recordings.
    Audio(Audio),
}

/// Plays one list of sounds at a time, and silence where there is none.
#[derive(Debug, Default)]
pub struct Player {
    list: VecDeque<Item>,
    ticket: Option<Ticket>,
    /// Samples of the first item that were played.
    at: usize,
}

impl Player {
    /// Plays these instead of whatever is playing; what is beyond [`PLAYLIST_MAX`] is left out.
    pub fn play(&mut self, ticket: Ticket, items: impl IntoIterator<Item = Item>) {
        self.list.clear();
        self.list.extend(items.into_iter().take(PLAYLIST_MAX));
        self.ticket = Some(ticket);
        self.at = 0;
    }

    /// Stops at once; nothing completes.
    pub fn stop(&mut self) {
        self.list = VecDeque::new();
        self.ticket = None;
        self.at = 0;
    }

    /// The ticket of a list whose last frame was taken, once.
    pub fn poll_played(&mut self) -> Option<Ticket> {
        if self.list.is_empty() { self.ticket.take() } else { None }
    }

    /// Whether something is playing.
    pub fn is_playing(&self) -> bool {
        !self.list.is_empty()
    }

    /// Writes the next 20 ms.
    pub fn frame(&mut self, law: Law, target: &mut [u8; FRAME]) {
        target.fill(law.silence());
        let Some(item) = self.list.front() else { return };
        let length = match item {
            Item::Frames(frames) => {
                let bytes = frames.bytes(law);
                if let Some(frame) = bytes.get(self.at..self.at + FRAME) {
                    target.copy_from_slice(frame);
                }
                bytes.len()
            }
            Item::Audio(audio) => {
                let samples = audio.0.get(self.at..).unwrap_or_default();
                for (code, sample) in target.iter_mut().zip(samples) {
                    *code = law.encode(*sample);
                }
                audio.0.len()
            }
        };
        self.at += FRAME;
        if self.at >= length {
            self.list.pop_front();
            self.at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sounds_follow_each_other_and_complete_once() {
        let mut player = Player::default();
        let prompt = Arc::new(Frames::encode(&[1000; FRAME + 1]));
        player.play(Ticket(7), [Item::Frames(prompt), Item::Audio(Audio(vec![-1000; 10].into()))]);
        let mut heard = Vec::new();
        while player.is_playing() {
            assert_eq!(player.poll_played(), None);
            let mut frame = [0; FRAME];
            player.frame(Law::A, &mut frame);
            heard.push((frame[0], frame[FRAME - 1]));
        }
        let (up, down, silence) = (Law::A.encode(1000), Law::A.encode(-1000), Law::A.silence());
        assert_eq!(heard, [(up, up), (up, silence), (down, silence)]);
        assert_eq!((player.poll_played(), player.poll_played()), (Some(Ticket(7)), None));
    }

    #[test]
    fn a_list_that_was_stopped_does_not_complete() {
        let mut player = Player::default();
        player.play(Ticket(1), [Item::Audio(Audio(vec![0; 10].into()))]);
        player.stop();
        assert_eq!(player.poll_played(), None);
        player.play(Ticket(2), []);
        assert_eq!(player.poll_played(), Some(Ticket(2)));
    }
}
