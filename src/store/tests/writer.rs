//! Whether the one writer goes on, as the watchdog asks.

use super::*;

/// Long enough for an answer that comes; what is waited for this long in vain does not come.
const A_WHILE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_writer_that_hangs_does_not_answer() {
    let world = World::new().await;
    assert!(world.store.writer_answers().await, "idle");
    let hangs = world.store.inner.writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let asked = tokio::time::timeout(A_WHILE, world.store.writer_answers()).await;
    assert!(asked.is_err(), "it has not ended what it does");
    let asking = tokio::spawn({
        let store = world.store.clone();
        async move { store.writer_answers().await }
    });
    hangs.rollback().await.unwrap();
    assert!(asking.await.unwrap());
}

#[tokio::test]
async fn a_writer_that_waits_for_another_program_answers_at_the_end_of_each_turn() {
    let world = World::with(|options| options.busy_timeout = Duration::from_millis(200)).await;
    let other = Store::open(options(&world.folder)).await.unwrap();
    let held = other.inner.writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    // More than come to their turn before a request for the connection is given up.
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let writer = world.store.inner.writer.clone();
        waiting.spawn(async move { writer.begin_with("BEGIN IMMEDIATE").await.is_ok() });
    }
    // The first of them has its turn.
    while world.store.inner.writer.num_idle() > 0 || world.store.inner.writer.size() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    for _ in 0..2 {
        assert!(world.store.writer_answers().await, "a turn has ended, though without success");
    }
    waiting.shutdown().await;
    drop(held);
}
