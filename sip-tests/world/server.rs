//! `serve`, started as a service manager would.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::setup::Setup;
use super::wait::until;

/// From the start to `ready:`, at most; this is no measurement.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A server that is running; killed when it is dropped.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
    /// Where it is called: `sip:7000@ADDRESS:5060`.
    pub uri: String,
    /// What it printed before `ready:`.
    greeting: Vec<String>,
}

impl Server {
    /// Starts it and waits for `ready:`.
    pub fn start(setup: &Setup) -> Self {
        Self::launch(setup, &["serve"], &[])
    }

    /// Starts it with these in its environment, and waits for `ready:`.
    pub fn start_with(setup: &Setup, environment: &[(&str, &str)]) -> Self {
        Self::launch(setup, &["serve"], environment)
    }

    /// Starts the demo on the setup's address, and waits for `ready:`.
    pub fn start_demo(setup: &Setup) -> Self {
        Self::launch(setup, &["serve", "--demo"], &[])
    }

    fn launch(setup: &Setup, verb: &[&str], environment: &[(&str, &str)]) -> Self {
        let log = setup.path("stderr");
        let file = File::options().create(true).append(true).open(&log).expect("a file for its standard error");
        let mut command = setup.command(verb);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).envs(environment.iter().copied());
        let mut child = command.spawn().expect("the server starts");
        let output = child.stdout.take().expect("its standard output");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let uri = format!("sip:7000@{}:5060", setup.address());
        let mut server = Self { child, lines, log, uri, greeting: Vec::new() };
        let mut ready = server.lines.recv_timeout(READY_WITHIN).unwrap_or_default();
        while !ready.is_empty() && !ready.starts_with("ready:") {
            server.greeting.push(ready);
            ready = server.lines.recv_timeout(READY_WITHIN).unwrap_or_default();
        }
        assert!(ready.starts_with("ready:"), "{ready:?} instead of ready:\n{}", server.log_text());
        server
    }

    /// The file of the demo's store, as the demo names it.
    pub fn demo_store(&self) -> PathBuf {
        let named = self.greeting.iter().find_map(|line| line.strip_prefix("store sqlite://"));
        let path = named.and_then(|rest| rest.split(' ').next());
        PathBuf::from(path.unwrap_or_else(|| panic!("no store in {:?}", self.greeting)))
    }

    /// Waits until callers can choose all the languages that are installed.
    pub fn knows_all_languages(&self) {
        let known = || self.log_text().contains("the prompts of all languages are there");
        until(READY_WITHIN, "all prompts are read", known);
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits for its end.
    pub fn ends_within(&mut self, time: Duration) -> ExitStatus {
        let mut ended = None;
        until(time, "the server ends", || {
            ended = self.child.try_wait().expect("its state");
            ended.is_some()
        });
        ended.expect("just seen")
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Sockets that it has open.
    pub fn open_sockets(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.id())).expect("its open files").flatten();
        let what = files.filter_map(|file| fs::read_link(file.path()).ok());
        what.filter(|what| what.to_string_lossy().starts_with("socket:")).count()
    }

    /// What it wrote on standard error.
    pub fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log_text();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("--- the server's log ends with");
            for line in tail.into_iter().rev() {
                eprintln!("{line}");
            }
        }
    }
}
