//! The configuration: one TOML file, every key of which an environment variable can set.
//!
//! An unknown key, a wrong value or a file that can't be read is a [`ConfigError`] that names the file, the line (or
//! the variable) and what is expected. Keys that this version has no use for yet are refused in the same way, so that
//! nobody believes to be protected by a setting that does nothing.

mod read;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::access::{NumberPattern, TollPolicy};
use crate::model::{Language, Prefix};

pub use read::{ConfigError, DEFAULT_PATH, FILE_BYTES_MAX};
pub use values::{Listen, MediaAddress, PortRange};

/// The whole configuration; `Default` is what INTERFACES documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `[site]`
    pub site: Site,
    /// `[store]`
    pub store: Store,
    /// `[sip]`
    pub sip: Sip,
    /// `[media]`
    pub media: Media,
    /// `[menu]`
    pub menu: Menu,
    /// `[login]`
    pub login: Login,
    /// `[forwarding]`
    pub forwarding: Forwarding,
    /// `[prompts]`
    pub prompts: Prompts,
    /// `[recordings]`
    pub recordings: Recordings,
    /// `[effects]`
    pub effects: Effects,
    /// `[log]`
    pub log: Log,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $value:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $value,)* }
            }
        }
    };
}

section! {
    /// Which of several sites this server is.
    Site {
        /// The site's name in the store.
        name: String = "main".into(),
    }
}

section! {
    /// Where the store is.
    Store {
        /// `sqlite://` and a path.
        url: String = "sqlite:///var/lib/switchhook/switchhook.db".into(),
    }
}

section! {
    /// The SIP side.
    Sip {
        /// What is listened on: `udp:ADDRESS:PORT`, `tcp:ADDRESS:PORT`, `tls:ADDRESS:PORT`.
        listen: Vec<Listen> = vec![
            Listen { transport: Transport::Udp, address: SocketAddr::from(([0, 0, 0, 0], 5060)) },
            Listen { transport: Transport::Tcp, address: SocketAddr::from(([0, 0, 0, 0], 5060)) },
        ],
        /// The user parts that are answered; others get 404.
        extensions: Vec<String> = vec!["7000".into()],
        /// Addresses and prefixes that may call as they are; calls from elsewhere need a digest account.
        trusted_peers: Vec<Prefix> = Vec::new(),
        /// How long SIGTERM waits for calls, in seconds.
        drain_seconds: u32 = 60,
        /// Calls at once; over it 503 with Retry-After.
        calls_max: u32 = 2000,
        /// Who may call directly, by digest.
        accounts: Vec<SipAccount> = Vec::new(),
        /// What a challenge offers, best first. Some old phones give up where anything but MD5 is offered.
        digest: Vec<DigestAlgorithm> = vec![DigestAlgorithm::Sha256, DigestAlgorithm::Md5],
        /// Who we are by TLS.
        tls: Tls = Tls::default(),
    }
}

section! {
    /// Who we are by TLS, and whom we let in by it; files in PEM, read again on SIGHUP.
    Tls {
        /// Our certificate, and those that lead to its root; needed to listen on `tls:`.
        certificate: PathBuf = PathBuf::new(),
        /// Its private key.
        key: PathBuf = PathBuf::new(),
        /// The certificates that a client's must lead to; empty: clients need none.
        client_ca: PathBuf = PathBuf::new(),
    }
}

/// How a password is shown without being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DigestAlgorithm {
    /// RFC 7616.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// RFC 3261.
    #[serde(rename = "MD5")]
    Md5,
}

/// `[[sip.accounts]]`: who may call from where nobody is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SipAccount {
    /// The name in the digest.
    pub username: String,
    /// The file whose first line is the password.
    pub password_file: PathBuf,
}

section! {
    /// The media side.
    Media {
        /// The address that the SDP names; `auto`: the one that the call came to.
        address: MediaAddress = MediaAddress::Auto,
        /// The UDP ports for RTP (even) and RTCP (odd): `FIRST-LAST`.
        ports: PortRange = PortRange { first: 10_000, last: 19_999 },
        /// Codecs offered and taken, best first.
        codecs: Vec<Codec> = vec![Codec::Pcmu, Codec::Pcma],
        /// Whether the audio is encrypted.
        srtp: Srtp = Srtp::Optional,
        /// Whether a call has to be encrypted for what asks for the PIN again: a reboot, a deletion, a role.
        destructive_needs_srtp: bool = false,
        /// Sources of keys, best first; one is used a call.
        dtmf: Vec<Dtmf> = vec![Dtmf::Rfc4733, Dtmf::Info, Dtmf::Inband],
    }
}

section! {
    /// The times and counts of the menu.
    Menu {
        /// From the end of a prompt to the first key, in seconds.
        first_key_s: u32 = 8,
        /// Between keys of an entry, in seconds.
        between_keys_s: u32 = 3,
        /// Silences in a row that end the call.
        silences: u32 = 3,
        /// Wrong keys in a row that end the call.
        wrong_keys: u32 = 3,
        /// The longest call, in seconds.
        call_max_s: u32 = 1800,
        /// A call without any RTP ends after this, in seconds.
        rtp_silence_s: u32 = 60,
    }
}

