//! Running the program under `strace`, which ends it or fails it at the system call that a test names.
//!
//! `strace` counts calls in each thread: the N-th call is that of the thread that comes to it first. The store is written
//! by one thread, so that each of its calls has its turn; the calls of the others are chosen by their names, since a
//! thread that renames a file writes no pages.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::world::setup::Setup;

/// Everything by which a store, its log, an export or a backup comes to the disk, in groups that are counted apart. A
/// name with `?` is one that not every machine has.
pub const WRITES: [&str; 7] = [
    "pwrite64",
    "write",
    "fsync,fdatasync",
    "ftruncate",
    "?rename,?renameat,renameat2",
    "?unlink,unlinkat",
    "?link,linkat",
];

/// What is done to a system call.
#[derive(Clone, Copy)]
pub enum Fault {
    /// The process is killed as it comes to it.
    Kill,
    /// It fails with this error, once.
    Error(&'static str),
    /// It begins so much later.
    Delay(Duration),
}

/// What `strace` is to do: the fault, at the N-th of these calls.
pub struct Injection<'a> {
    /// Names, separated by commas.
    pub calls: &'a str,
    /// What is done.
    pub fault: Fault,
    /// Which one of them, from 1.
    pub nth: usize,
    /// Only calls on these files count; all where there are none.
    pub on: &'a [PathBuf],
}

impl Injection<'_> {
    fn arguments(&self, trace: &Path) -> Vec<String> {
        let Self { calls, fault, nth, .. } = self;
        let what = match fault {
            Fault::Kill => "signal=SIGKILL".to_owned(),
            Fault::Error(error) => format!("error={error}"),
            Fault::Delay(time) => format!("delay_enter={}", time.as_micros()),
        };
        let mut arguments = vec!["-f".to_owned(), "-o".to_owned(), trace.display().to_string()];
        arguments.extend(["-e".to_owned(), format!("trace={calls}")]);
        arguments.extend(["-e".to_owned(), format!("inject={calls}:{what}:when={nth}")]);
        for path in self.on {
            arguments.extend(["-P".to_owned(), path.display().to_string()]);
        }
        arguments
    }
}

/// How a verb ended that was hurt.
pub struct Ended {
    /// Its standard output.
    pub said: String,
    /// Its standard error.
    pub error: String,
    /// Its exit code; none where it was killed.
    pub code: Option<i32>,
    /// Whether the fault was met.
    pub was_hurt: bool,
}

/// Runs a verb to its end, or to where it is hurt.
pub fn run(setup: &Setup, arguments: &[&str], input: &str, injection: &Injection<'_>) -> Ended {
    let trace = setup.path("trace");
    let verb = setup.command(arguments);
    let mut command = Command::new("strace");
    command.args(injection.arguments(&trace)).arg(verb.get_program()).args(verb.get_args());
    for (name, value) in verb.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = verb.get_current_dir() {
        command.current_dir(folder);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("strace starts");
    // One that is killed before it reads closes its end.
    let _ = child.stdin.take().expect("its input").write_all(format!("{input}\n").as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("strace ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let error: String =
        text(stderr).lines().filter(|line| !line.starts_with("strace: ")).collect::<Vec<_>>().join("\n");
    let was_hurt = match injection.fault {
        // strace ends itself as its program was ended.
        Fault::Kill => status.signal() == Some(9) || status.code() == Some(137),
        Fault::Error(_) => fs::read_to_string(&trace).is_ok_and(|trace| trace.contains("(INJECTED)")),
        Fault::Delay(_) => fs::read_to_string(&trace).is_ok_and(|trace| trace.contains("(DELAYED)")),
    };
    let code = if matches!(injection.fault, Fault::Kill) && was_hurt { None } else { status.code() };
    Ended { said: text(stdout), error, code, was_hurt }
}

/// `strace` on a process that runs already; it lets go of it when it is dropped.
pub struct Attached {
    child: Child,
    trace: PathBuf,
}

impl Attached {
    /// Takes hold of all threads of the process.
    pub fn to(setup: &Setup, process: u32, injection: &Injection<'_>) -> Self {
        let trace = setup.path("trace");
        let mut command = Command::new("strace");
        command.args(injection.arguments(&trace)).arg("-p").arg(process.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("strace starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its standard error")).lines();
        let said = lines.next().and_then(Result::ok).unwrap_or_default();
        assert!(said.contains("attached"), "strace: {said}");
        // It tells of each new thread, and must not find its pipe full or closed.
        std::thread::spawn(move || lines.by_ref().for_each(drop));
        Self { child, trace }
    }

    /// Whether a call was made to fail.
    pub fn has_failed_one(&self) -> bool {
        fs::read_to_string(&self.trace).is_ok_and(|trace| trace.contains("(INJECTED)"))
    }

    fn end(&mut self) {
        // It lets go of its process at a SIGINT. It has ended by itself where its process is gone.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.end();
    }
}
