//! Two sites that share one store.

use super::*;
use crate::model::SiteId;

async fn with_a_branch() -> (World, SiteId) {
    let world = World::new().await;
    let add = Admin::AddSite { name: "branch".into(), spoken_name: Some(tone(77)) };
    assert_eq!(world.admin(add).await.unwrap(), AdminReply::Changed(ChangeNumber(20)));
    let site = world.store.site_named("branch").await.unwrap();
    (world, site)
}

async fn add(world: &World, site: SiteId, extension: &str, roles: Vec<Role>, digits: &str) -> Result<(), AdminError> {
    let ctx = Context { site, ..world.cli() };
    let pin = Some(pin(digits));
    let user = Admin::AddUser { extension: ext(extension), name: String::new(), username: None, roles, pin };
    world.store.admin(&ctx, user).await.map(drop)
}

#[tokio::test]
async fn a_site_is_added_once_and_spoken_when_there_are_two() {
    let world = World::new().await;
    let alone = world.store.spoken_site(world.store.site()).await.unwrap();
    assert_eq!(alone, SpokenSite { sites: 1, number: 1, spoken_name: None });
    let (world, branch) = with_a_branch().await;
    assert_eq!(world.last_change().await, "20 site.added branch - branch");
    let spoken = world.store.spoken_site(branch).await.unwrap();
    assert_eq!(spoken, SpokenSite { sites: 2, number: 2, spoken_name: Some(tone(77)) });
    let again = Admin::AddSite { name: "branch".into(), spoken_name: None };
    assert!(matches!(world.admin(again).await, Err(AdminError::SiteTaken(_))));
    let long = Admin::AddSite { name: "x".repeat(48), spoken_name: None };
    assert!(matches!(world.admin(long).await, Err(AdminError::SiteNameTooLong(47))));
    let longest = "ö".repeat(47);
    world.admin(Admin::AddSite { name: longest.clone(), spoken_name: None }).await.unwrap();
    let site = world.store.site_named(&longest).await.unwrap();
    add(&world, site, "1234567890123456", vec![], "736195").await.unwrap();
    let rows = world.store.sites().await.unwrap();
    let row = |name: &str, accounts| SiteRow { name: name.into(), accounts };
    assert_eq!(rows, [row("branch", 0), row("main", 7), row(&longest, 1)]);
}

#[tokio::test]
async fn extensions_are_of_a_site_and_usernames_of_all() {
    let (world, branch) = with_a_branch().await;
    add(&world, branch, "1005", vec![], "736195").await.unwrap();
    let row = world.store.user(branch, &ext("1005"), Wall(world.now)).await.unwrap();
    assert_eq!((row.username.as_str(), row.site.as_str()), ("1005@branch", "branch"));
    assert!(matches!(add(&world, branch, "1005", vec![], "736195").await, Err(AdminError::ExtensionTaken(_))));
    let ctx = Context { site: branch, ..world.cli() };
    let username = Some("1006@main".to_owned());
    let taken = Admin::AddUser { extension: ext("1042"), name: String::new(), username, roles: vec![], pin: None };
    assert!(matches!(world.store.admin(&ctx, taken).await, Err(AdminError::UsernameTaken(_))));

    let there = Context { site: branch, ..world.ctx() };
    let login = |digits| Action::Login { extension: ext("1005"), pin: pin(digits) };
    let reply = world.store.apply(&there, &Actor::Caller, login("904826")).await;
    assert_eq!(reply, refused(Refusal::LoginFailed), "that is the PIN of the other 1005");
    let reply = world.store.apply(&there, &Actor::Caller, login("736195")).await;
    let Reply::LoggedIn(session) = reply else { panic!("{reply:?}") };
    let actor = Actor::Account { id: session.id, granted: session.granted, pin_resets: session.pin_resets };
    world.store.apply(&there, &actor, Action::ToggleDnd).await;
    assert!(!world.user("1005").await.dnd, "not that one's");
    assert!(world.store.user(branch, &ext("1005"), Wall(world.now)).await.unwrap().dnd);
}

