use super::*;
use crate::access::{Destructive, ItemKind, News, RebootWhen};
use crate::store::login::{Found, Shown};
use crate::store::sources::Asker;

const FAILED: Reply = Reply::Refused(Refusal::LoginFailed);

#[tokio::test]
async fn a_login_gives_the_session() {
    let world = World::new().await;
    let session = world.session("1004", "29618374").await;
    assert_eq!(session.extension, ext("1004"));
    assert_eq!(session.granted, Permissions::of(&[Role::SupportTechnician]));
    assert!(session.has_role && !session.must_change_pin && session.news.is_empty());
    assert_eq!(world.last_audit().await, "1004 login 1004 ok");
    assert!(!world.session("1005", "904826").await.has_role);
}

#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same() {
    let world = World::new().await;
    world.admin(Admin::SetEnabled { extension: ext("1006"), enabled: false }).await.unwrap();
    for (extension, digits, target) in [
        ("1004", "29618375", "1004"),
        ("1004", "", "1004"),
        ("1006", "618049", "1006"),
        ("29618374", "1004", "unknown"),
    ] {
        assert_eq!(world.try_login(extension, digits).await, FAILED, "{extension}");
        assert_eq!(world.last_audit().await, format!("- login {target} failed"));
    }
}

#[tokio::test]
async fn five_failures_lock_for_five_minutes_even_with_the_right_pin() {
    let mut world = World::new().await;
    for _ in 0..5 {
        assert_eq!(world.try_login("1004", "29618375").await, FAILED);
    }
    assert_eq!(world.try_login("1004", "29618374").await, FAILED, "locked");
    let user = world.store.user(world.store.site(), &ext("1004"), Wall(world.now)).await.unwrap();
    assert!(user.locked);
    assert_eq!(user.locked_until.as_deref(), Some("2026-01-31T08:20:00.000Z"));
    world.now += 5 * MINUTE;
    world.session("1004", "29618374").await;
    let user = world.store.user(world.store.site(), &ext("1004"), Wall(world.now)).await.unwrap();
    assert_eq!(user.locked_until, None);
}

#[tokio::test]
async fn twenty_failures_lock_until_someone_unlocks() {
    let mut world = World::new().await;
    for _ in 0..20 {
        world.try_login("1004", "29618375").await;
        world.now += 2 * HOUR;
    }
    world.now += 1000 * HOUR;
    assert_eq!(world.try_login("1004", "29618374").await, FAILED);
    world.admin(Admin::Unlock { extension: ext("1004") }).await.unwrap();
    world.session("1004", "29618374").await;
}

#[tokio::test]
async fn guesses_at_the_same_time_are_counted_one_by_one() {
    let world = World::new().await;
    let mut guesses = Vec::new();
    for n in 0..40 {
        let (store, ctx) = (world.store.clone(), world.ctx());
        let digits = if n == 39 { "29618374".to_owned() } else { format!("296183{n:02}") };
        let action = Action::Login { extension: ext("1004"), pin: pin(&digits) };
        guesses.push(tokio::spawn(async move { store.apply(&ctx, &Actor::Caller, action).await }));
    }
    for guess in guesses {
        guess.await.unwrap();
    }
    assert_eq!(world.try_login("1004", "29618374").await, FAILED, "locked, however many came at once");
    let (failed, locked): (i64, i64) =
        sqlx::query_as("SELECT failures, locks FROM lockouts").fetch_one(&world.store.inner.reader).await.unwrap();
    assert_eq!((failed, locked), (5, 1));
}

