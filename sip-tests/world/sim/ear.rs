//! Prompts that can be told apart on the wire, and an ear that knows them.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use switchhook::media::player::{Item, Player};
use switchhook::media::prompts::Prompts;
use switchhook::menu::tree;
use switchhook::model::{Clip, Language, Ticket};
use switchhook::wire::g711::{FRAME, Law};
use switchhook::wire::rtp::sequence_distance;

use super::random::Random;

/// The prompts: each clip is a noise of its own, 80 to 340 ms long.
pub struct Prompting {
    pub prompts: Arc<Prompts>,
    /// By the first bytes of a frame.
    known: HashMap<[u8; 16], (Clip, u16)>,
}

/// The one set of prompts of all simulations.
pub fn prompting() -> &'static Prompting {
    static SHARED: OnceLock<Prompting> = OnceLock::new();
    SHARED.get_or_init(|| {
        let (mut prompts, clips) = (Prompts::default(), tree::clips(Language::English));
        for (index, clip) in clips.iter().enumerate() {
            let mut random = Random::new(index as u64);
            let length = (4 + random.below(14) as usize) * FRAME;
            prompts.add(Language::English, clip, (0..length).map(|_| random.below(8000) as i16 - 4000).collect());
        }
        let mut known = HashMap::new();
        for (clip, law) in clips.iter().flat_map(|clip| [(*clip, Law::Mu), (*clip, Law::A)]) {
            let mut player = Player::default();
            player.play(Ticket(1), prompts.get(Language::English, clip).map(Item::Frames));
            let mut number = 0;
            while player.is_playing() {
                let mut frame = [0; FRAME];
                player.frame(law, &mut frame);
                assert_eq!(known.insert(beginning(&frame), (clip, number)), None, "two frames are alike");
                number += 1;
            }
        }
        Prompting { prompts: Arc::new(prompts), known }
    })
}

fn beginning(frame: &[u8]) -> [u8; 16] {
    let mut key = [0; 16];
    let length = frame.len().min(16);
    key[..length].copy_from_slice(&frame[..length]);
    key
}

/// Listens to one stream.
#[derive(Default)]
pub struct Ear {
    last: Option<(Clip, u16)>,
    newest: Option<u16>,
}

impl Ear {
    /// The clip that begins to be heard with this packet; one that was overtaken is left out, as a phone does.
    pub fn hear(&mut self, sequence: u16, payload: &[u8]) -> Option<Clip> {
        if self.newest.is_some_and(|newest| sequence_distance(newest, sequence) <= 0) {
            return None;
        }
        self.newest = Some(sequence);
        let heard = prompting().known.get(&beginning(payload)).copied();
        let Some((clip, frame)) = heard else {
            self.last = None;
            return None;
        };
        let goes_on = self.last.is_some_and(|(before, at)| before == clip && at < frame);
        self.last = Some((clip, frame));
        (!goes_on).then_some(clip)
    }
}
