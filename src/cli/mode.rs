//! `mode`: day, night, holiday, or by the timetable.

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, FromArgMatches, Subcommand};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Shell, SiteArg, or_dash};
use crate::access::{Mode, ModeSetting};
use crate::model::Wall;
use crate::store::{Admin, Date, Span, System, Timetable, TimetableEdit, rfc3339};

/// How a local time may be written, beside RFC 3339.
const LOCAL_FORMATS: [&str; 2] = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];

/// `mode …`
#[derive(Debug, Subcommand)]
pub enum ModeVerb {
    /// Shows the mode that holds now, how it is set and until when
    Show {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Sets the mode
    Set {
        /// day, night, holiday or timetable
        #[arg(value_name = "MODE", value_parser = setting)]
        setting: ModeSetting,
        /// Until then, what was set before comes back: RFC 3339, "YYYY-MM-DD HH:MM" in local time, or a duration such
        /// as 3h [default: until it is set again]
        #[arg(long, value_name = "TIME", value_parser = until)]
        until: Option<Until>,
    },
    /// When it is day by the timetable
    #[command(subcommand)]
    Timetable(TimetableVerb),
}

/// `mode timetable …`
#[derive(Debug, Subcommand)]
pub enum TimetableVerb {
    /// Shows the timetable
    Show {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Replaces the spans in which it is day; the holidays stay
    Set(Spans),
    /// The days on which it is holiday
    #[command(subcommand)]
    Holiday(Holiday),
    /// Removes all spans and all holidays
    Clear,
}

/// `mode timetable holiday …`
#[derive(Debug, Subcommand)]
pub enum Holiday {
    /// Adds a holiday
    Add {
        /// The day, such as 2026-12-25
        #[arg(value_name = "DATE", value_parser = Date::parse)]
        date: Date,
    },
    /// Removes a holiday
    Remove {
        /// The day, such as 2026-12-25
        #[arg(value_name = "DATE", value_parser = Date::parse)]
        date: Date,
    },
}

/// `SPAN…`, each two words, in quotes or not.
#[derive(Clone, Debug)]
pub struct Spans(Vec<Span>);

impl Spans {
    const NAME: &str = "spans";

    fn arg() -> Arg {
        let help =
            "Days, and from when to when in local time, such as \"mon-fri 08:00-17:00\"; may be given several times";
        Arg::new(Self::NAME).value_name("SPAN").required(true).num_args(1..).help(help)
    }
}

impl clap::Args for Spans {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.arg(Self::arg())
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        command.arg(Self::arg().required(false))
    }
}

// By hand: a value parser sees one word, and a span has two where it is not in quotes.
impl FromArgMatches for Spans {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = matches.get_many::<String>(Self::NAME).into_iter().flatten();
        let words: Vec<&str> = given.flat_map(|given| given.split_whitespace()).collect();
        let mut spans = Vec::new();
        for pair in words.chunks(2) {
            let read = Timetable::parse_span(&pair.join(" "));
            spans.extend(read.map_err(|why| clap::Error::raw(ErrorKind::ValueValidation, format!("{why}\n")))?);
        }
        Ok(Self(spans))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The end of a mode, as it was written.
#[derive(Clone, Debug)]
pub enum Until {
    /// A moment.
    At(Timestamp),
    /// A local time.
    Local(DateTime),
    /// So long from now.
    After(jiff::Span),
}

fn setting(text: &str) -> Result<ModeSetting, String> {
    let known = || format!("a mode is one of {}, timetable", Mode::ALL.map(Mode::name).join(", "));
    ModeSetting::parse(text).ok_or_else(known)
}

fn until(text: &str) -> Result<Until, String> {
    if let Ok(at) = text.parse() {
        return Ok(Until::At(at));
    }
    if let Some(local) = LOCAL_FORMATS.iter().find_map(|format| DateTime::strptime(format, text).ok()) {
        return Ok(Until::Local(local));
    }
    // 18:00:00 is a duration of 18 hours to some and a time of day to most.
    let span: Option<jiff::Span> = if text.contains(':') { None } else { text.parse().ok() };
    span.filter(|span| span.is_positive()).map(Until::After).ok_or_else(|| {
        "expected a time such as 2026-02-01T18:00:00+01:00, \"2026-02-01 18:00\" (local time) or a duration such as 3h"
            .to_owned()
    })
}

impl Until {
    /// The moment itself; the store refuses one that is past.
    fn resolve(&self, now: Wall, zone: TimeZone) -> anyhow::Result<Wall> {
        let present = Timestamp::from_millisecond(now.0)?;
        let end = match self {
            Until::At(at) => Ok(*at),
            Until::Local(local) => local.to_zoned(zone).map(|zoned| zoned.timestamp()),
            // In the zone, so that a day is one of the calendar.
            Until::After(span) => present.to_zoned(zone).checked_add(*span).map(|zoned| zoned.timestamp()),
        };
        let end = end.context("--until is in a year that no calendar has; give an earlier time")?;
        Ok(Wall(end.as_millisecond()))
    }
}

impl ModeVerb {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            ModeVerb::Show { json } => show(shell, json).await,
            ModeVerb::Set { setting, until } => {
                let until = until.map(|until| until.resolve((shell.now)(), TimeZone::system())).transpose()?;
                let end = until.map(|end| format!(" until {}", rfc3339(end))).unwrap_or_default();
                let what = format!("mode {}{end}", setting.name());
                let system = System::SetMode { setting, until };
                shell.change(&SiteArg::default(), &what, Admin::System(system)).await
            }
            ModeVerb::Timetable(verb) => verb.run(shell).await,
        }
    }
}

