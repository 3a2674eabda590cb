//! The log: lines on standard error and in the log folder, written by threads of their own so that nobody waits for a disk.

use anyhow::Context as _;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Config, Format, Level};

/// Writes out what is left when it is dropped.
pub struct Log {
    _guards: Vec<WorkerGuard>,
}

/// Begins to log; a log folder that can't be written is an error.
pub fn start(config: &Config) -> anyhow::Result<Log> {
    let (stderr, guard) = tracing_appender::non_blocking(std::io::stderr());
    let mut guards = vec![guard];
    let file = match config.effects.logging.folder.as_str() {
        "" => None,
        folder => {
            let file = files(folder, config.effects.logging.keep)?;
            let (file, guard) = tracing_appender::non_blocking(file);
            guards.push(guard);
            Some(file)
        }
    };
    let level = match config.log.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let format = config.log.format;
    tracing_subscriber::registry()
        .with(level)
        .with(lines(stderr, format))
        .with(file.map(|file| lines(file, format)))
        .init();
    Ok(Log { _guards: guards })
}

fn files(folder: &str, keep: u32) -> anyhow::Result<RollingFileAppender> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{folder}: can't be made; set `folder` in [effects] logging, \"\" for none"))?;
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("switchhook")
        .filename_suffix("log")
        .max_log_files(keep.max(1) as usize)
        .build(folder)
        .with_context(|| format!("{folder}: can't be written; set `folder` in [effects] logging, \"\" for none"))
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
