//! Reboots: at most one for each that was asked for, and how each ended.

use super::*;

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
async fn the_first_hundred_bytes_tell_one_boot_from_another() {
    for (differs_at, state) in [(100, "done"), (101, "unknown")] {
        let mut world = World::new("", "").await;
        world.options.reboot_gone = Duration::from_secs(600);
        let boot = |end: char| format!("{:a<1$}", "", differs_at - 1) + &end.to_string();
        let file = world.folder.path().join("boot_id");
        fs::write(&file, boot('1')).unwrap();
        world.ask_reboot(RebootWhen::Now).await;
        world.runner().reboots_once().await.unwrap();
        assert_eq!(world.last("reboot").await.state, "claimed");
        fs::write(&file, boot('2')).unwrap();
        world.runner().prepare().await.unwrap();
        assert_eq!(world.last("reboot").await.state, state, "byte {differs_at}");
    }
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
