//! Who is locked out by whose failures: by origin, by source, and all together; over restarts and between processes.

use super::*;

const FAILED: Reply = Reply::Refused(Refusal::LoginFailed);
const NEVER: &str = "9999-12-30T00:00:00.000Z";

/// A stranger's wrong PINs, from an outside number, a while apart.
async fn fails(world: &mut World, number: &str, extension: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(world.login_from(number, extension, "11112222").await, FAILED);
        world.now += 2 * HOUR;
    }
}

#[tokio::test]
async fn strangers_failures_lock_strangers_out_and_never_the_own_handset() {
    let mut world = World::guarded().await;
    fails(&mut world, "+15551234567", "1004", 20).await;
    assert_eq!(world.login_from("+15559999999", "1004", "29618374").await, FAILED, "locked for all strangers");
    assert_eq!(world.login_from("1005", "1004", "29618374").await, FAILED, "another handset is a stranger");
    let pretender = Context { source: source("203.0.113.9", Some("1004")), ..world.ctx() };
    let login = Action::Login { extension: ext("1004"), pin: pin("29618374") };
    let reply = world.store.apply(&pretender, &Actor::Caller, login).await;
    assert_eq!(reply, FAILED, "so is one that no trusted peer vouches for");
    for _ in 0..3 {
        assert!(matches!(world.login_from("1004", "1004", "29618374").await, Reply::LoggedIn(_)));
    }
    let user = world.user("1004").await;
    assert!(user.locked && user.own_locked_until.is_none());
    assert_eq!(user.locked_until.as_deref(), Some(NEVER), "the owner's success is no stranger's");
}

#[tokio::test]
async fn the_own_handset_s_failures_lock_it_like_any_other_and_nobody_else() {
    let mut world = World::guarded().await;
    for _ in 0..5 {
        assert_eq!(world.login_from("1004", "1004", "29618375").await, FAILED);
    }
    assert_eq!(world.login_from("1004", "1004", "29618374").await, FAILED, "locked");
    let user = world.user("1004").await;
    assert_eq!(user.own_locked_until.as_deref(), Some("2026-01-31T08:20:00.000Z"));
    assert_eq!(user.locked_until, user.own_locked_until);
    assert!(matches!(world.login_from("1005", "1004", "29618374").await, Reply::LoggedIn(_)));
    assert_eq!(world.login_from("1004", "1004", "29618374").await, FAILED, "it stays locked");
    world.now += 5 * MINUTE;
    assert!(matches!(world.login_from("1004", "1004", "29618374").await, Reply::LoggedIn(_)));
}

#[tokio::test]
async fn who_is_logged_in_is_not_kept_from_the_own_pin_by_strangers() {
    let mut world = World::guarded().await;
    let actor = world.actor("1004", "29618374").await;
    fails(&mut world, "+15551234567", "1004", 20).await;
    let change = Action::SetOwnAccountPin { current: pin("29618374"), new: pin("73928164") };
    assert!(matches!(world.ask(&actor, change).await, Reply::Changed(_)));
    assert_eq!(world.user("1004").await.locked_until, None, "guesses at the old PIN are worth nothing");
}

#[tokio::test]
async fn an_administrator_unlocks_both_by_phone_and_by_the_shell() {
    let mut world = World::guarded().await;
    for by_phone in [true, false] {
        fails(&mut world, "+15551234567", "1004", 20).await;
        fails(&mut world, "1004", "1004", 20).await;
        let admin = world.demo("1001").await;
        let open = Action::OpenUser { extension: ext("1004") };
        let Reply::User { locked: true, .. } = world.ask(&admin, open.clone()).await else { panic!("not locked") };
        let user = world.user("1004").await;
        assert_eq!([user.locked_until.as_deref(), user.own_locked_until.as_deref()], [Some(NEVER); 2]);
        if by_phone {
            world.changed(&admin, Action::UnlockUser { extension: ext("1004") }).await;
        } else {
            world.admin(Admin::Unlock { extension: ext("1004") }).await.unwrap();
        }
        let Reply::User { locked: false, .. } = world.ask(&admin, open).await else { panic!("locked") };
        for number in ["1004", "+15551234567"] {
            assert!(matches!(world.login_from(number, "1004", "29618374").await, Reply::LoggedIn(_)), "{number}");
        }
    }
}

