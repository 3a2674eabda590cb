//! The prompts of one language, encoded once, shared by all calls.

use std::collections::HashMap;
use std::sync::Arc;

use crate::media::player::Frames;

/// Clip to frames.
#[derive(Debug, Default)]
pub struct Prompts(HashMap<String, Arc<Frames>>);

impl Prompts {
    /// Adds a clip from its linear samples, brought to the common loudness.
    pub fn add(&mut self, clip: &str, mut samples: Vec<i16>) {
        super::level::level(&mut samples);
        self.0.insert(clip.to_owned(), Arc::new(Frames::encode(&samples)));
    }

    /// The clip's frames.
    pub fn get(&self, clip: &str) -> Option<Arc<Frames>> {
        self.0.get(clip).cloned()
    }

    /// How many clips there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
