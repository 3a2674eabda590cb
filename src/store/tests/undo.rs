//! Putting back what a change had changed.

use super::*;
use crate::access::{ForwardKind, OwnAudio, RestoreTo};
use crate::model::Language;

fn undo(number: ChangeNumber) -> Destructive {
    Destructive::Undo { number }
}

/// Does it as `extension`, undoes it, and says what the undo's change is: `action target before after`.
async fn done_and_undone(world: &World, extension: &str, action: Action) -> String {
    let made = world.changed(&world.demo(extension).await, action.clone()).await;
    undone(world, extension, made).await
}

async fn undone(world: &World, extension: &str, made: ChangeNumber) -> String {
    let check = world.ask(&world.demo(extension).await, Action::Check(undo(made))).await;
    assert!(matches!(&check, Reply::MayUndo(told) if told.number == made), "{check:?}");
    let reply = world.confirm(extension, undo(made)).await;
    let Reply::Changed(back) = reply else { panic!("{reply:?}") };
    let rows = world.store.changes(None, None).await.unwrap();
    let row = |number: ChangeNumber| rows.iter().find(|row| row.number == number.0).unwrap();
    assert_eq!(row(made).undone_by, Some(back.0));
    let expected = format!("{extension} change.undone {} ok", made.0);
    assert_eq!(world.last_audit().await, expected);
    let last = world.last_change().await;
    let (number, told) = last.split_once(' ').unwrap();
    assert_eq!(number, back.0.to_string());
    told.to_owned()
}

#[tokio::test]
async fn each_kind_of_own_setting_is_put_back() {
    let world = World::new().await;
    let (greeting, name) = (OwnAudio::Greeting, OwnAudio::Name);
    let set = |to: &str| Action::SetForwarding { kind: ForwardKind::Busy, to: number(to) };
    let back = done_and_undone(&world, "1002", set("1006")).await;
    assert_eq!(back, "forwarding.changed 1002 busy 1006 busy off");
    world.changed(&world.demo("1002").await, set("1006")).await;
    let back = done_and_undone(&world, "1002", set("5551234")).await;
    assert_eq!(back, "forwarding.changed 1002 busy 5551234 busy 1006");
    let back = done_and_undone(&world, "1002", Action::ForwardingOff { kind: ForwardKind::Busy }).await;
    assert_eq!(back, "forwarding.changed 1002 busy off busy 1006");
    assert_eq!(done_and_undone(&world, "1002", Action::ToggleDnd).await, "dnd.changed 1002 on off");
    let spanish = Action::SetLanguage { language: Language::Spanish };
    assert_eq!(done_and_undone(&world, "1002", spanish).await, "language.changed 1002 es -");
    let keep = |which, n| Action::KeepOwn { which, audio: tone(n) };
    assert_eq!(done_and_undone(&world, "1002", keep(greeting, 1)).await, "greeting.removed 1002 version 1 -");
    world.changed(&world.demo("1002").await, keep(greeting, 2)).await;
    let back = done_and_undone(&world, "1002", keep(greeting, 3)).await;
    assert_eq!(back, "greeting.restored 1002 version 3 version 2");
    let back = done_and_undone(&world, "1002", Action::RestoreGreeting).await;
    assert_eq!(back, "greeting.restored 1002 version 1 version 2");
    let back = done_and_undone(&world, "1002", Action::RemoveGreeting).await;
    assert_eq!(back, "greeting.restored 1002 - version 2");
    let listen = world.ask(&world.demo("1002").await, Action::ListenOwn { which: greeting }).await;
    assert_eq!(listen, Reply::Audio(Some(tone(2))));
    assert_eq!(done_and_undone(&world, "1002", keep(name, 1)).await, "name.changed 1002 version 1 -");
    assert_eq!(world.session("1002", "83517294").await.spoken_name, None);
}