/// A thief who is logged in with a PIN that was reset is logged in no more, not even when the owner has a new one; and one
/// who waits to set a new one needs the PIN of the last reset.
#[tokio::test]
async fn a_session_is_over_when_somebody_else_sets_the_pin() {
    let world = World::new().await;
    let list = Action::List { kind: ItemKind::Recording };
    let set = |digits: &str, temporary| Admin::SetPin { extension: ext("1002"), pin: pin(digits), temporary };
    let thief = world.actor("1002", "83517294").await;
    assert!(matches!(world.ask(&thief, list.clone()).await, Reply::Numbers(_)));
    world.admin(set("29461837", true)).await.unwrap();
    assert_eq!(world.ask(&thief, list.clone()).await, refused(Refusal::NoLongerAllowed));
    let replace = |digits| Action::ReplaceTemporaryPin { new: pin(digits) };
    assert_eq!(world.ask(&thief, replace("73928164")).await, refused(Refusal::NoLongerAllowed));

    let waiting = world.actor("1002", "29461837").await;
    world.admin(set("64829173", true)).await.unwrap();
    assert_eq!(world.ask(&waiting, replace("73928164")).await, refused(Refusal::NoLongerAllowed));
    let owner = world.actor("1002", "64829173").await;
    assert!(matches!(world.ask(&owner, replace("73928164")).await, Reply::Changed(_)));
    assert!(matches!(world.ask(&owner, list.clone()).await, Reply::Numbers(_)), "one's own change ends nothing");
    assert_eq!(world.ask(&thief, list).await, refused(Refusal::NoLongerAllowed));
}

#[tokio::test]
async fn a_temporary_pin_is_changed_before_anything_else() {
    let mut world = World::new().await;
    let set = Admin::SetPin { extension: ext("1002"), pin: pin("29461837"), temporary: true };
    world.admin(set.clone()).await.unwrap();
    let session = world.session("1002", "29461837").await;
    assert!(session.must_change_pin);
    let actor = Actor::Account { id: session.id, granted: session.granted, pin_resets: session.pin_resets };
    assert_eq!(world.ask(&actor, Action::List { kind: ItemKind::Recording }).await, refused(Refusal::NotAllowed));
    let replace = |digits| Action::ReplaceTemporaryPin { new: pin(digits) };
    assert_eq!(world.ask(&actor, replace("29461837")).await, refused(Refusal::PinUsedBefore));
    assert_eq!(world.ask(&actor, replace("294618")).await, refused(Refusal::PinTooShort));
    assert_eq!(world.ask(&actor, replace("11111111")).await, refused(Refusal::PinTooSimple));
    assert!(matches!(world.ask(&actor, replace("73928164")).await, Reply::Changed(_)));
    assert!(matches!(world.ask(&actor, Action::List { kind: ItemKind::Recording }).await, Reply::Numbers(_)));
    assert_eq!(world.ask(&actor, replace("93817264")).await, refused(Refusal::NotAllowed), "not temporary any more");
    assert!(!world.session("1002", "73928164").await.must_change_pin);

    world.now += 24 * HOUR;
    world.session("1002", "73928164").await;
    let set = Admin::SetPin { extension: ext("1002"), pin: pin("50371928"), temporary: true };
    world.admin(set).await.unwrap();
    world.now += 24 * HOUR;
    assert_eq!(world.try_login("1002", "50371928").await, FAILED, "a day later it is no PIN any more");
}

#[tokio::test]
async fn every_pin_that_is_made_by_the_store_is_temporary_for_a_day_and_to_be_changed() {
    let mut world = World::new().await;
    let admin = world.demo("1001").await;
    let by_phone = [
        Action::AddUser { extension: ext("1042") },
        Action::ResetAccountPin { extension: ext("1005") },
        Action::ResetVoicemailPin { extension: ext("1006") },
    ];
    let mut made = Vec::new();
    for action in by_phone {
        let Reply::TemporaryPin { pin, .. } = world.ask(&admin, action).await else { panic!("no PIN") };
        made.push(pin);
    }
    let shell =
        Admin::AddUser { extension: ext("1043"), name: String::new(), username: None, roles: vec![], pin: None };
    let AdminReply::Added { temporary: Some(shell), .. } = world.admin(shell).await.unwrap() else { panic!("no PIN") };
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT a.extension || ' ' || p.kind, p.expires_at FROM pins p JOIN accounts a ON a.id = p.account_id
         WHERE p.temporary = 1 ORDER BY 1",
    )
    .fetch_all(&world.store.inner.reader)
    .await
    .unwrap();
    let end = world.now + 24 * HOUR;
    let expected = ["1005 account", "1006 voicemail", "1042 account", "1043 account"];
    assert_eq!(rows, expected.map(|which| (which.to_owned(), end)));

    world.now = end - 1;
    for (extension, pin) in [("1042", &made[0]), ("1005", &made[1]), ("1043", &shell)] {
        let session = world.session(extension, pin.digits()).await;
        assert!(session.must_change_pin, "{extension}");
        let actor = Actor::Account { id: session.id, granted: session.granted, pin_resets: session.pin_resets };
        assert_eq!(world.ask(&actor, Action::ReadSettings).await, refused(Refusal::NotAllowed), "{extension}");
    }
    world.now = end;
    for (extension, pin) in [("1042", &made[0]), ("1005", &made[1]), ("1043", &shell)] {
        assert_eq!(world.try_login(extension, pin.digits()).await, FAILED, "{extension}");
    }
}