async fn show(shell: &mut Shell<'_>, json: bool) -> anyhow::Result<()> {
    let (store, ctx) = shell.open(&SiteArg::default()).await?;
    let row = store.mode(ctx.now).await;
    store.close().await;
    let row = row?;
    if json {
        return shell.json(&row);
    }
    let lines = [("mode", row.mode.to_string()), ("set to", row.setting.to_string()), ("until", or_dash(row.until))];
    Ok(shell.fields(&lines)?)
}

impl TimetableVerb {
    async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        let (what, edit) = match self {
            TimetableVerb::Show { json } => return show_timetable(shell, json).await,
            TimetableVerb::Set(Spans(spans)) => ("timetable set".to_owned(), TimetableEdit::Spans(spans)),
            TimetableVerb::Holiday(Holiday::Add { date }) => {
                (format!("holiday {date} added"), TimetableEdit::AddHoliday(date))
            }
            TimetableVerb::Holiday(Holiday::Remove { date }) => {
                (format!("holiday {date} removed"), TimetableEdit::RemoveHoliday(date))
            }
            TimetableVerb::Clear => ("timetable cleared".to_owned(), TimetableEdit::Clear),
        };
        shell.change(&SiteArg::default(), &what, Admin::System(System::EditTimetable(edit))).await
    }
}

async fn show_timetable(shell: &mut Shell<'_>, json: bool) -> anyhow::Result<()> {
    let (store, _) = shell.open(&SiteArg::default()).await?;
    let timetable = store.timetable().await;
    store.close().await;
    let timetable = timetable?;
    if json {
        return shell.json(&timetable);
    }
    if timetable.spans.is_empty() {
        shell.line("no spans: by the timetable it is day, but on holidays")?;
    }
    for span in timetable.spans {
        shell.line(format!("day      {span}"))?;
    }
    for date in timetable.holidays {
        shell.line(format!("holiday  {date}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-28T20:00:00Z; in Berlin 21:00, and the clocks go forward in the night.
    const NOW: Wall = Wall(1_774_728_000_000);

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn resolved(text: &str) -> String {
        rfc3339(until(text).unwrap().resolve(NOW, berlin()).unwrap())
    }

    #[test]
    fn an_end_may_be_written_in_three_ways() {
        assert_eq!(resolved("2026-03-29T06:00:00Z"), "2026-03-29T06:00:00.000Z");
        assert_eq!(resolved("2026-03-29T06:00:00+02:00"), "2026-03-29T04:00:00.000Z");
        assert_eq!(resolved("2026-03-28 23:30"), "2026-03-28T22:30:00.000Z");
        assert_eq!(resolved("2026-03-29T08:00"), "2026-03-29T06:00:00.000Z", "summer time");
        assert_eq!(resolved("3h"), "2026-03-28T23:00:00.000Z");
        assert_eq!(resolved("90m"), "2026-03-28T21:30:00.000Z");
        assert_eq!(resolved("1d"), "2026-03-29T19:00:00.000Z", "the same time tomorrow, 23 hours from now");
        for wrong in ["", "3", "soon", "-3h", "0h", "18:00", "18:00:00", "28.03.2026 18:00", "2026-02-30 10:00"] {
            assert!(until(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_end_that_no_calendar_has_is_refused() {
        let said = until("9000y").unwrap().resolve(NOW, berlin()).unwrap_err().to_string();
        assert!(said.contains("no calendar"), "{said}");
    }
}
