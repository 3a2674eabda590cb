//! The prompts of each language, encoded once, shared by all calls.

use std::collections::HashMap;
use std::sync::Arc;

use crate::media::player::Frames;
use crate::model::Language;

/// A table of clips for each installed language.
#[derive(Clone, Debug, Default)]
pub struct Prompts {
    /// The language whose clip is heard where another has none.
    default: Language,
    tables: HashMap<Language, HashMap<String, Arc<Frames>>>,
}

impl Prompts {
    /// No prompts yet; what a language lacks is heard in the `default` one.
    pub fn new(default: Language) -> Self {
        Self { default, tables: HashMap::new() }
    }

    /// Adds a clip from its linear samples, brought to the common loudness.
    pub fn add(&mut self, language: Language, clip: &str, mut samples: Vec<i16>) {
        if !super::level::is_about_level(&samples) {
            super::level::level(&mut samples);
        }
        let table = self.tables.entry(language).or_default();
        table.insert(clip.to_owned(), Arc::new(Frames::encode(&samples)));
    }

    /// Adds what other prompts have.
    pub fn extend(&mut self, others: Prompts) {
        for (language, table) in others.tables {
            self.tables.entry(language).or_default().extend(table);
        }
    }

    /// The clip's frames in that language, else in the default one.
    pub fn get(&self, language: Language, clip: &str) -> Option<Arc<Frames>> {
        let in_language = |language| self.tables.get(&language).and_then(|table| table.get(clip));
        in_language(language).or_else(|| in_language(self.default)).cloned()
    }

    /// The language of calls whose account has chosen none.
    pub fn default_language(&self) -> Language {
        self.default
    }

    /// The languages that have any clip, in the order of the language menu.
    pub fn languages(&self) -> Vec<Language> {
        Language::ALL.into_iter().filter(|language| self.tables.contains_key(language)).collect()
    }

    /// How many clips there are in all languages together.
    pub fn len(&self) -> usize {
        self.tables.values().map(HashMap::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_language_lacks_is_heard_in_the_default_one() {
        let mut prompts = Prompts::new(Language::Spanish);
        prompts.add(Language::Spanish, "beep", vec![900; 160]);
        prompts.add(Language::Spanish, "goodbye", vec![900; 160]);
        prompts.add(Language::English, "goodbye", vec![900; 160]);
        let same =
            |a: Option<Arc<Frames>>, b: Option<Arc<Frames>>| Arc::ptr_eq(&a.expect("a clip"), &b.expect("a clip"));
        assert!(same(prompts.get(Language::English, "beep"), prompts.get(Language::Spanish, "beep")));
        assert!(!same(prompts.get(Language::English, "goodbye"), prompts.get(Language::Spanish, "goodbye")));
        assert!(prompts.get(Language::German, "welcome").is_none());
        assert_eq!(prompts.languages(), [Language::English, Language::Spanish]);
        assert_eq!((prompts.len(), prompts.default_language()), (3, Language::Spanish));
    }
}
