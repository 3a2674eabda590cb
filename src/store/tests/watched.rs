//! Wrong PINs that come "from the own handset" of ever another account.

use super::*;

/// One wrong PIN for each of the demo's accounts, each by a call that says it is from its own handset.
async fn one_try_on_each(world: &World) {
    for (extension, _) in ROLES {
        assert_eq!(world.login_from(extension, extension, "135792").await, refused(Refusal::LoginFailed));
    }
}

async fn told(world: &World) -> Vec<(String, String, String)> {
    let rows = world.store.audit(None).await.unwrap();
    let many = rows.into_iter().filter(|row| row.action == "login.many_wrong");
    many.map(|row| (row.source, row.target.unwrap_or_default(), row.outcome)).collect()
}

#[tokio::test]
async fn one_try_on_each_of_many_own_handsets_is_seen_and_keeps_no_owner_out() {
    let mut world = World::guarded().await;
    for round in 0..3 {
        one_try_on_each(&world).await;
        world.now += 10 * MINUTE;
        assert_eq!(told(&world).await, [], "{round}: people mistype");
    }
    one_try_on_each(&world).await;
    let place = "10.0.0.5 (own handsets)".to_owned();
    let first = ("10.0.0.5 (1001)".to_owned(), place.clone(), "failed".to_owned());
    assert_eq!(told(&world).await, [first], "the twentieth in a row, and once in five minutes");
    assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
    let sql = "SELECT failures, locked_until FROM v_login_sources WHERE source = $1";
    let row: (i64, Option<i64>) = sqlx::query_as(sql).bind(&place).fetch_one(&world.store.inner.reader).await.unwrap();
    assert_eq!(row, (24, None));
    for (extension, digits) in ROLES {
        let reply = world.login_from(extension, extension, digits).await;
        assert!(matches!(reply, Reply::LoggedIn(_)), "{extension}: {reply:?}");
    }
    // The owners' successes have shown that they are people.
    world.now += 10 * MINUTE;
    one_try_on_each(&world).await;
    assert_eq!(told(&world).await.len(), 1);
}
