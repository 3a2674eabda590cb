//! What people set for themselves.

use super::*;
use crate::access::{ForwardKind, OwnAudio, Settings};
use crate::model::Language;

fn forward(kind: ForwardKind, to: &str) -> Action {
    Action::SetForwarding { kind, to: number(to) }
}

#[tokio::test]
async fn forwarding_is_set_read_and_turned_off() {
    let world = World::new().await;
    let actor = world.demo("1005").await;
    let (busy, always) = (ForwardKind::Busy, ForwardKind::Always);
    assert_eq!(world.ask(&actor, Action::ReadForwarding { kind: busy }).await, Reply::Forwarding { to: None });
    assert_eq!(world.ask(&actor, Action::ForwardingOff { kind: busy }).await, refused(Refusal::NothingThere));
    world.changed(&actor, forward(busy, "5551234")).await;
    assert_eq!(world.last_change().await, "20 forwarding.changed 1005 busy off busy 5551234");
    assert_eq!(world.ask(&actor, forward(busy, "5551234")).await, refused(Refusal::AlreadySo));
    let read = world.ask(&actor, Action::ReadForwarding { kind: busy }).await;
    assert_eq!(read, Reply::Forwarding { to: Some(number("5551234")) });
    world.changed(&actor, forward(always, "1006")).await;
    let row = world.store.forwarding(world.store.site(), &ext("1005")).await.unwrap();
    let (one, other) = (Some("1006".to_owned()), Some("5551234".to_owned()));
    assert_eq!(row, Forwarding { always: one, busy: other, no_answer: None });
    assert_eq!(world.user("1005").await.forwarding, row);
    world.changed(&actor, Action::ForwardingOff { kind: always }).await;
    assert_eq!(world.last_change().await, "22 forwarding.changed 1005 always 1006 always off");
}

#[tokio::test]
async fn the_toll_policy_holds_at_the_check_and_at_the_setting() {
    let world = World::new().await;
    let actor = world.demo("1005").await;
    for wrong in ["0049891234567", "01149", "19005551234", "7", "123456789012", "1005"] {
        let check = world.ask(&actor, Action::CheckForwardNumber { to: number(wrong) }).await;
        assert_eq!(check, refused(Refusal::ForwardNotAllowed), "{wrong}");
        assert_eq!(world.ask(&actor, forward(ForwardKind::Always, wrong)).await, check, "{wrong}");
        let (extension, kind, to) = (ext("1005"), ForwardKind::Always, number(wrong));
        let shell = world.admin(Admin::SetForwarding { extension, kind, to }).await;
        assert!(matches!(shell, Err(AdminError::ForwardNotAllowed { .. })), "{wrong}");
    }
    assert_eq!(world.ask(&actor, Action::CheckForwardNumber { to: number("5551234") }).await, Reply::Done);
    assert_eq!(world.count_changes().await, 19, "nothing was changed");
}

#[tokio::test]
async fn do_not_disturb_changes_over() {
    let world = World::new().await;
    let actor = world.demo("1005").await;
    let reply = world.ask(&actor, Action::ToggleDnd).await;
    assert_eq!(reply, Reply::Dnd { on: true, change: ChangeNumber(20) });
    assert!(world.user("1005").await.dnd);
    let reply = world.ask(&actor, Action::ToggleDnd).await;
    assert_eq!(reply, Reply::Dnd { on: false, change: ChangeNumber(21) });
    assert_eq!(world.last_change().await, "21 dnd.changed 1005 on off");
}

#[tokio::test]
async fn the_language_holds_from_the_next_login() {
    let world = World::new().await;
    let actor = world.demo("1005").await;
    assert_eq!(world.session("1005", "904826").await.language, None);
    world.changed(&actor, Action::SetLanguage { language: Language::German }).await;
    assert_eq!(world.last_change().await, "20 language.changed 1005 - de");
    assert_eq!(world.session("1005", "904826").await.language, Some(Language::German));
    let again = world.ask(&actor, Action::SetLanguage { language: Language::German }).await;
    assert_eq!(again, refused(Refusal::AlreadySo));
}

#[tokio::test]
async fn a_greeting_has_versions() {
    let world = World::new().await;
    let actor = world.demo("1005").await;
    let which = OwnAudio::Greeting;
    let listen = || Action::ListenOwn { which };
    let keep = |n| Action::KeepOwn { which, audio: tone(n) };
    assert_eq!(world.ask(&actor, listen()).await, Reply::Audio(None));
    assert_eq!(world.ask(&actor, Action::RemoveGreeting).await, refused(Refusal::NothingThere));
    assert_eq!(world.ask(&actor, Action::RestoreGreeting).await, refused(Refusal::NothingThere));
    let empty = Action::KeepOwn { which, audio: Audio([].into()) };
    assert_eq!(world.ask(&actor, empty).await, refused(Refusal::NothingThere));
    for n in 1..=3 {
        world.changed(&actor, keep(n)).await;
        assert_eq!(world.ask(&actor, listen()).await, Reply::Audio(Some(tone(n))));
    }
    assert_eq!(world.last_change().await, "22 greeting.changed 1005 version 2 version 3");
    world.changed(&actor, Action::RestoreGreeting).await;
    assert_eq!(world.last_change().await, "23 greeting.restored 1005 version 3 version 2");
    world.changed(&actor, Action::RestoreGreeting).await;
    assert_eq!(world.ask(&actor, listen()).await, Reply::Audio(Some(tone(1))));
    assert_eq!(world.ask(&actor, Action::RestoreGreeting).await, refused(Refusal::NothingThere));
    world.changed(&actor, Action::RemoveGreeting).await;
    assert_eq!(world.last_change().await, "25 greeting.removed 1005 version 1 -");
    assert_eq!(world.ask(&actor, listen()).await, Reply::Audio(None));
    world.changed(&actor, Action::RestoreGreeting).await;
    assert_eq!(world.ask(&actor, listen()).await, Reply::Audio(Some(tone(3))), "a removed greeting can be put back");
    for n in 4..=12 {
        world.changed(&actor, keep(n)).await;
    }
    let sql = "SELECT version FROM account_audio WHERE which = 'greeting' ORDER BY version";
    let kept: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&world.store.inner.reader).await.unwrap();
    assert_eq!(kept, [8, 9, 10, 11, 12], "old versions make room");
    for _ in 0..4 {
        world.changed(&actor, Action::RestoreGreeting).await;
    }
    for (n, left) in [(13, vec![8, 9, 10, 11, 12, 13]), (14, vec![10, 11, 12, 13, 14])] {
        world.changed(&actor, keep(n)).await;
        let kept: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&world.store.inner.reader).await.unwrap();
        assert_eq!(kept, left, "the one that was live until then stays");
    }
    let other = world.actor("1006", "618049").await;
    assert_eq!(world.ask(&other, listen()).await, Reply::Audio(None), "one's own only");
}

