//! `change undo`.

use super::*;

#[tokio::test]
async fn a_change_is_undone_by_its_number() {
    let world = World::initialised().await;
    world.run("user add 1042", "").await.unwrap();
    assert_eq!(world.run("user disable 1042", "").await.unwrap(), "1042 disabled: change 3\n");
    assert_eq!(world.run("change undo 3", "").await.unwrap(), "change 3 undone: change 4\n");
    assert_eq!(world.json("user show 1042").await["enabled"], json!(true));
    let changes = world.json("change list").await;
    assert_has(&changes[2], &json!({ "number": 3, "action": "user.disabled", "undone_by": 4 }));
    assert_has(&changes[3], &json!({ "number": 4, "target": "1042", "undone_by": null }));
    let table = world.run("change list", "").await.unwrap();
    assert!(table.lines().next().unwrap().ends_with("UNDONE BY"), "{table}");
    let again = world.run("change undo 3", "").await.unwrap_err();
    assert!(again.contains('3'), "{again}");
    let unknown = world.run("change undo 99", "").await.unwrap_err();
    assert!(unknown.contains("99"), "{unknown}");
    world.run("change undo 1", "").await.expect_err("the first account is not undone");
    assert_eq!(world.json("change list").await.as_array().unwrap().len(), 4);
    assert_eq!(usage("change undo 0"), ErrorKind::ValueValidation);
    assert_eq!(usage("change undo"), ErrorKind::MissingRequiredArgument);
}

#[tokio::test]
async fn what_others_have_written_gives_no_command_to_the_terminal() {
    use sqlx::Connection as _;
    let world = World::initialised().await;
    let mut other =
        sqlx::SqliteConnection::connect(&format!("sqlite://{}", world.path("switchhook.db"))).await.unwrap();
    let sql = "INSERT INTO outside_writes (at, action, target, after)
               VALUES (0, 'dnd.changed', '1000', char(27) || '[2J' || char(8238) || char(10) || 'x')";
    sqlx::query(sql).execute(&mut other).await.unwrap();
    world.run("user unlock 1000", "").await.unwrap();
    let table = world.run("change list --account outside", "").await.unwrap();
    assert!(table.contains("\\u{1b}[2J\\u{202e}\\u{a}x"), "{table}");
    assert!(!table.contains(['\u{1b}', '\u{202e}']) && table.lines().count() == 2, "{table}");
    let fields = harmless("a\u{1b}b");
    assert_eq!(fields, "a\\u{1b}b");
}
