//! The command line: one file a verb. What it prints on standard output is for people, or JSON with `--json`.

mod attendant;
mod audit;
mod backup;
mod callcenter;
mod change;
mod command;
mod completions;
mod forward;
mod group;
mod handset;
mod init;
mod item;
mod man;
mod menu;
mod mode;
mod pin_input;
mod prompts;
mod recording;
mod role;
mod serve;
mod site;
mod trunk;
mod user;
mod user_csv;
mod voicemail;

#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::access::{Context, Role, TrunkKind};
use crate::config::Config;
use crate::model::{
    ChangeNumber, EXTENSION_DIGITS_MAX, Extension, ItemNumber, PIN_DIGITS_MAX, Pin, RecordingNumber, Wall,
};
use crate::server::backup::{self as server_backup, BackupOptions};
use crate::server::{Clock, panics, store_options};
use crate::store::{Admin, AdminReply, ITEM_NUMBER_MAX, Store, StoreOptions, is_control};

/// The longest line that is read for a PIN, in bytes.
const PIN_LINE_BYTES_MAX: usize = 64;
/// Between an extension that was imported and its PIN.
const TEMPORARY_PIN: &str = " temporary PIN: ";
/// The longest line of an import's output, in bytes.
const IMPORTED_LINE_BYTES_MAX: usize = EXTENSION_DIGITS_MAX + TEMPORARY_PIN.len() + PIN_DIGITS_MAX + 1;

/// The telephone administration line of a phone system.
#[derive(Debug, Parser)]
#[command(name = "switchhook", version)]
pub struct Cli {
    /// The configuration [default: $SWITCHHOOK_CONFIG, else /etc/switchhook/switchhook.toml, else built-in defaults]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Answers the extension
    Serve(serve::Serve),
    /// Verbs on the store.
    #[command(flatten)]
    Store(StoreVerb),
    /// The recorded prompts
    #[command(subcommand)]
    Prompts(prompts::PromptsVerb),
    /// The menu tree, made from the data that runs
    Menu(menu::Menu),
    /// Completions for a shell, on standard output
    Completions(completions::Completions),
    /// The manual page, on standard output
    Man(man::Man),
}

impl Cli {
    /// Does what the command line says; an error is one line for standard error, with exit code 1.
    pub fn run(self) -> anyhow::Result<()> {
        panics::tell_where_only();
        match self.verb {
            Verb::Completions(completions) => completions.run(),
            Verb::Man(man) => man.run(),
            Verb::Menu(menu) => menu.run(),
            Verb::Prompts(prompts) => prompts.run(&Config::load(self.config.as_deref())?),
            Verb::Serve(serve) => {
                let runtime = runtime()?;
                let served = runtime.block_on(serve.run(Config::load(self.config.as_deref())?));
                // What is still being read (the prompts of other languages) holds up no end.
                runtime.shutdown_background();
                served
            }
            Verb::Store(verb) => {
                let config = Config::load(self.config.as_deref())?;
                let mut shell = Shell {
                    options: StoreOptions { pin_workers: 1, ..store_options(&config)? },
                    backup: server_backup::options(&config),
                    now: Clock::wall,
                    input: &mut pin_input::PinInput::new(),
                    out: &mut io::stdout().lock(),
                };
                runtime()?.block_on(verb.run(&mut shell))
            }
        }
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// The verbs that need nothing but the store.
#[derive(Debug, Subcommand)]
pub enum StoreVerb {
    /// Creates the store and the first Server Administrator
    Init(init::Init),
    /// Sites
    #[command(subcommand)]
    Site(site::Site),
    /// Accounts
    #[command(subcommand)]
    User(user::User),
    /// Roles and who holds them
    #[command(subcommand)]
    Role(role::RoleVerb),
    /// Voicemail PINs, for the PBX
    #[command(subcommand)]
    Voicemail(voicemail::Voicemail),
    /// System recordings
    #[command(subcommand)]
    Recording(recording::Recording),
    /// Call forwarding
    #[command(subcommand)]
    Forward(forward::Forward),
    /// Day, night, holiday, or by the timetable
    #[command(subcommand)]
    Mode(mode::ModeVerb),
    /// Outside lines
    #[command(subcommand)]
    Line(trunk::Trunk),
    /// SIP gateways
    #[command(subcommand)]
    Gateway(trunk::Trunk),
    /// SIP proxies
    #[command(subcommand)]
    Proxy(trunk::Trunk),
    /// Auto attendants
    #[command(subcommand)]
    Attendant(attendant::Attendant),
    /// Hunt groups
    #[command(subcommand)]
    Group(group::Group),
    /// Call centers
    #[command(subcommand, name = "callcenter")]
    CallCenter(callcenter::CallCenter),
    /// Handsets and whose they are
    #[command(subcommand)]
    Handset(handset::Handset),
    /// Backups: one verified file each
    #[command(subcommand)]
    Backup(backup::Backup),
    /// The audit trail, denied attempts and logins included
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Changes by number
    #[command(subcommand)]
    Change(change::Change),
    /// Intents and their outcomes: reboots, backups, exports, hooks
    #[command(subcommand)]
    Command(command::Command),
}

impl StoreVerb {
    /// Does it; an error is one line for standard error, with exit code 1.
    pub async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        match self {
            StoreVerb::Init(init) => init.run(shell).await,
            StoreVerb::Site(site) => site.run(shell).await,
            StoreVerb::User(user) => user.run(shell).await,
            StoreVerb::Role(role) => role.run(shell).await,
            StoreVerb::Voicemail(voicemail) => voicemail.run(shell).await,
            StoreVerb::Recording(recording) => recording.run(shell).await,
            StoreVerb::Forward(forward) => forward.run(shell).await,
            StoreVerb::Mode(mode) => mode.run(shell).await,
            StoreVerb::Line(trunk) => trunk.run(shell, TrunkKind::Line).await,
            StoreVerb::Gateway(trunk) => trunk.run(shell, TrunkKind::Gateway).await,
            StoreVerb::Proxy(trunk) => trunk.run(shell, TrunkKind::Proxy).await,
            StoreVerb::Attendant(attendant) => attendant.run(shell).await,
            StoreVerb::Group(group) => group.run(shell).await,
            StoreVerb::CallCenter(callcenter) => callcenter.run(shell).await,
            StoreVerb::Handset(handset) => handset.run(shell).await,
            StoreVerb::Backup(backup) => backup.run(shell).await,
            StoreVerb::Audit(audit) => audit.run(shell).await,
            StoreVerb::Change(change) => change.run(shell).await,
            StoreVerb::Command(command) => command.run(shell).await,
        }
    }
}

/// What a verb works with.
pub struct Shell<'a> {
    /// The configured store.
    pub options: StoreOptions,
    /// Where backups are kept.
    pub backup: BackupOptions,
    /// The wall clock.
    pub now: fn() -> Wall,
    /// Standard input, for PINs.
    pub input: &'a mut dyn BufRead,
    /// Standard output.
    pub out: &'a mut dyn Write,
}