section! {
    /// Tries and lock-outs.
    Login {
        /// Failed logins that end a call.
        tries_per_call: u32 = 3,
        /// Failures of one account that lock it.
        lock_after: u32 = 5,
        /// The first lock, in seconds; each further one doubles.
        lock_s: u32 = 300,
        /// The longest lock, in seconds.
        lock_max_s: u32 = 3600,
        /// Failures without a success after which only an administrator unlocks.
        unlock_after: u32 = 20,
        /// Failed tries of one source in a minute; that many at once.
        source_tries_per_minute: u32 = 20,
        /// The same for all strangers together.
        overall_tries_per_minute: u32 = 300,
        /// How long a temporary PIN is good, in hours.
        temporary_pin_hours: u32 = 24,
    }
}

section! {
    /// The toll policy: whole numbers by regular expression; denied wins.
    Forwarding {
        /// Where calls may be forwarded to.
        allowed: Vec<NumberPattern> = TollPolicy::standard().allowed,
        /// Where they may not, even if allowed.
        denied: Vec<NumberPattern> = TollPolicy::standard().denied,
    }
}

section! {
    /// Where the prompts are.
    Prompts {
        /// The parent of `en/`; empty: `./prompts`, beside the executable or up to three folders above it, `/usr/share/switchhook/prompts`.
        folder: String = String::new(),
        /// The language before login.
        language: Language = Language::English,
    }
}

section! {
    /// Recordings made by phone, and their projection for the phone system.
    Recordings {
        /// Where `recording-NUMBER.wav` is written; empty: nowhere.
        export_folder: String = String::new(),
        /// A silence that ends a recording, in seconds.
        silence_s: u32 = 4,
        /// The longest recording, in seconds.
        length_max_s: u32 = 300,
    }
}

section! {
    /// What is run outside this process.
    Effects {
        /// The file that tells one boot of this machine from another.
        boot_id_file: PathBuf = "/proc/sys/kernel/random/boot_id".into(),
        /// The reboot.
        reboot: Reboot = Reboot::default(),
        /// The backups.
        backup: Backup = Backup::default(),
        /// The log files.
        logging: Logging = Logging::default(),
        /// What the phone system is told.
        hooks: Vec<Hook> = Vec::new(),
    }
}

section! {
    /// The command that reboots, without a shell.
    Reboot {
        /// Program and arguments.
        run: Vec<String> = vec!["systemctl".into(), "reboot".into()],
        /// From the confirmation to the start, in seconds; `*` cancels until then.
        delay_s: u32 = 10,
    }
}

section! {
    /// Where backups go.
    Backup {
        /// The folder.
        folder: String = "/var/lib/switchhook/backups".into(),
        /// Good ones that are kept.
        keep: u32 = 14,
    }
}

section! {
    /// Where the log files go.
    Logging {
        /// The folder; empty: none, standard error only.
        folder: String = "/var/log/switchhook".into(),
        /// Files kept, one a day at least.
        keep: u32 = 14,
    }
}

/// One command that is told of events, without a shell: one JSON object on standard input, never a PIN in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Names of events; `*` matches within a name.
    pub on: Vec<String>,
    /// Program and arguments.
    pub run: Vec<String>,
    /// Killed after this, in seconds.
    #[serde(default = "hook_timeout_s")]
    pub timeout_s: u32,
}

fn hook_timeout_s() -> u32 {
    30
}

section! {
    /// The log on standard error and in the log files.
    Log {
        /// `error`, `warn`, `info`, `debug` or `trace`.
        level: Level = Level::Info,
        /// `text` or `json`.
        format: Format = Format::Text,
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }
    };
}

words! {
    /// A codec of the media side.
    Codec {
        /// G.711 µ-law, payload type 0.
        Pcmu = "PCMU",
        /// G.711 A-law, payload type 8.
        Pcma = "PCMA",
    }
}

words! {
    /// A source of keys.
    Dtmf {
        /// Telephone events in RTP.
        Rfc4733 = "rfc4733",
        /// SIP INFO.
        Info = "info",
        /// Tones in the audio, where the peer offers no telephone-event.
        Inband = "inband",
    }
}

words! {
    /// Whether the audio is encrypted (SRTP with keys in the SDP, RFC 4568).
    Srtp {
        /// Never: who wants only that is refused.
        Off = "off",
        /// Where the caller offers it.
        Optional = "optional",
        /// Always: who does not offer it is refused.
        Required = "required",
    }
}

words! {
    /// How much is logged.
    Level {
        /// Failures.
        Error = "error",
        /// And what an operator should look at.
        Warn = "warn",
        /// And calls and changes.
        Info = "info",
        /// And what the machines decide.
        Debug = "debug",
        /// And each packet's header.
        Trace = "trace",
    }
}

words! {
    /// How a log line looks.
    Format {
        /// For people.
        Text = "text",
        /// For machines, one object a line.
        Json = "json",
    }
}

words! {
    /// A transport of SIP.
    Transport {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
        /// TLS over TCP.
        Tls = "tls",
    }
}
