//! `backup`.

use super::*;

#[tokio::test]
async fn a_backup_brings_back_what_was() {
    let world = World::initialised().await;
    assert_eq!(world.json("backup list").await, json!([]));
    let said = world.run("backup create", "").await.unwrap();
    let made = world.path("backups/switchhook-20260131T081500Z-1.db");
    assert!(said.starts_with(&format!("backup 1 made and verified: {made}, ")), "{said}");
    let bytes = std::fs::metadata(&made).unwrap().len();
    let listed = world.json("backup list").await;
    let at = "2026-01-31T08:15:00.000Z";
    assert_has(&listed[0], &json!({ "id": 1, "at": at, "bytes": bytes, "verified_at": at }));
    assert_eq!(listed[0]["sha256"].as_str().unwrap().len(), 64);
    let verified = world.run("backup verify 1", "").await.unwrap();
    assert!(verified.starts_with(&format!("backup 1 is whole: {bytes} bytes, sha256 ")), "{verified}");
    world.run("user add 1042", "").await.unwrap();
    let said = world.run("backup restore 1", "").await.unwrap();
    assert!(said.starts_with(&format!("the store is backup 1 of {at}\n")), "{said}");
    let aside = said.lines().find_map(|line| line.strip_prefix("the one before it is kept at ")).unwrap();
    assert!(std::path::Path::new(aside).exists(), "{said}");
    assert_eq!(world.json("user list").await.as_array().unwrap().len(), 1, "1042 came after the backup");
    assert_eq!(world.json("backup list").await.as_array().unwrap().len(), 1, "it is listed still");
    let table = world.run("backup list", "").await.unwrap();
    assert!(table.contains("switchhook-20260131T081500Z-1.db"), "{table}");
}

#[tokio::test]
async fn a_backup_that_is_not_good_is_not_restored() {
    let world = World::initialised().await;
    let made: Value = serde_json::from_str(&world.run("backup create --json", "").await.unwrap()).unwrap();
    let path = world.path(&format!("backups/{}", made["file"].as_str().unwrap()));
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    for verb in ["verify", "restore"] {
        let refused = world.run(&format!("backup {verb} 1"), "").await.unwrap_err();
        assert!(refused.contains("backup 1 is not good"), "{refused}");
    }
    assert_eq!(world.json("backup list").await[0]["verified_at"], Value::Null);
    for verb in ["verify", "restore"] {
        let unknown = world.run(&format!("backup {verb} 7"), "").await.unwrap_err();
        assert!(unknown.contains("there is no backup 7"), "{unknown}");
    }
    assert_eq!(world.json("user list").await.as_array().unwrap().len(), 1);
    assert_eq!(usage("backup verify"), ErrorKind::MissingRequiredArgument);
    assert_eq!(usage("backup restore 0"), ErrorKind::ValueValidation);
}
