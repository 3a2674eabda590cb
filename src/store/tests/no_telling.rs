//! Nobody can tell why a login fails: not by the answer, not by the work that is done for it.

use std::sync::atomic::Ordering;

use super::*;

const FAILED: Reply = Reply::Refused(Refusal::LoginFailed);

/// Why a login fails, and how it is tried: everywhere the PIN is right where there is one.
const REASONS: [(&str, &str, &str); 6] = [
    ("unknown extension", "4711", "29618374"),
    ("wrong PIN", "1002", "29618374"),
    ("no PIN keyed", "1002", ""),
    ("locked", "1003", "74926185"),
    ("disabled", "1006", "618049"),
    ("expired temporary PIN", "1004", "50371928"),
];

/// Makes each reason so.
async fn prepare(world: &mut World) {
    world.admin(Admin::SetEnabled { extension: ext("1006"), enabled: false }).await.unwrap();
    world.admin(Admin::SetPin { extension: ext("1004"), pin: pin("50371928"), temporary: true }).await.unwrap();
    world.now += 25 * HOUR;
    let sql = "INSERT INTO lockouts SELECT id, 'account', 'other', 20, 4, $1 FROM accounts WHERE extension = '1003'";
    sqlx::query(sql).bind(UNTIL_UNLOCKED.0).execute(&world.store.inner.writer).await.unwrap();
}

/// What was done so far: derivations, transactions that read, and that write, audit rows.
async fn work(world: &World) -> [u64; 4] {
    let begun = world.store.inner.begun.each_ref().map(|count| count.load(Ordering::Relaxed));
    let sql = "SELECT count(*) FROM audit";
    let rows: i64 = sqlx::query_scalar(sql).fetch_one(&world.store.inner.reader).await.unwrap();
    [world.compared(), begun[0], begun[1], rows as u64]
}

#[tokio::test]
async fn whatever_is_wrong_the_answer_and_the_work_are_the_same() {
    let mut world = World::new().await;
    prepare(&mut world).await;
    for (reason, extension, digits) in REASONS {
        let before = work(&world).await;
        assert_eq!(world.try_login(extension, digits).await, FAILED, "{reason}");
        let after = work(&world).await;
        let done: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        assert_eq!(done, [1, 1, 1, 1], "{reason}: derivations, reads, writes, audit rows");
    }
    let before = work(&world).await;
    world.session("1000", "61849273").await;
    assert_eq!(work(&world).await.map(|count| count as i64)[0] - before[0] as i64, 1, "a right one takes one as well");
}

#[tokio::test]
async fn who_is_refused_unseen_learns_nothing_either() {
    let mut world = World::guarded().await;
    prepare(&mut world).await;
    for n in 0..20 {
        world.try_login(&format!("2{n:03}"), "11112222").await;
    }
    // The first one is noted.
    world.try_login("2999", "11112222").await;
    let right = ("right PIN", "1000", "61849273");
    for (reason, extension, digits) in REASONS.into_iter().chain([right]) {
        let before = work(&world).await;
        assert_eq!(world.try_login(extension, digits).await, FAILED, "{reason}");
        let after = work(&world).await;
        let done: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        assert_eq!(done, [0, 1, 0, 0], "{reason}: derivations, reads, writes, audit rows");
    }
}

#[tokio::test]
async fn a_support_pin_that_is_wrong_for_any_reason_takes_the_same_work() {
    let mut world = World::new().await;
    let actor = world.demo("1001").await;
    let owner = world.demo("1002").await;
    world.changed(&owner, Action::SetOwnSupportPin { new: pin("851730") }).await;
    world.now += MINUTE;
    for (reason, extension) in [("unknown", "4711"), ("none set", "1005"), ("wrong", "1002")] {
        let before = work(&world).await;
        let verify = Action::VerifySupportPin { extension: ext(extension), pin: pin("730185") };
        assert_eq!(world.ask(&actor, verify).await, refused(Refusal::Unknown), "{reason}");
        let after = work(&world).await;
        let done: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        assert_eq!(done, [1, 2, 1, 1], "{reason}: derivations, reads, writes, audit rows");
    }
}

/// The time that each reason takes, at the real cost and on the disk.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a long run"]
#[allow(clippy::disallowed_methods, reason = "it measures, and asserts nothing of what it measures")]
async fn soak_login_medians() {
    let tries = std::env::var("SOAK_TRIES").map_or(2000, |text| text.parse().expect("a number of tries"));
    let mut world = World::within(TempDir::new().unwrap(), |options| {
        options.pin_cost = PinCost::STANDARD;
        // The account with the wrong PIN is not to become a locked one.
        options.login = LoginLimits {
            lock_after: u32::MAX,
            unlock_after: u32::MAX,
            source_lock_after: u32::MAX,
            ..options.login.clone()
        };
    })
    .await;
    prepare(&mut world).await;
    let mut taken: Vec<Vec<f64>> = vec![Vec::new(); REASONS.len()];
    for n in 0..tries {
        for at in 0..REASONS.len() {
            // Each reason comes first, second … as often as any other.
            let at = (at + n) % REASONS.len();
            let (reason, extension, digits) = REASONS[at];
            world.now += 1000;
            let begin = std::time::Instant::now();
            assert_eq!(world.try_login(extension, digits).await, FAILED, "{reason}");
            taken[at].push(begin.elapsed().as_secs_f64() * 1000.0);
        }
    }
    let medians: Vec<f64> = taken.iter_mut().map(|times| median(times)).collect();
    for ((reason, ..), median) in REASONS.iter().zip(&medians) {
        println!("figure: login medians, {reason} = {median:.3} ms");
    }
    let (least, most) = medians.iter().fold((f64::MAX, 0.0_f64), |(least, most), m| (least.min(*m), most.max(*m)));
    println!("figure: login medians, largest difference over {tries} tries of each = {:.3} ms", most - least);
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
