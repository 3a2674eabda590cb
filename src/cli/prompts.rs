//! `prompts`: whether each clip is there and fit to be heard.

use std::io::Write as _;
use std::path::Path;

use anyhow::bail;
use clap::Subcommand;
use serde::Serialize;

use crate::config::Config;
use crate::media::level::{LOUDNESS, loudness};
use crate::menu::tree;
use crate::model::Language;
use crate::server::prompts::{PromptReadError, find, languages, read};

/// How far a clip may be from the common loudness, in LU.
const LOUDNESS_WITHIN: f64 = 2.0;

/// What to do with the prompts.
#[derive(Debug, Subcommand)]
pub enum PromptsVerb {
    /// Whether each language has each clip, at the common level; exit code 1 where not
    Check,
    /// Each clip with its rate, level and length
    List {
        /// One JSON value
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Serialize)]
struct ClipRow {
    language: String,
    clip: &'static str,
    rate: u32,
    duration_ms: u64,
    loudness_lufs: Option<f64>,
    fault: Option<String>,
}

impl PromptsVerb {
    /// Does it.
    pub fn run(self, config: &Config) -> anyhow::Result<()> {
        let folder = find(&config.prompts.folder, config.prompts.language)?;
        let rows: Vec<ClipRow> = languages(&folder)?.iter().flat_map(|language| rows(&folder, language)).collect();
        let out = &mut std::io::stdout();
        match self {
            PromptsVerb::Check => check(out, &rows),
            PromptsVerb::List { json: true } => Ok(writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?),
            PromptsVerb::List { json: false } => {
                for row in &rows {
                    let loudness = row.loudness_lufs.map_or_else(|| "-".into(), |l| format!("{l:.1} LUFS"));
                    let fault = row.fault.as_deref().unwrap_or("");
                    let (language, clip, rate, ms) = (&row.language, row.clip, row.rate, row.duration_ms);
                    writeln!(out, "{language}  {clip:<30} {rate} Hz {ms:>6} ms {loudness:>11}  {fault}")?;
                }
                Ok(())
            }
        }
    }
}

fn check(out: &mut impl std::io::Write, rows: &[ClipRow]) -> anyhow::Result<()> {
    let mut faults = 0;
    for row in rows {
        if let Some(fault) = &row.fault {
            faults += 1;
            writeln!(out, "{}/{}.wav: {fault}", row.language, row.clip)?;
        }
    }
    if faults > 0 {
        bail!("{faults} of {} prompts are missing or unfit; prompts/README.md says how to make them", rows.len());
    }
    Ok(writeln!(out, "{} prompts, all there and at the common level", rows.len())?)
}

fn rows(folder: &Path, language: &str) -> Vec<ClipRow> {
    // A folder that is none of the languages has to have what every language says.
    let clips = tree::clips(Language::parse(language).unwrap_or_default());
    clips.iter().map(|clip| row(folder, language, clip)).collect()
}

fn row(folder: &Path, language: &str, clip: &'static str) -> ClipRow {
    let path = folder.join(language).join(format!("{clip}.wav"));
    let (rate, samples, fault) = match read(&path) {
        Ok(prompt) => (prompt.rate, prompt.samples, None),
        Err(PromptReadError::Missing) => (0, Vec::new(), Some("missing".to_owned())),
        Err(PromptReadError::Broken(why)) => (0, Vec::new(), Some(why)),
    };
    let loudness_lufs = loudness(&samples);
    let off_level = loudness_lufs.is_none_or(|l| (l - LOUDNESS).abs() > LOUDNESS_WITHIN);
    let level = || format!("{LOUDNESS} LUFS within {LOUDNESS_WITHIN} are meant");
    ClipRow {
        language: language.to_owned(),
        clip,
        rate,
        duration_ms: samples.len() as u64 / 8,
        loudness_lufs,
        fault: fault.or_else(|| off_level.then(level)),
    }
}
