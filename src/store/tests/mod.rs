//! The store from outside: a fresh database for each test.

mod grid;
mod logins;
mod model;
mod opening;
mod recordings;
mod shell;
mod system;
mod trail;

use tempfile::TempDir;

use super::*;
use crate::access::{Permissions, Refusal, Role, Session};
use crate::model::{Audio, ChangeNumber, Extension, Pin, RecordingNumber, Wall};

/// 2026-01-31T08:15:00Z.
const MORNING: i64 = 1_769_847_300_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A store with the demo's accounts and recordings, and a clock.
struct World {
    store: Store,
    now: i64,
    folder: TempDir,
}

fn options(folder: &TempDir) -> StoreOptions {
    StoreOptions {
        pin_cost: PinCost::CHEAP_FOR_TESTS,
        export: true,
        hooks: vec![HookOn { on: vec!["recording.*".into(), "reboot.*".into()], run: vec!["tell".into()] }],
        ..StoreOptions::new(folder.path().join("switchhook.db"))
    }
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut StoreOptions)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut options = options(&folder);
        change(&mut options);
        let store = Store::create(options).await.unwrap();
        let world = World { store, now: MORNING, folder };
        demo::seed(&world.store, &world.cli(), |number| Some(tone(number.0))).await.unwrap();
        world
    }

    fn ctx(&self) -> Context {
        Context { now: Wall(self.now), site: self.store.site(), source: "192.0.2.7".into(), call: None, other_calls: 3 }
    }

    fn cli(&self) -> Context {
        Context { source: "cli".into(), other_calls: 0, ..self.ctx() }
    }

    async fn ask(&self, actor: &Actor, action: Action) -> Reply {
        self.store.apply(&self.ctx(), actor, action).await
    }

    async fn admin(&self, admin: Admin) -> Result<AdminReply, AdminError> {
        self.store.admin(&self.cli(), admin).await
    }

    async fn try_login(&self, extension: &str, digits: &str) -> Reply {
        self.ask(&Actor::Caller, Action::Login { extension: ext(extension), pin: pin(digits) }).await
    }

    async fn session(&self, extension: &str, digits: &str) -> Session {
        match self.try_login(extension, digits).await {
            Reply::LoggedIn(session) => session,
            other => panic!("{extension} can't log in: {other:?}"),
        }
    }

    async fn actor(&self, extension: &str, digits: &str) -> Actor {
        let session = self.session(extension, digits).await;
        Actor::Account { id: session.id, granted: session.granted }
    }

    /// The last audit row as `account action target outcome`.
    async fn last_audit(&self) -> String {
        let rows = self.store.audit(Some(1)).await.unwrap();
        let row = rows.last().unwrap();
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        format!("{} {} {} {}", or(&row.account), row.action, or(&row.target), row.outcome)
    }
}

fn ext(digits: &str) -> Extension {
    Extension::parse(digits).unwrap()
}

fn pin(digits: &str) -> Pin {
    Pin::parse(digits).unwrap()
}

/// Audio that is told from other audio.
fn tone(n: u32) -> Audio {
    Audio((0..800).map(|i| (i * 7 + n as i32 * 13) as i16).collect())
}

fn refused(why: Refusal) -> Reply {
    Reply::Refused(why)
}
