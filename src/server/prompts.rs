//! Finds and reads the prompt files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::media::prompts::Prompts;
use crate::menu::tree;
use crate::model::{Clip, Language};
use crate::wire::wav::{self, WAV_BYTES_MAX, WavError};

/// Where packages put the prompts.
const INSTALLED: &str = "/usr/share/switchhook/prompts";
/// The demo's recordings, which are no language.
pub const DEMO: &str = "demo";
/// Folders above the executable that are looked into.
const FOLDERS_ABOVE: usize = 3;
/// The longest prompt, in seconds.
pub const PROMPT_SECONDS_MAX: u32 = 60;

/// Why there are no prompts.
#[derive(Debug, thiserror::Error)]
pub enum PromptsError {
    /// No folder holds the language.
    #[error("no prompts for `{language}`: looked in {}; set `folder` in [prompts]", list(.looked))]
    NoFolder {
        /// The language.
        language: Language,
        /// The folders.
        looked: Vec<PathBuf>,
    },
    /// The folder can't be read.
    #[error("{}: {error}", .folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Fewer than those that are in use.
    #[error("{count} of the prompts of `{language}` that are in use are missing or broken, {first}.wav the first")]
    Lost {
        /// The default language.
        language: Language,
        /// How many.
        count: usize,
        /// One of them.
        first: Clip,
    },
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// What is wrong with one prompt.
#[derive(Debug, thiserror::Error)]
pub enum PromptFault {
    /// The menu asks for it and it is not there.
    #[error("{0}.wav is missing")]
    Missing(String),
    /// It can't be used.
    #[error("{clip}.wav: {why}")]
    Broken {
        /// The clip.
        clip: String,
        /// What is wrong.
        why: String,
    },
}

/// The folder that holds `LANGUAGE/`: the configured one, else the first of `./prompts`, beside the executable and up
/// to three folders above it, and the installed one.
pub fn find(configured: &str, language: Language) -> Result<PathBuf, PromptsError> {
    let looked = if configured.is_empty() { usual_folders() } else { vec![PathBuf::from(configured)] };
    match looked.iter().find(|folder| folder.join(language.code()).is_dir()) {
        Some(folder) => Ok(folder.clone()),
        None => Err(PromptsError::NoFolder { language, looked }),
    }
}

fn usual_folders() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("prompts")];
    if let Ok(executable) = std::env::current_exe() {
        let above = executable.ancestors().skip(1).take(FOLDERS_ABOVE + 1);
        folders.extend(above.map(|folder| folder.join("prompts")));
    }
    folders.push(PathBuf::from(INSTALLED));
    folders
}

/// Reads the prompts of one language; what is missing or broken is logged, and heard in the default language or as a gap.
pub fn load(folder: &Path, language: Language) -> Prompts {
    with(Prompts::new(language), folder, language)
}

/// The same prompts, and those of all other languages whose folders are there.
pub fn load_others(prompts: &Prompts, folder: &Path) -> Prompts {
    let others = Language::ALL.into_iter().filter(|language| *language != prompts.default_language());
    let installed = others.filter(|language| folder.join(language.code()).is_dir());
    installed.fold(prompts.clone(), |prompts, language| with(prompts, folder, language))
}

/// Reads all prompts again, instead of those in use; what is missing or broken is logged. An error, and nothing else is
/// logged, where a call in the default language would miss what it has now.
pub fn load_again(in_use: &Prompts, folder: &Path) -> Result<Prompts, PromptsError> {
    let language = in_use.default_language();
    let (read, faults) = read_language(folder, language);
    let is_lost = |clip: &Clip| in_use.get(language, clip).is_some() && read.get(language, clip).is_none();
    let mut lost = tree::clips(language).into_iter().filter(is_lost);
    if let Some(first) = lost.next() {
        return Err(PromptsError::Lost { language, count: 1 + lost.count(), first });
    }
    name_faults(folder, language, &faults);
    Ok(load_others(&read, folder))
}

/// The same prompts, and those of a language.
fn with(mut prompts: Prompts, folder: &Path, language: Language) -> Prompts {
    let (read, faults) = read_language(folder, language);
    name_faults(folder, language, &faults);
    prompts.extend(read);
    prompts
}

fn name_faults(folder: &Path, language: Language, faults: &[PromptFault]) {
    for fault in faults {
        tracing::error!(folder = %folder.join(language.code()).display(), "prompt {fault}");
    }
}

/// Reads a language on all cores.
fn read_language(folder: &Path, language: Language) -> (Prompts, Vec<PromptFault>) {
    let clips = tree::clips(language);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let part = |clips| {
        let mut part = Prompts::new(language);
        let faults = add(&mut part, folder, language, clips);
        (part, faults)
    };
    let parts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            clips.chunks(clips.len().div_ceil(cores).max(1)).map(|clips| scope.spawn(move || part(clips))).collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    let (mut prompts, mut faults) = (Prompts::new(language), Vec::new());
    for part in parts {
        let Ok((part, of_part)) = part else {
            tracing::error!(%language, "a part of the prompts could not be read");
            continue;
        };
        prompts.extend(part);
        faults.extend(of_part);
    }
    (prompts, faults)
}

