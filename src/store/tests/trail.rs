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
    ] {
        let error = sqlx::query(sql).execute(&world.store.inner.writer).await.err().unwrap();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    sqlx::query("UPDATE changes SET undone_by = 4 WHERE number = 3").execute(&world.store.inner.writer).await.unwrap();
    let rows = i64::try_from(world.store.audit(None).await.unwrap().len()).unwrap();
    assert_eq!(world.store.verify_audit().await.unwrap(), Verified { rows, fault: None });
    assert_eq!(rows, 19, "seven accounts, seven voicemail PINs, five recordings");
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
