//! Which prompts are in what was heard.
//!
//! What comes by RTP comes in frames of 20 ms, and a prompt begins with a frame. So each prompt is looked for at each
//! frame only: first by its loudness from frame to frame, then, where that fits, by its samples (normalised
//! cross-correlation, which a change of level doesn't touch).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::setup::PROJECT;

/// Samples in a frame.
pub const FRAME: usize = 160;
/// From this correlation on a prompt is taken as heard; a wrong one stays far below.
const ALIKE: f32 = 0.85;
/// The same for the loudness, frame by frame.
const ALIKE_LOUDNESS: f32 = 0.9;
/// A frame with less than this is silence: 100 of 32768 in each sample.
const QUIET: f32 = 100.0 * 12.65;

/// Something that can be recognised.
pub struct Clip {
    /// Its name.
    pub name: String,
    sound: Sound,
}

/// Samples, and how loud each frame of them is.
#[derive(Default)]
pub struct Sound {
    samples: Vec<f32>,
    loudness: Vec<f32>,
}

impl Sound {
    /// From linear samples; the end that is no whole frame is left out.
    pub fn new(samples: &[i16]) -> Self {
        let mut sound = Self::default();
        sound.push(samples);
        sound
    }

    /// Appends samples; all but the last must be whole frames.
    pub fn push(&mut self, samples: &[i16]) {
        let whole = samples.len() / FRAME * FRAME;
        self.samples.extend(samples[..whole].iter().map(|s| f32::from(*s)));
        let frames = self.samples[self.loudness.len() * FRAME..].chunks(FRAME);
        self.loudness.extend(frames.map(|frame| frame.iter().map(|s| s * s).sum::<f32>().sqrt()));
    }

    /// Without the silence at its end: where the call ends with it, a telephone's jitter buffer does not give it out.
    fn without_its_end(mut self) -> Self {
        let end = self.loudness.iter().rposition(|loudness| *loudness > QUIET).map_or(0, |last| last + 1);
        self.loudness.truncate(end);
        self.samples.truncate(end * FRAME);
        self
    }

    /// How many frames it has.
    pub fn frames(&self) -> usize {
        self.loudness.len()
    }

    /// Its samples.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// How well the clip fits at that frame; `None` where it doesn't.
    fn likeness(&self, frame: usize, clip: &Sound) -> Option<f32> {
        let loudness = self.loudness.get(frame..frame + clip.frames())?;
        if correlation(loudness, &clip.loudness) < ALIKE_LOUDNESS {
            return None;
        }
        let samples = self.samples.get(frame * FRAME..(frame + clip.frames()) * FRAME)?;
        Some(correlation(samples, &clip.samples)).filter(|alike| *alike >= ALIKE)
    }
}

/// All prompts of a language, by name.
pub fn prompts(language: &str) -> &'static [Clip] {
    static PROMPTS: Mutex<BTreeMap<String, &'static [Clip]>> = Mutex::new(BTreeMap::new());
    let mut languages = PROMPTS.lock().unwrap_or_else(PoisonError::into_inner);
    languages.entry(language.to_owned()).or_insert_with(|| read_prompts(language).leak())
}

fn read_prompts(language: &str) -> Vec<Clip> {
    let folder = Path::new(PROJECT).join("prompts").join(language);
    let mut clips = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the prompts").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".wav") {
            let sound = Sound::new(&wav(&entry.path())).without_its_end();
            clips.push(Clip { name: name.to_owned(), sound });
        }
    }
    clips.sort_by(|a, b| a.name.cmp(&b.name));
    clips
}

/// Where the prompt of that name is first heard from a frame on: its first frame and the one after its end.
pub fn find(sound: &Sound, from: usize, language: &str, name: &str) -> Option<(usize, usize)> {
    let clip = prompts(language).iter().find(|clip| clip.name == name);
    let clip = &clip.unwrap_or_else(|| panic!("there is no prompt {language}/{name}")).sound;
    let last = sound.frames().checked_sub(clip.frames())?;
    let found = (from..=last).find(|frame| sound.likeness(*frame, clip).is_some())?;
    Some((found, found + clip.frames()))
}

/// The prompts of a language that are heard to their end from a frame on: the second at which each begins, and its name.
///
/// Of several with the same words (`digit-1`, `number-1`) it is the one that fits best, or the first by name.
pub fn heard(sound: &Sound, from: usize, language: &str, wanted: impl Fn(&str) -> bool) -> Vec<(f32, &'static str)> {
    let clips: Vec<&'static Clip> = prompts(language).iter().filter(|clip| wanted(&clip.name)).collect();
    let mut heard = Vec::new();
    let mut frame = from;
    while frame < sound.frames() {
        let mut best: Option<(f32, &'static Clip)> = None;
        for clip in &clips {
            if let Some(alike) = sound.likeness(frame, &clip.sound)
                && best.is_none_or(|(before, _)| alike > before + 0.001)
            {
                best = Some((alike, clip));
            }
        }
        match best {
            Some((_, clip)) => {
                heard.push((frame as f32 * 0.02, clip.name.as_str()));
                frame += clip.sound.frames().max(1);
            }
            None => frame += 1,
        }
    }
    heard
}

/// The samples of a 16-bit mono WAV at 8 kHz.
pub fn wav(path: &Path) -> Vec<i16> {
    let mut reader = hound::WavReader::open(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let spec = reader.spec();
    assert_eq!((spec.sample_rate, spec.channels, spec.bits_per_sample), (8000, 1, 16), "{}", path.display());
    reader.samples().map(|s| s.expect("a sample")).collect()
}

/// Writes such a WAV.
pub fn write_wav(path: &Path, samples: &[i16]) {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(path, spec).expect("a new file");
    for sample in samples {
        writer.write_sample(*sample).expect("a sample");
    }
    writer.finalize().expect("a whole file");
}

/// The correlation of two recordings of the same sound, one of which may begin later and be levelled: from -1 to 1.
///
/// Where they fit best is looked for by loudness, frame by frame, then by samples around that.
pub fn best_correlation(long: &[i16], short: &[i16]) -> f32 {
    let (long, short) = if long.len() >= short.len() { (long, short) } else { (short, long) };
    let padding = vec![0; 50 * FRAME];
    let padded = Sound::new(&[&padding, long, &padding].concat());
    let short = Sound::new(short);
    let lags = 0..=padded.frames().saturating_sub(short.frames());
    let fits = |lag: usize| correlation(&padded.loudness[lag..lag + short.frames()], &short.loudness);
    let coarse = lags.max_by(|a, b| fits(*a).total_cmp(&fits(*b))).unwrap_or(0) * FRAME;
    let fine = coarse.saturating_sub(2 * FRAME)..=coarse + 2 * FRAME;
    let fits =
        |at: usize| padded.samples.get(at..at + short.samples.len()).map(|part| correlation(part, &short.samples));
    fine.filter_map(fits).fold(-1.0, f32::max)
}

/// Cosine of the angle between two vectors; 0 where one is silent.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let (mut ab, mut aa, mut bb) = (0.0f32, 0.0f32, 0.0f32);
    for (a, b) in a.iter().zip(b) {
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    if aa == 0.0 || bb == 0.0 { 0.0 } else { ab / (aa * bb).sqrt() }
}