#[tokio::test]
async fn each_kind_of_change_to_others_is_put_back() {
    let world = World::new().await;
    let e = || ext("1005");
    let recording = RecordingNumber(1);
    let keep = Action::KeepRecording { number: recording, audio: tone(50) };
    assert_eq!(done_and_undone(&world, "1002", keep.clone()).await, "recording.restored 1 version 2 version 1");
    assert_eq!(world.store.recording_audio(recording, None).await.unwrap(), Some(tone(1)));
    world.changed(&world.demo("1002").await, keep).await;
    let factory = Action::RestoreRecording { number: recording, to: RestoreTo::Factory };
    assert_eq!(done_and_undone(&world, "1002", factory).await, "recording.restored 1 version 1 version 3");

    let disable = Action::SetUserEnabled { extension: e(), enabled: false };
    assert_eq!(done_and_undone(&world, "1002", disable).await, "user.enabled 1005 disabled enabled");
    world.admin(Admin::SetEnabled { extension: e(), enabled: false }).await.unwrap();
    let enable = Action::SetUserEnabled { extension: e(), enabled: true };
    assert_eq!(done_and_undone(&world, "1002", enable).await, "user.disabled 1005 enabled disabled");
    let name = Action::KeepUserName { extension: e(), audio: tone(3) };
    assert_eq!(done_and_undone(&world, "1002", name).await, "name.changed 1005 version 1 -");

    world.admin(Admin::AddHandset { mac: mac(1), name: String::new() }).await.unwrap();
    let assign = Action::AssignHandset { mac: mac(1), extension: e() };
    let back = done_and_undone(&world, "1002", assign.clone()).await;
    assert_eq!(back, "handset.removed 00:04:f2:12:ab:01 1005 -");
    world.changed(&world.demo("1002").await, assign).await;
    let remove = Action::RemoveHandset { mac: mac(1), extension: e() };
    let back = done_and_undone(&world, "1002", remove).await;
    assert_eq!(back, "handset.assigned 00:04:f2:12:ab:01 - 1005");

    for (kind, to) in [(ForwardKind::Always, "1006"), (ForwardKind::Busy, "1004")] {
        world.admin(Admin::SetForwarding { extension: e(), kind, to: number(to) }).await.unwrap();
    }
    let back = done_and_undone(&world, "1002", Action::UserForwardingOff { extension: e() }).await;
    assert_eq!(back, "forwarding.changed 1005 always off, busy off always 1006, busy 1004");

    let role = Role::SupportTechnician;
    let assign = Destructive::AssignRole { role, extension: ext("1003") };
    let Reply::Changed(made) = world.confirm("1000", assign).await else { panic!("not assigned") };
    assert_eq!(undone(&world, "1000", made).await, "role.removed 1003 support-technician -");
    let remove = Destructive::RemoveRole { role, extension: ext("1004") };
    let Reply::Changed(made) = world.confirm("1000", remove).await else { panic!("not removed") };
    assert_eq!(undone(&world, "1000", made).await, "role.assigned 1004 - support-technician");
}

#[tokio::test]
async fn an_undo_is_undone_and_nothing_twice() {
    let world = World::new().await;
    let actor = world.demo("1002").await;
    let made = world.changed(&actor, Action::ToggleDnd).await;
    let Reply::Changed(back) = world.confirm("1002", undo(made)).await else { panic!("not undone") };
    assert_eq!(world.ask(&actor, Action::Check(undo(made))).await, refused(Refusal::AlreadyUndone));
    assert_eq!(world.confirm("1002", undo(made)).await, refused(Refusal::AlreadyUndone));
    assert!(!world.user("1002").await.dnd);
    let Reply::Changed(_) = world.confirm("1002", undo(back)).await else { panic!("not undone") };
    assert!(world.user("1002").await.dnd);
    assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
}

#[tokio::test]
async fn a_wrong_pin_undoes_nothing() {
    let world = World::new().await;
    let actor = world.demo("1002").await;
    let made = world.changed(&actor, Action::ToggleDnd).await;
    let wrong = world.ask(&actor, Action::Confirm(undo(made), pin("11"))).await;
    assert_eq!(wrong, refused(Refusal::PinWrong));
    assert_eq!(world.last_audit().await, format!("1002 change.undone {} failed", made.0));
    assert!(world.user("1002").await.dnd);
}