#[tokio::test]
async fn a_source_without_a_token_is_answered_like_any_failure_and_nothing_is_compared_or_counted() {
    let mut world = World::guarded().await;
    let (before, failed) = (world.compared(), world.audited("failed").await);
    for n in 0..200 {
        // One try on each of many accounts, most of which there are not.
        let extension = if n == 190 { "1004".to_owned() } else { format!("2{n:03}") };
        assert_eq!(world.login_from("+15551234567", &extension, "29618374").await, FAILED, "{n}");
    }
    assert_eq!(world.compared() - before, 20);
    assert_eq!(world.audited("failed").await - failed, 20);
    assert_eq!(world.audited("denied").await, 1, "noted once");
    assert_eq!(world.last_audit().await, "- login unknown denied");
    assert!(
        matches!(world.login_from("+15559999999", "1004", "29618374").await, Reply::LoggedIn(_)),
        "nothing counted"
    );
    world.now += HOUR;
    assert!(matches!(world.login_from("+15551234567", "1004", "29618374").await, Reply::LoggedIn(_)), "an hour later");
}

#[tokio::test]
async fn slow_spraying_is_seen_and_the_source_locked_out_but_not_from_its_own_account() {
    let mut world = World::guarded().await;
    for n in 0..20 {
        assert_eq!(world.login_from("1005", &format!("2{n:03}"), "147258").await, FAILED);
        world.now += 10 * MINUTE;
    }
    let (source, failures): (String, i64) =
        sqlx::query_as("SELECT source, failures FROM v_login_sources WHERE locked_until IS NOT NULL")
            .fetch_one(&world.store.inner.reader)
            .await
            .unwrap();
    assert_eq!((source.as_str(), failures), ("10.0.0.5 (1005)", 20));
    world.now -= 10 * MINUTE;
    let before = world.compared();
    assert_eq!(world.login_from("1005", "1004", "29618374").await, FAILED, "right, and refused unseen");
    assert_eq!(world.compared(), before);
    assert_eq!(world.last_audit().await, "- login 1004 denied");
    assert!(matches!(world.login_from("1006", "1004", "29618374").await, Reply::LoggedIn(_)), "another one");
    assert!(matches!(world.login_from("1005", "1005", "904826").await, Reply::LoggedIn(_)), "the handset's own");
    assert_eq!(world.login_from("1005", "1004", "29618374").await, FAILED, "which hides nothing");
    world.now += 5 * MINUTE;
    assert!(matches!(world.login_from("1005", "1004", "29618374").await, Reply::LoggedIn(_)));
}

#[tokio::test]
async fn all_strangers_together_have_one_bucket_and_the_owner_needs_none_of_it() {
    let world = World::guarded().await;
    let (before, failed) = (world.compared(), world.audited("failed").await);
    for n in 0..400 {
        let reply = world.login_from(&format!("+1555{n:07}"), &format!("2{n:03}"), "29618374").await;
        assert_eq!(reply, FAILED);
    }
    assert_eq!(world.compared() - before, 300);
    assert_eq!((world.audited("failed").await - failed, world.audited("denied").await), (300, 1));
    assert_eq!(world.login_from("+15551234567", "1004", "29618374").await, FAILED, "a stranger");
    assert!(matches!(world.login_from("1004", "1004", "29618374").await, Reply::LoggedIn(_)), "the owner");
    let technician = world.login_from("1004", "1004", "29618374").await;
    let Reply::LoggedIn(session) = technician else { panic!("{technician:?}") };
    let actor = Actor::Account { id: session.id, granted: session.granted, pin_resets: session.pin_resets };
    let owner = world.login_from("1005", "1005", "904826").await;
    let Reply::LoggedIn(owner) = owner else { panic!("{owner:?}") };
    let owner = Actor::Account { id: owner.id, granted: owner.granted, pin_resets: owner.pin_resets };
    world.changed(&owner, Action::SetOwnSupportPin { new: pin("851730") }).await;
    let verify = |digits| Action::VerifySupportPin { extension: ext("1005"), pin: pin(digits) };
    assert_eq!(world.ask(&actor, verify("851730")).await, Reply::Done, "whoever is logged in needs none either");
}

