//! Where what is destructive needs an encrypted call.

use super::*;
use crate::access::{RebootWhen, TrunkKind};
use crate::model::{CallId, ItemNumber};

fn deeds() -> Vec<Destructive> {
    let (role, extension) = (Role::SupportTechnician, ext("1005"));
    vec![
        Destructive::Reboot { when: RebootWhen::Now },
        Destructive::DeleteUser { extension: extension.clone() },
        Destructive::DisableTrunk { kind: TrunkKind::Line, number: ItemNumber(1) },
        Destructive::AssignRole { role, extension: extension.clone() },
        Destructive::RemoveRole { role, extension },
        Destructive::Undo { number: ChangeNumber(1) },
    ]
}

#[tokio::test]
async fn a_call_that_can_be_listened_to_does_nothing_destructive_and_each_try_is_in_the_audit_trail() {
    let world = World::with(|options| options.destructive_needs_encryption = true).await;
    let actor = world.demo("1000").await;
    let open = Context { call: Some(CallId(1)), ..world.ctx() };
    let changes = world.count_changes().await;
    for what in deeds() {
        for action in [Action::Check(what.clone()), Action::Confirm(what.clone(), pin("61849273"))] {
            let name = action.name();
            assert_eq!(world.store.apply(&open, &actor, action).await, refused(Refusal::NotEncrypted), "{what:?}");
            let last = world.last_audit().await;
            assert!(last.starts_with(&format!("1000 {name} ")) && last.ends_with(" denied"), "{last}");
        }
    }
    assert_eq!(world.count_changes().await, changes);
    let other = Action::SetForwarding { kind: crate::access::ForwardKind::Busy, to: number("1001") };
    assert!(matches!(world.store.apply(&open, &actor, other).await, Reply::Changed(_)), "all else goes on");
}

#[tokio::test]
async fn an_encrypted_call_and_the_shell_may() {
    let world = World::with(|options| options.destructive_needs_encryption = true).await;
    let actor = world.demo("1000").await;
    let assign = Destructive::AssignRole { role: Role::SupportTechnician, extension: ext("1006") };
    let private = Context { call: Some(CallId(1)), is_private: true, ..world.ctx() };
    for who in [private, world.cli()] {
        let reply = world.store.apply(&who, &actor, Action::Check(assign.clone())).await;
        assert!(matches!(reply, Reply::MayChange(_) | Reply::Refused(Refusal::PinTooShortForRole)), "{reply:?}");
    }
}

#[tokio::test]
async fn without_the_setting_every_call_may() {
    let world = World::new().await;
    let actor = world.demo("1000").await;
    let open = Context { call: Some(CallId(1)), ..world.ctx() };
    let reboot = Action::Check(Destructive::Reboot { when: RebootWhen::Now });
    assert!(matches!(world.store.apply(&open, &actor, reboot).await, Reply::RebootState { .. }));
}
