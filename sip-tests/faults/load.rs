//! Writers at work, by the command line and by phone, who remember what they were told.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread::{scope, sleep};
use std::time::Duration;

use crate::caller::Caller;
use crate::world::random::Random;
use crate::world::setup::{PROJECT, Setup, sql_rows};
use crate::world::template::pin_of;

/// Who forwards their calls all the time, by the command line.
const FORWARDING: [&str; 2] = ["1001", "1003"];
/// Who changes do not disturb over by phone.
const CALLER: &str = "1005";
/// A response of a server that may be gone.
const PATIENCE: Duration = Duration::from_millis(200);
/// What a caller hears of a server that may be gone.
const HEARD_WITHIN: Duration = Duration::from_millis(400);
/// What is written after the fault, on the store as the fault has left it.
const AFTERWARDS: Duration = Duration::from_millis(40);

/// What the writers were told.
#[derive(Default)]
pub struct Told {
    /// Numbers of changes that were acknowledged, each with what it has changed to; of an import nothing is known.
    done: Vec<(i64, String)>,
    /// What was refused, each with why.
    refused: Vec<(String, String)>,
    /// Do not disturb, heard that it was changed over.
    toggled: usize,
    /// Pressed, and nothing heard.
    in_doubt: usize,
    /// Heard last.
    last: Option<&'static str>,
}

/// Where the writers note what they were told.
#[derive(Clone, Copy)]
struct Telling<'a> {
    told: &'a Mutex<Told>,
    dark: &'a AtomicBool,
}

impl<'a> Telling<'a> {
    /// None once the power is cut.
    fn told(self) -> Option<MutexGuard<'a, Told>> {
        let told = self.told.lock().expect("what was told");
        (!self.dark.load(Ordering::SeqCst)).then_some(told)
    }
}

/// Works until `fault` has come back and a little longer. Some of the writers' own processes are killed as well. What is
/// told after `fault` has said so is in doubt: nobody is told anything after a power cut.
pub fn work(
    setup: &Setup,
    caller: &mut Caller,
    random: &mut Random,
    fault: impl FnOnce(&mut Random, &AtomicBool),
) -> Told {
    let (stop, dark, told) = (AtomicBool::new(false), AtomicBool::new(false), Mutex::new(Told::default()));
    let telling = Telling { told: &told, dark: &dark };
    let (mut killing, mut faulting) = (random.fork(), random.fork());
    let working = || !stop.load(Ordering::Relaxed);
    scope(|scope| {
        scope.spawn(|| {
            while working() {
                forward(setup, FORWARDING[0], None, telling);
            }
        });
        scope.spawn(|| {
            while working() {
                forward(setup, FORWARDING[1], Some(Duration::from_micros(killing.below(30_000))), telling);
            }
        });
        scope.spawn(|| {
            for voice in [3, 5].into_iter().cycle().take_while(|_| working()) {
                import(setup, voice, telling);
            }
        });
        scope.spawn(|| while working() && toggle(caller, telling, working) {});
        fault(&mut faulting, &dark);
        sleep(AFTERWARDS);
        stop.store(true, Ordering::Relaxed);
    });
    told.into_inner().expect("what was told")
}

/// Forwards to a number that was not used before; the process may be killed after a while.
fn forward(setup: &Setup, extension: &str, killed_after: Option<Duration>, telling: Telling<'_>) {
    // None of them is one of those that may not be forwarded to.
    static NUMBERS: AtomicU64 = AtomicU64::new(20_000);
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed).to_string();
    let mut command = setup.command(&["forward", "set", extension, "always", &number]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the program starts");
    if let Some(after) = killed_after {
        sleep(after);
        // It may have ended.
        let _ = child.kill();
    }
    let ended = child.wait_with_output().expect("it ends");
    let Some(mut told) = telling.told() else { return };
    match (number_of(&String::from_utf8_lossy(&ended.stdout)), ended.status.code()) {
        (Some(change), _) => told.done.push((change, number)),
        (None, Some(_)) => told.refused.push((number, String::from_utf8_lossy(&ended.stderr).into_owned())),
        (None, None) => {}
    }
}

fn import(setup: &Setup, voice: u32, telling: Telling<'_>) {
    let file = format!("{PROJECT}/prompts/demo/{voice}.wav");
    let output = setup.run(&["recording", "import", "1", &file], "");
    if let Some(change) = number_of(&String::from_utf8_lossy(&output.stdout))
        && let Some(mut told) = telling.told()
    {
        told.done.push((change, String::new()));
    }
}

fn number_of(said: &str) -> Option<i64> {
    said.trim().rsplit_once("change ")?.1.parse().ok()
}

/// One call that changes do not disturb over as long as it lasts; `false` where the server is gone.
fn toggle(caller: &mut Caller, telling: Telling<'_>, working: impl Fn() -> bool) -> bool {
    caller.patience = PATIENCE;
    if !caller.call_as(CALLER, pin_of(CALLER)) {
        return false;
    }
    while working() {
        let taken = caller.press("3");
        let heard = caller.hears_within(&["dnd-on", "dnd-off", "failed-try-later"], HEARD_WITHIN);
        let Some(mut told) = telling.told() else {
            telling.told.lock().expect("what was told").in_doubt += 1;
            return false;
        };
        match heard {
            Some("failed-try-later") => {}
            Some(heard) => (told.toggled, told.last) = (told.toggled + 1, Some(heard)),
            None => {
                told.in_doubt += 1;
                return false;
            }
        }
        if !taken {
            return false;
        }
    }
    caller.hang_up();
    true
}

/// The last change before the writers worked.
pub fn last_change(store: &Path) -> i64 {
    sql_rows(store, "SELECT coalesce(max(number), 0) FROM changes")[0].parse().expect("a number")
}

impl Told {
    /// How many changes were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.done.len() + self.toggled
    }

    /// What was refused, each with why.
    pub fn refused(&self) -> &[(String, String)] {
        &self.refused
    }

    /// All that was acknowledged is in the store; of what was refused nothing, where `refused_is_undone`.
    pub fn is_true(&self, store: &Path, since: i64, refused_is_undone: bool, what: &str) {
        let sql = format!("SELECT number, action, coalesce(after, '') FROM changes WHERE number > {since}");
        let rows: Vec<(i64, String)> = sql_rows(store, &sql)
            .into_iter()
            .filter_map(|row| row.split_once('|').and_then(|(n, rest)| Some((n.parse().ok()?, rest.to_owned()))))
            .collect();
        for (number, to) in &self.done {
            let row = rows.iter().find(|(known, _)| known == number);
            assert!(
                row.is_some_and(|(_, row)| row.contains(to.as_str())),
                "{what}: change {number} to {to} is {row:?}"
            );
        }
        if refused_is_undone {
            let undone = |(to, _): &(String, String)| !rows.iter().any(|(_, row)| row.ends_with(to.as_str()));
            assert!(self.refused.iter().all(undone), "{what}: refused and done: {:?}", self.refused);
        }
        let toggled = rows.iter().filter(|(_, row)| row.starts_with("dnd.changed|")).count();
        let possible = self.toggled..=self.toggled + self.in_doubt;
        assert!(possible.contains(&toggled), "{what}: changed over {toggled} times, and heard {possible:?} times");
        if let Some(last) = self.last.filter(|_| self.in_doubt == 0) {
            let sql = format!("SELECT dnd FROM v_users WHERE extension = '{CALLER}'");
            let state = if sql_rows(store, &sql) == ["1"] { "dnd-on" } else { "dnd-off" };
            assert_eq!(state, last, "{what}: heard last");
        }
    }
}
