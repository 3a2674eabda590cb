//! A clock that jumps: nothing depends on time going forward but what is said in times.

use super::*;

const YEAR: i64 = 365 * 24 * HOUR;

#[tokio::test]
async fn the_trail_is_in_order_whatever_the_clock_says() {
    let mut world = World::new().await;
    let begun = world.count_changes().await;
    for (n, now) in [MORNING, MORNING + YEAR, MORNING - YEAR, 0, i64::MAX / 2, MORNING].into_iter().enumerate() {
        world.now = now;
        let keep = Action::KeepRecording { number: RecordingNumber(1), audio: tone(100 + n as u32) };
        let number = world.changed(&Actor::Shell, keep).await;
        assert_eq!(number, ChangeNumber((begun + n + 1) as i64), "by number, not by time");
        assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
        let listed = world.store.changes(None, Some(1)).await.unwrap();
        assert_eq!(listed[0].number, (begun + n + 1) as i64, "the last one is the last one made");
    }
}

#[tokio::test]
async fn a_lock_of_a_clock_that_was_wrong_is_ended_by_an_administrator() {
    let mut world = World::new().await;
    world.now = MORNING + YEAR;
    for _ in 0..25 {
        assert_eq!(world.try_login("1005", "111222").await, refused(Refusal::LoginFailed));
    }
    world.now = MORNING;
    world.admin(Admin::Unlock { extension: ext("1005") }).await.unwrap();
    world.session("1005", "904826").await;
    // And the other way round: nothing of a time that is to come again is left.
    world.now = MORNING - YEAR;
    world.session("1005", "904826").await;
}

#[tokio::test]
async fn what_was_put_off_under_a_clock_that_was_ahead_is_not_put_off_for_that_long() {
    let mut world = World::new().await;
    world.now = MORNING + YEAR;
    let keep = Action::KeepRecording { number: RecordingNumber(1), audio: tone(100) };
    world.changed(&Actor::Shell, keep).await;
    let hook = ["tell".to_owned()];
    let export = world.store.claim_export(&world.cli()).await.unwrap().unwrap();
    world.store.finish(&world.cli(), export.id, IntentState::Done, "").await.unwrap();
    let due = world.store.claim_hook(&world.cli(), &hook).await.unwrap().unwrap();
    let later = Wall(world.now + RETRY_S_MAX * 1000);
    world.store.retry(&world.cli(), due.id, later, "exit 1").await.unwrap();
    assert_eq!(world.store.claim_hook(&world.cli(), &hook).await.unwrap(), None, "not yet");
    world.now -= 1;
    let again = world.store.claim_hook(&world.cli(), &hook).await.unwrap();
    assert_eq!(again.map(|again| again.id), Some(due.id), "further off than any try is put off");
    world.store.retry(&world.cli(), due.id, later, "exit 1").await.unwrap();
    world.now = MORNING;
    let again = world.store.claim_hook(&world.cli(), &hook).await.unwrap();
    assert_eq!(again.map(|again| again.id), Some(due.id), "and none is overtaken for a year");
}

#[tokio::test]
async fn a_recording_is_to_be_exported_again_once() {
    let world = World::new().await;
    while let Some(due) = world.store.claim_export(&world.cli()).await.unwrap() {
        world.store.finish(&world.cli(), due.id, IntentState::Done, "").await.unwrap();
    }
    for _ in 0..2 {
        world.store.export_again(&world.cli(), RecordingNumber(2)).await.unwrap();
    }
    let due = world.store.claim_export(&world.cli()).await.unwrap().unwrap();
    assert_eq!(due.subject, "2");
    assert_eq!(world.store.claim_export(&world.cli()).await.unwrap(), None, "asked for once");
}

#[tokio::test]
async fn a_lock_that_a_clock_which_was_ahead_has_put_on_ends_when_that_is_set_back() {
    let mut world = World::new().await;
    world.now = MORNING + 10 * YEAR;
    for _ in 0..5 {
        world.try_login("1005", "111222").await;
    }
    assert_eq!(world.try_login("1005", "904826").await, refused(Refusal::LoginFailed), "locked for five minutes");
    assert!(world.user("1005").await.locked);
    world.now = MORNING;
    let user = world.user("1005").await;
    assert_eq!((user.locked, user.locked_until), (false, None));
    let open = world.ask(&Actor::Shell, Action::OpenUser { extension: ext("1005") }).await;
    assert!(matches!(open, Reply::User { locked: false, .. }), "{open:?}");
    world.session("1005", "904826").await;
}
