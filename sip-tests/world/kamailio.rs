//! Kamailio, as a proxy in front of the line.

use std::fs::{self, File};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::setup::{PROJECT, Setup};
use super::wait::until;

/// A proxy with the recipe of `docs/pbx.md`; it ends when it is dropped.
pub struct Kamailio {
    child: Child,
    log: PathBuf,
    /// Where it listens, by UDP and TCP, on port 5060.
    pub address: Ipv4Addr,
}

impl Kamailio {
    /// Starts it in front of the setup's server, which it reaches by `transport` (`udp` or `tcp`).
    pub fn start(setup: &Setup, transport: &str) -> Self {
        let address = setup.next_address();
        let page = fs::read_to_string(Path::new(PROJECT).join("docs/pbx.md")).expect("the page");
        let recipe = page.split("## Kamailio").nth(1).and_then(|rest| rest.split("```").nth(1)).expect("the recipe");
        let server = format!("{}:5060;transport={transport}", setup.address());
        let recipe = recipe.replace("192.0.2.20:5060", &server);
        let config = fs::read_to_string(Path::new(PROJECT).join("sip-tests/kamailio.cfg")).expect("the configuration");
        let config = config.replace("{proxy}", &address.to_string()).replacen("{recipe} is", "here is", 1);
        let (file, log, run) = (setup.path("kamailio.cfg"), setup.path("kamailio.log"), setup.path("kamailio"));
        fs::write(&file, config.replace("{recipe}", &recipe)).expect("the configuration");
        fs::create_dir_all(&run).expect("its folder");
        let mut command = Command::new("kamailio");
        command.args(["-DD", "-E", "-m", "16", "-M", "4", "-f"]).arg(&file).arg("-Y").arg(&run);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).expect("its log"));
        let child = command.spawn().expect("kamailio starts");
        let proxy = Self { child, log, address };
        until(Duration::from_secs(20), "kamailio listens", || UdpSocket::bind((address, 5060)).is_err());
        proxy
    }

    /// What it logged: a line `proxy: METHOD by PROTOCOL` for each request.
    pub fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether a request of that method came by that protocol.
    pub fn saw(&self, method: &str, protocol: &str) -> bool {
        self.log_text().contains(&format!("proxy: {method} by {protocol}"))
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Killed at once it would leave its children behind.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- kamailio's log\n{}", self.log_text());
        }
    }
}