#[tokio::test]
async fn the_last_five_pins_are_not_taken_again() {
    let world = World::new().await;
    let actor = world.actor("1005", "904826").await;
    let set = |digits| Action::SetOwnVoicemailPin { new: pin(digits) };
    for digits in ["730185", "840296", "614093", "851730"] {
        assert!(matches!(world.ask(&actor, set(digits)).await, Reply::Changed(_)), "{digits}");
    }
    for used in ["407193", "391704", "407194", "851730", "851731", "962841"] {
        assert_eq!(world.ask(&actor, set(used)).await, refused(Refusal::PinUsedBefore), "{used}");
    }
    assert!(matches!(world.ask(&actor, set("395062")).await, Reply::Changed(_)));
    assert!(matches!(world.ask(&actor, set("407193")).await, Reply::Changed(_)), "the sixth last");
}

#[tokio::test]
async fn the_own_pin_is_asked_for_again_under_the_same_lock() {
    let mut world = World::new().await;
    let actor = world.actor("1004", "29618374").await;
    let reboot = |digits| Action::Confirm(Destructive::Reboot { when: RebootWhen::Now }, pin(digits));
    let change = |digits| Action::SetOwnAccountPin { current: pin(digits), new: pin("73928164") };
    for _ in 0..3 {
        assert_eq!(world.ask(&actor, reboot("29618375")).await, refused(Refusal::PinWrong));
    }
    assert_eq!(world.last_audit().await, "1004 reboot.requested system failed");
    for _ in 0..2 {
        assert_eq!(world.ask(&actor, change("29618375")).await, refused(Refusal::PinWrong));
    }
    assert_eq!(world.ask(&actor, reboot("29618374")).await, refused(Refusal::PinWrong), "locked");
    assert_eq!(world.ask(&actor, change("29618374")).await, refused(Refusal::PinWrong), "locked");
    assert!(world.store.commands().await.unwrap().iter().all(|row| row.kind != "reboot"));
    world.now += 5 * MINUTE;
    assert!(matches!(world.ask(&actor, change("29618374")).await, Reply::Changed(_)));
    let reply = world.ask(&actor, reboot("73928164")).await;
    assert!(matches!(reply, Reply::RebootRequested { delay_s: 10, .. }), "{reply:?}");
    assert_eq!(world.ask(&actor, reboot("73928164")).await, refused(Refusal::AlreadySo));
    assert!(matches!(world.ask(&actor, Action::CancelReboot).await, Reply::Changed(_)));
    assert_eq!(world.ask(&actor, Action::CancelReboot).await, refused(Refusal::NothingThere));
}

