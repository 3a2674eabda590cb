//! Other people's accounts, by phone.

use super::*;
use crate::access::ForwardKind;

#[tokio::test]
async fn a_user_is_added_by_phone() {
    let world = World::new().await;
    let admin = world.demo("1002").await;
    let add = || Action::AddUser { extension: ext("1042") };
    assert_eq!(world.ask(&admin, Action::OpenUser { extension: ext("1042") }).await, refused(Refusal::Unknown));
    let Reply::TemporaryPin { pin: made, change } = world.ask(&admin, add()).await else { panic!("no PIN") };
    assert_eq!((made.digits().len(), change), (8, ChangeNumber(20)));
    assert_eq!(world.last_change().await, "20 user.added 1042 - 1042@main");
    assert!(world.session("1042", made.digits()).await.must_change_pin);
    assert_eq!(world.ask(&admin, add()).await, refused(Refusal::AlreadySo));
    let row = world.user("1042").await;
    assert!(row.roles.is_empty() && row.enabled && !row.voicemail_pin_set);
}

#[tokio::test]
async fn an_account_pin_is_reset_by_others_only() {
    let world = World::new().await;
    let admin = world.demo("1002").await;
    let reset = |extension: &str| Action::ResetAccountPin { extension: ext(extension) };
    let Reply::TemporaryPin { pin: made, .. } = world.ask(&admin, reset("1005")).await else { panic!("no PIN") };
    assert_eq!(made.digits().len(), 8);
    assert_eq!(world.last_change().await, "20 account_pin.reset 1005 - temporary");
    assert_eq!(world.try_login("1005", "904826").await, refused(Refusal::LoginFailed));
    assert!(world.session("1005", made.digits()).await.must_change_pin);
    assert_eq!(world.ask(&admin, reset("1002")).await, refused(Refusal::NotYourself));
    assert_eq!(world.ask(&admin, reset("4711")).await, refused(Refusal::Unknown));
}

#[tokio::test]
async fn a_locked_user_is_unlocked() {
    let world = World::new().await;
    for _ in 0..5 {
        world.try_login("1005", "1").await;
    }
    assert_eq!(world.try_login("1005", "904826").await, refused(Refusal::LoginFailed));
    let admin = world.demo("1002").await;
    let open = || Action::OpenUser { extension: ext("1005") };
    let state = |locked| Reply::User { spoken_name: None, enabled: true, locked };
    assert_eq!(world.ask(&admin, open()).await, state(true));
    world.changed(&admin, Action::UnlockUser { extension: ext("1005") }).await;
    assert_eq!(world.ask(&admin, open()).await, state(false));
    world.session("1005", "904826").await;
}

#[tokio::test]
async fn a_user_is_disabled_and_enabled_but_nobody_disables_themselves() {
    let world = World::new().await;
    let (admin, user) = (world.demo("1002").await, world.demo("1005").await);
    let set = |extension: &str, enabled| Action::SetUserEnabled { extension: ext(extension), enabled };
    assert_eq!(world.ask(&admin, set("1005", true)).await, refused(Refusal::AlreadySo));
    world.changed(&admin, set("1005", false)).await;
    assert_eq!(world.ask(&user, Action::ToggleDnd).await, refused(Refusal::NoLongerAllowed), "at once");
    world.changed(&admin, set("1005", true)).await;
    assert_eq!(world.last_change().await, "21 user.enabled 1005 disabled enabled");
    world.changed(&user, Action::ToggleDnd).await;
    assert_eq!(world.ask(&admin, set("1002", false)).await, refused(Refusal::NotYourself));
    let server = world.demo("1000").await;
    assert_eq!(world.ask(&server, set("1000", false)).await, refused(Refusal::NotYourself));
}