#[tokio::test]
async fn a_flood_does_not_get_past_an_empty_bucket_while_its_first_pins_are_being_checked() {
    let world = World::guarded().await;
    let before = world.compared();
    let tries = (0..200).map(|n| {
        let (store, ctx) = (world.store.clone(), world.by_pbx("+15551234567"));
        let login = Action::Login { extension: ext(&format!("2{n:03}")), pin: pin("29618374") };
        tokio::spawn(async move { store.apply(&ctx, &Actor::Caller, login).await })
    });
    for attempt in tries.collect::<Vec<_>>() {
        assert_eq!(attempt.await.unwrap(), FAILED);
    }
    let worked = world.compared() - before;
    // One that is counted between another's look at the bucket and at what is under way is missed there: its PIN is
    // worked on and then refused all the same.
    assert!((20..=30).contains(&worked), "{worked} of 200: no work for the others");
    assert_eq!(world.audited("failed").await, 20, "and what counts is exact");
    assert!(world.store.inner.trying.is_idle());
}

#[tokio::test]
async fn a_technician_who_tries_support_pins_is_stopped_like_anybody() {
    let world = World::guarded().await;
    let actor = world.demo("1004").await;
    let before = world.compared();
    for n in 0..30 {
        let verify = Action::VerifySupportPin { extension: ext(&format!("2{n:03}")), pin: pin("851730") };
        // From wherever they call.
        let reply = world.store.apply(&world.by_pbx(&format!("+1555{n:07}")), &actor, verify).await;
        assert_eq!(reply, refused(Refusal::Unknown));
    }
    assert_eq!(world.compared() - before, 20);
    assert_eq!(world.audited("denied").await, 1);
}

#[tokio::test]
async fn the_pbx_that_says_who_calls_gets_voicemail_lock_outs_by_origin_and_one_that_does_not_is_never_stopped() {
    let mut world = World::guarded().await;
    let verify = |extension: &str, digits: &str, caller: Option<&str>| Admin::VerifyVoicemailPin {
        extension: ext(extension),
        pin: pin(digits),
        caller: caller.map(str::to_owned),
    };
    let (right, wrong) = (AdminReply::Verified { right: true }, AdminReply::Verified { right: false });
    for _ in 0..5 {
        let stranger = verify("1005", "407194", Some("+15551234567"));
        assert_eq!(world.admin(stranger).await.unwrap(), wrong);
    }
    assert_eq!(world.store.audit(Some(1)).await.unwrap()[0].source, "cli (+15551234567)");
    assert_eq!(world.admin(verify("1005", "407193", Some("+15559999999"))).await.unwrap(), wrong, "locked");
    assert_eq!(world.admin(verify("1005", "407193", None)).await.unwrap(), wrong, "so is whoever is not known");
    assert_eq!(world.admin(verify("1005", "407193", Some("1005"))).await.unwrap(), right, "the own handset");
    world.session("1005", "904826").await;

    let before = world.compared();
    for n in 0..400 {
        assert_eq!(world.admin(verify(&format!("2{n:03}"), "407193", None)).await.unwrap(), wrong);
    }
    assert_eq!(world.compared() - before, 400);
    assert_eq!(world.admin(verify("1006", "395062", None)).await.unwrap(), right);
    for n in 0..30 {
        let spraying = verify(&format!("2{n:03}"), "407193", Some("+15551234567"));
        assert_eq!(world.admin(spraying).await.unwrap(), wrong);
    }
    assert_eq!(world.compared() - before, 416, "fifteen more than the five before, and then no token");
    world.now += HOUR;
    assert_eq!(world.admin(verify("1006", "395062", Some("+15551234567"))).await.unwrap(), right);
}

#[tokio::test]
async fn locks_and_tokens_outlive_the_process_and_are_shared_by_all() {
    let World { store, now, folder } = World::guarded().await;
    let options = store.options().clone();
    let first = World { store, now, folder };
    for n in 0..10 {
        first.login_from("+15551234567", &format!("2{n:03}"), "11112222").await;
    }
    let World { store, now, folder } = first;
    store.close().await;
    let second = World { store: Store::open(options.clone()).await.unwrap(), now, folder };
    let third = Store::open(options).await.unwrap();
    for n in 10..30 {
        second.login_from("+15551234567", &format!("2{n:03}"), "11112222").await;
    }
    assert_eq!(second.compared(), 10, "ten of the minute's twenty were left");
    let login = Action::Login { extension: ext("1004"), pin: pin("29618374") };
    let reply = third.apply(&second.by_pbx("+15551234567"), &Actor::Caller, login.clone()).await;
    assert_eq!(reply, FAILED, "another process knows of them");
    let later = Context { now: Wall(now + 4 * MINUTE), ..second.by_pbx("+15551234567") };
    assert_eq!(third.apply(&later, &Actor::Caller, login.clone()).await, FAILED, "and of the lock");
    let later = Context { now: Wall(now + 5 * MINUTE), ..later };
    assert!(matches!(third.apply(&later, &Actor::Caller, login).await, Reply::LoggedIn(_)));
}