/// The site of an account.
#[derive(Clone, Debug, Default, Args)]
pub struct SiteArg {
    /// The site of the account [default: the configured one]
    #[arg(long, value_name = "S")]
    site: Option<String>,
}

impl Shell<'_> {
    /// Opens the store and says for which site.
    async fn open(&self, site: &SiteArg) -> anyhow::Result<(Store, Context)> {
        let store = Store::open(self.options.clone()).await?;
        let site = match &site.site {
            Some(name) => store.site_named(name).await?,
            None => store.site(),
        };
        let ctx = Context { site, ..self.context(&store) };
        Ok((store, ctx))
    }

    /// Opens the store, does it, and says so.
    async fn change(&mut self, site: &SiteArg, what: &str, admin: Admin) -> anyhow::Result<()> {
        let (store, ctx) = self.open(site).await?;
        let reply = store.admin(&ctx, admin).await;
        store.close().await;
        self.done(what, &reply?)
    }

    fn context(&self, store: &Store) -> Context {
        Context::without_call((self.now)(), store.site(), "cli")
    }

    /// Reads a PIN from a line of standard input.
    fn read_pin(&mut self) -> anyhow::Result<Pin> {
        // Room for all at once: what a string outgrows is not wiped.
        let mut line = Zeroizing::new(String::with_capacity(PIN_LINE_BYTES_MAX));
        let read = (&mut *self.input).take(PIN_LINE_BYTES_MAX as u64).read_line(&mut line);
        read.context("standard input can't be read; write the PIN and a line end to it")?;
        let keyed = line.trim_end_matches(['\r', '\n']);
        let (pin, is_empty) = (Pin::parse(keyed), keyed.is_empty());
        match pin {
            Some(pin) if !is_empty => Ok(pin),
            _ if is_empty => {
                bail!("no PIN on standard input; write 1 to {PIN_DIGITS_MAX} digits and a line end to it")
            }
            _ => bail!(
                "what is on standard input is no PIN; write 1 to {PIN_DIGITS_MAX} digits, nothing else, and a line end to it"
            ),
        }
    }

    /// Reads a PIN where the command line says so.
    fn read_pin_if(&mut self, pin_stdin: bool) -> anyhow::Result<Option<Pin>> {
        if pin_stdin { self.read_pin().map(Some) } else { Ok(None) }
    }

    fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.out, "{}", text.as_ref())
    }

    fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        // A string first: an error of the writer stays one that says what it is.
        Ok(self.line(serde_json::to_string_pretty(value)?)?)
    }

    /// Says what was done, with the number by which it can be found again.
    fn done(&mut self, what: &str, reply: &AdminReply) -> anyhow::Result<()> {
        self.done_at("", what, reply)
    }

    /// The same, with a line before it. What was changed and can't be printed is an error, whoever reads: nobody else
    /// knows a temporary PIN.
    fn done_at(&mut self, place: &str, what: &str, reply: &AdminReply) -> anyhow::Result<()> {
        let (said, lost) = match reply {
            AdminReply::Changed(ChangeNumber(number))
            | AdminReply::Added { change: ChangeNumber(number), temporary: None } => {
                (format!("{place}{what}: change {number}\n"), format!("{what}: change {number}, but that"))
            }
            AdminReply::Added { change: ChangeNumber(number), temporary: Some(pin) } => (
                format!("{place}{what}: change {number}\ntemporary PIN: {}\n", pin.digits()),
                format!("{what}: change {number}, but its PIN"),
            ),
            AdminReply::Imported(added) => {
                (format!("{place}{}", imported(what, added)), format!("{what}, but their PINs"))
            }
            AdminReply::Unchanged => {
                return Ok(self.line(format!("{what}: it was so already, nothing was changed"))?);
            }
            AdminReply::Verified { right: true } => return Ok(self.line(what)?),
            AdminReply::Verified { right: false } => {
                bail!("the PIN was not verified: it is wrong, there is none, or it is locked")
            }
        };
        let said = Zeroizing::new(said);
        if let Err(why) = self.out.write_all(said.as_bytes()).and_then(|()| self.out.flush()) {
            let advice = match reply {
                AdminReply::Added { temporary: Some(_), .. } => "; set another with `switchhook user set-pin`",
                AdminReply::Imported(_) => "; set others with `switchhook user set-pin`",
                _ => "",
            };
            // Not a source: a reader who has gone is no excuse here.
            bail!("{lost} could not be printed: {why}{advice}");
        }
        Ok(())
    }

    /// Prints what is known of one thing, a line for each field.
    fn fields(&mut self, fields: &[(&str, String)]) -> io::Result<()> {
        let width = fields.iter().map(|(what, _)| what.chars().count()).max().unwrap_or_default();
        fields.iter().try_for_each(|(what, value)| {
            let value = harmless(value);
            self.line(format!("{what:<width$}  {value}").trim_end())
        })
    }

    /// Prints rows in columns, the heads first.
    fn table<const N: usize>(&mut self, heads: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
        let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| harmless(cell))).collect();
        let mut widths = heads.map(|head| head.chars().count());
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        self.row(&heads.map(str::to_owned), &widths)?;
        rows.iter().try_for_each(|row| self.row(row, &widths))
    }

    fn row<const N: usize>(&mut self, cells: &[String; N], widths: &[usize; N]) -> io::Result<()> {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        self.line(padded.join("  ").trim_end())
    }
}

