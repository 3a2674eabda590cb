//! Running a configured program: no shell, bounded in time and output.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// What is kept of a program's standard error, in bytes; the rest is read and dropped.
const SAID_BYTES_MAX: usize = 400;
/// How long the end of the output is waited for after the program has ended (a child of its own may hold it open).
const OUTPUT_GRACE: Duration = Duration::from_millis(200);

/// By which a service manager is told how we are: not what a program of others is to tell it.
const OURS_ALONE: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// How a program ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It exited by itself.
    Exit(i32),
    /// A signal ended it.
    Signal,
    /// It was still running at the time limit.
    TimedOut,
    /// It could not be started.
    NotStarted(std::io::Error),
}

/// What came of a program.
pub(super) struct Finished {
    pub(super) ended: Ended,
    /// The beginning of its standard error.
    pub(super) said: String,
}

impl Finished {
    /// One line for `command list`.
    pub(super) fn detail(&self) -> String {
        let how = match &self.ended {
            Ended::Exit(code) => format!("exit {code}"),
            Ended::Signal => "ended by a signal".to_owned(),
            Ended::TimedOut => "still running at the time limit".to_owned(),
            Ended::NotStarted(why) => format!("could not be started: {why}"),
        };
        let said = self.said.trim();
        if said.is_empty() { how } else { format!("{how}: {said}") }
    }
}

/// Whether a program that is given up is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtTheLimit {
    Kill,
    LeaveRunning,
}

/// Runs a program with `input` on its standard input and nothing of ours but the environment.
pub(super) async fn run(run: &[String], input: &[u8], limit: Duration, at_the_limit: AtTheLimit) -> Finished {
    let (program, arguments) = match run.split_first() {
        Some((program, arguments)) => (program, arguments),
        None => return not_started(std::io::Error::other("no program is configured")),
    };
    let mut command = Command::new(program);
    OURS_ALONE.iter().for_each(|name| {
        command.env_remove(name);
    });
    let spawned = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(at_the_limit == AtTheLimit::Kill)
        .process_group(0)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(why) => return not_started(why),
    };
    // After `child`, so that on a drop the group is killed while its leader still holds its number.
    let mut group = Group::of(&child, at_the_limit);
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let input = input.to_owned();
    let feeding = tokio::spawn(async move {
        if let Some(mut stdin) = stdin {
            // A program that does not read its input is no failure of ours.
            let _ = stdin.write_all(&input).await;
        }
    });
    let (told, telling) = tokio::sync::oneshot::channel();
    let reading = tokio::spawn(async move {
        if let Some(stderr) = stderr {
            let _ = told.send(beginning(stderr).await);
        }
    });
    let ended = match tokio::time::timeout(limit, child.wait()).await {
        Ok(Ok(status)) => {
            group.release();
            how(status)
        }
        Ok(Err(why)) => Ended::NotStarted(why),
        Err(_) => {
            group.kill();
            if at_the_limit == AtTheLimit::Kill {
                // Killed already, or not ours to kill.
                let _ = child.kill().await;
            }
            Ended::TimedOut
        }
    };
    feeding.abort();
    let said = tokio::time::timeout(OUTPUT_GRACE, telling).await.ok().and_then(Result::ok).unwrap_or_default();
    reading.abort();
    Finished { ended, said }
}

/// The program and what it has started, killed together when this is dropped before the program has ended.
struct Group(Option<Pid>);

impl Group {
    /// The group of which `child` is the leader; none where it may go on.
    fn of(child: &Child, at_the_limit: AtTheLimit) -> Self {
        let number = child.id().filter(|_| at_the_limit == AtTheLimit::Kill);
        Self(number.and_then(|number| i32::try_from(number).ok()).and_then(Pid::from_raw))
    }

    /// Forgets it: once its leader was waited for, the number may be another's.
    fn release(&mut self) {
        self.0 = None;
    }

    fn kill(&mut self) {
        if let Some(leader) = self.0.take() {
            // Gone already, then there is nothing to kill.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

fn not_started(why: std::io::Error) -> Finished {
    Finished { ended: Ended::NotStarted(why), said: String::new() }
}

fn how(status: ExitStatus) -> Ended {
    status.code().map_or(Ended::Signal, Ended::Exit)
}

/// Reads to the end, keeps the beginning.
async fn beginning(mut stream: impl AsyncRead + Unpin) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 1024]);
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let room = SAID_BYTES_MAX.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
    }
    String::from_utf8_lossy(&kept).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
