//! Real programs in a folder of their own; never the machine's reboot.

mod backup;
mod export;
mod faults;
mod logging;
mod owner;
mod restore;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::access::{Action, Actor, Destructive, News, RebootWhen, Reply, Role};
use crate::model::{Audio, Extension, Pin, RecordingNumber};
use crate::store::{Admin, CommandRow, HookOn, PinCost, StoreOptions, demo};
use crate::wire::wav;

/// How long a test waits for an effect; far more than it needs.
const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    folder: TempDir,
    store: Store,
    options: EffectOptions,
    calls: Arc<AtomicU32>,
}

#[allow(clippy::disallowed_methods, reason = "the test is the shell here")]
fn clock() -> Wall {
    Wall(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap())
}

impl World {
    /// A store with the demo in it. `hook` is the script of a hook on everything, `reboot` the reboot's.
    async fn new(reboot: &str, hook: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("boot_id"), "boot-1\n").unwrap();
        let run = |name: &str, text: &str| {
            let script = path(name);
            fs::write(&script, format!("#!/bin/sh\ncd {}\n{text}\n", folder.path().display())).unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
            vec![script.display().to_string()]
        };
        let hook_run = run("hook", hook);
        let options = EffectOptions {
            boot_id_file: path("boot_id"),
            reboot_run: run("reboot", reboot),
            reboot_gone: Duration::from_secs(2),
            hooks: vec![Hook { run: hook_run.clone(), timeout: Duration::from_secs(1) }],
            export_folder: Some(path("export")),
            backup: BackupOptions { folder: path("backups"), keep: 3 },
        };
        let store = StoreOptions {
            pin_cost: PinCost::CHEAP_FOR_TESTS,
            reboot_delay_s: 0,
            export: true,
            hooks: vec![HookOn {
                on: vec!["recording.changed".into(), "reboot.*".into(), "backup.*".into()],
                run: hook_run,
            }],
            ..StoreOptions::new(path("switchhook.db"))
        };
        let store = Store::create(store).await.unwrap();
        let world = Self { folder, store, options, calls: Arc::new(AtomicU32::new(0)) };
        demo::seed(&world.store, &world.ctx(), |_| None).await.unwrap();
        world
    }

    fn ctx(&self) -> Context {
        self.runner().context()
    }

    fn runner(&self) -> Runner {
        Runner::new(self.store.clone(), self.options.clone(), Arc::clone(&self.calls), clock)
    }

    async fn start(&self) -> JoinHandle<()> {
        let runner = self.runner();
        runner.prepare().await.unwrap();
        tokio::spawn(runner.run())
    }

    async fn technician(&self) -> Actor {
        let login =
            Action::Login { extension: Extension::parse("1004").unwrap(), pin: Pin::parse("29618374").unwrap() };
        match self.store.apply(&self.ctx(), &Actor::Caller, login).await {
            Reply::LoggedIn(session) => {
                Actor::Account { id: session.id, granted: session.granted, pin_resets: session.pin_resets }
            }
            other => panic!("{other:?}"),
        }
    }

    /// What the technician is told at the login.
    async fn news(&self) -> Vec<News> {
        let login =
            Action::Login { extension: Extension::parse("1004").unwrap(), pin: Pin::parse("29618374").unwrap() };
        match self.store.apply(&self.ctx(), &Actor::Caller, login).await {
            Reply::LoggedIn(session) => session.news,
            other => panic!("{other:?}"),
        }
    }

    async fn ask_reboot(&self, when: RebootWhen) {
        let action = Action::Confirm(Destructive::Reboot { when }, Pin::parse("29618374").unwrap());
        let reply = self.store.apply(&self.ctx(), &self.technician().await, action).await;
        assert!(matches!(reply, Reply::RebootRequested { .. }), "{reply:?}");
    }

    async fn keep(&self, number: u32, audio: Audio) {
        let action = Action::KeepRecording { number: RecordingNumber(number), audio };
        let reply = self.store.apply(&self.ctx(), &Actor::Shell, action).await;
        assert!(matches!(reply, Reply::Changed(_)), "{reply:?}");
    }

    async fn last(&self, kind: &str) -> CommandRow {
        let all = self.store.commands().await.unwrap();
        all.into_iter().rfind(|row| row.kind == kind).unwrap()
    }

    /// Waits until the last intent of a kind is in that state.
    async fn becomes(&self, kind: &str, state: &str) -> CommandRow {
        let mut row = self.last(kind).await;
        for _ in 0..PATIENCE.as_millis() / 20 {
            if row.state == state {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            row = self.last(kind).await;
        }
        panic!("{kind} never became {state}: {row:?}");
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn audio(n: i16) -> Audio {
    Audio((0..800).map(|i| i * 3 + n).collect())
}

const COUNT_RUNS: &str = "echo run >> runs";

#[tokio::test]
async fn a_reboot_runs_once_and_is_unknown_while_the_machine_is_up() {
    let world = World::new(COUNT_RUNS, "").await;
    let runner = world.start().await;
    world.ask_reboot(RebootWhen::Now).await;
    let row = world.becomes("reboot", "claimed").await;
    assert_eq!((row.requested_by.as_str(), row.subject.as_str()), ("1004", "now"));
    let row = world.becomes("reboot", "unknown").await;
    assert_eq!(row.detail.as_deref(), Some("the command was run, and the machine is still up"));
    runner.abort();
    let again = world.start().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    again.abort();
    assert_eq!(world.lines("runs"), ["run"], "never again by itself");
    let audit: Vec<String> =
        world.store.audit(None).await.unwrap().iter().map(|row| format!("{} {}", row.action, row.outcome)).collect();
    let tail = audit.get(audit.len() - 3..).unwrap();
    assert_eq!(tail, ["reboot.requested ok", "reboot.started ok", "reboot.unknown failed"]);
}

#[tokio::test]
async fn another_boot_id_means_done_and_the_same_one_unknown() {
    for (boot_id, state) in [("boot-2", "done"), ("boot-1", "unknown")] {
        let mut world = World::new(COUNT_RUNS, "").await;
        world.options.reboot_gone = Duration::from_secs(600);
        let runner = world.start().await;
        world.ask_reboot(RebootWhen::Now).await;
        world.becomes("reboot", "claimed").await;
        while world.lines("runs").is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        runner.abort();
        fs::write(world.folder.path().join("boot_id"), boot_id).unwrap();
        world.runner().prepare().await.unwrap();
        assert_eq!(world.last("reboot").await.state, state);
        assert_eq!(world.lines("runs"), ["run"]);
    }
}

#[tokio::test]
async fn a_claim_without_a_run_is_never_run() {
    let world = World::new(COUNT_RUNS, "").await;
    world.ask_reboot(RebootWhen::Now).await;
    let due = world.store.open_reboots().await.unwrap().remove(0);
    assert!(world.store.claim_reboot(&world.ctx(), due.id, "boot-1").await.unwrap());
    let runner = world.start().await;
    assert_eq!(world.last("reboot").await.state, "unknown");
    tokio::time::sleep(Duration::from_millis(1200)).await;
    runner.abort();
    assert!(world.lines("runs").is_empty(), "cut off between the claim and the command");
}

#[tokio::test]
async fn a_command_that_fails_is_told() {
    let world = World::new("echo no such machine >&2; exit 3", "").await;
    let runner = world.start().await;
    world.ask_reboot(RebootWhen::Now).await;
    let row = world.becomes("reboot", "failed").await;
    assert_eq!(row.detail.as_deref(), Some("exit 3: no such machine"));
    runner.abort();
    let mut world = World::new("", "").await;
    world.options.reboot_run = vec!["/nonexistent/reboot".into()];
    let runner = world.start().await;
    world.ask_reboot(RebootWhen::Now).await;
    let row = world.becomes("reboot", "failed").await;
    assert!(row.detail.unwrap().starts_with("could not be started"));
    runner.abort();
}

#[tokio::test]
async fn when_idle_it_waits_for_the_last_call_and_can_be_cancelled() {
    let world = World::new(COUNT_RUNS, "").await;
    world.calls.store(1, Ordering::Release);
    let runner = world.start().await;
    world.ask_reboot(RebootWhen::Idle).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(world.last("reboot").await.state, "waiting");
    let cancelled = world.store.apply(&world.ctx(), &world.technician().await, Action::CancelReboot).await;
    assert!(matches!(cancelled, Reply::Changed(_)), "{cancelled:?}");
    world.ask_reboot(RebootWhen::Idle).await;
    world.calls.store(0, Ordering::Release);
    world.becomes("reboot", "unknown").await;
    runner.abort();
    assert_eq!(world.lines("runs"), ["run"]);
    let states: Vec<String> = world
        .store
        .commands()
        .await
        .unwrap()
        .into_iter()
        .filter(|row| row.kind == "reboot")
        .map(|row| row.state)
        .collect();
    assert_eq!(states, ["cancelled", "unknown"]);
}

#[tokio::test]
async fn what_was_due_long_ago_is_not_done_out_of_the_blue() {
    let world = World::new(COUNT_RUNS, "").await;
    let yesterday = Context { now: Wall(clock().0 - 86_400_000), ..world.ctx() };
    let action = Action::Confirm(Destructive::Reboot { when: RebootWhen::Now }, Pin::parse("29618374").unwrap());
    world.store.apply(&yesterday, &world.technician().await, action).await;
    world.runner().prepare().await.unwrap();
    assert_eq!(world.last("reboot").await.state, "failed");

    world.calls.store(1, Ordering::Release);
    world.ask_reboot(RebootWhen::Idle).await;
    let runner = tokio::spawn(world.runner().run());
    while world.store.open_reboots().await.unwrap()[0].boot_id.is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    runner.abort();
    fs::write(world.folder.path().join("boot_id"), "boot-2").unwrap();
    world.runner().prepare().await.unwrap();
    let row = world.last("reboot").await;
    assert_eq!((row.state.as_str(), world.lines("runs").len()), ("done", 0), "it has been restarted by other hands");
}

#[tokio::test]
async fn what_waited_when_the_service_was_stopped_has_failed() {
    for when in [RebootWhen::Idle, RebootWhen::Now] {
        let world = World::new(COUNT_RUNS, "").await;
        world.ask_reboot(when).await;
        let runner = world.start().await;
        let row = world.last("reboot").await;
        assert_eq!(row.state, "failed", "{when:?}");
        assert_eq!(row.detail.as_deref(), Some("the service was stopped while it waited"));
        tokio::time::sleep(Duration::from_millis(1200)).await;
        runner.abort();
        assert!(world.lines("runs").is_empty(), "not by a process of which nobody asked it");
        assert_eq!(world.news().await, [News::RebootFailed]);
    }
}

#[tokio::test]
async fn a_reboot_that_seemed_not_to_happen_is_done_after_all() {
    let mut world = World::new(COUNT_RUNS, "").await;
    world.options.reboot_gone = Duration::ZERO;
    let runner = world.start().await;
    world.ask_reboot(RebootWhen::Now).await;
    world.becomes("reboot", "unknown").await;
    runner.abort();
    assert_eq!(world.news().await, [News::RebootUnknown]);
    world.runner().prepare().await.unwrap();
    assert_eq!(world.last("reboot").await.state, "unknown", "the same boot");
    fs::write(world.folder.path().join("boot_id"), "boot-2").unwrap();
    world.runner().prepare().await.unwrap();
    assert_eq!(world.last("reboot").await.state, "done");
    assert_eq!(world.news().await, [News::RebootDone]);
    fs::write(world.folder.path().join("boot_id"), "boot-3").unwrap();
    world.store.apply(&world.ctx(), &world.technician().await, Action::NewsHeard).await;
    world.runner().prepare().await.unwrap();
    assert!(world.news().await.is_empty(), "once");
    assert_eq!(EffectOptions::default().reboot_gone, Duration::from_secs(600), "a shutdown may take minutes");
}

#[tokio::test]
async fn without_a_boot_id_nothing_begins() {
    let world = World::new("", "").await;
    let file = world.folder.path().join("boot_id");
    for spoil in [|file: &Path| fs::write(file, " \n"), |file: &Path| fs::remove_file(file)] {
        spoil(&file).unwrap();
        let error = world.runner().prepare().await.unwrap_err().to_string();
        assert!(error.contains("/boot_id: ") && error.contains("effects.boot_id_file"), "{error}");
    }
}

#[tokio::test]
async fn who_lost_the_right_while_it_waited_does_not_reboot() {
    let extension = || Extension::parse("1004").unwrap();
    for loss in [
        Admin::RemoveRole { role: Role::SupportTechnician, extension: extension() },
        Admin::SetEnabled { extension: extension(), enabled: false },
        Admin::DeleteUser { extension: extension() },
    ] {
        let world = World::new(COUNT_RUNS, "").await;
        world.calls.store(1, Ordering::Release);
        let runner = world.start().await;
        world.ask_reboot(RebootWhen::Idle).await;
        world.store.admin(&world.ctx(), loss).await.unwrap();
        world.calls.store(0, Ordering::Release);
        let row = world.becomes("reboot", "cancelled").await;
        runner.abort();
        assert_eq!(row.detail.as_deref(), Some("1004 may not reboot any more"));
        assert!(world.lines("runs").is_empty());
        let audit = world.store.audit(Some(1)).await.unwrap().remove(0);
        assert_eq!((audit.action.as_str(), audit.outcome.as_str()), ("reboot.cancelled", "denied"));
        assert_eq!(audit.account.as_deref(), Some("1004"));
    }
}

fn exported(folder: &Path, number: u32) -> Option<Audio> {
    let bytes = fs::read(folder.join(format!("export/recording-{number}.wav"))).ok()?;
    Some(wav::read(&bytes, 300).unwrap())
}

#[tokio::test]
async fn recordings_are_exported_when_they_change_and_mended_at_the_start() {
    let world = World::new("", "").await;
    world.keep(1, audio(1)).await;
    world.keep(2, audio(2)).await;
    let export = world.folder.path().join("export");
    fs::create_dir(&export).unwrap();
    fs::write(export.join("recording-2.wav"), "half of a fi").unwrap();
    fs::write(export.join(".recording-2-1-0.tmp"), "half of a fi").unwrap();
    fs::write(export.join("other.wav"), "not ours").unwrap();
    let runner = world.start().await;
    assert_eq!(exported(world.folder.path(), 1), Some(audio(1)));
    assert_eq!(exported(world.folder.path(), 2), Some(audio(2)));
    world.becomes("export", "done").await;
    world.keep(1, audio(3)).await;
    world.becomes("export", "done").await;
    assert_eq!(exported(world.folder.path(), 1), Some(audio(3)));
    runner.abort();
    let mut names: Vec<String> =
        fs::read_dir(&export).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["other.wav", "recording-1.wav", "recording-2.wav"]);
}

#[tokio::test]
async fn a_folder_that_can_t_be_written_is_named_at_the_start() {
    let mut world = World::new("", "").await;
    let file = world.folder.path().join("boot_id");
    world.options.export_folder = Some(file.join("export"));
    let error = world.runner().prepare().await.unwrap_err();
    assert!(matches!(error, EffectError::Export { .. }));
    assert!(error.to_string().contains("boot_id/export"), "{error}");
}

#[tokio::test]
async fn a_hook_finds_the_event_on_its_input_and_the_file_in_its_place() {
    let world = World::new("", "cat >> told; ls export >> seen").await;
    let runner = world.start().await;
    world.keep(1, audio(1)).await;
    let row = world.becomes("hook", "done").await;
    runner.abort();
    assert_eq!(world.lines("seen"), ["recording-1.wav"]);
    let told: serde_json::Value = serde_json::from_str(&world.lines("told")[0]).unwrap();
    assert_eq!(told["event"], "recording.changed");
    assert_eq!((&told["account"], &told["target"]), (&"cli".into(), &"1".into()));
    assert_eq!(told["id"], row.id, "the key by which it is known");
    assert_eq!(told["data"]["version"], 1);
}

#[tokio::test]
async fn a_hook_that_hangs_is_killed_and_tried_again() {
    let world = World::new("", "echo try >> tries; if [ -e second ]; then exit 0; fi; touch second; sleep 60").await;
    let runner = world.start().await;
    world.keep(1, audio(1)).await;
    let row = world.becomes("hook", "done").await;
    runner.abort();
    assert_eq!(world.lines("tries"), ["try", "try"]);
    assert_eq!(row.detail.as_deref(), Some("exit 0"));
}

#[tokio::test]
async fn a_hook_that_always_fails_is_given_up() {
    let world = World::new("", "echo x >> tries; head -c 100000 /dev/zero >&2; exit 1").await;
    world.keep(1, audio(1)).await;
    let runner = world.runner();
    let export = world.store.claim_export(&world.ctx()).await.unwrap().unwrap();
    world.store.finish(&world.ctx(), export.id, crate::store::IntentState::Done, "").await.unwrap();
    let hook = world.options.hooks[0].clone();
    let mut later = world.ctx();
    for _ in 0..4 {
        let due = world.store.claim_hook(&later, &hook.run).await.unwrap().unwrap();
        let finished = command::run(&hook.run, b"", hook.timeout, command::AtTheLimit::Kill).await;
        assert!(finished.said.len() <= 400);
        runner.again_or_failed(&due, &finished.detail()).await;
        later.now = Wall(later.now.0 + 200_000);
    }
    assert_eq!(world.last("hook").await.state, "failed");
    assert_eq!(world.lines("tries").len(), 4);
}

#[tokio::test]
async fn what_was_cut_off_is_told_again_after_a_restart() {
    let world = World::new("", "cat >> told").await;
    world.keep(1, audio(1)).await;
    let export = world.store.claim_export(&world.ctx()).await.unwrap().unwrap();
    world.store.finish(&world.ctx(), export.id, crate::store::IntentState::Done, "").await.unwrap();
    let hook = world.store.claim_hook(&world.ctx(), &world.options.hooks[0].run).await.unwrap().unwrap();
    let runner = world.start().await;
    let row = world.becomes("hook", "done").await;
    runner.abort();
    assert_eq!(row.id, hook.id);
    assert_eq!(world.lines("told").len(), 1);
}

#[tokio::test]
async fn changes_of_another_process_are_found() {
    let world = World::new("", "cat >> told").await;
    let runner = world.start().await;
    let other = Store::open(world.store.options().clone()).await.unwrap();
    let action = Action::KeepRecording { number: RecordingNumber(1), audio: audio(1) };
    other.apply(&world.ctx(), &Actor::Shell, action).await;
    world.becomes("hook", "done").await;
    runner.abort();
}

#[tokio::test]
async fn the_server_s_hooks_and_exports_count_for_the_command_line_too() {
    let world = World::new("", "cat >> told").await;
    let runner = world.start().await;
    let own = StoreOptions { hooks: Vec::new(), export: false, ..world.store.options().clone() };
    let shell = Store::open(own).await.unwrap();
    let action = Action::KeepRecording { number: RecordingNumber(1), audio: audio(1) };
    shell.apply(&world.ctx(), &Actor::Shell, action).await;
    world.becomes("hook", "done").await;
    runner.abort();
    assert_eq!(exported(world.folder.path(), 1), Some(audio(1)));
    assert_eq!(world.lines("told").len(), 1);
}

#[tokio::test]
async fn exports_of_an_earlier_configuration_hold_no_hook_up() {
    let mut world = World::new("", "cat >> told").await;
    world.keep(1, audio(1)).await;
    world.options.export_folder = None;
    let runner = world.start().await;
    world.becomes("hook", "done").await;
    let row = world.last("export").await;
    assert_eq!(row.state, "failed");
    assert_eq!(row.detail.as_deref(), Some("recordings.export_folder is not configured any more"));
    world.keep(1, audio(2)).await;
    runner.abort();
    assert_eq!(world.last("export").await.id, row.id, "no export is asked for any more");
}

#[tokio::test]
async fn events_come_in_order_however_often_one_is_tried() {
    let mut world = World::new("", "if [ -e second ]; then cat >> told; else touch second; exit 1; fi").await;
    world.options.hooks.push(world.options.hooks[0].clone());
    let runner = world.start().await;
    for n in 1..=3 {
        world.keep(n, audio(1)).await;
    }
    world.becomes("hook", "done").await;
    runner.abort();
    let target = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap()["target"].clone();
    let told: Vec<serde_json::Value> = world.lines("told").iter().map(target).collect();
    assert_eq!(told, ["1", "2", "3"], "none before the one that is tried again, none twice");
}

const SPAWNS_ANOTHER: &str = "sleep 60 & echo $! > other.new; mv other.new other; wait";

impl World {
    /// The number of the process that the hook has started, once it has.
    async fn other(&self) -> String {
        while self.lines("other").is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.lines("other").remove(0)
    }
}

/// Waits until a process is gone, or is nothing but a number that nobody has waited for.
async fn ends(number: &str) {
    for _ in 0..PATIENCE.as_millis() / 20 {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("process {number} is still there");
}

#[tokio::test]
async fn what_a_hook_has_started_ends_with_it_at_the_limit() {
    let world = World::new("", SPAWNS_ANOTHER).await;
    let hook = &world.options.hooks[0];
    let finished = command::run(&hook.run, b"", hook.timeout, command::AtTheLimit::Kill).await;
    assert!(matches!(finished.ended, command::Ended::TimedOut), "{:?}", finished.ended);
    ends(&world.other().await).await;
}

#[tokio::test]
async fn what_a_hook_has_started_ends_with_the_service() {
    let world = World::new("", SPAWNS_ANOTHER).await;
    let run = world.options.hooks[0].run.clone();
    let hook = tokio::spawn(async move {
        command::run(&run, b"", PATIENCE, command::AtTheLimit::Kill).await;
    });
    let other = world.other().await;
    hook.abort();
    ends(&other).await;
}