#[tokio::test]
async fn a_reboot_is_on_its_way_until_it_was_cancelled_or_has_ended_and_none_is_cancelled_that_is_due() {
    let mut world = World::new().await;
    let actor = world.actor("1004", "29618374").await;
    let ask = Action::Confirm(Destructive::Reboot { when: RebootWhen::Now }, pin("29618374"));
    let state = |waiting| Reply::RebootState { other_calls: 3, waiting, failed: false };
    assert_eq!(world.ask(&actor, Action::AskReboot).await, state(false));
    assert!(matches!(world.ask(&actor, ask.clone()).await, Reply::RebootRequested { delay_s: 10, .. }));
    assert_eq!(world.ask(&actor, Action::AskReboot).await, state(true));
    world.now += 9_999;
    assert!(matches!(world.ask(&actor, Action::CancelReboot).await, Reply::Changed(_)));
    assert_eq!(world.ask(&actor, Action::AskReboot).await, state(false));

    assert!(matches!(world.ask(&actor, ask).await, Reply::RebootRequested { delay_s: 10, .. }));
    world.now += 10_000;
    assert_eq!(world.ask(&actor, Action::CancelReboot).await, refused(Refusal::NothingThere), "it starts now");
    assert_eq!(world.ask(&actor, Action::AskReboot).await, state(true));
    let due = world.store.open_reboots().await.unwrap().remove(0);
    assert!(world.store.claim_reboot(&world.cli(), due.id, "boot-1").await.unwrap());
    assert_eq!(world.ask(&actor, Action::AskReboot).await, state(true), "it has begun");
    world.store.finish_reboot(&world.cli(), due.id, IntentState::Failed, "no such command").await.unwrap();
    let expected = Reply::RebootState { other_calls: 3, waiting: false, failed: true };
    assert_eq!(world.ask(&actor, Action::AskReboot).await, expected);
}

#[tokio::test]
async fn news_is_told_until_it_was_heard() {
    let world = World::new().await;
    let actor = world.actor("1004", "29618374").await;
    let ask = Action::Confirm(Destructive::Reboot { when: RebootWhen::Idle }, pin("29618374"));
    assert!(matches!(world.ask(&actor, ask).await, Reply::RebootRequested { delay_s: 0, .. }));
    let due = world.store.open_reboots().await.unwrap().remove(0);
    assert!(world.store.claim_reboot(&world.cli(), due.id, "boot-1").await.unwrap());
    assert_eq!(world.last_audit().await, "1004 reboot.started system ok");
    assert!(!world.store.claim_reboot(&world.cli(), due.id, "boot-1").await.unwrap(), "only once");
    assert_eq!(world.ask(&actor, Action::CancelReboot).await, refused(Refusal::NothingThere), "too late");
    assert!(world.session("1004", "29618374").await.news.is_empty());
    world.store.finish_reboot(&world.cli(), due.id, IntentState::Done, "back").await.unwrap();
    assert_eq!(world.last_audit().await, "1004 reboot.done system ok");

    assert_eq!(world.session("1004", "29618374").await.news, [News::RebootDone]);
    assert_eq!(world.session("1004", "29618374").await.news, [News::RebootDone], "hung up before it was said");
    assert!(world.session("1001", "52961847").await.news.is_empty(), "somebody else's");
    assert_eq!(world.ask(&actor, Action::NewsHeard).await, Reply::Done);
    assert!(world.session("1004", "29618374").await.news.is_empty());
}

#[tokio::test]
async fn a_pin_that_changes_meanwhile_is_checked_again() {
    let world = World::new().await;
    let (ctx, extension) = (world.ctx(), ext("1005"));
    let asker = Asker::caller(&ctx, &extension);
    let shown = Shown { site: ctx.site, extension: &extension, kind: PinKind::Account, action: "login" };
    let verified = world.store.look(&ctx, &asker, shown).await.unwrap().unwrap().stored;
    let set = Admin::SetPin { extension: extension.clone(), pin: pin("736195"), temporary: false };
    world.admin(set).await.unwrap();
    let outcome =
        world.store.finish_login(&ctx, &asker, shown, Found { stored: verified.as_deref(), fits: true }).await.unwrap();
    assert_eq!(outcome, None, "the hash that was found to fit is no longer the PIN's");

    let actor = world.actor("1005", "736195").await;
    let mut same = Vec::new();
    for _ in 0..8 {
        let (store, ctx, actor) = (world.store.clone(), world.ctx(), actor.clone());
        let set = Action::SetOwnVoicemailPin { new: pin("851730") };
        same.push(tokio::spawn(async move { store.apply(&ctx, &actor, set).await }));
    }
    let mut changed = 0;
    for reply in same {
        match reply.await.unwrap() {
            Reply::Changed(_) => changed += 1,
            reply => assert_eq!(reply, refused(Refusal::PinUsedBefore)),
        }
    }
    assert_eq!(changed, 1);
}
