//! The store from outside: a fresh database for each test.

mod attacks;
mod backlog;
mod bounds;
mod clock;
mod encrypted;
mod events;
mod grid;
mod import;
mod lockouts;
mod logins;
mod model;
mod no_telling;
mod opening;
mod outside;
mod people;
mod recordings;
mod roles;
mod settings;
mod shell;
mod since;
mod sites;
mod system;
mod trail;
mod undo;
mod versions;
mod watched;
mod writer;

use tempfile::TempDir;

use super::*;
use crate::access::{Destructive, Permissions, Refusal, Role, Session, source};
use crate::model::{Audio, ChangeNumber, Extension, Mac, PhoneNumber, Pin, RecordingNumber, Wall};

/// The extensions and PINs of the five roles, in their order, and of a user without any.
const ROLES: [(&str, &str); 6] = [
    ("1000", "61849273"),
    ("1001", "52961847"),
    ("1002", "83517294"),
    ("1003", "74926185"),
    ("1004", "29618374"),
    ("1005", "904826"),
];

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

/// A folder that needs no disk, where there is one: the tests make many commits.
fn in_memory() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

fn options(folder: &TempDir) -> StoreOptions {
    StoreOptions {
        pin_cost: PinCost::CHEAP_FOR_TESTS,
        export: true,
        // What is tried too often has tests of its own.
        login: LoginLimits {
            source_tries_per_minute: 60_000,
            overall_tries_per_minute: 60_000,
            ..LoginLimits::default()
        },
        hooks: vec![HookOn { on: vec!["recording.*".into(), "reboot.*".into()], run: vec!["tell".into()] }],
        ..StoreOptions::new(folder.path().join("switchhook.db"))
    }
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut StoreOptions)) -> Self {
        Self::within(in_memory(), change).await
    }

    /// With the limits that a store has by itself.
    async fn guarded() -> Self {
        Self::with(|options| options.login = LoginLimits::default()).await
    }

    async fn within(folder: TempDir, change: impl FnOnce(&mut StoreOptions)) -> Self {
        let mut options = options(&folder);
        change(&mut options);
        let store = Store::create(options).await.unwrap();
        let world = World { store, now: MORNING, folder };
        demo::seed(&world.store, &world.cli(), |number| Some(tone(number.0))).await.unwrap();
        world
    }

    fn ctx(&self) -> Context {
        Context {
            now: Wall(self.now),
            site: self.store.site(),
            source: "192.0.2.7".into(),
            caller: None,
            call: None,
            other_calls: 3,
            is_private: false,
        }
    }

    /// A call through the PBX, by which the number is an extension or not.
    fn by_pbx(&self, number: &str) -> Context {
        Context { source: source("10.0.0.5", Some(number)), caller: Extension::parse(number), ..self.ctx() }
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

    /// A login by a call through the PBX.
    async fn login_from(&self, number: &str, extension: &str, digits: &str) -> Reply {
        let login = Action::Login { extension: ext(extension), pin: pin(digits) };
        self.store.apply(&self.by_pbx(number), &Actor::Caller, login).await
    }

    async fn session(&self, extension: &str, digits: &str) -> Session {
        match self.try_login(extension, digits).await {
            Reply::LoggedIn(session) => session,
            other => panic!("{extension} can't log in: {other:?}"),
        }
    }

    async fn actor(&self, extension: &str, digits: &str) -> Actor {
        let session = self.session(extension, digits).await;
        Actor::Account { id: session.id, granted: session.granted, pin_resets: session.pin_resets }
    }

    /// The actor of one of the demo's accounts that hold roles, or of 1005.
    async fn demo(&self, extension: &str) -> Actor {
        let (_, digits) = ROLES.into_iter().find(|(known, _)| *known == extension).unwrap();
        self.actor(extension, digits).await
    }

    /// Does it, and gives the number of the change.
    async fn changed(&self, actor: &Actor, action: Action) -> ChangeNumber {
        match self.ask(actor, action.clone()).await {
            Reply::Changed(change) | Reply::Dnd { change, .. } | Reply::TemporaryPin { change, .. } => change,
            other => panic!("{action:?}: {other:?}"),
        }
    }

    /// Confirms something destructive with the PIN of the demo's account `extension`.
    async fn confirm(&self, extension: &str, what: Destructive) -> Reply {
        let (_, digits) = ROLES.into_iter().find(|(known, _)| *known == extension).unwrap();
        let actor = self.demo(extension).await;
        self.ask(&actor, Action::Confirm(what, pin(digits))).await
    }

    async fn user(&self, extension: &str) -> UserRow {
        self.store.user(self.store.site(), &ext(extension), Wall(self.now)).await.unwrap()
    }

    /// The newest change as `number action target before after`.
    async fn last_change(&self) -> String {
        let row = self.store.changes(None, Some(1)).await.unwrap().pop().unwrap();
        let or = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        format!("{} {} {} {} {}", row.number, row.action, row.target, or(row.before), or(row.after))
    }

    async fn count_changes(&self) -> usize {
        self.store.changes(None, None).await.unwrap().len()
    }

    /// So many changes that were made by nobody here, to an account or to none.
    async fn changes_about(&self, account: Option<i64>, count: i64) {
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
                   INSERT INTO changes (at, account, source, action, target, target_id)
                   SELECT 0, 'cli', 'cli', 'user.unlocked', 'x', $1 FROM n";
        sqlx::query(sql).bind(account).bind(count).execute(&self.store.inner.writer).await.unwrap();
    }

    /// PINs that were really compared since the store was opened.
    fn compared(&self) -> u64 {
        self.store.inner.pins.derived()
    }

    /// How many audit rows have this outcome.
    async fn audited(&self, outcome: &str) -> i64 {
        let sql = "SELECT count(*) FROM audit WHERE outcome = $1";
        sqlx::query_scalar(sql).bind(outcome).fetch_one(&self.store.inner.reader).await.unwrap()
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

fn number(digits: &str) -> PhoneNumber {
    PhoneNumber::parse(digits).unwrap()
}

fn mac(n: u8) -> Mac {
    Mac([0, 4, 0xf2, 0x12, 0xab, n])
}

fn refused(why: Refusal) -> Reply {
    Reply::Refused(why)
}
