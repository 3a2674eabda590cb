//! How clips are put together to say digits, numbers, dates and times: each language has rules of its own.

pub mod en;

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
    Digits(String),
    Number(u32),
    Counted(u32, Noun),
    Moment(Civil),
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
        self.0.push(Piece::Digits(digits.to_owned()));
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

/// The clips of a piece by the rules of a language.
fn clips_of(piece: &Piece, language: Language) -> Vec<Clip> {
    match language {
        Language::English | Language::Spanish | Language::French | Language::German => match piece {
            Piece::Clip(clip) => vec![clip],
            Piece::Audio(_) => Vec::new(),
            Piece::Digits(digits) => en::digits(digits),
            Piece::Number(number) => en::number(*number),
            Piece::Counted(number, noun) => en::counted(*number, *noun),
            Piece::Moment(at) => en::moment(*at),
        },
    }
}

impl From<Clip> for Words {
    fn from(clip: Clip) -> Self {
        Self::none().clip(clip)
    }
}