#[tokio::test]
async fn what_has_no_way_back_says_so() {
    let world = World::new().await;
    let admin = world.demo("1000").await;
    let new = Action::SetOwnVoicemailPin { new: pin("730186") };
    let mut numbers = vec![world.changed(&admin, new).await];
    for action in [
        Action::ResetVoicemailPin { extension: ext("1005") },
        Action::ResetAccountPin { extension: ext("1006") },
        Action::UnlockUser { extension: ext("1005") },
        Action::AddUser { extension: ext("1042") },
        Action::SetOwnSupportPin { new: pin("736195") },
    ] {
        numbers.push(world.changed(&admin, action).await);
    }
    for what in [
        Destructive::DeleteUser { extension: ext("1042") },
        Destructive::Reboot { when: crate::access::RebootWhen::Idle },
    ] {
        match world.confirm("1000", what).await {
            Reply::Changed(number) | Reply::RebootRequested { change: number, .. } => numbers.push(number),
            other => panic!("{other:?}"),
        }
    }
    numbers.push(world.changed(&admin, Action::CancelReboot).await);
    for number in numbers {
        let reply = world.ask(&admin, Action::Check(undo(number))).await;
        assert_eq!(reply, refused(Refusal::CannotUndo), "{number:?}");
        assert!(matches!(world.admin(Admin::Undo { number }).await, Err(AdminError::CannotUndo(_))), "{number:?}");
    }
    let first = Admin::AddRecording { number: RecordingNumber(9), name: "lunch".into(), audio: None };
    world.admin(first).await.unwrap();
    let kept = world.changed(&admin, Action::KeepRecording { number: RecordingNumber(9), audio: tone(1) }).await;
    let reply = world.ask(&admin, Action::Check(undo(kept))).await;
    assert_eq!(reply, refused(Refusal::CannotUndo), "there was nothing before");
}

#[tokio::test]
async fn what_was_changed_again_stays() {
    let world = World::new().await;
    let admin = world.demo("1002").await;
    let recording = RecordingNumber(1);
    let keep = |n| Action::KeepRecording { number: recording, audio: tone(n) };
    let first = world.changed(&admin, keep(50)).await;
    world.changed(&admin, keep(51)).await;
    let since = refused(Refusal::ChangedSince);
    assert_eq!(world.ask(&admin, Action::Check(undo(first))).await, since);
    assert_eq!(world.confirm("1002", undo(first)).await, since);
    assert_eq!(world.store.recording_audio(recording, None).await.unwrap(), Some(tone(51)));
    let first = world.changed(&admin, Action::ToggleDnd).await;
    let second = world.changed(&admin, Action::ToggleDnd).await;
    assert_eq!(world.ask(&admin, Action::Check(undo(first))).await, since);
    assert!(matches!(world.ask(&admin, Action::Check(undo(second))).await, Reply::MayUndo(_)));
    let disabled = world.changed(&admin, Action::SetUserEnabled { extension: ext("1005"), enabled: false }).await;
    world.admin(Admin::DeleteUser { extension: ext("1005") }).await.unwrap();
    world.ask(&admin, Action::AddUser { extension: ext("1005") }).await;
    let reply = world.ask(&admin, Action::Check(undo(disabled))).await;
    assert_eq!(reply, since, "the new 1005 is somebody else");
}

