//! Users from a file: all of them, or none.

use super::*;
use crate::model::Language;

fn row(line: u64, extension: &str) -> ImportedUser {
    let (username, language) = (None, None);
    ImportedUser { line, extension: ext(extension), name: format!("user {line}"), username, roles: vec![], language }
}

#[tokio::test]
async fn each_imported_user_has_a_temporary_pin() {
    let world = World::new().await;
    let second = ImportedUser {
        username: Some("ann".into()),
        roles: vec![Role::PhoneAdministrator],
        language: Some(Language::German),
        ..row(3, "2001")
    };
    let reply = world.admin(Admin::ImportUsers { rows: vec![row(2, "2000"), second] }).await.unwrap();
    let AdminReply::Imported(made) = reply else { panic!("{reply:?}") };
    let extensions: Vec<&str> = made.iter().map(|(extension, _)| extension.as_str()).collect();
    assert_eq!(extensions, ["2000", "2001"]);
    for (extension, pin) in &made {
        assert!(world.session(extension.as_str(), pin.digits()).await.must_change_pin);
    }
    let row = world.user("2001").await;
    assert_eq!((row.username.as_str(), row.name.as_str()), ("ann", "user 3"));
    assert_eq!((row.roles.as_slice(), row.language.as_deref()), (["phone-administrator"].as_slice(), Some("de")));
    assert_eq!(world.user("2000").await.username, "2000@main");
    assert_eq!(world.count_changes().await, 21, "one for each");
}

#[tokio::test]
async fn one_wrong_line_imports_nothing() {
    let world = World::new().await;
    let named =
        |line, extension, username: &str| ImportedUser { username: Some(username.into()), ..row(line, extension) };
    let cases = [
        (vec![row(2, "2000"), row(3, "1005")], "line 3: extension 1005 has an account already"),
        (vec![row(2, "2000"), row(7, "2000")], "line 7: extension 2000 has an account already"),
        (vec![named(2, "2000", "ann"), named(3, "2001", "ann")], "line 3: the username `ann` is taken"),
        (vec![row(2, "2000"), ImportedUser { name: "a\nb".into(), ..row(4, "2001") }], "line 4: the name must have"),
    ];
    for (rows, told) in cases {
        let error = world.admin(Admin::ImportUsers { rows }).await.err().unwrap().to_string();
        assert!(error.starts_with(told), "{error}");
    }
    assert_eq!(world.count_changes().await, 19, "nothing was changed");
    assert_eq!(world.store.users(world.store.site(), Wall(world.now)).await.unwrap().len(), 7);
}

#[tokio::test]
async fn ten_thousand_users_are_imported_and_no_more() {
    let world = World::new().await;
    let mut rows: Vec<ImportedUser> = (1..=10_000).map(|n| row(n, &format!("{}", 20_000 + n))).collect();
    // So that not all of them have to be hashed: it is looked at, line by line.
    rows[0].extension = ext("1005");
    let error = world.admin(Admin::ImportUsers { rows: rows.clone() }).await.unwrap_err();
    assert_eq!(error.to_string(), "line 1: extension 1005 has an account already");
    rows.push(row(10_001, "30001"));
    let error = world.admin(Admin::ImportUsers { rows }).await.unwrap_err();
    assert_eq!(error.to_string(), "an import takes at most 10000 users: split the file; nothing was changed");
}