#[tokio::test]
async fn a_user_is_deleted_with_one_s_own_pin() {
    let world = World::new().await;
    let admin = world.demo("1002").await;
    let delete = |extension: &str| Destructive::DeleteUser { extension: ext(extension) };
    let check = |extension| Action::Check(delete(extension));
    world.changed(&admin, Action::KeepUserName { extension: ext("1005"), audio: tone(3) }).await;
    let rows = world.store.audit(None).await.unwrap().len();
    let Reply::MayChange(person) = world.ask(&admin, check("1005")).await else { panic!("not allowed") };
    assert_eq!((person.extension, person.spoken_name), (ext("1005"), Some(tone(3))));
    assert_eq!(world.store.audit(None).await.unwrap().len(), rows, "a check leaves nothing behind");
    assert!(world.user("1005").await.enabled);
    assert_eq!(world.ask(&admin, check("1002")).await, refused(Refusal::NotYourself));
    assert_eq!(world.ask(&admin, check("4711")).await, refused(Refusal::Unknown));

    let wrong = Action::Confirm(delete("1005"), pin("11"));
    assert_eq!(world.ask(&admin, wrong).await, refused(Refusal::PinWrong));
    assert_eq!(world.last_audit().await, "1002 user.deleted 1005 failed");
    assert_eq!(world.confirm("1002", delete("1005")).await, Reply::Changed(ChangeNumber(21)));
    assert_eq!(world.last_change().await, "21 user.deleted 1005 1005@main -");
    assert_eq!(world.ask(&admin, check("1005")).await, refused(Refusal::Unknown));
    assert_eq!(world.confirm("1002", delete("1002")).await, refused(Refusal::NotYourself));
}

#[tokio::test]
async fn wrong_confirmations_lock_the_caller_s_own_account() {
    let world = World::new().await;
    let admin = world.demo("1002").await;
    let delete = Destructive::DeleteUser { extension: ext("1005") };
    for _ in 0..5 {
        let wrong = Action::Confirm(delete.clone(), pin("11"));
        assert_eq!(world.ask(&admin, wrong).await, refused(Refusal::PinWrong));
    }
    let right = Action::Confirm(delete, pin("83517294"));
    assert_eq!(world.ask(&admin, right).await, refused(Refusal::PinWrong), "locked");
    assert_eq!(world.login_from("1002", "1002", "83517294").await, refused(Refusal::LoginFailed), "at the own handset");
    world.session("1002", "83517294").await;
}

#[tokio::test]
async fn handsets_go_from_hand_to_hand() {
    let world = World::new().await;
    for n in [2, 1] {
        world.admin(Admin::AddHandset { mac: mac(n), name: format!("desk {n}") }).await.unwrap();
    }
    assert!(matches!(
        world.admin(Admin::AddHandset { mac: mac(1), name: String::new() }).await,
        Err(AdminError::HandsetTaken(_))
    ));
    let admin = world.demo("1002").await;
    let of = |extension: &str| Action::ListHandsets { extension: ext(extension) };
    let assign = |n, extension: &str| Action::AssignHandset { mac: mac(n), extension: ext(extension) };
    let remove = |n, extension: &str| Action::RemoveHandset { mac: mac(n), extension: ext(extension) };
    let unassigned = world.ask(&admin, Action::ListUnassignedHandsets).await;
    assert_eq!(unassigned, Reply::Handsets(vec![mac(1), mac(2)]));
    world.changed(&admin, assign(1, "1005")).await;
    assert_eq!(world.last_change().await, "22 handset.assigned 00:04:f2:12:ab:01 - 1005");
    assert_eq!(world.ask(&admin, of("1005")).await, Reply::Handsets(vec![mac(1)]));
    assert_eq!(world.ask(&admin, Action::ListUnassignedHandsets).await, Reply::Handsets(vec![mac(2)]));
    assert_eq!(world.ask(&admin, assign(1, "1006")).await, refused(Refusal::AlreadySo));
    assert_eq!(world.ask(&admin, assign(9, "1006")).await, refused(Refusal::OtherUnknown));
    assert_eq!(world.ask(&admin, remove(1, "1006")).await, refused(Refusal::NothingThere));
    let taken = world.admin(Admin::AssignHandset { mac: mac(1), extension: ext("1006") }).await.err().unwrap();
    assert_eq!(
        taken.to_string(),
        "handset 00:04:f2:12:ab:01 is that of 1005 at `main`: take it away first (handset remove)"
    );
    let rows = world.store.handsets(world.store.site()).await.unwrap();
    let (extension, site) = (Some("1005".to_owned()), Some("main".to_owned()));
    let mine = HandsetRow { mac: mac(1).to_string(), name: "desk 1".into(), extension, site };
    let free = HandsetRow { mac: mac(2).to_string(), name: "desk 2".into(), extension: None, site: None };
    assert_eq!(rows, [mine, free]);
    world.changed(&admin, remove(1, "1005")).await;
    assert_eq!(world.last_change().await, "23 handset.removed 00:04:f2:12:ab:01 1005 -");
    world.changed(&admin, assign(1, "1006")).await;
    world.admin(Admin::DeleteUser { extension: ext("1006") }).await.unwrap();
    let unassigned = world.ask(&admin, Action::ListUnassignedHandsets).await;
    assert_eq!(unassigned, Reply::Handsets(vec![mac(1), mac(2)]), "nobody's again");
    world.admin(Admin::DeleteHandset { mac: mac(1) }).await.unwrap();
    assert!(matches!(world.admin(Admin::RemoveHandset { mac: mac(1) }).await, Err(AdminError::UnknownHandset(_))));
    assert_eq!(world.admin(Admin::RemoveHandset { mac: mac(2) }).await.unwrap(), AdminReply::Unchanged);
}

