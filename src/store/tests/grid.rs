use super::*;
use crate::access::{Destructive, ItemKind, RebootWhen, RestoreTo};

const ACCOUNTS: [(&str, &str); 6] = [
    ("1000", "61849273"),
    ("1001", "52961847"),
    ("1002", "83517294"),
    ("1003", "74926185"),
    ("1004", "29618374"),
    ("1005", "904826"),
];

fn every_action() -> Vec<Action> {
    let number = RecordingNumber(1);
    vec![
        Action::Login { extension: ext("1000"), pin: pin("61849273") },
        Action::ReplaceTemporaryPin { new: pin("72950384") },
        Action::SetOwnVoicemailPin { new: pin("12") },
        Action::SetOwnAccountPin { current: pin("0"), new: pin("72950384") },
        Action::List { kind: ItemKind::Recording },
        Action::OpenRecording { number },
        Action::ListenRecording { number },
        Action::KeepRecording { number, audio: tone(9) },
        Action::RestoreRecording { number, to: RestoreTo::Factory },
        Action::WhoChangedRecording { number },
        Action::SaveDraft { number, audio: tone(8) },
        Action::DiscardDraft { number },
        Action::OpenUser { extension: ext("1006") },
        Action::ResetVoicemailPin { extension: ext("1006") },
        Action::AskReboot,
        Action::Confirm(Destructive::Reboot { when: RebootWhen::Idle }, pin("0")),
        Action::CancelReboot,
        Action::NoteDenied { function: "roles" },
        Action::NewsHeard,
    ]
}

#[tokio::test]
async fn each_role_and_each_action() {
    let world = World::new().await;
    let mut actors = Vec::new();
    for (extension, digits) in ACCOUNTS {
        actors.push(world.actor(extension, digits).await);
    }
    actors.push(Actor::Shell);
    actors.push(Actor::Caller);
    let mut grid = String::new();
    for action in every_action() {
        grid.push_str(&format!("{:<27}", action.name()));
        for actor in &actors {
            let denied = world.ask(actor, action.clone()).await == refused(Refusal::NotAllowed);
            grid.push(if denied { '.' } else { 'x' });
        }
        grid.push('\n');
    }
    // Server, System, Phone, Network Administrator, Support Technician, no role, the shell, not logged in.
    let expected = "\
login                      .......x
account_pin.changed        ........
voicemail_pin.changed      xxxxxx..
account_pin.changed        xxxxxx..
recording.list             xxx...x.
recording.open             xxx...x.
recording.listen           xxx...x.
recording.changed          xxx...x.
recording.restored         xxx...x.
recording.who              xxx...x.
recording.draft_saved      xxx.....
recording.draft_discarded  xxx.....
user.open                  xxx...x.
voicemail_pin.reset        xxx...x.
reboot.ask                 xx..x.x.
reboot.requested           xx..x...
reboot.cancelled           xx..x.x.
menu.denied                xxxxxxx.
news.heard                 xxxxxx..
";
    assert_eq!(grid, expected);
}

#[tokio::test]
async fn nobody_resets_the_pin_of_someone_who_may_more() {
    let world = World::new().await;
    let mut grid = String::new();
    for (extension, digits) in &ACCOUNTS[..3] {
        let actor = world.actor(extension, digits).await;
        for (other, _) in ACCOUNTS {
            let reply = world.ask(&actor, Action::ResetVoicemailPin { extension: ext(other) }).await;
            grid.push(match reply {
                Reply::TemporaryPin { .. } => 'x',
                Reply::Refused(Refusal::NotAllowedForThisAccount) => '.',
                other => panic!("{other:?}"),
            });
        }
        grid.push('\n');
    }
    assert_eq!(grid, "xxxxxx\n.xxxxx\n..x..x\n");
    assert_eq!(world.last_audit().await, "1002 voicemail_pin.reset 1005 ok");
    let actor = world.actor("1002", "83517294").await;
    world.ask(&actor, Action::ResetVoicemailPin { extension: ext("1004") }).await;
    assert_eq!(world.last_audit().await, "1002 voicemail_pin.reset 1004 denied");
}

#[tokio::test]
async fn a_right_taken_away_is_gone_at_once_and_one_given_comes_with_the_next_login() {
    let world = World::new().await;
    let actor = world.actor("1002", "83517294").await;
    assert!(matches!(world.ask(&actor, Action::List { kind: ItemKind::Recording }).await, Reply::Numbers(_)));
    let role = Role::PhoneAdministrator;
    world.admin(Admin::RemoveRole { role, extension: ext("1002") }).await.unwrap();
    assert_eq!(world.ask(&actor, Action::List { kind: ItemKind::Recording }).await, refused(Refusal::NoLongerAllowed));
    assert_eq!(world.last_audit().await, "1002 recording.list - denied");
    assert_eq!(world.ask(&actor, Action::AskReboot).await, refused(Refusal::NotAllowed));

    let role = Role::SupportTechnician;
    world.admin(Admin::AssignRole { role, extension: ext("1002") }).await.unwrap();
    assert_eq!(world.ask(&actor, Action::AskReboot).await, refused(Refusal::NotAllowed));
    let actor = world.actor("1002", "83517294").await;
    let expected = Reply::RebootState { other_calls: 3, waiting: false };
    assert_eq!(world.ask(&actor, Action::AskReboot).await, expected);
}

#[tokio::test]
async fn a_disabled_or_deleted_account_may_nothing_more() {
    let world = World::new().await;
    let actor = world.actor("1001", "52961847").await;
    world.admin(Admin::SetEnabled { extension: ext("1001"), enabled: false }).await.unwrap();
    assert_eq!(world.ask(&actor, Action::List { kind: ItemKind::Recording }).await, refused(Refusal::NoLongerAllowed));
    world.admin(Admin::DeleteUser { extension: ext("1001") }).await.unwrap();
    let add = Admin::AddUser { extension: ext("1001"), name: String::new(), username: None, roles: vec![], pin: None };
    world.admin(add).await.unwrap();
    let new = Action::SetOwnVoicemailPin { new: pin("730185") };
    assert_eq!(world.ask(&actor, new).await, refused(Refusal::NoLongerAllowed), "the new 1001 is somebody else");
}

#[tokio::test]
async fn a_key_that_is_not_theirs_is_noted() {
    let world = World::new().await;
    let actor = world.actor("1005", "904826").await;
    assert_eq!(world.ask(&actor, Action::NoteDenied { function: "main-roles" }).await, Reply::Done);
    assert_eq!(world.last_audit().await, "1005 menu.denied main-roles denied");
}
