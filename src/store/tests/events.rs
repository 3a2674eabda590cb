//! What the hooks are told.

use serde_json::Value;

use super::*;
use crate::access::{ForwardKind, OwnAudio};
use crate::model::Language;

/// All events since the demo was made, as `event target data`.
async fn events(world: &World) -> Vec<String> {
    let sql = "SELECT payload FROM intents WHERE kind = 'hook' ORDER BY id";
    let payloads: Vec<String> = sqlx::query_scalar(sql).fetch_all(&world.store.inner.reader).await.unwrap();
    let told = |text: &String| {
        let event: Value = serde_json::from_str(text).unwrap();
        assert!(event["at"].is_string() && event["change"].is_i64(), "{text}");
        assert!(
            event["account"] == "cli" || event["account"].as_str().is_some_and(|who| who.starts_with('1')),
            "{text}"
        );
        let word = |key: &str| event[key].as_str().unwrap().to_owned();
        format!("{} {} {}", word("event"), word("target"), event["data"])
    };
    payloads.iter().map(told).collect()
}

#[tokio::test]
async fn the_hooks_are_told_of_every_change_to_people() {
    let world = World::with(|options| options.hooks[0].on = vec!["*".into()]).await;
    let seeded = events(&world).await.len();
    let (admin, user) = (world.demo("1002").await, world.demo("1005").await);
    world.admin(Admin::AddHandset { mac: mac(1), name: "desk".into() }).await.unwrap();
    let e = || ext("1005");
    for action in [
        Action::SetForwarding { kind: ForwardKind::NoAnswer, to: number("5551234") },
        Action::ToggleDnd,
        Action::KeepOwn { which: OwnAudio::Greeting, audio: tone(1) },
        Action::RemoveGreeting,
        Action::RestoreGreeting,
        Action::KeepOwn { which: OwnAudio::Name, audio: tone(2) },
        Action::SetLanguage { language: Language::French },
        Action::SetOwnVoicemailPin { new: pin("736195") },
        Action::SetOwnSupportPin { new: pin("736195") },
        Action::SetOwnAccountPin { current: pin("904826"), new: pin("736195") },
    ] {
        world.changed(&user, action).await;
    }
    for action in [
        Action::UserForwardingOff { extension: e() },
        Action::AssignHandset { mac: mac(1), extension: e() },
        Action::RemoveHandset { mac: mac(1), extension: e() },
        Action::UnlockUser { extension: e() },
        Action::SetUserEnabled { extension: e(), enabled: false },
        Action::SetUserEnabled { extension: e(), enabled: true },
        Action::ResetAccountPin { extension: e() },
        Action::AddUser { extension: ext("1042") },
    ] {
        world.changed(&admin, action).await;
    }
    let (role, extension) = (Role::SupportTechnician, ext("1003"));
    world.confirm("1000", Destructive::AssignRole { role, extension: extension.clone() }).await;
    world.confirm("1000", Destructive::RemoveRole { role, extension }).await;
    world.confirm("1002", Destructive::DeleteUser { extension: ext("1042") }).await;
    let expected = r#"
handset.added 00:04:f2:12:ab:01 {"extension":null,"mac":"00:04:f2:12:ab:01","site":null}
forwarding.changed 1005 {"kind":"no-answer","site":"main","to":"5551234"}
dnd.changed 1005 {"on":true,"site":"main"}
greeting.changed 1005 {"action":"greeting.changed","site":"main","version":1}
greeting.changed 1005 {"action":"greeting.removed","site":"main","version":null}
greeting.changed 1005 {"action":"greeting.restored","site":"main","version":1}
name.changed 1005 {"action":"name.changed","site":"main","version":1}
language.changed 1005 {"language":"fr","site":"main"}
voicemail_pin.changed 1005 {"site":"main","temporary":false}
support_pin.changed 1005 {"site":"main","temporary":false}
account_pin.changed 1005 {"site":"main","temporary":false}
forwarding.changed 1005 {"kind":"no-answer","site":"main","to":null}
handset.assigned 00:04:f2:12:ab:01 {"extension":"1005","mac":"00:04:f2:12:ab:01","site":"main"}
handset.removed 00:04:f2:12:ab:01 {"extension":"1005","mac":"00:04:f2:12:ab:01","site":"main"}
user.unlocked 1005 {"site":"main"}
user.disabled 1005 {"site":"main"}
user.enabled 1005 {"site":"main"}
account_pin.changed 1005 {"site":"main","temporary":true}
user.added 1042 {"name":"","roles":[],"site":"main","username":"1042@main"}
role.assigned 1003 {"role":"support-technician","site":"main"}
role.removed 1003 {"role":"support-technician","site":"main"}
user.deleted 1042 {"groups":[],"handsets":[],"site":"main","username":"1042@main"}
"#;
    assert_eq!(events(&world).await[seeded..].join("\n"), expected.trim());
}

#[tokio::test]
async fn several_kinds_of_forwarding_are_an_event_each_of_one_change() {
    let world = World::with(|options| options.hooks[0].on = vec!["forwarding.*".into()]).await;
    let extension = || ext("1005");
    for (kind, to) in [(ForwardKind::Always, "1006"), (ForwardKind::Busy, "1004")] {
        world.admin(Admin::SetForwarding { extension: extension(), kind, to: number(to) }).await.unwrap();
    }
    let off = Admin::ForwardingOff { extension: extension(), kinds: ForwardKind::ALL.into() };
    world.admin(off.clone()).await.unwrap();
    let last: Vec<String> = events(&world).await.split_off(2);
    let event = |kind: &str| format!(r#"forwarding.changed 1005 {{"kind":"{kind}","site":"main","to":null}}"#);
    assert_eq!(last, [event("always"), event("busy")]);
    assert_eq!(world.admin(off).await.unwrap(), AdminReply::Unchanged);
}

#[tokio::test]
async fn a_check_tells_nobody() {
    let world = World::with(|options| options.hooks[0].on = vec!["*".into()]).await;
    let before = events(&world).await.len();
    let admin = world.demo("1002").await;
    let check = Action::Check(Destructive::DeleteUser { extension: ext("1005") });
    assert!(matches!(world.ask(&admin, check).await, Reply::MayChange(_)));
    assert_eq!(events(&world).await.len(), before);
}
