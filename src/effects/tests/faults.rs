//! Programs that do what they like, and a clock that is set back.

use super::*;

/// A clock that was set back by a year.
fn a_year_ago() -> Wall {
    Wall(clock().0 - 365 * 24 * 3_600_000)
}

impl World {
    fn runner_of_a_year_ago(&self) -> Runner {
        Runner::new(self.store.clone(), self.options.clone(), Arc::clone(&self.calls), a_year_ago)
    }
}

#[tokio::test]
async fn a_hook_that_floods_its_output_is_read_to_its_end_and_little_is_kept() {
    let world =
        World::new("", "cat >/dev/null; head -c 3000000 /dev/zero | tr '\\0' x | tee /dev/stderr; echo told >> told")
            .await;
    let running = world.start().await;
    world.keep(1, audio(1)).await;
    let row = world.becomes("hook", "done").await;
    assert_eq!(world.lines("told"), ["told"]);
    let detail = row.detail.unwrap();
    assert!(detail.starts_with("exit 0: xxx") && detail.len() < 600, "{detail}");
    running.abort();
}

#[tokio::test]
async fn what_a_hook_leaves_running_holds_no_later_event_up() {
    // The child has the pipes of its parent, which has ended.
    let world = World::new("", "cat >/dev/null; sleep 30 & echo told >> told").await;
    let running = world.start().await;
    for n in 1..=3 {
        world.keep(1, audio(n)).await;
    }
    for _ in 0..PATIENCE.as_millis() / 20 {
        if world.lines("told").len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.lines("told").len(), 3);
    world.becomes("hook", "done").await;
    running.abort();
}

#[tokio::test]
async fn a_reboot_that_waited_while_the_clock_was_set_back_has_failed() {
    let world = World::new("echo reboot >> reboots", "true").await;
    world.ask_reboot(RebootWhen::Now).await;
    world.runner_of_a_year_ago().reboots_once().await.unwrap();
    let row = world.last("reboot").await;
    assert_eq!((row.state.as_str(), row.detail.as_deref()), ("failed", Some("the clock was set back while it waited")));
    // Neither now nor when that time comes again.
    world.runner().reboots_once().await.unwrap();
    assert!(world.lines("reboots").is_empty());
    world.ask_reboot(RebootWhen::Now).await;
}

#[tokio::test]
async fn a_reboot_that_was_begun_before_the_clock_was_set_back_does_not_stay_begun() {
    let world = World::new("echo reboot >> reboots", "true").await;
    world.ask_reboot(RebootWhen::Now).await;
    world.runner().reboots_once().await.unwrap();
    assert_eq!(world.last("reboot").await.state, "claimed");
    world.runner_of_a_year_ago().reboots_once().await.unwrap();
    assert_eq!(world.last("reboot").await.state, "unknown");
    assert_eq!(world.lines("reboots"), ["reboot"], "and is never run again");
    world.ask_reboot(RebootWhen::Now).await;
}

#[tokio::test]
async fn an_export_is_tried_until_it_succeeds() {
    let world = World::new("", "true").await;
    world.runner().prepare().await.unwrap();
    world.keep(1, audio(1)).await;
    // A folder in the place of the file: a rename to it fails.
    let folder = world.options.export_folder.clone().unwrap();
    let place = folder.join("recording-1.wav");
    let _ = fs::remove_file(&place);
    fs::create_dir(&place).unwrap();
    for _ in 0..10 {
        assert!(world.runner().export_once(&folder).await.unwrap());
        let row = world.last("export").await;
        assert_eq!(row.state, "requested", "{row:?}");
        world.next_try_is_due().await;
    }
    fs::remove_dir(&place).unwrap();
    assert!(world.runner().export_once(&folder).await.unwrap());
    assert_eq!(world.last("export").await.state, "done");
    assert_eq!(exported(world.folder.path(), 1), Some(audio(1)));
}

#[tokio::test]
async fn a_start_tries_six_times_where_the_store_is_held() {
    let mut world = World::new("", "").await;
    let impatient = StoreOptions { busy_timeout: Duration::from_millis(1), ..world.store.options().clone() };
    world.store = Store::open(impatient).await.unwrap();
    let mut other = world.other_program().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let error = world.runner().prepare().await.unwrap_err();
    assert!(matches!(error, EffectError::Store(StoreError::Busy)), "{error}");
    assert_eq!(world.store.writes_begun(), 6);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    world.runner().prepare().await.unwrap();
}