#[tokio::test]
async fn a_spoken_name_is_heard_at_login_and_by_others() {
    let world = World::new().await;
    let actor = world.demo("1005").await;
    assert_eq!(world.session("1005", "904826").await.spoken_name, None);
    world.changed(&actor, Action::KeepOwn { which: OwnAudio::Name, audio: tone(7) }).await;
    assert_eq!(world.session("1005", "904826").await.spoken_name, Some(tone(7)));
    let admin = world.demo("1002").await;
    let open = world.ask(&admin, Action::OpenUser { extension: ext("1005") }).await;
    assert_eq!(open, Reply::User { spoken_name: Some(tone(7)), enabled: true, locked: false });
    world.changed(&admin, Action::KeepUserName { extension: ext("1005"), audio: tone(8) }).await;
    assert_eq!(world.last_change().await, "21 name.changed 1005 version 1 version 2");
    assert_eq!(world.session("1005", "904826").await.spoken_name, Some(tone(8)));
}

#[tokio::test]
async fn all_settings_are_read_and_never_a_pin() {
    let world = World::new().await;
    let actor = world.demo("1005").await;
    let nothing = Settings {
        forwarding: [None, None, None],
        dnd: false,
        has_greeting: false,
        has_name: false,
        has_voicemail_pin: true,
        has_support_pin: false,
        language: None,
    };
    assert_eq!(world.ask(&actor, Action::ReadSettings).await, Reply::Settings(nothing));
    world.changed(&actor, forward(ForwardKind::NoAnswer, "1006")).await;
    world.changed(&actor, Action::ToggleDnd).await;
    world.changed(&actor, Action::KeepOwn { which: OwnAudio::Greeting, audio: tone(1) }).await;
    world.changed(&actor, Action::KeepOwn { which: OwnAudio::Name, audio: tone(2) }).await;
    world.changed(&actor, Action::SetOwnSupportPin { new: pin("736195") }).await;
    world.changed(&actor, Action::SetLanguage { language: Language::French }).await;
    let all = Settings {
        forwarding: [None, None, Some(number("1006"))],
        dnd: true,
        has_greeting: true,
        has_name: true,
        has_voicemail_pin: true,
        has_support_pin: true,
        language: Some(Language::French),
    };
    assert_eq!(world.ask(&actor, Action::ReadSettings).await, Reply::Settings(all));
}

#[tokio::test]
async fn a_support_pin_is_shown_under_lock_outs_of_its_own() {
    let mut world = World::new().await;
    let (owner, technician) = (world.demo("1005").await, world.demo("1004").await);
    let verify =
        |extension: &str, digits: &str| Action::VerifySupportPin { extension: ext(extension), pin: pin(digits) };
    let not = refused(Refusal::Unknown);
    assert_eq!(world.ask(&technician, verify("1005", "736195")).await, not, "there is none yet");
    assert_eq!(world.ask(&owner, Action::SetOwnSupportPin { new: pin("7361") }).await, refused(Refusal::PinTooShort));
    world.changed(&owner, Action::SetOwnSupportPin { new: pin("736195") }).await;
    assert_eq!(world.last_change().await, "20 support_pin.changed 1005 - -");
    assert_eq!(world.ask(&technician, verify("1005", "736195")).await, Reply::Done);
    assert_eq!(world.last_audit().await, "1004 support_pin.verified 1005 ok");
    assert_eq!(world.ask(&technician, verify("4711", "736195")).await, not);
    assert_eq!(world.last_audit().await, "1004 support_pin.verified unknown failed");
    for _ in 0..5 {
        assert_eq!(world.ask(&technician, verify("1005", "736196")).await, not);
    }
    assert_eq!(world.ask(&technician, verify("1005", "736195")).await, not, "locked");
    world.session("1005", "904826").await;
    world.now += 5 * MINUTE;
    assert_eq!(world.ask(&technician, verify("1005", "736195")).await, Reply::Done);
    world.admin(Admin::SetEnabled { extension: ext("1005"), enabled: false }).await.unwrap();
    assert_eq!(world.ask(&technician, verify("1005", "736195")).await, not, "disabled");
}