/// Reads and encodes the clips of a language; what is missing or broken is named, and left out.
fn add(prompts: &mut Prompts, folder: &Path, language: Language, clips: &[Clip]) -> Vec<PromptFault> {
    let mut faults = Vec::new();
    for clip in clips {
        match read(&folder.join(language.code()).join(format!("{clip}.wav"))) {
            Ok(file) => prompts.add(language, clip, file.samples),
            Err(PromptReadError::Missing) => faults.push(PromptFault::Missing((*clip).to_owned())),
            Err(PromptReadError::Broken(why)) => faults.push(PromptFault::Broken { clip: (*clip).to_owned(), why }),
        }
    }
    faults
}

/// Why one file can't be used.
#[derive(Debug)]
pub enum PromptReadError {
    /// It is not there.
    Missing,
    /// It can't be read, or is no WAV that can be used.
    Broken(String),
}

/// One prompt file.
pub struct PromptFile {
    /// Its sample rate, in hertz.
    pub rate: u32,
    /// Its samples, at 8 kHz.
    pub samples: Vec<i16>,
}

/// Reads one prompt.
pub fn read(path: &Path) -> Result<PromptFile, PromptReadError> {
    let mut bytes = Vec::new();
    let opened = File::open(path).map(|file| file.take(WAV_BYTES_MAX as u64 + 1));
    opened.and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => PromptReadError::Missing,
        _ => PromptReadError::Broken(error.to_string()),
    })?;
    let broken = |error: WavError| PromptReadError::Broken(error.to_string());
    let rate = wav::rate(&bytes).map_err(broken)?;
    let audio = wav::read(&bytes, PROMPT_SECONDS_MAX).map_err(broken)?;
    Ok(PromptFile { rate, samples: audio.0.to_vec() })
}

/// The languages in a folder: its folders that have a `prompts.toml`, but for the demo's recordings.
pub fn languages(folder: &Path) -> Result<Vec<String>, PromptsError> {
    let unreadable = |error| PromptsError::Unreadable { folder: folder.to_owned(), error };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != DEMO && entry.path().join("prompts.toml").is_file() {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::level::{LOUDNESS, loudness};

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts")
    }

    #[test]
    fn every_clip_that_the_menu_can_ask_for_is_there_and_at_the_common_level() {
        for language in Language::ALL {
            let clips = tree::clips(language);
            let mut prompts = Prompts::new(language);
            let faults = add(&mut prompts, &folder(), language, &clips);
            assert!(faults.is_empty(), "{language}: {faults:?}");
            assert_eq!(prompts.len(), clips.len());
            for clip in clips {
                let file = read(&folder().join(language.code()).join(format!("{clip}.wav"))).expect("a prompt");
                let loud = loudness(&file.samples).expect("sound");
                assert!((loud - LOUDNESS).abs() < 1.0, "{language}/{clip}: {loud}");
                assert_eq!(file.rate, 8000, "{language}/{clip}");
            }
        }
    }

    #[test]
    fn every_clip_has_its_words_and_every_word_its_clip() {
        for language in Language::ALL.map(Language::code) {
            let text = std::fs::read_to_string(folder().join(language).join("prompts.toml")).expect("the words");
            let words: toml::Table = text.parse().expect("TOML");
            let spoken = words.iter().filter(|(_, value)| value.is_str()).map(|(clip, _)| clip.as_str());
            let mut spoken: Vec<&str> = spoken.collect();
            spoken.sort_unstable();
            let mut files: Vec<String> = std::fs::read_dir(folder().join(language))
                .expect("the prompts")
                .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".wav").map(str::to_owned))
                .collect();
            files.sort_unstable();
            assert_eq!(files, spoken, "{language}");
        }
    }

    #[test]
    fn what_is_missing_or_broken_is_named_and_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let english = folder.path().join("en");
        std::fs::create_dir(&english).expect("en");
        std::fs::write(english.join("beep.wav"), b"RIFF").expect("a file");
        let mut prompts = Prompts::new(Language::English);
        let faults = add(&mut prompts, folder.path(), Language::English, &["beep", "welcome"]);
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(
            prompts.is_empty() && said[0].starts_with("beep.wav: ") && said[1] == "welcome.wav is missing",
            "{said:?}"
        );
        let none = find(folder.path().to_str().expect("a path"), Language::French).expect_err("no French").to_string();
        assert!(none.starts_with("no prompts for `fr`: looked in ") && none.contains("[prompts]"), "{none}");
    }

    #[test]
    fn a_prompt_of_more_than_a_minute_is_named_and_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let english = folder.path().join("en");
        std::fs::create_dir(&english).expect("en");
        let most = (PROMPT_SECONDS_MAX * crate::model::SAMPLE_RATE) as usize;
        for (clip, samples) in [("beep", most), ("welcome", most + 1)] {
            let audio = crate::model::Audio(vec![900; samples].into());
            std::fs::write(english.join(format!("{clip}.wav")), wav::write(&audio).expect("a file")).expect("written");
        }
        let mut prompts = Prompts::new(Language::English);
        let faults = add(&mut prompts, folder.path(), Language::English, &["beep", "welcome"]);
        assert!(prompts.get(Language::English, "beep").is_some() && prompts.len() == 1);
        assert!(faults.len() == 1 && faults[0].to_string().starts_with("welcome.wav: "), "{faults:?}");
    }

    #[test]
    fn the_demo_is_no_language() {
        assert_eq!(languages(&folder()).expect("languages"), ["de", "en", "es", "fr"]);
    }
}
