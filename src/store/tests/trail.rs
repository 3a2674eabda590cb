use super::*;

async fn tamper(world: &World, sql: &'static str) -> Option<AuditFault> {
    for trigger in [
        "DROP TRIGGER audit_is_never_changed",
        "DROP TRIGGER audit_is_never_deleted",
        "DROP TRIGGER changes_are_never_changed",
        "DROP TRIGGER changes_are_never_deleted",
    ] {
        sqlx::query(trigger).execute(&world.store.inner.writer).await.unwrap();
    }
    sqlx::query(sql).execute(&world.store.inner.writer).await.unwrap();
    world.store.verify_audit().await.unwrap().fault
}

#[tokio::test]
async fn the_trail_is_append_only() {
    let world = World::new().await;
    for sql in [
        "UPDATE audit SET outcome = 'ok'",
        "DELETE FROM audit WHERE seq = 3",
        "UPDATE changes SET after = 'x' WHERE number = 3",
        "UPDATE changes SET account = 'x', undone_by = 4 WHERE number = 3",
        "DELETE FROM changes",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 3",
        "INSERT OR REPLACE INTO audit (at, source, action, outcome, change_number, hash)
         VALUES (0, '', '', 'ok', 3, '')",
        "REPLACE INTO changes (number, at, account, source, action, target, target_id)
         SELECT number, at, account, source, action, target, 1 FROM changes WHERE number = 3",
        "UPDATE changes SET undone_by = 2 WHERE number = 3",
        "UPDATE changes SET undone_by = 99 WHERE number = 3",
        "UPDATE changes SET undone_by = NULL WHERE number = 3",
    ] {
        let error = sqlx::query(sql).execute(&world.store.inner.writer).await.err().unwrap();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    let all = world.store.audit(None).await.unwrap();
    assert_eq!(all.len(), 19, "seven accounts, seven voicemail PINs, five recordings");
    let hash = all.last().unwrap().hash.clone();
    assert_eq!(world.store.verify_audit().await.unwrap(), Verified { rows: 19, hash, fault: None });
}

#[tokio::test]
async fn a_change_that_is_marked_as_undone_was_undone() {
    let world = World::new().await;
    let sql = "UPDATE changes SET undone_by = 4 WHERE number = 3";
    sqlx::query(sql).execute(&world.store.inner.writer).await.unwrap();
    assert_eq!(world.store.verify_audit().await.unwrap().fault, Some(AuditFault::Undone(3)));
    let twice = sqlx::query("UPDATE changes SET undone_by = 5 WHERE number = 3");
    assert!(twice.execute(&world.store.inner.writer).await.is_err());

    let world = World::new().await;
    let number = world.changed(&world.demo("1005").await, Action::ToggleDnd).await;
    world.admin(Admin::Undo { number }).await.unwrap();
    assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
    for trigger in ["DROP TRIGGER changes_are_undone_once", "UPDATE changes SET undone_by = NULL"] {
        sqlx::query(trigger).execute(&world.store.inner.writer).await.unwrap();
    }
    assert_eq!(world.store.verify_audit().await.unwrap().fault, Some(AuditFault::Undone(number.0)));
}

#[tokio::test]
async fn a_trail_that_was_cut_and_its_end_moved_is_not_whole() {
    let world = World::new().await;
    let end = "SELECT value FROM meta WHERE key = 'audit_end'";
    let before: String = sqlx::query_scalar(end).fetch_one(&world.store.inner.writer).await.unwrap();
    world.try_login("1005", "1").await;
    world.try_login("1005", "2").await;
    let sql = "UPDATE meta SET value = $1 WHERE key = 'audit_end'";
    sqlx::query(sql).bind(before).execute(&world.store.inner.writer).await.unwrap();
    let fault = tamper(&world, "DELETE FROM audit WHERE seq > 19").await;
    assert_eq!(fault, Some(AuditFault::Written { last: 19, written: 21 }));
}

#[tokio::test]
async fn what_other_hands_have_put_into_the_store_is_named() {
    for (sql, told) in [
        (
            "CREATE TRIGGER helpful AFTER INSERT ON audit BEGIN INSERT OR IGNORE INTO roles
             SELECT id, 'server-administrator', 0 FROM accounts WHERE extension = '1005'; END",
            "trigger \"helpful\" is not switchhook's",
        ),
        ("CREATE VIEW v_pins AS SELECT * FROM pins", "view \"v_pins\" is not switchhook's"),
        ("DROP TRIGGER outside_mode", "trigger \"outside_mode\" is missing"),
        ("DROP VIEW v_lines", "view \"v_lines\" is missing"),
    ] {
        let world = World::new().await;
        sqlx::query(sql).execute(&world.store.inner.writer).await.unwrap();
        let fault = world.store.verify_audit().await.unwrap().fault;
        assert_eq!(fault, Some(AuditFault::Schema(told.to_owned())), "{sql}");
    }
    let world = World::new().await;
    for sql in ["DROP VIEW v_lines", "CREATE VIEW v_lines AS SELECT 1 AS number"] {
        sqlx::query(sql).execute(&world.store.inner.writer).await.unwrap();
    }
    let fault = world.store.verify_audit().await.unwrap().fault;
    assert_eq!(fault, Some(AuditFault::Schema("view \"v_lines\" was altered".to_owned())));
}

#[tokio::test]
async fn twenty_foreign_views_are_named_and_the_rest_is_counted() {
    let world = World::new().await;
    for n in 1..=22 {
        let sql = sqlx::AssertSqlSafe(format!("CREATE VIEW foreign_{n:02} AS SELECT 1 AS number"));
        sqlx::query(sql).execute(&world.store.inner.writer).await.unwrap();
        let Some(AuditFault::Schema(told)) = world.store.verify_audit().await.unwrap().fault else {
            panic!("nothing is told of {n}")
        };
        assert_eq!(told.matches("is not switchhook's").count(), n.min(20), "{told}");
        assert_eq!(
            told.split_once(", and ").map(|(_, more)| more),
            [None, Some("1 more"), Some("2 more")][n.max(20) - 20]
        );
    }
}

/// The hash that older programs have given a row, by what this file says of it.
fn older_hash(before: &str, row: &AuditRow, told: &ChangeRow) -> String {
    use sha2::Digest;
    let at = MORNING;
    let fields = serde_json::json!([
        row.seq,
        at,
        row.account,
        row.source,
        row.action,
        row.target,
        row.outcome,
        row.change,
        told.before,
        told.after
    ]);
    let digest = sha2::Sha256::digest(format!("{before}\n{fields}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn rows_of_older_programs_are_verified_by_their_own_rule() {
    let world = World::new().await;
    let (rows, changes) = (world.store.audit(None).await.unwrap(), world.store.changes(None, None).await.unwrap());
    let mut hash = "0".repeat(64);
    let writer = &world.store.inner.writer;
    sqlx::query("DROP TRIGGER audit_is_never_changed").execute(writer).await.unwrap();
    for (row, told) in rows.iter().zip(&changes) {
        hash = older_hash(&hash, row, told);
        let sql = "UPDATE audit SET hash = $2, hash_version = 1 WHERE seq = $1";
        sqlx::query(sql).bind(row.seq).bind(&hash).execute(writer).await.unwrap();
    }
    let sql = "UPDATE meta SET value = '19 ' || $1 WHERE key = 'audit_end'";
    sqlx::query(sql).bind(&hash).execute(writer).await.unwrap();
    world.try_login("1005", "1").await;
    let verified = world.store.verify_audit().await.unwrap();
    assert!(matches!(&verified.fault, Some(AuditFault::Schema(_))), "nothing but the trigger: {verified:?}");
    assert_eq!(verified.rows, 20);
    sqlx::query("UPDATE audit SET hash_version = 1 WHERE seq = 20").execute(writer).await.unwrap();
    assert_eq!(world.store.verify_audit().await.unwrap().fault, Some(AuditFault::Altered(20)));
}

#[tokio::test]
async fn the_first_row_that_does_not_fit_is_named() {
    let world = World::new().await;
    let fault = tamper(&world, "UPDATE audit SET target = '1001' WHERE seq = 5").await;
    assert_eq!(fault, Some(AuditFault::Altered(5)));
    let world = World::new().await;
    assert_eq!(tamper(&world, "DELETE FROM audit WHERE seq = 7").await, Some(AuditFault::Gap(7, 8, 6)));
    let world = World::new().await;
    let fault = tamper(&world, "DELETE FROM audit WHERE seq >= 18").await;
    assert_eq!(fault, Some(AuditFault::CutOff { change: 18, last: 17 }));
    let world = World::new().await;
    let fault = tamper(&world, "UPDATE audit SET account = NULL WHERE seq = 1").await;
    assert_eq!(fault, Some(AuditFault::Altered(1)));
}

#[tokio::test]
async fn a_trail_that_was_cut_is_not_whole() {
    let world = World::new().await;
    world.try_login("1005", "1").await;
    world.try_login("1005", "2").await;
    let cut = AuditFault::End { last: 20, remembered: 21 };
    assert_eq!(tamper(&world, "DELETE FROM audit WHERE seq = 21").await, Some(cut));
    world.try_login("1005", "3").await;
    let fault = world.store.verify_audit().await.unwrap().fault;
    assert_eq!(fault, Some(AuditFault::Gap(21, 22, 20)), "what comes after it does not hide it");
    let world = World::new().await;
    let forgotten = tamper(&world, "DELETE FROM meta WHERE key = 'audit_end'").await;
    assert_eq!(forgotten, Some(AuditFault::End { last: 19, remembered: 0 }));
}

#[tokio::test]
async fn a_change_that_was_altered_is_named_by_its_row() {
    let altered = [
        ("UPDATE changes SET after = 'x' WHERE number = 5", AuditFault::Altered(5)),
        ("UPDATE changes SET before = 'x' WHERE number = 5", AuditFault::Altered(5)),
        ("UPDATE changes SET target_id = 1 WHERE number = 5", AuditFault::Altered(5)),
        ("UPDATE changes SET account = '1000' WHERE number = 5", AuditFault::Change { seq: 5, change: 5 }),
        ("DELETE FROM changes WHERE number = 5", AuditFault::Change { seq: 5, change: 5 }),
    ];
    for (sql, fault) in altered {
        let world = World::new().await;
        assert_eq!(tamper(&world, sql).await, Some(fault), "{sql}");
    }
}

#[tokio::test]
async fn several_writers_lose_nothing() {
    const EACH: usize = 25;
    let world = World::new().await;
    let second = Store::open(options(&world.folder)).await.unwrap();
    let mut writers = Vec::new();
    for (n, store) in [&world.store, &world.store, &second, &second].into_iter().enumerate() {
        let (store, ctx) = (store.clone(), world.ctx());
        writers.push(tokio::spawn(async move {
            for i in 0..EACH {
                let audio = tone((n * EACH + i) as u32);
                let keep = Action::KeepRecording { number: RecordingNumber(n as u32 + 1), audio };
                let reply = store.apply(&ctx, &Actor::Shell, keep).await;
                assert!(matches!(reply, Reply::Changed(_)), "{reply:?}");
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(world.store.changes(None, None).await.unwrap().len(), 19 + 4 * EACH);
    for n in 0..4 {
        let audio = world.store.recording_audio(RecordingNumber(n + 1), None).await.unwrap();
        assert_eq!(audio, Some(tone((n as usize * EACH + EACH - 1) as u32)));
    }
    assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
}

#[tokio::test]
async fn no_pin_is_in_the_store_s_files() {
    let world = World::new().await;
    let actor = world.actor("1005", "904826").await;
    world.ask(&actor, Action::SetOwnVoicemailPin { new: pin("736195") }).await;
    world.ask(&actor, Action::SetOwnAccountPin { current: pin("904826"), new: pin("581730") }).await;
    world.try_login("581730", "1005").await;
    world.try_login("1005", "92837465").await;
    let admin = world.actor("1000", "61849273").await;
    let Reply::TemporaryPin { pin: made, .. } =
        world.ask(&admin, Action::ResetVoicemailPin { extension: ext("1005") }).await
    else {
        panic!("no temporary PIN")
    };
    world.ask(&admin, Action::SetOwnSupportPin { new: pin("950263") }).await;
    world.ask(&admin, Action::VerifySupportPin { extension: ext("270419"), pin: pin("604172") }).await;
    world.ask(&admin, Action::Confirm(Destructive::DeleteUser { extension: ext("1006") }, pin("28401963"))).await;
    let Reply::TemporaryPin { pin: added, .. } = world.ask(&admin, Action::AddUser { extension: ext("1042") }).await
    else {
        panic!("no temporary PIN")
    };
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let found = |needle: &str| bytes.windows(needle.len()).any(|w| w == needle.as_bytes());
    assert!(found("voicemail_pin.changed"), "the search finds what is there");
    for digits in [
        "904826",
        "736195",
        "581730",
        "92837465",
        "61849273",
        "950263",
        "270419",
        "604172",
        "28401963",
        made.digits(),
        added.digits(),
    ] {
        assert!(!found(digits), "{digits}");
    }
}
