//! A caller with a baresip in hand: dials, presses keys, speaks, and listens for prompts while the call goes on.

use std::fs;
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::ear::{self, Sound};
use super::setup::Setup;
use super::wait::{becomes, until};

/// From one key to the next: somebody who knows the menu by heart.
const KEY_EVERY: Duration = Duration::from_millis(130);
/// A prompt that is not heard within this is not heard.
const HEARD_WITHIN: Duration = Duration::from_secs(40);
/// Longer than any call here, in seconds.
const SILENCE_S: usize = 400;
/// Where baresip writes the samples of a WAV.
const WAV_HEADER: usize = 44;

/// How a telephone encrypts its calls.
pub struct Privacy {
    /// Its signalling, by TLS; the audio always.
    pub tls: bool,
    /// The file with its own certificate and key.
    pub certificate: Option<PathBuf>,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { tls: true, certificate: None }
    }
}

impl Privacy {
    /// What one of the phone's files becomes.
    fn added_to(&self, name: &str, text: &str) -> String {
        if name == "accounts" {
            let transport = if self.tls { ";transport=tls" } else { "" };
            return text.replacen('>', &format!("{transport}>;mediaenc=srtp-mand"), 1);
        }
        let own = self.certificate.as_ref().map(|file| format!("sip_certificate {}\n", file.display()));
        format!("{text}module srtp.so\n{}", own.unwrap_or_default())
    }
}

/// One telephone.
pub struct Phone {
    child: Child,
    control: TcpStream,
    events: Arc<Mutex<Vec<Value>>>,
    folder: PathBuf,
    sound: Sound,
    bytes: usize,
    /// The frame up to which the caller has listened.
    at: usize,
    /// The language in which prompts are expected.
    language: &'static str,
    /// Keys pressed in this call.
    keys: usize,
    /// Commands given to baresip; the number of one is its token.
    commands: usize,
}

impl Phone {
    /// A telephone of its own, whose caller is known as `user`.
    pub fn new(setup: &Setup, user: &str) -> Self {
        Self::start(setup, Ipv4Addr::LOCALHOST, user, None)
    }

    /// One that encrypts its calls.
    pub fn private(setup: &Setup, user: &str, privacy: &Privacy) -> Self {
        Self::start(setup, Ipv4Addr::LOCALHOST, user, Some(privacy))
    }

    /// One behind a NAT: baresip binds its media to all addresses, so on the loopback its RTP comes from 127.0.0.1, and
    /// its offer names another one.
    pub fn behind_nat(setup: &Setup, user: &str) -> Self {
        Self::start(setup, setup.next_address(), user, None)
    }