/// A line for each user that was imported, with the temporary PIN.
fn imported(what: &str, added: &[(Extension, Pin)]) -> String {
    // Room for all at once: what a string outgrows is not wiped.
    let mut said = String::with_capacity(what.len() + 1 + added.len() * IMPORTED_LINE_BYTES_MAX);
    said.push_str(what);
    said.push('\n');
    for (extension, pin) in added {
        for part in [extension.as_str(), TEMPORARY_PIN, pin.digits(), "\n"] {
            said.push_str(part);
        }
    }
    said
}

/// What is written of an error: one line, also where it repeats what was given; a list of users has one for each of its
/// lines that is wrong.
pub fn told(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    if !error.is::<user_csv::WrongLines>() {
        return harmless(&text);
    }
    text.lines().map(harmless).collect::<Vec<_>>().join("\n")
}

/// Text that others may have written, without what a terminal would take for a command or turn round.
fn harmless(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if is_control(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        shown
    })
}

fn yes(truth: bool) -> String {
    if truth { "yes" } else { "no" }.to_owned()
}

/// What is missing is a dash.
fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn extension(text: &str) -> Result<Extension, String> {
    Extension::parse(text).ok_or_else(|| "an extension is 1 to 16 digits".to_owned())
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| format!("a role is one of {}", Role::ALL.map(Role::name).join(", ")))
}

fn recording_number(text: &str) -> Result<RecordingNumber, String> {
    number(text).map(RecordingNumber).ok_or_else(|| format!("a recording's number is 1 to {ITEM_NUMBER_MAX}"))
}

fn item_number(text: &str) -> Result<ItemNumber, String> {
    number(text).map(ItemNumber).ok_or_else(|| format!("a number is 1 to {ITEM_NUMBER_MAX}"))
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| (1..=ITEM_NUMBER_MAX).contains(number))
}
