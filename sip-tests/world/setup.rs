//! What one test needs: addresses of its own in 127.0.0.0/8, a folder, a configuration, a store with the demo's people.

use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::server::Server;
use super::template;

/// The built program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_switchhook");
/// The project's folder.
pub const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// Tests that share the machine, and those that want it for themselves.
static MACHINE: RwLock<()> = RwLock::new(());

/// Held as long as the test runs.
enum Turn {
    Shared(#[allow(dead_code)] RwLockReadGuard<'static, ()>),
    Alone(#[allow(dead_code)] RwLockWriteGuard<'static, ()>),
    Nobody,
}

/// A test's world; the folder goes with it, but stays where the test failed.
pub struct Setup {
    folder: PathBuf,
    subnet: u8,
    hosts: AtomicU8,
    _turn: Turn,
}

/// What differs from test to test in the configuration.
#[derive(Clone, Copy)]
pub struct Options {
    /// `sip.drain_seconds`.
    pub drain_s: u32,
    /// `effects.reboot.delay_s`.
    pub reboot_delay_s: u32,
    /// `log.level`.
    pub log_level: &'static str,
    /// The shell command that stands for the reboot, run in the test's folder.
    pub reboot: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self { drain_s: 60, reboot_delay_s: 2, log_level: "info", reboot: "echo reboot >> reboots" }
    }
}

impl Setup {
    /// A world with a store.
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    /// A world with a store and these options.
    pub fn with(options: Options) -> Self {
        let turn = Turn::Shared(MACHINE.read().unwrap_or_else(PoisonError::into_inner));
        Self::filled(options, turn)
    }

    /// A world with a store, while no other test runs.
    pub fn alone() -> Self {
        let turn = Turn::Alone(MACHINE.write().unwrap_or_else(PoisonError::into_inner));
        Self::filled(Options::default(), turn)
    }

    fn filled(options: Options, turn: Turn) -> Self {
        let setup = Self::empty(options, turn);
        for entry in fs::read_dir(template::folder()).expect("the template's folder") {
            let entry = entry.expect("an entry");
            if entry.file_name().to_string_lossy().starts_with("switchhook.db") {
                fs::copy(entry.path(), setup.path("").join(entry.file_name())).expect("a copy of the store");
            }
        }
        setup
    }

    /// A world without a store, for who has a turn already.
    pub fn without_store() -> Self {
        Self::empty(Options::default(), Turn::Nobody)
    }

    fn empty(options: Options, turn: Turn) -> Self {
        static SUBNETS: AtomicU8 = AtomicU8::new(1);
        let subnet = SUBNETS.fetch_add(1, Ordering::Relaxed);
        let folder = root().join(subnet.to_string());
        fs::create_dir_all(&folder).expect("the test's folder");
        fs::write(folder.join("boot-id"), "first\n").expect("the boot id");
        let setup = Self { folder, subnet, hosts: AtomicU8::new(2), _turn: turn };
        fs::write(setup.config(), setup.config_text(options)).expect("the configuration");
        setup
    }

    fn config_text(&self, options: Options) -> String {
        let (folder, address) = (self.folder.display(), self.address());
        let Options { drain_s, reboot_delay_s, log_level, reboot } = options;
        format!(
            "[store]\nurl = \"sqlite://{folder}/switchhook.db\"\n\
             [sip]\nlisten = [\"udp:{address}:5060\", \"tcp:{address}:5060\"]\ntrusted_peers = [\"127.0.0.0/8\"]\n\
             drain_seconds = {drain_s}\n\
             [prompts]\nfolder = \"{PROJECT}/prompts\"\n\
             [recordings]\nexport_folder = \"{folder}/exported\"\n\
             [effects]\nboot_id_file = \"{folder}/boot-id\"\n\
             [effects.reboot]\nrun = [\"sh\", \"-c\", \"cd {folder} && {reboot}\"]\ndelay_s = {reboot_delay_s}\n\
             [effects.backup]\nfolder = \"{folder}/backups\"\n\
             [effects.logging]\nfolder = \"{folder}/log\"\n\
             [[effects.hooks]]\non = [\"*\"]\nrun = [\"sh\", \"-c\", \"cd {folder} && cat >> told && echo >> told\"]\n\
             [log]\nlevel = \"{log_level}\"\n"
        )
    }

    /// A file or folder in the test's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What a file in the test's folder holds; nothing where it is not there.
    pub fn text(&self, name: &str) -> String {
        fs::read(self.path(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.path("switchhook.toml")
    }

    /// The server's address.
    pub fn address(&self) -> Ipv4Addr {
        self.host(1)
    }

    /// An address for one more client.
    pub fn next_address(&self) -> Ipv4Addr {
        self.host(self.hosts.fetch_add(1, Ordering::Relaxed))
    }

    /// Two runs at a time on one machine have different second bytes, as a rule.
    fn host(&self, last: u8) -> Ipv4Addr {
        let run = 100 + (std::process::id() % 150) as u8;
        Ipv4Addr::new(127, run, self.subnet, last)
    }

    /// Starts the server and waits until it takes calls.
    pub fn serve(&self) -> Server {
        Server::start(self)
    }

    /// The program with this configuration.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SWITCHHOOK_")) {
            command.env_remove(name);
        }
        // Whoever has this set is to read a clear line all the same.
        command.env("RUST_BACKTRACE", "1").env("TZ", "UTC").current_dir(PROJECT).args(arguments);
        command.arg("--config").arg(self.config());
        command
    }

    /// Runs a verb to its end, with one line on its standard input.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // A verb that refuses before it reads closes its end.
        let _ = child.stdin.take().expect("its input").write_all(format!("{input}\n").as_bytes());
        child.wait_with_output().expect("the program ends")
    }

    /// Runs a verb that must succeed, and gives its standard output.
    pub fn done(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {:?}: {error}", output.status);
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The JSON that a verb shows.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        serde_json::from_str(&self.done(&arguments, "")).expect("JSON")
    }

    /// What a verb that is refused says on standard error; its exit code must be 1.
    pub fn refused(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}{error}");
        error.into_owned()
    }

    /// Whether `voicemail verify` takes this PIN: exit code 0, or 1.
    pub fn voicemail_pin_is(&self, extension: &str, pin: &str) -> bool {
        let output = self.run(&["voicemail", "verify", extension, "--pin-stdin"], pin);
        match output.status.code() {
            Some(0) => true,
            Some(1) => false,
            other => panic!("voicemail verify: {other:?}: {}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    /// The rows of a query, columns separated by `|`.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        sql_rows(&self.path("switchhook.db"), sql)
    }

    /// The one value of a query.
    pub fn value(&self, sql: &str) -> String {
        self.rows(sql).join("\n")
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what the test left is in {}", self.folder.display());
        } else {
            // What can't be taken away now goes with the next run.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Asks `sqlite3` for rows, columns separated by `|`; the file may be in use.
pub fn sql_rows(file: &Path, sql: &str) -> Vec<String> {
    let output = Command::new("sqlite3").args(["-cmd", ".timeout 5000"]).arg(file).arg(sql).output().expect("sqlite3");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// The folder of this run; those of runs that have ended are taken away.
fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real");
        fs::create_dir_all(&parent).expect("the folder for tests");
        for entry in fs::read_dir(&parent).expect("the folder for tests").flatten() {
            if !Path::new("/proc").join(entry.file_name()).exists() {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        parent.join(std::process::id().to_string())
    })
}
