//! `user import` and `user export`.

use super::*;

const THREE: &str = "extension,name,username,roles,language\n\
                     1042,\"Bo, of sales\",bo,phone-administrator;support-technician,de\n\
                     1043,Cy,,,\n\
                     1044,,dee@elsewhere,network-administrator,\n";

impl World {
    /// What an import is about, of every account.
    async fn people(&self) -> Vec<Value> {
        let users = self.json("user list").await;
        let about = |user: &Value| {
            let field = |name: &str| user[name].clone();
            json!([field("extension"), field("name"), field("username"), field("roles"), field("language")])
        };
        users.as_array().unwrap().iter().map(about).collect()
    }
}

#[tokio::test]
async fn users_come_in_with_temporary_pins() {
    let world = World::initialised().await;
    let file = world.write("users.csv", THREE);
    let said = world.run(&format!("user import {file}"), "").await.unwrap();
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("3 users added"));
    for extension in ["1042", "1043", "1044"] {
        let line = lines.next().unwrap();
        let pin = line.strip_prefix(&format!("{extension} temporary PIN: ")).unwrap();
        assert!(pin.len() >= 8 && pin.bytes().all(|b| b.is_ascii_digit()), "{said}");
    }
    assert_eq!(lines.next(), None);
    let bo = json!({
        "name": "Bo, of sales", "username": "bo", "roles": ["phone-administrator", "support-technician"],
        "language": "de", "pin_temporary": true, "enabled": true,
    });
    assert_has(&world.json("user show 1042").await, &bo);
    assert_has(&world.json("user show 1043").await, &json!({ "username": "1043@main", "language": null }));
    let verified = world.run("audit verify", "").await.unwrap();
    assert!(verified.contains("the audit trail is whole"), "{verified}");
}

#[tokio::test]
async fn what_is_exported_can_be_imported() {
    let world = World::initialised().await;
    let file = world.write("users.csv", THREE);
    world.run(&format!("user import {file}"), "").await.unwrap();
    let exported = world.run("user export", "").await.unwrap();
    assert!(exported.starts_with("extension,name,username,roles,language\n1000,Ann,1000@main,"), "{exported}");
    let other = World::new();
    other.run("init 2000 --pin-stdin", "61849273\n").await.unwrap();
    let file = other.write("users.csv", &exported);
    let said = other.run(&format!("user import {file}"), "").await.unwrap();
    assert!(said.starts_with("4 users added\n"), "{said}");
    let mut people = other.people().await;
    people.retain(|user| user[0] != json!("2000"));
    assert_eq!(people, world.people().await);
}

#[tokio::test]
async fn all_or_nothing() {
    let world = World::initialised().await;
    let wrong = "extension,name,roles\n1042,Bo,\n1000,Ann again,\n1043,Cy,janitor\n";
    let file = world.write("users.csv", wrong);
    let said = world.run(&format!("user import {file}"), "").await.unwrap_err();
    assert!(said.starts_with("nothing was imported"), "{said}");
    assert!(said.contains(&format!("{file}:3: extension 1000 has an account already")), "{said}");
    assert!(said.contains(&format!("{file}:4: a role is one of ")), "{said}");
    let taken = world.write("taken.csv", "extension,username\n1042,\n1043,1000@main\n");
    let said = world.run(&format!("user import {taken}"), "").await.unwrap_err();
    assert!(said.contains("taken.csv") && said.contains('3') && said.contains("1000@main"), "{said}");
    let long = world.write("long.csv", format!("extension,name\n1042,Bo\n1043,{}\n", "x".repeat(65)));
    let said = world.run(&format!("user import {long}"), "").await.unwrap_err();
    assert!(said.contains("64 characters"), "{said}");
    let latin = world.write("latin.csv", b"extension,name\n1042,Zo\xeb\n");
    let said = world.run(&format!("user import {latin}"), "").await.unwrap_err();
    assert!(said.contains("is not UTF-8"), "{said}");
    let missing = world.run(&format!("user import {}", world.path("no.csv")), "").await.unwrap_err();
    assert!(missing.contains("no.csv can't be read"), "{missing}");
    assert_eq!(world.json("user list").await.as_array().unwrap().len(), 1);
    assert_eq!(world.json("change list").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pins_that_can_t_be_printed_are_told() {
    let world = World::initialised().await;
    let file = world.write("users.csv", "extension\n1042\n");
    let lost = world.run_deaf(&format!("user import {file}"), io::ErrorKind::BrokenPipe).await;
    let said = lost.to_string();
    assert!(said.starts_with("1 user added, but their PINs could not be printed: "), "{said}");
    assert!(said.contains("user set-pin") && lost.downcast_ref::<io::Error>().is_none(), "{said}");
    let export = world.run_deaf("user export", io::ErrorKind::BrokenPipe).await;
    assert_eq!(export.downcast_ref::<io::Error>().map(io::Error::kind), Some(io::ErrorKind::BrokenPipe));
}

#[tokio::test]
async fn a_list_has_so_many_bytes_and_no_more() {
    let world = World::initialised().await;
    let mut list = "extension\n1042\n".to_owned();
    list.push_str(&"\n".repeat((4 << 20) - list.len()));
    let file = world.write("long.csv", format!("{list}\n"));
    let said = world.run(&format!("user import {file}"), "").await.unwrap_err();
    assert_eq!(said, format!("{file} has more than 4194304 bytes: nothing was imported; split it"));
    assert_eq!(world.json("user list").await.as_array().unwrap().len(), 1);
    let file = world.write("long.csv", list);
    assert!(world.run(&format!("user import {file}"), "").await.unwrap().starts_with("1 user added\n"));
}

#[test]
fn the_room_for_the_output_of_an_import_is_that_of_its_longest_lines() {
    let longest = || (Extension::parse(&"1".repeat(16)).unwrap(), Pin::parse(&"9".repeat(16)).unwrap());
    let said = imported("2 users added", &[longest(), longest()]);
    let line = format!("{} temporary PIN: {}\n", "1".repeat(16), "9".repeat(16));
    assert_eq!(said, format!("2 users added\n{line}{line}"));
    assert_eq!(line.len(), IMPORTED_LINE_BYTES_MAX);
}
