//! How clips are put together to say digits, numbers, dates and times: each language has rules of its own.

pub mod de;
pub mod en;
pub mod es;
pub mod fr;
mod parts;

use std::fmt;

use zeroize::Zeroizing;

use crate::model::{Audio, ChangeNumber, Civil, Clip, Language, Sound};

/// What is counted: a number and its noun agree by each language's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noun {
    /// "two other calls are in progress".
    OtherCalls,
    /// "two calls are in progress".
    Calls,
    /// "ten seconds".
    Seconds,
    /// "twelve milliseconds".
    Milliseconds,
    /// "three hours".
    Hours,
    /// "forty megabytes".
    Megabytes,
    /// "forty percent".
    Percent,
    /// "three people".
    People,
    /// "three members".
    Members,
    /// "two handsets".
    Handsets,
}

impl Noun {
    /// All nouns.
    pub const ALL: [Noun; 10] = [
        Noun::OtherCalls,
        Noun::Calls,
        Noun::Seconds,
        Noun::Milliseconds,
        Noun::Hours,
        Noun::Megabytes,
        Noun::Percent,
        Noun::People,
        Noun::Members,
        Noun::Handsets,
    ];

    /// The clip that follows the number: for one, or for any other number.
    pub fn clip(self, is_one: bool) -> Clip {
        let (one, many) = match self {
            Noun::OtherCalls => ("other-call", "other-calls"),
            Noun::Calls => ("call", "calls"),
            Noun::Seconds => ("second", "seconds"),
            Noun::Milliseconds => ("millisecond", "milliseconds"),
            Noun::Hours => ("hour", "hours"),
            Noun::Megabytes => ("megabyte", "megabytes"),
            Noun::Percent => ("percent", "percent"),
            Noun::People => ("person", "people"),
            Noun::Members => ("member", "members"),
            Noun::Handsets => ("handset", "handsets"),
        };
        if is_one { one } else { many }
    }
}

/// One piece of what is said; what clips it takes is up to the language.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Clip(Clip),
    Audio(Audio),
    Digits(Digits),
    Number(u32),
    Counted(u32, Noun),
    Moment(Civil),
}

/// Digits that are said one by one, wiped when dropped: a temporary PIN's may be among them, so `Debug` prints none.
#[derive(Clone, PartialEq, Eq)]
struct Digits(Zeroizing<String>);

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} digits", self.0.len())
    }
}

/// What is said, built up piece by piece; a language is chosen when it is played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<Piece>);

impl Words {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Then a clip.
    #[must_use]
    pub fn clip(mut self, clip: Clip) -> Self {
        self.0.push(Piece::Clip(clip));
        self
    }

    /// Then several clips.
    #[must_use]
    pub fn clips(mut self, clips: impl IntoIterator<Item = Clip>) -> Self {
        self.0.extend(clips.into_iter().map(Piece::Clip));
        self
    }

    /// Then a recording or a spoken name, where there is one.
    #[must_use]
    pub fn audio(mut self, audio: Option<Audio>) -> Self {
        self.0.extend(audio.map(Piece::Audio));
        self
    }

    /// Then the digits of an extension, a PIN or a number that is keyed, one by one.
    #[must_use]
    pub fn digits(mut self, digits: &str) -> Self {
        self.0.push(Piece::Digits(Digits(Zeroizing::new(digits.to_owned()))));
        self
    }

    /// Then a count.
    #[must_use]
    pub fn number(mut self, number: u32) -> Self {
        self.0.push(Piece::Number(number));
        self
    }

    /// Then a count and what is counted.
    #[must_use]
    pub fn counted(mut self, number: u32, noun: Noun) -> Self {
        self.0.push(Piece::Counted(number, noun));
        self
    }

    /// Then other words.
    #[must_use]
    pub fn then(mut self, words: impl Into<Words>) -> Self {
        self.0.extend(words.into().0);
        self
    }

    /// Then a day and a time.
    #[must_use]
    pub fn moment(mut self, at: Civil) -> Self {
        self.0.push(Piece::Moment(at));
        self
    }

    /// Then the number of the change that was made.
    #[must_use]
    pub fn change(self, change: ChangeNumber) -> Self {
        self.clip("change-number").digits(&change.0.to_string())
    }

    /// The sounds in a language, in order.
    pub fn into_sounds(self, language: Language) -> Vec<Sound> {
        let mut sounds = Vec::new();
        for piece in self.0 {
            match piece {
                Piece::Audio(audio) => sounds.push(Sound::Audio(audio)),
                piece => sounds.extend(clips_of(&piece, language).into_iter().map(Sound::Clip)),
            }
        }
        sounds
    }
}