#[tokio::test]
async fn each_site_keeps_a_server_administrator() {
    let (world, branch) = with_a_branch().await;
    add(&world, branch, "2000", vec![Role::ServerAdministrator], "73619528").await.unwrap();
    let last = world.admin(Admin::DeleteUser { extension: ext("1000") }).await;
    assert!(matches!(last, Err(AdminError::LastServerAdministrator(_))), "the one of the branch is no substitute");
    let server = world.demo("1000").await;
    let open = |extension: &str| Action::OpenUser { extension: ext(extension) };
    assert_eq!(world.ask(&server, open("2000")).await, refused(Refusal::Unknown), "another site's");
    let Reply::People(people) = world.ask(&server, Action::RoleHolders { role: Role::ServerAdministrator }).await
    else {
        panic!("no list")
    };
    assert_eq!(people.count, 1);
}

#[tokio::test]
async fn an_undo_finds_the_account_of_the_right_site() {
    let (world, branch) = with_a_branch().await;
    add(&world, branch, "1005", vec![], "736195").await.unwrap();
    let ctx = Context { site: branch, ..world.cli() };
    let disable = Admin::SetEnabled { extension: ext("1005"), enabled: false };
    let AdminReply::Changed(number) = world.store.admin(&ctx, disable.clone()).await.unwrap() else {
        panic!("unchanged")
    };
    world.admin(disable).await.unwrap();
    world.admin(Admin::Undo { number }).await.unwrap();
    assert!(!world.user("1005").await.enabled);
    assert!(world.store.user(branch, &ext("1005"), Wall(world.now)).await.unwrap().enabled);
}

#[tokio::test]
async fn of_other_sites_nothing_is_heard_and_nothing_undone() {
    let (world, branch) = with_a_branch().await;
    add(&world, branch, "2000", vec![Role::SystemAdministrator], "73619528").await.unwrap();
    let there = Context { site: branch, ..world.cli() };
    let remove = Admin::RemoveRole { role: Role::SystemAdministrator, extension: ext("2000") };
    let AdminReply::Changed(number) = world.store.admin(&there, remove).await.unwrap() else { panic!("unchanged") };
    let add_member = System::AddMember { number: crate::model::ItemNumber(1), extension: ext("2000") };
    let group = System::AddItem {
        kind: ItemKind::Group,
        number: crate::model::ItemNumber(1),
        name: "sales".into(),
        uri: None,
        spoken_name: None,
    };
    world.store.admin(&there, Admin::System(group)).await.unwrap();
    let member = world.store.admin(&there, Admin::System(add_member)).await.unwrap();
    let AdminReply::Changed(member) = member else { panic!("unchanged") };
    let server = world.demo("1000").await;
    for number in [number, member] {
        let check = world.ask(&server, Action::Check(Destructive::Undo { number })).await;
        assert_eq!(check, refused(Refusal::Unknown));
        assert_eq!(world.confirm("1000", Destructive::Undo { number }).await, refused(Refusal::Unknown));
    }
    let Reply::Changes(heard) = world.ask(&server, Action::ListChanges).await else { panic!("no list") };
    let heard: Vec<&str> = heard.iter().map(|change| change.action.as_str()).collect();
    assert_eq!(heard[..2], ["group.added", "site.added"], "what is of the whole store, and nothing of 2000");
    assert_eq!(world.admin(Admin::Undo { number }).await.map(drop).map_err(|error| error.to_string()), Ok(()));
    let row = world.store.user(branch, &ext("2000"), Wall(world.now)).await.unwrap();
    assert_eq!(row.roles, ["system-administrator"], "the shell is of no site");
}

#[tokio::test]
async fn what_is_behind_ten_thousand_changes_of_another_site_is_not_told() {
    let (world, branch) = with_a_branch().await;
    add(&world, branch, "2000", vec![], "736195").await.unwrap();
    let sql = "SELECT id FROM accounts WHERE extension = '2000'";
    let id: i64 = sqlx::query_scalar(sql).fetch_one(&world.store.inner.reader).await.unwrap();
    let server = world.demo("1000").await;
    // The site was added before 2000 was.
    world.changes_about(Some(id), changes::PASSED_OVER_MAX - 2).await;
    let Reply::Changes(heard) = world.ask(&server, Action::ListChanges).await else { panic!("no list") };
    assert_eq!(heard.iter().map(|change| change.action.as_str()).collect::<Vec<_>>(), ["site.added"]);
    world.changes_about(Some(id), 1).await;
    assert_eq!(world.ask(&server, Action::ListChanges).await, Reply::Changes(vec![]));
}