    fn start(setup: &Setup, address: Ipv4Addr, user: &str, privacy: Option<&Privacy>) -> Self {
        let (sip_port, control_port) = (free_port(address), free_port(address));
        let folder = setup.path(&format!("phone-{sip_port}"));
        fs::create_dir_all(&folder).expect("the phone's folder");
        let here = Path::new(super::setup::PROJECT).join("sip-tests/baresip");
        for name in ["config", "accounts"] {
            let text = fs::read_to_string(here.join(name)).expect("the phone's configuration");
            let text = text
                .replace("{address}", &address.to_string())
                .replace("{sip_port}", &sip_port.to_string())
                .replace("{control_port}", &control_port.to_string())
                .replace("{folder}", &folder.display().to_string())
                .replace("{user}", user)
                .replace("{modules}", &modules().display().to_string());
            let text = privacy.map_or(text.clone(), |privacy| privacy.added_to(name, &text));
            fs::write(folder.join(name), text).expect("the phone's configuration");
        }
        fs::write(folder.join("contacts"), "").expect("the phone's contacts");
        ear::write_wav(&folder.join("silence.wav"), &vec![0; 8000 * SILENCE_S]);
        let log = fs::File::create(folder.join("log")).expect("the phone's log");
        let mut command = Command::new("baresip");
        command.arg("-4").arg("-f").arg(&folder).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("the log again")).stderr(log);
        let child = command.spawn().expect("baresip starts");
        let control = connect(address, control_port);
        let events = Arc::new(Mutex::new(Vec::new()));
        let (reader, noted) = (control.try_clone().expect("the connection again"), Arc::clone(&events));
        std::thread::spawn(move || read_events(reader, &noted));
        let sound = Sound::default();
        Self { child, control, events, folder, sound, bytes: 0, at: 0, language: "en", keys: 0, commands: 0 }
    }

    /// Calls, and waits for the answer and the first sound.
    pub fn dial(&mut self, uri: &str) {
        for dump in self.dumps() {
            fs::remove_file(dump).expect("what was heard before");
        }
        (self.sound, self.bytes, self.at, self.keys) = (Sound::default(), 0, 0, 0);
        self.events.lock().expect("the events").clear();
        // What was spoken last would be spoken again.
        self.command("ausrc", &format!("aufile,{}", self.folder.join("silence.wav").display()));
        self.command("dial", uri);
        until(Duration::from_secs(20), "the call is answered", || self.has_event("CALL_ESTABLISHED"));
        until(Duration::from_secs(20), "something is heard", || {
            self.listen();
            self.sound.frames() > 0
        });
    }

    /// Calls, and is refused with this code.
    pub fn dials_in_vain(&mut self, uri: &str, code: &str) {
        self.command("dial", uri);
        until(Duration::from_secs(20), "the call is refused", || self.has_event("CALL_CLOSED"));
        let events = self.events.lock().expect("the events");
        let why = events.iter().find(|event| event["type"] == "CALL_CLOSED").map(|event| event["param"].to_string());
        assert!(why.as_ref().is_some_and(|why| why.contains(code)), "{why:?}");
        assert!(!events.iter().any(|event| event["type"] == "CALL_ESTABLISHED"));
    }

    /// Calls, and the call ends without an answer.
    pub fn dials_without_an_answer(&mut self, uri: &str) {
        self.command("dial", uri);
        until(HEARD_WITHIN, "the call has failed", || self.has_event("CALL_CLOSED"));
        assert!(!self.has_event("CALL_ESTABLISHED"));
    }

    /// What it wrote.
    pub fn log_text(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Presses keys, one after the other.
    pub fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            self.command("sndcode", &key.to_string());
            self.keys += 1;
            // Two keys that it takes up at once would be one for it.
            let token = self.commands.to_string();
            until(HEARD_WITHIN, "baresip has pressed the key", || {
                self.events.lock().expect("the events").iter().any(|event| event["token"] == token)
            });
            sleep(KEY_EVERY);
        }
    }

    /// How many keys were pressed in this call.
    pub fn keys(&self) -> usize {
        self.keys
    }

    /// How long this call has lasted, in seconds: as long as something was heard.
    pub fn seconds(&mut self) -> f32 {
        self.listen();
        self.sound.frames() as f32 * 0.02
    }

    /// From now on prompts are expected in that language.
    pub fn expects(&mut self, language: &'static str) {
        self.language = language;
    }

    /// The language in which prompts are expected.
    pub fn language(&self) -> &'static str {
        self.language
    }

    /// What was heard until now is no longer waited for.
    pub fn forgets_what_was_heard(&mut self) {
        self.listen();
        self.at = self.sound.frames();
    }

    /// Waits until a prompt is heard to its end, after those that were waited for before.
    pub fn hears(&mut self, name: &str) {
        self.hears_in(&[name], HEARD_WITHIN);
    }

    /// Waits for several, in this order.
    pub fn hears_all(&mut self, names: &[&str]) {
        for name in names {
            self.hears(name);
        }
    }

    /// Waits until one of these prompts is heard, and says which.
    pub fn hears_one_of<'a>(&mut self, names: &[&'a str]) -> &'a str {
        self.hears_in(names, HEARD_WITHIN)
    }

    /// Waits for several, in this order, and fails where another prompt with a name of that beginning comes between.
    pub fn hears_only(&mut self, beginning: &str, names: &[impl AsRef<str>]) {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let from = self.at;
        self.hears_all(&names);
        let (end, language) = (self.at as f32 * 0.02, self.language);
        let heard = ear::heard(&self.sound, from, language, |name| name.starts_with(beginning));
        let heard: Vec<&str> = heard.into_iter().filter(|(at, _)| *at < end).map(|(_, name)| name).collect();
        assert_eq!(heard, names);
    }

    fn hears_in<'a>(&mut self, names: &[&'a str], time: Duration) -> &'a str {
        let mut found = None;
        // Where each is looked for next: where it did not begin it will not have begun later.
        let mut from = vec![self.at; names.len()];
        let seen = becomes(time, || {
            self.listen();
            let find = |(name, from): (&&'a str, &mut usize)| {
                let found = ear::find(&self.sound, *from, self.language, name);
                *from = (*from).max((self.sound.frames() + 1).saturating_sub(ear::frames(self.language, name)));
                Some((found?, *name))
            };
            found = names.iter().zip(&mut from).filter_map(find).min();
            found.is_some()
        });
        let Some(((_, end), name)) = found.filter(|_| seen) else {
            let since = self.heard_since();
            panic!("{names:?} not heard; after the last one: {since:?}");
        };
        self.at = end;
        name
    }

    /// Waits for a number of spoken digits that follow each other at once.
    pub fn hears_digits(&mut self, count: usize) -> String {
        let names: Vec<String> = (0..10).map(|digit| format!("digit-{digit}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut digits = String::new();
        for _ in 0..count {
            digits.push_str(self.hears_one_of(&names).trim_start_matches("digit-"));
        }
        digits
    }

    /// The prompts that were heard to their end since the last one that was waited for.
    pub fn heard_since(&mut self) -> Vec<&'static str> {
        self.listen();
        ear::heard(&self.sound, self.at, self.language, |_| true).into_iter().map(|(_, name)| name).collect()
    }

    /// All prompts of the call so far, each with the second at which it began.
    pub fn heard(&mut self) -> Vec<(f32, &'static str)> {
        self.listen();
        ear::heard(&self.sound, 0, self.language, |_| true)
    }

    /// What came from that far back until now, as samples.
    pub fn recent(&mut self, seconds: usize) -> Vec<i16> {
        self.listen();
        let samples = self.sound.samples();
        samples[samples.len().saturating_sub(seconds * 8000)..].iter().map(|s| *s as i16).collect()
    }

    /// Logs in without waiting for prompts, as who knows them by heart; up to the first menu.
    pub fn log_in(&mut self, extension: &str, pin: &str) {
        self.press(&format!("{extension}#{pin}#"));
        self.hears_one_of(&["main-menu", "my-menu"]);
    }

    /// Speaks: says this into the call from now on, then is silent.
    pub fn speak(&mut self, samples: &[i16]) {
        let file = self.folder.join("words.wav");
        // The end of a file would end the call.
        ear::write_wav(&file, &[samples, &vec![0; 8000 * SILENCE_S]].concat());
        self.command("ausrc", &format!("aufile,{}", file.display()));
    }

    /// Hangs up.
    pub fn hang_up(&mut self) {
        self.command("hangup", "");
        self.hears_the_end();
    }

    /// Waits until the call is over, whoever ends it.
    pub fn hears_the_end(&mut self) {
        until(HEARD_WITHIN, "the call is over", || self.has_event("CALL_CLOSED"));
    }

    /// Whether the call is over.
    pub fn is_over(&self) -> bool {
        self.has_event("CALL_CLOSED")
    }

    fn has_event(&self, kind: &str) -> bool {
        self.events.lock().expect("the events").iter().any(|event| event["type"] == kind)
    }

    fn command(&mut self, command: &str, params: &str) {
        self.commands += 1;
        let token = self.commands.to_string();
        let text = json!({ "command": command, "params": params, "token": token }).to_string();
        let netstring = format!("{}:{text},", text.len());
        self.control.write_all(netstring.as_bytes()).expect("baresip listens");
    }

    /// Takes in what was heard since the last time.
    fn listen(&mut self) {
        let Some(dump) = self.dumps().into_iter().find(|dump| dump.to_string_lossy().ends_with("-dec.wav")) else {
            return;
        };
        let new = read_from(&dump, WAV_HEADER + self.bytes).unwrap_or_default();
        let whole = new.len() / (2 * ear::FRAME) * (2 * ear::FRAME);
        let samples: Vec<i16> = new[..whole].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        self.sound.push(&samples);
        self.bytes += whole;
    }

    fn dumps(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(&self.folder).expect("the phone's folder").flatten().map(|entry| entry.path());
        files.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("dump-"))).collect()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let heard = self.heard();
            eprintln!("--- heard: {heard:?}");
        }
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a file has from that byte on.
fn read_from(file: &Path, from: usize) -> std::io::Result<Vec<u8>> {
    let (mut file, mut bytes) = (fs::File::open(file)?, Vec::new());
    file.seek(SeekFrom::Start(from as u64))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A port that nobody has now, neither for UDP nor for TCP; never the same one twice in a run, nor one that the system
/// gives out by itself.
fn free_port(address: Ipv4Addr) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let run = 21_000 + (std::process::id() % 50) as u16 * 200;
    let free = |port: &u16| UdpSocket::bind((address, *port)).is_ok() && TcpListener::bind((address, *port)).is_ok();
    // Every second one: baresip takes the next for TLS.
    let mut tries = (0..100).map(|_| run + NEXT.fetch_add(2, Ordering::Relaxed) % 200);
    tries.find(free).expect("a free port")
}

fn connect(address: Ipv4Addr, port: u16) -> TcpStream {
    let mut connected = None;
    until(Duration::from_secs(20), "baresip takes commands", || {
        connected = TcpStream::connect((address, port)).ok();
        connected.is_some()
    });
    connected.expect("just connected")
}

/// Notes the events and answers that come as netstrings, `LENGTH:JSON,`.
fn read_events(mut from: TcpStream, events: &Mutex<Vec<Value>>) {
    let (mut waiting, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        waiting.extend_from_slice(&buffer[..count]);
        while let Some(colon) = waiting.iter().position(|b| *b == b':') {
            let length: usize = String::from_utf8_lossy(&waiting[..colon]).parse().expect("a netstring's length");
            if waiting.len() < colon + length + 2 {
                break;
            }
            if let Ok(event) = serde_json::from_slice(&waiting[colon + 1..=colon + length]) {
                events.lock().expect("the events").push(event);
            }
            waiting.drain(..colon + length + 2);
        }
    }
}

/// Debian's place, or that of a build by hand.
fn modules() -> PathBuf {
    let places =
        ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"];
    let found = places.iter().map(PathBuf::from).find(|place| place.is_dir());
    found.expect("baresip's modules are installed")
}