/// What the file of a language gives; digits are said one by one in all of them.
struct Rules {
    number: fn(u32) -> Vec<Clip>,
    counted: fn(u32, Noun) -> Vec<Clip>,
    moment: fn(Civil) -> Vec<Clip>,
    clips: fn() -> Vec<Clip>,
}

/// The rules of a language.
fn rules(language: Language) -> Rules {
    // The functions of these names in a module.
    macro_rules! of {
        ($module:ident) => {
            Rules {
                number: $module::number,
                counted: $module::counted,
                moment: $module::moment,
                clips: || $module::clips().collect(),
            }
        };
    }
    match language {
        Language::English => of!(en),
        Language::Spanish => of!(es),
        Language::French => of!(fr),
        Language::German => of!(de),
    }
}

/// Every clip that the rules of a language can ask for, the nouns included; each once, sorted.
pub fn clips(language: Language) -> Vec<Clip> {
    let nouns = Noun::ALL.into_iter().flat_map(|noun| [noun.clip(true), noun.clip(false)]);
    let mut clips: Vec<Clip> = (rules(language).clips)().into_iter().chain(nouns).collect();
    clips.sort_unstable();
    clips.dedup();
    clips
}

/// The clips of a piece by the rules of a language.
fn clips_of(piece: &Piece, language: Language) -> Vec<Clip> {
    let rules = rules(language);
    match piece {
        Piece::Clip(clip) => vec![clip],
        Piece::Audio(_) => Vec::new(),
        Piece::Digits(Digits(text)) => parts::digits(text),
        Piece::Number(number) => (rules.number)(*number),
        Piece::Counted(number, noun) => (rules.counted)(*number, *noun),
        Piece::Moment(at) => (rules.moment)(*at),
    }
}

impl From<Clip> for Words {
    fn from(clip: Clip) -> Self {
        Self::none().clip(clip)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Counts that end in all ways that matter, and their neighbours.
    fn counts() -> impl Iterator<Item = u32> {
        let steps = [1, 1000, 1_000_000].into_iter().flat_map(|step| (0..1000).map(move |n| n * step));
        steps.chain([1_001_001, 21_021_021, 101_101_101, 200_200_200, 999_999_999, 1_000_000_000, u32::MAX])
    }

    fn moments() -> impl Iterator<Item = Civil> {
        let on = |year, month, day, weekday| Civil { year, month, day, weekday, hour: 0, minute: 0 };
        let times =
            (0..24).flat_map(move |hour| (0..60).map(move |minute| Civil { hour, minute, ..on(2026, 3, 3, 1) }));
        let days = (1..=12).flat_map(move |month| (1..=31).map(move |day| on(2026, month, day, day % 7)));
        times.chain(days).chain((1900..2200).map(move |year| on(year, 1, 1, 0)))
    }

    #[test]
    fn what_the_rules_ask_for_is_what_they_list() {
        for language in Language::ALL {
            let rules = rules(language);
            let counted = Noun::ALL.into_iter().flat_map(|noun| counts().map(move |count| (count, noun)));
            let said: BTreeSet<Clip> = counts()
                .flat_map(rules.number)
                .chain(counted.flat_map(|(count, noun)| (rules.counted)(count, noun)))
                .chain(moments().flat_map(rules.moment))
                .chain(parts::digits("0123456789"))
                .collect();
            let listed: BTreeSet<Clip> = clips(language).into_iter().collect();
            let differences: Vec<_> = said.symmetric_difference(&listed).collect();
            assert!(differences.is_empty(), "{language:?}: {differences:?}");
        }
    }

    #[test]
    fn a_date_that_no_calendar_has_is_no_panic() {
        let nonsense = Civil { year: u16::MAX, month: 0, day: 0, weekday: 7, hour: 99, minute: 255 };
        for language in Language::ALL {
            let _ = clips_of(&Piece::Moment(nonsense), language);
        }
    }

    #[test]
    fn the_language_is_chosen_when_it_is_played() {
        let words = Words::from("change-number").digits("7").counted(21, Noun::Calls);
        for (language, number) in [
            (Language::English, &["number-20", "number-1"][..]),
            (Language::Spanish, &["number-21-f"]),
            (Language::French, &["number-21"]),
            (Language::German, &["number-21"]),
        ] {
            let clips = ["change-number", "digit-7"].into_iter().chain(number.iter().copied()).chain(["calls"]);
            let expected: Vec<Sound> = clips.map(Sound::Clip).collect();
            assert_eq!(words.clone().into_sounds(language), expected, "{language:?}");
        }
    }
}
