//! The log: lines on standard error and in the log folder, written by threads of their own so that nobody waits for a disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use crate::config::{Config, Format, Level};
use crate::effects::Log as Controls;
use crate::server::clock::Clock;
use crate::server::log_files::{FILE_BYTES_MAX, LogFiles};

/// Writes out what is left when it is dropped.
pub struct Log {
    _guards: Vec<WorkerGuard>,
    controls: Arc<LogControls>,
}

impl Log {
    /// By which its level and its files are changed while it runs.
    pub fn controls(&self) -> Arc<dyn Controls> {
        Arc::clone(&self.controls) as Arc<dyn Controls>
    }
}

/// Begins to log; a log folder that can't be written is an error.
pub fn start(config: &Config) -> anyhow::Result<Log> {
    let (stderr, guard) = tracing_appender::non_blocking(std::io::stderr());
    let mut guards = vec![guard];
    let logging = &config.effects.logging;
    let files =
        match logging.folder.as_str() {
            "" => None,
            folder => Some(LogFiles::open(Path::new(folder), logging.keep, FILE_BYTES_MAX, Clock::wall).with_context(
                || format!("{folder}: can't be written; set `folder` in [effects] logging, \"\" for none"),
            )?),
        };
    let file = files.clone().map(|files| {
        let (file, guard) = tracing_appender::non_blocking(files);
        guards.push(guard);
        file
    });
    let configured = level(config.log.level);
    let (filter, handle) = reload::Layer::new(configured);
    let format = config.log.format;
    tracing_subscriber::registry()
        .with(filter)
        .with(lines(stderr, format))
        .with(file.map(|file| lines(file, format)))
        .init();
    Ok(Log { _guards: guards, controls: Arc::new(LogControls { level: handle, configured, files }) })
}

fn level(level: Level) -> LevelFilter {
    match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    }
}

fn lines<S>(to: NonBlocking, format: Format) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(to).with_ansi(false);
    match format {
        Format::Text => layer.boxed(),
        Format::Json => layer.json().boxed(),
    }
}

struct LogControls {
    level: reload::Handle<LevelFilter, Registry>,
    configured: LevelFilter,
    files: Option<LogFiles>,
}

impl Controls for LogControls {
    /// In detail is `debug`, or what is configured where that is more.
    fn set_detailed(&self, is_detailed: bool) -> io::Result<()> {
        let level = if is_detailed { self.configured.max(LevelFilter::DEBUG) } else { self.configured };
        self.level.reload(level).map_err(io::Error::other)?;
        tracing::warn!(%level, "the log has another level now");
        Ok(())
    }

    fn begin_another_file(&self) -> io::Result<PathBuf> {
        match &self.files {
            Some(files) => files.begin_another(),
            None => Err(io::Error::other("there is no log folder: set `folder` in [effects] logging")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_detail_is_debug_at_least_and_goes_back_to_what_is_configured() {
        for (configured, detailed) in [
            (LevelFilter::ERROR, LevelFilter::DEBUG),
            (LevelFilter::INFO, LevelFilter::DEBUG),
            (LevelFilter::TRACE, LevelFilter::TRACE),
        ] {
            let (_filter, level) = reload::Layer::new(configured);
            let controls = LogControls { level, configured, files: None };
            controls.set_detailed(true).expect("set");
            assert_eq!(controls.level.clone_current(), Some(detailed));
            controls.set_detailed(false).expect("set");
            assert_eq!(controls.level.clone_current(), Some(configured));
            let error = controls.begin_another_file().expect_err("no folder").to_string();
            assert!(error.contains("[effects] logging"), "{error}");
        }
    }
}
