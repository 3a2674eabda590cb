//! The log by phone, by what the log is told.

use std::io;
use std::sync::Mutex;

use super::*;

/// A log that only says what it was told.
#[derive(Default)]
struct Told {
    all: Mutex<Vec<&'static str>>,
    is_full: bool,
}

impl Told {
    fn all(&self) -> Vec<&'static str> {
        self.all.lock().unwrap().clone()
    }

    /// Waits until it was told that often.
    async fn told(&self, times: usize) -> Vec<&'static str> {
        for _ in 0..PATIENCE.as_millis() / 20 {
            if self.all().len() >= times {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.all()
    }
}

impl Log for Told {
    fn set_detailed(&self, is_detailed: bool) -> io::Result<()> {
        self.all.lock().unwrap().push(if is_detailed { "detailed" } else { "normal" });
        Ok(())
    }

    fn begin_another_file(&self) -> io::Result<PathBuf> {
        self.all.lock().unwrap().push("another file");
        if self.is_full { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(PathBuf::from("/log/2")) }
    }
}

impl World {
    async fn start_with(&self, log: &Arc<Told>) -> JoinHandle<()> {
        let runner = self.runner().with_log(Arc::clone(log) as Arc<dyn Log>);
        runner.prepare().await.unwrap();
        tokio::spawn(runner.run())
    }

    async fn set_logging(&self, ago_ms: i64, detailed: bool) {
        let ctx = Context { now: Wall(clock().0 - ago_ms), ..self.ctx() };
        let reply = self.store.apply(&ctx, &self.technician().await, Action::SetLogging { detailed }).await;
        assert!(matches!(reply, Reply::Changed(_)), "{reply:?}");
    }
}

#[tokio::test]
async fn the_level_goes_up_and_back_as_it_is_asked_for() {
    let world = World::new("", "").await;
    let log = Arc::new(Told::default());
    let runner = world.start_with(&log).await;
    world.set_logging(0, true).await;
    let row = world.becomes("logging", "done").await;
    assert_eq!((row.subject.as_str(), log.all()), ("detailed", vec!["detailed"]));
    world.set_logging(0, false).await;
    world.becomes("logging", "done").await;
    runner.abort();
    assert_eq!(log.all(), ["detailed", "normal"]);
    let changes = world.store.changes(Some("1004"), Some(2)).await.unwrap();
    let told: Vec<_> = changes.iter().map(|c| (c.action.as_str(), c.before.as_deref(), c.after.as_deref())).collect();
    assert_eq!(
        told,
        [("logging.detailed", Some("normal"), Some("detailed")), ("logging.normal", Some("detailed"), Some("normal"))]
    );
}

#[tokio::test]
async fn detail_is_found_again_after_a_restart_and_ends_after_its_hour() {
    let world = World::new("", "").await;
    world.set_logging(1_800_000, true).await;
    let log = Arc::new(Told::default());
    let runner = world.start_with(&log).await;
    world.becomes("logging", "done").await;
    runner.abort();
    let log = Arc::new(Told::default());
    let runner = world.start_with(&log).await;
    assert_eq!(log.told(1).await, ["detailed"], "though nothing is asked of this process");
    // The same as if the hour went by.
    world.set_logging(3_600_000, true).await;
    assert_eq!(log.told(2).await, ["detailed", "normal"]);
    runner.abort();
    let audit = world.store.audit(Some(1)).await.unwrap().remove(0);
    assert_eq!((audit.action.as_str(), audit.account, audit.change), ("logging.normal", None, None));
    let log = Arc::new(Told::default());
    let runner = world.start_with(&log).await;
    world.set_logging(-7_200_000, true).await;
    world.becomes("logging", "done").await;
    runner.abort();
    assert!(log.all().is_empty(), "an hour that a wrong clock has put far away is over");
}

#[tokio::test]
async fn another_file_is_begun_or_the_reason_is_kept() {
    for (is_full, state, detail) in [(false, "done", "/log/2"), (true, "failed", "no storage space")] {
        let world = World::new("", "").await;
        let log = Arc::new(Told { is_full, ..Told::default() });
        let runner = world.start_with(&log).await;
        let reply = world.store.apply(&world.ctx(), &world.technician().await, Action::NewLogFile).await;
        assert!(matches!(reply, Reply::Changed(_)), "{reply:?}");
        let row = world.becomes("logging", state).await;
        runner.abort();
        assert_eq!(log.all(), ["another file"]);
        assert!(row.detail.as_deref().is_some_and(|said| said.contains(detail)), "{row:?}");
    }
}
