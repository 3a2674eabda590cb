//! sipp with a scenario of ours, and what it counted.

use std::collections::HashMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::setup::{PROJECT, Setup};

/// Which scenario, how often and how fast.
#[derive(Clone, Copy)]
pub struct Sipp<'a> {
    /// The file in `sip-tests/scenarios`.
    pub scenario: &'a str,
    /// `u1` for UDP, `t1` for TCP.
    pub transport: &'a str,
    /// How many calls.
    pub calls: u32,
    /// New calls a second.
    pub rate: u32,
}

/// How it ended.
pub struct Outcome {
    counts: HashMap<String, String>,
    /// Everything that was sent and received, where it was one call only.
    pub messages: String,
    /// What sipp has to complain about.
    pub complaints: String,
}

impl Sipp<'_> {
    /// One call over UDP.
    pub fn once(scenario: &str) -> Sipp<'_> {
        Sipp { scenario, transport: "u1", calls: 1, rate: 1 }
    }

    /// Runs it to its end.
    pub fn run(&self, setup: &Setup) -> Outcome {
        let address = setup.next_address().to_string();
        let file = |kind: &str| setup.path(&format!("sipp-{address}-{kind}"));
        let mut command = Command::new("sipp");
        command.arg(format!("{}:5060", setup.address()));
        command.arg("-sf").arg(scenario_file(self.scenario));
        command.args(["-s", "7000", "-i", &address, "-p", "5060", "-t", self.transport, "-nostdin"]);
        command.args(["-m", &self.calls.to_string(), "-r", &self.rate.to_string()]);
        command.args(["-timeout", "90s", "-timeout_error", "-fd", "1", "-trace_stat", "-stf"]).arg(file("counts"));
        command.arg("-trace_err").arg("-error_file").arg(file("errors"));
        if self.calls == 1 {
            command.arg("-trace_msg").arg("-message_file").arg(file("messages"));
        }
        command.current_dir(setup.path("")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().expect("sipp starts");
        let text = |kind: &str| fs::read_to_string(file(kind)).unwrap_or_default();
        let outcome =
            Outcome { counts: counts(&text("counts")), messages: text("messages"), complaints: text("errors") };
        assert!(status.success(), "{}: {status}: {}\n{}", self.scenario, outcome.complaints, outcome.messages);
        outcome
    }
}

/// A sipp that answers what comes, until it is dropped.
pub struct Answering {
    child: Child,
    /// Where it answers, on port 5060 over UDP.
    pub address: Ipv4Addr,
}

impl Answering {
    /// Starts it with a scenario, on an address of its own.
    pub fn start(setup: &Setup, scenario: &str) -> Self {
        let address = setup.next_address();
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(scenario_file(scenario)).args(["-i", &address.to_string(), "-p", "5060"]);
        command.args(["-t", "u1", "-nostdin"]).current_dir(setup.path(""));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().expect("sipp starts"), address }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Outcome {
    /// One of sipp's totals, such as `SuccessfulCall`.
    pub fn total(&self, name: &str) -> u32 {
        let count = self.counts.get(&format!("{name}(C)")).and_then(|count| count.parse().ok());
        count.unwrap_or_else(|| panic!("sipp did not count {name}"))
    }

    /// The first lines of all messages that were received, in order.
    pub fn received(&self) -> Vec<&str> {
        let mut lines = self.messages.lines();
        let mut received = Vec::new();
        while let Some(line) = lines.next() {
            if line.contains(" message received") {
                received.extend(lines.by_ref().find(|line| !line.is_empty()));
            }
        }
        received
    }
}

fn scenario_file(name: &str) -> PathBuf {
    Path::new(PROJECT).join("sip-tests/scenarios").join(name)
}

/// The last line of counts, by the names in the first.
fn counts(csv: &str) -> HashMap<String, String> {
    let mut lines = csv.lines();
    let (names, counts) = (lines.next().unwrap_or_default(), lines.next_back().unwrap_or_default());
    names.split(';').map(str::to_owned).zip(counts.split(';').map(str::to_owned)).collect()
}
