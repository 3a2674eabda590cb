//! Hooks: programs that are told, in order, again where they fail, and ended with what they have started.

use super::*;

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
async fn the_beginning_of_what_a_hook_says_is_kept() {
    for (said, kept) in [(399, 399), (400, 400), (401, 400)] {
        let script = format!("head -c {said} /dev/zero | tr '\\0' x >&2; printf more");
        let run = ["sh".to_owned(), "-c".to_owned(), script];
        let finished = command::run(&run, b"", PATIENCE, command::AtTheLimit::Kill).await;
        assert_eq!(finished.said, "x".repeat(kept), "of {said} bytes");
    }
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