#[tokio::test]
async fn a_right_pin_costs_no_token() {
    let world = World::guarded().await;
    for n in 0..400 {
        assert!(matches!(world.login_from("reception", "1004", "29618374").await, Reply::LoggedIn(_)), "{n}");
    }
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM login_sources").fetch_one(&world.store.inner.reader).await.unwrap();
    assert_eq!(rows, 0, "nothing is kept of who makes no mistake");
}

#[tokio::test]
async fn so_many_sources_are_remembered_and_the_locked_ones_longest() {
    let world = World::guarded().await;
    let count = async || -> i64 {
        let sql = "SELECT count(*) FROM login_sources";
        sqlx::query_scalar(sql).fetch_one(&world.store.inner.reader).await.unwrap()
    };
    // The first five, which are the oldest, are locked.
    let fill = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
                INSERT INTO login_sources SELECT 'source ' || i, 0, 20, 1, CASE WHEN i < 5 THEN $2 END, 0, $1 + i FROM n";
    let fill = sqlx::query(fill).bind(world.now - HOUR).bind(world.now + HOUR);
    fill.execute(&world.store.inner.writer).await.unwrap();
    assert_eq!(count().await, sources::SOURCES_MAX);
    world.login_from("+15551234567", "1004", "11112222").await;
    assert_eq!(count().await, sources::SOURCES_MAX - 99);
    let oldest: Vec<String> = sqlx::query_scalar("SELECT source FROM login_sources ORDER BY changed_at LIMIT 6")
        .fetch_all(&world.store.inner.reader)
        .await
        .unwrap();
    assert_eq!(oldest, ["source 0", "source 1", "source 2", "source 3", "source 4", "source 105"]);

    let mut world = world;
    world.now += 25 * HOUR;
    world.login_from("+15559999999", "1004", "11112222").await;
    let left: Vec<String> =
        sqlx::query_scalar("SELECT source FROM login_sources").fetch_all(&world.store.inner.reader).await.unwrap();
    assert_eq!(left, ["10.0.0.5 (+15559999999)"], "a day later they mean nothing");
}

#[tokio::test]
async fn at_the_bound_of_the_queue_a_stranger_is_asked_to_try_later_and_the_owner_gets_in() {
    let mut options = |options: &mut StoreOptions| {
        options.pin_workers = 1;
        // Dear enough that a queue forms, and the same for everybody in the store.
        options.pin_cost = PinCost { memory_kib: 4096, passes: 2 };
    };
    let world = World::with(&mut options).await;
    let failed = world.audited("failed").await;
    let strangers = (0..3 * PIN_QUEUE_MAX).map(|n| {
        let (store, ctx) = (world.store.clone(), world.by_pbx(&format!("+1555{n:07}")));
        let login = Action::Login { extension: ext("1004"), pin: pin("11112222") };
        tokio::spawn(async move { store.apply(&ctx, &Actor::Caller, login).await })
    });
    let strangers: Vec<_> = strangers.collect();
    // All of them have asked by now, or wait for a connection.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(matches!(world.login_from("1004", "1004", "29618374").await, Reply::LoggedIn(_)));
    let (mut wrong, mut later) = (0, 0);
    for stranger in strangers {
        match stranger.await.unwrap() {
            FAILED => wrong += 1,
            Reply::Refused(Refusal::TryLater) => later += 1,
            reply => panic!("{reply:?}"),
        }
    }
    assert!(later > 0 && wrong >= PIN_QUEUE_MAX, "{wrong} wrong, {later} asked to try later");
    assert_eq!(world.audited("failed").await - failed, wrong as i64, "who is to try later has not failed");
}