#[tokio::test]
async fn callers_undo_only_what_they_hear_of_and_may_do() {
    let world = World::new().await;
    let (server, phone, technician) = (world.demo("1000").await, world.demo("1002").await, world.demo("1004").await);
    let check = |number| Action::Check(undo(number));
    let mine = world.changed(&phone, Action::ToggleDnd).await;
    assert_eq!(world.ask(&technician, check(mine)).await, refused(Refusal::Unknown));
    assert_eq!(world.ask(&server, check(ChangeNumber(4711))).await, refused(Refusal::Unknown));
    assert!(matches!(world.ask(&server, check(mine)).await, Reply::MayUndo(_)), "all are heard of");
    assert_eq!(world.ask(&world.demo("1005").await, check(mine)).await, refused(Refusal::NotAllowed));

    let system = world.demo("1001").await;
    let above = world.changed(&server, Action::ToggleDnd).await;
    assert_eq!(world.ask(&system, check(above)).await, refused(Refusal::NotAllowedForThisAccount));
    assert_eq!(world.last_audit().await, format!("1001 change.undone {} denied", above.0));
    let assign = Destructive::AssignRole { role: Role::SupportTechnician, extension: ext("1003") };
    let Reply::Changed(role) = world.confirm("1000", assign).await else { panic!("not assigned") };
    assert_eq!(world.ask(&system, check(role)).await, refused(Refusal::NotAllowed), "roles need roles.assign");

    let kept = Action::KeepRecording { number: RecordingNumber(1), audio: tone(9) };
    let kept = world.changed(&phone, kept).await;
    world.admin(Admin::AssignRole { role: Role::NetworkAdministrator, extension: ext("1002") }).await.unwrap();
    let phone = world.demo("1002").await;
    world.admin(Admin::RemoveRole { role: Role::PhoneAdministrator, extension: ext("1002") }).await.unwrap();
    assert_eq!(world.ask(&phone, check(kept)).await, refused(Refusal::NoLongerAllowed));
    let phone = world.demo("1002").await;
    assert_eq!(world.ask(&phone, check(kept)).await, refused(Refusal::NotAllowed));
    assert!(matches!(world.ask(&phone, check(mine)).await, Reply::MayUndo(_)), "one's own settings are");
}

#[tokio::test]
async fn an_undo_keeps_the_rules_of_its_deed() {
    let mut world = World::new().await;
    let role = Role::ServerAdministrator;
    let assign = |extension: &str| Destructive::AssignRole { role, extension: ext(extension) };
    let Reply::Changed(made) = world.confirm("1000", assign("1001")).await else { panic!("not assigned") };
    world.admin(Admin::SetEnabled { extension: ext("1000"), enabled: false }).await.unwrap();
    let second = world.demo("1001").await;
    assert_eq!(world.ask(&second, Action::Check(undo(made))).await, refused(Refusal::LastServerAdministrator));
    let error = world.admin(Admin::Undo { number: made }).await.err().unwrap();
    let told = format!("change {} is not undone: it would take away the last enabled Server Administrator", made.0);
    assert!(error.to_string().starts_with(&told), "{error}");

    let set = Action::SetForwarding { kind: ForwardKind::Busy, to: number("5551234") };
    world.changed(&second, set).await;
    let off = world.changed(&second, Action::ForwardingOff { kind: ForwardKind::Busy }).await;
    let stricter = StoreOptions {
        toll: TollPolicy { allowed: vec!["1...".parse().unwrap()], denied: vec![] },
        ..world.store.options().clone()
    };
    world.store = Store::open(stricter).await.unwrap();
    assert_eq!(world.ask(&second, Action::Check(undo(off))).await, refused(Refusal::ForwardNotAllowed));

    let enabled = world.changed(&second, Action::SetUserEnabled { extension: ext("1000"), enabled: true }).await;
    let first = world.demo("1000").await;
    assert_eq!(world.ask(&first, Action::Check(undo(enabled))).await, refused(Refusal::NotYourself));
}

#[tokio::test]
async fn the_shell_undoes_by_number() {
    let world = World::new().await;
    let actor = world.demo("1005").await;
    let number = world.changed(&actor, Action::ToggleDnd).await;
    assert_eq!(world.admin(Admin::Undo { number }).await.unwrap(), AdminReply::Changed(ChangeNumber(21)));
    assert_eq!(world.last_change().await, "21 dnd.changed 1005 on off");
    assert_eq!(world.last_audit().await, "cli change.undone 20 ok");
    let again = world.admin(Admin::Undo { number }).await.err().unwrap();
    assert_eq!(again.to_string(), "change 20 was undone already");
    let none = world.admin(Admin::Undo { number: ChangeNumber(4711) }).await.err().unwrap();
    assert!(none.to_string().starts_with("there is no change 4711: see"), "{none}");
}
