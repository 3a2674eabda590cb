//! Real programs in a folder of their own; never the machine's reboot.

mod backup;
mod export;
mod faults;
mod hooks;
mod logging;
mod owner;
mod reboot;
mod restore;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::access::{Action, Actor, Destructive, News, RebootWhen, Reply, Role};
use crate::model::{Audio, Extension, Pin, RecordingNumber};
use crate::store::{Admin, CommandRow, HookOn, PinCost, StoreOptions, demo};
use crate::wire::wav;

/// How long a test waits for an effect; far more than it needs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A script that leaves a line for each time that it runs.
const COUNT_RUNS: &str = "echo run >> runs";

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

    /// Another program that writes the store.
    async fn other_program(&self) -> SqliteConnection {
        let path = self.folder.path().join("switchhook.db");
        SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap()
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn audio(n: i16) -> Audio {
    Audio((0..800).map(|i| i * 3 + n).collect())
}

fn exported(folder: &Path, number: u32) -> Option<Audio> {
    let bytes = fs::read(folder.join(format!("export/recording-{number}.wav"))).ok()?;
    Some(wav::read(&bytes, 300).unwrap())
}
