//! Undoing a change that is as it was left, after somebody has changed it to and fro.

use super::*;
use crate::access::{ForwardKind, Mode, ModeSetting, RestoreTo};

async fn undo(world: &World, number: ChangeNumber) -> Reply {
    world.confirm("1000", Destructive::Undo { number }).await
}

async fn undone(world: &World, number: ChangeNumber) -> ChangeNumber {
    match undo(world, number).await {
        Reply::Changed(made) => made,
        other => panic!("{number:?}: {other:?}"),
    }
}

fn since() -> Reply {
    refused(Refusal::ChangedSince)
}

#[tokio::test]
async fn what_somebody_has_set_again_meanwhile_is_theirs() {
    let world = World::new().await;
    let (first, second) = (world.demo("1000").await, world.demo("1002").await);
    let set = |enabled| Action::SetUserEnabled { extension: ext("1006"), enabled };
    let disabled = world.changed(&first, set(false)).await;
    world.changed(&first, set(true)).await;
    let after_an_incident = world.changed(&second, set(false)).await;
    let check = Action::Check(Destructive::Undo { number: disabled });
    assert_eq!(world.ask(&first, check).await, since());
    assert_eq!(undo(&world, disabled).await, since());
    let by_shell = world.admin(Admin::Undo { number: disabled }).await;
    assert!(matches!(by_shell, Err(AdminError::ChangedSince(_))), "the shell has to say which one is meant, too");
    assert!(!world.user("1006").await.enabled);
    undone(&world, after_an_incident).await;
    assert!(world.user("1006").await.enabled);
}

#[tokio::test]
async fn what_was_undone_is_in_nobodys_way_until_the_undo_is_undone() {
    let world = World::new().await;
    let owner = world.demo("1005").await;
    let on = world.changed(&owner, Action::ToggleDnd).await;
    let off = world.changed(&owner, Action::ToggleDnd).await;
    let on_again = undone(&world, off).await;
    assert!(world.user("1005").await.dnd);
    let off_again = undone(&world, on_again).await;
    let on_for_good = world.changed(&owner, Action::ToggleDnd).await;
    assert_eq!(undo(&world, on).await, since(), "the second change holds again, and so does the last");
    undone(&world, on_for_good).await;
    assert_eq!(undo(&world, on).await, since(), "it is off");
    undone(&world, off_again).await;
    assert!(world.user("1005").await.dnd, "as the first change left it, and all others are undone");
    undone(&world, on).await;
    assert!(!world.user("1005").await.dnd);
}

#[tokio::test]
async fn only_what_is_about_the_same_thing_counts() {
    let world = World::new().await;
    let admin = world.demo("1000").await;
    let busy = Action::SetForwarding { kind: ForwardKind::Busy, to: number("1006") };
    let busy = world.changed(&admin, busy).await;
    for (kind, to) in [(ForwardKind::Always, "1004"), (ForwardKind::NoAnswer, "1003")] {
        world.changed(&admin, Action::SetForwarding { kind, to: number(to) }).await;
    }
    world.changed(&world.demo("1002").await, Action::ToggleDnd).await;
    undone(&world, busy).await;
    let role = |role, extension: &str| Destructive::AssignRole { role, extension: ext(extension) };
    let Reply::Changed(technician) = world.confirm("1000", role(Role::SupportTechnician, "1003")).await else {
        panic!("not assigned")
    };
    world.confirm("1000", role(Role::SystemAdministrator, "1003")).await;
    world.confirm("1000", role(Role::SupportTechnician, "1002")).await;
    undone(&world, technician).await;
}

#[tokio::test]
async fn it_holds_for_every_kind_of_change() {
    let world = World::new().await;
    let admin = world.demo("1000").await;
    let e = || ext("1005");
    world.admin(Admin::AddHandset { mac: mac(1), name: String::new() }).await.unwrap();
    let one = RecordingNumber(1);
    world.changed(&admin, Action::KeepRecording { number: one, audio: tone(9) }).await;
    let mode = |mode| Action::SetMode { setting: ModeSetting::Fixed(mode), hours: None };
    let forward = |to: &str| Action::SetForwarding { kind: ForwardKind::Always, to: number(to) };
    for (there, back) in [
        (Action::AssignHandset { mac: mac(1), extension: e() }, Action::RemoveHandset { mac: mac(1), extension: e() }),
        (
            Action::RestoreRecording { number: one, to: RestoreTo::Factory },
            Action::KeepRecording { number: one, audio: tone(10) },
        ),
        (mode(Mode::Night), mode(Mode::Holiday)),
        (forward("1004"), forward("1003")),
    ] {
        let first = world.changed(&admin, there.clone()).await;
        world.changed(&admin, back).await;
        let last = world.changed(&admin, there.clone()).await;
        assert_eq!(undo(&world, first).await, since(), "{there:?}");
        undone(&world, last).await;
    }
    let (role, extension) = (Role::SupportTechnician, ext("1003"));
    let there = Destructive::AssignRole { role, extension: extension.clone() };
    let back = Destructive::RemoveRole { role, extension };
    let mut made = Vec::new();
    for what in [there.clone(), back, there] {
        let Reply::Changed(number) = world.confirm("1000", what).await else { panic!("unchanged") };
        made.push(number);
    }
    assert_eq!(undo(&world, made[0]).await, since());
    undone(&world, made[2]).await;
}

#[tokio::test]
async fn what_has_too_many_later_changes_is_not_undone() {
    let world = World::new().await;
    let made = world.changed(&world.demo("1005").await, Action::ToggleDnd).await;
    let server = world.demo("1000").await;
    world.changes_about(None, super::super::since::LATER_MAX).await;
    let check = || Action::Check(Destructive::Undo { number: made });
    assert!(matches!(world.ask(&server, check()).await, Reply::MayUndo(_)));
    world.changes_about(None, 1).await;
    assert_eq!(world.ask(&server, check()).await, refused(Refusal::CannotUndo));
}