#[tokio::test]
async fn all_forwarding_of_a_user_is_one_change() {
    let world = World::new().await;
    let (admin, user) = (world.demo("1002").await, world.demo("1005").await);
    let off = || Action::UserForwardingOff { extension: ext("1005") };
    assert_eq!(world.ask(&admin, off()).await, refused(Refusal::NothingThere));
    world.changed(&user, Action::SetForwarding { kind: ForwardKind::Always, to: number("1006") }).await;
    world.changed(&user, Action::SetForwarding { kind: ForwardKind::NoAnswer, to: number("5551234") }).await;
    let read = world.ask(&admin, Action::ReadUserForwarding { extension: ext("1005") }).await;
    assert_eq!(read, Reply::Forwardings([Some(number("1006")), None, Some(number("5551234"))]));
    world.changed(&admin, off()).await;
    let told = "22 forwarding.changed 1005 always 1006, no-answer 5551234 always off, no-answer off";
    assert_eq!(world.last_change().await, told);
    assert_eq!(world.user("1005").await.forwarding, Forwarding::default());
}

#[tokio::test]
async fn no_view_tells_a_hash() {
    let world = World::new().await;
    let user = world.demo("1005").await;
    world.changed(&user, Action::SetForwarding { kind: ForwardKind::Busy, to: number("1006") }).await;
    world.changed(&user, Action::ToggleDnd).await;
    world.changed(&user, Action::SetOwnSupportPin { new: pin("736195") }).await;
    world.admin(Admin::AddHandset { mac: mac(1), name: "desk".into() }).await.unwrap();
    world.admin(Admin::AssignHandset { mac: mac(1), extension: ext("1005") }).await.unwrap();
    let pool = &world.store.inner.reader;
    let row: (String, Option<String>, Option<String>, Option<String>, i64) =
        sqlx::query_as("SELECT site, always, busy, no_answer, dnd FROM v_forwarding WHERE extension = '1005'")
            .fetch_one(pool)
            .await
            .unwrap();
    assert_eq!(row, ("main".into(), None, Some("1006".into()), None, 1));
    let row: (String, String) = sqlx::query_as("SELECT mac, extension FROM v_handsets").fetch_one(pool).await.unwrap();
    assert_eq!(row, (mac(1).to_string(), "1005".into()));
    let row: (i64, i64, i64) = sqlx::query_as(
        "SELECT pin_temporary, voicemail_pin_set, support_pin_set FROM v_users WHERE extension = '1005'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(row, (0, 1, 1));
    let sql = "SELECT sql FROM sqlite_master WHERE type = 'view'";
    let views: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
    assert!(views.len() >= 9 && views.iter().all(|sql| !sql.contains("p.hash") && !sql.contains("pin_history")));
}
