//! Roles by phone, and the changes that callers hear of.

use super::*;
use crate::access::{OwnAudio, Person};

fn assign(role: Role, extension: &str) -> Destructive {
    Destructive::AssignRole { role, extension: ext(extension) }
}

fn remove(role: Role, extension: &str) -> Destructive {
    Destructive::RemoveRole { role, extension: ext(extension) }
}

#[tokio::test]
async fn a_role_is_given_for_the_next_login_and_taken_at_once() {
    let world = World::new().await;
    let (server, network) = (world.demo("1000").await, world.demo("1003").await);
    let role = Role::SupportTechnician;
    let check = |what| Action::Check(what);
    assert!(matches!(world.ask(&server, check(assign(role, "1003"))).await, Reply::MayChange(_)));
    assert_eq!(world.ask(&server, check(remove(role, "1003"))).await, refused(Refusal::NothingThere));
    let Reply::Changed(number) = world.confirm("1000", assign(role, "1003")).await else { panic!("not assigned") };
    assert_eq!(world.last_change().await, format!("{} role.assigned 1003 - support-technician", number.0));
    assert_eq!(world.ask(&server, check(assign(role, "1003"))).await, refused(Refusal::AlreadySo));
    assert_eq!(world.ask(&network, Action::AskReboot).await, refused(Refusal::NotAllowed), "not in this call");
    let network = world.demo("1003").await;
    assert!(matches!(world.ask(&network, Action::AskReboot).await, Reply::RebootState { .. }));
    world.confirm("1000", remove(role, "1003")).await;
    assert_eq!(world.ask(&network, Action::AskReboot).await, refused(Refusal::NoLongerAllowed), "at once");
}

#[tokio::test]
async fn nobody_gets_a_role_by_phone_with_a_short_pin() {
    let world = World::new().await;
    let server = world.demo("1000").await;
    let what = assign(Role::PhoneAdministrator, "1005");
    assert_eq!(world.ask(&server, Action::Check(what.clone())).await, refused(Refusal::PinTooShortForRole));
    assert_eq!(world.confirm("1000", what).await, refused(Refusal::PinTooShortForRole));
    assert!(world.user("1005").await.roles.is_empty());
}

#[tokio::test]
async fn the_last_server_administrator_stays() {
    let world = World::new().await;
    let role = Role::ServerAdministrator;
    let server = world.demo("1000").await;
    let last = refused(Refusal::LastServerAdministrator);
    assert_eq!(world.ask(&server, Action::Check(remove(role, "1000"))).await, last, "before any PIN");
    assert_eq!(world.confirm("1000", remove(role, "1000")).await, last);
    world.confirm("1000", assign(role, "1001")).await;
    assert!(matches!(world.ask(&server, Action::Check(remove(role, "1001"))).await, Reply::MayChange(_)));
    let disable = |extension: &str, enabled| Action::SetUserEnabled { extension: ext(extension), enabled };
    world.changed(&server, disable("1001", false)).await;
    assert_eq!(world.ask(&server, Action::Check(remove(role, "1000"))).await, last, "the other one is disabled");
    world.changed(&server, disable("1001", true)).await;
    let second = world.demo("1001").await;
    world.changed(&second, disable("1000", false)).await;
    let delete = Destructive::DeleteUser { extension: ext("1001") };
    assert_eq!(world.ask(&second, Action::Check(delete)).await, refused(Refusal::NotYourself));
    assert_eq!(world.ask(&second, Action::Check(remove(role, "1001"))).await, last);
}

#[tokio::test]
async fn two_who_take_the_role_from_each_other_leave_one() {
    let world = World::new().await;
    let role = Role::ServerAdministrator;
    world.confirm("1000", assign(role, "1001")).await;
    let (first, second) = (world.demo("1000").await, world.demo("1001").await);
    assert!(matches!(world.ask(&first, Action::Check(remove(role, "1001"))).await, Reply::MayChange(_)));
    assert!(matches!(world.ask(&second, Action::Check(remove(role, "1000"))).await, Reply::MayChange(_)));
    let confirm = |what, digits| Action::Confirm(what, pin(digits));
    world.changed(&first, confirm(remove(role, "1001"), "61849273")).await;
    let late = world.ask(&second, confirm(remove(role, "1000"), "52961847")).await;
    assert_eq!(late, refused(Refusal::NoLongerAllowed));
}

#[tokio::test]
async fn who_holds_a_role_is_counted_and_named() {
    let world = World::new().await;
    let server = world.demo("1000").await;
    world.changed(&world.demo("1004").await, Action::KeepOwn { which: OwnAudio::Name, audio: tone(4) }).await;
    let holders = |role| Action::RoleHolders { role };
    let Reply::People(people) = world.ask(&server, holders(Role::SupportTechnician)).await else { panic!("no list") };
    let person = Person { extension: ext("1004"), spoken_name: Some(tone(4)) };
    assert_eq!((people.count, people.listed), (1, vec![person]));
    world.confirm("1000", remove(Role::SupportTechnician, "1004")).await;
    let Reply::People(people) = world.ask(&server, holders(Role::SupportTechnician)).await else { panic!("no list") };
    assert_eq!((people.count, people.listed), (0, vec![]));
}

#[tokio::test]
async fn callers_hear_of_their_own_changes_and_two_roles_of_all() {
    let world = World::new().await;
    let (phone, technician) = (world.demo("1002").await, world.demo("1004").await);
    world.changed(&phone, Action::KeepOwn { which: OwnAudio::Name, audio: tone(2) }).await;
    for _ in 0..3 {
        world.changed(&technician, Action::ToggleDnd).await;
        world.changed(&phone, Action::ToggleDnd).await;
    }
    let heard = async |actor: &Actor| match world.ask(actor, Action::ListChanges).await {
        Reply::Changes(list) => list,
        other => panic!("{other:?}"),
    };
    let numbers = |list: &[crate::access::ToldChange]| list.iter().map(|told| told.number.0).collect::<Vec<_>>();
    assert_eq!(numbers(&heard(&phone).await), [26, 24, 22, 20]);
    assert_eq!(numbers(&heard(&technician).await), [25, 23, 21]);
    assert!(heard(&world.demo("1003").await).await.is_empty());
    let all = heard(&world.demo("1001").await).await;
    assert_eq!(numbers(&all), [26, 25, 24, 23, 22]);
    let told = &all[0];
    assert_eq!((told.action.as_str(), told.target.as_str()), ("dnd.changed", "1002"));
    assert_eq!(told.by, Some(Person { extension: ext("1002"), spoken_name: Some(tone(2)) }));
    assert_eq!(told.at.map(|at| at.year), Some(2026));
    world.admin(Admin::Unlock { extension: ext("1005") }).await.unwrap();
    world.admin(Admin::DeleteUser { extension: ext("1004") }).await.unwrap();
    let all = heard(&world.demo("1000").await).await;
    assert_eq!(all[1].by, None, "the shell");
    assert_eq!(all[3].by, Some(Person { extension: ext("1004"), spoken_name: None }), "who is gone");
    assert_eq!(world.ask(&world.demo("1005").await, Action::ListChanges).await, refused(Refusal::NotAllowed));
}
