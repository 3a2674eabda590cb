//! How clips are put together to say digits, numbers, dates and times: each language has rules of its own.

pub mod en;

use crate::model::{Audio, ChangeNumber, Civil, Clip, Sound};

/// What is said, built up piece by piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<Sound>);

impl Words {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Then a clip.
    #[must_use]
    pub fn clip(mut self, clip: Clip) -> Self {
        self.0.push(Sound::Clip(clip));
        self
    }

    /// Then several clips.
    #[must_use]
    pub fn clips(mut self, clips: impl IntoIterator<Item = Clip>) -> Self {
        self.0.extend(clips.into_iter().map(Sound::Clip));
        self
    }

    /// Then a recording or a spoken name, where there is one.
    #[must_use]
    pub fn audio(mut self, audio: Option<Audio>) -> Self {
        self.0.extend(audio.map(Sound::Audio));
        self
    }

    /// Then the digits of an extension, a PIN or a number that is keyed, one by one.
    #[must_use]
    pub fn digits(self, digits: &str) -> Self {
        self.clips(en::digits(digits))
    }

    /// Then a count.
    #[must_use]
    pub fn number(self, number: u32) -> Self {
        self.clips(en::number(number))
    }

    /// Then a day and a time.
    #[must_use]
    pub fn moment(self, at: Civil) -> Self {
        self.clip("date-on").clips(en::date(at)).clip("time-at").clips(en::time(at))
    }

    /// Then the number of the change that was made.
    #[must_use]
    pub fn change(self, change: ChangeNumber) -> Self {
        self.clip("change-number").digits(&change.0.to_string())
    }

    /// The sounds, in order.
    pub fn into_sounds(self) -> Vec<Sound> {
        self.0
    }
}

impl From<Clip> for Words {
    fn from(clip: Clip) -> Self {
        Self::none().clip(clip)
    }
}
