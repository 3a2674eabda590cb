//! Attacks in virtual time: on the store itself, and, where a million transactions would take too long, on the pure part
//! of it, which the store is compared with first.
//!
//! `compared` is what counts: tries of which the PIN was looked at and could have let somebody in. What is tried at a
//! locked account or refused unseen could not.

use std::collections::BTreeMap;

use super::*;
use crate::store::lockout::Lockout;
use crate::store::throttle::{Bucket, Gate, Origin, Source, Total, Try};

/// As many PINs of six digits as there are, nearly: what the policy takes away helps whoever guesses.
const PINS: u64 = 1_000_000;
const DAY: i64 = 24 * HOUR;

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Unseen.
    Refused,
    /// Looked at while the account was locked: worth nothing, even where it was right.
    Locked,
    Wrong,
    In,
}

/// The rules without a database: what the store keeps, in memory.
#[derive(Default)]
struct Pure {
    limits: LoginLimits,
    sources: BTreeMap<String, Source>,
    total: Total,
    accounts: BTreeMap<(u32, &'static str), Lockout>,
    compared: u64,
}

impl Pure {
    fn tries(&mut self, now: i64, number: &str, extension: u32, right: bool) -> Fate {
        let now = Wall(now);
        let is_own = number.parse() == Ok(extension);
        let origin = if is_own { Origin::Own } else { Origin::Other };
        let who = Try { origin, is_stranger: !is_own };
        let gate = Gate { source: self.sources.get(number).copied().unwrap_or_default(), total: self.total };
        if !gate.lets_in(now, who, &self.limits) {
            if let Some(noted) = gate.noted(now, who, &self.limits) {
                self.keep(number, &gate, noted);
            }
            return Fate::Refused;
        }
        let lock = self.accounts.entry((extension, origin.name())).or_default();
        let fate = match (lock.is_locked(now, &self.limits), right) {
            (true, _) => Fate::Locked,
            (false, true) => Fate::In,
            (false, false) => Fate::Wrong,
        };
        match fate {
            Fate::In => *lock = Lockout::default(),
            Fate::Wrong => *lock = lock.after_failure(now, &self.limits),
            Fate::Refused | Fate::Locked => {}
        }
        self.compared += u64::from(fate != Fate::Locked);
        let after = gate.after(now, who, fate == Fate::In, &self.limits);
        self.keep(number, &gate, after);
        fate
    }

    fn keep(&mut self, number: &str, before: &Gate, after: Gate) {
        if after.source != before.source {
            self.sources.insert(number.to_owned(), after.source);
        }
        self.total = after.total;
    }
}

/// Marsaglia's xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}

#[tokio::test]
async fn the_store_does_what_its_pure_part_says() {
    const NUMBERS: [&str; 6] = ["1002", "1004", "1005", "+15550000001", "+15550000002", "+15550000003"];
    for seed in 1..=4 {
        let mut world = World::guarded().await;
        let (mut pure, mut random) = (Pure::default(), Random(seed));
        let mut fates = BTreeMap::new();
        for n in 0..400 {
            world.now += [0, 0, 0, 500, 20_000, 5 * MINUTE][random.below(6) as usize];
            let number = NUMBERS[random.below(6) as usize];
            let (extension, digits) = ROLES[2 + random.below(4) as usize];
            let right = random.below(12) == 0;
            let compared = world.compared();
            let reply = world.login_from(number, extension, if right { digits } else { "11112222" }).await;
            let fate = pure.tries(world.now, number, extension.parse().unwrap(), right);
            let expected = (fate == Fate::In, u64::from(fate != Fate::Refused));
            let got = (matches!(reply, Reply::LoggedIn(_)), world.compared() - compared);
            assert_eq!(got, expected, "seed {seed}, try {n}: {number} at {extension}: {fate:?}");
            *fates.entry(format!("{fate:?}")).or_insert(0) += 1;
        }
        assert_eq!(fates.len(), 4, "seed {seed}: {fates:?}");
        assert_eq!(kept_sources(&world).await, pure.sources, "seed {seed}");
        let mut locks: Vec<(i64, i64)> =
            sqlx::query_as("SELECT failures, locks FROM lockouts").fetch_all(&world.store.inner.reader).await.unwrap();
        let pure = pure.accounts.values().filter(|lock| lock.failures > 0);
        let mut pure: Vec<(i64, i64)> = pure.map(|lock| (lock.failures.into(), lock.locks.into())).collect();
        pure.sort_unstable();
        locks.sort_unstable();
        assert_eq!(locks, pure, "seed {seed}");
    }
}

type SourceTuple = (String, i64, i64, i64, Option<i64>, i64, i64);

/// The rows of the sources, by number.
async fn kept_sources(world: &World) -> BTreeMap<String, Source> {
    let sql = "SELECT source, tokens_at, failures, locks, locked_until, noted_at, changed_at FROM login_sources
               WHERE source NOT LIKE '%(own handsets)'";
    let rows: Vec<SourceTuple> = sqlx::query_as(sql).fetch_all(&world.store.inner.reader).await.unwrap();
    let source = |(source, tokens_at, failures, locks, until, noted_at, changed_at): SourceTuple| {
        let lock = Lockout { failures: failures as u32, locks: locks as u32, locked_until: until.map(Wall) };
        let number = source.trim_start_matches("10.0.0.5 (").trim_end_matches(')').to_owned();
        (number, Source { bucket: Bucket(tokens_at), lock, noted_at, changed_at })
    };
    rows.into_iter().map(source).collect()
}

/// So many guesses at one account, evenly over a time, from so many sources. No PIN is guessed twice.
fn guess_one(guesses: u64, each_ms: i64, sources: u64) -> Pure {
    let mut pure = Pure::default();
    let right = Random(guesses ^ sources).below(PINS);
    for guess in 0..guesses {
        let number = format!("+1555{:07}", guess % sources);
        let fate = pure.tries(MORNING + guess as i64 * each_ms, &number, 1004, guess == right);
        assert!(fate != Fate::In || guess == right);
    }
    pure
}

#[test]
fn a_million_guesses_at_one_account() {
    // At 500 a second, and at 100 a minute for a week.
    for (each_ms, how) in [(2, "500 a second"), (600, "100 a minute")] {
        for sources in [1, 20_000] {
            let pure = guess_one(1_000_000, each_ms, sources);
            println!(
                "figure: PINs compared of 1000000 guesses at one account, {how}, {sources} sources = {}",
                pure.compared
            );
            assert!(pure.compared <= 20, "{}", pure.compared);
        }
    }
}

/// What spraying brings: tries that were compared, and accounts that were guessed.
struct Spray {
    tries: u64,
    compared: u64,
    guessed: u64,
}

/// One PIN after the other on each of 1000 accounts, for so many days, by so many sources, all of them together as fast as
/// they can be looked at at best. PINs are six digits by chance, the sources guess by chance.
fn spray(sources: u64, each_ms: i64, days: i64) -> Spray {
    let (mut pure, mut random) = (Pure::default(), Random(sources | 1));
    let mut spray = Spray { tries: 0, compared: 0, guessed: 0 };
    let mut now = MORNING;
    while now < MORNING + days * DAY {
        let number = format!("+1555{:07}", spray.tries % sources);
        let account = 2000 + (spray.tries % 1000) as u32;
        let right = random.below(PINS) == 0;
        spray.guessed += u64::from(pure.tries(now, &number, account, right) == Fate::In);
        spray.tries += 1;
        now += each_ms;
    }
    spray.compared = pure.compared;
    spray
}

fn spraying(days: i64) {
    for (sources, each_ms) in [(1, 3_000), (1, 60_000), (500, 3_000), (500, 200)] {
        let Spray { tries, compared, guessed } = spray(sources, each_ms, days);
        println!(
            "figure: PINs compared of {tries} sprayed over 1000 accounts in {days} days by {sources} sources = {compared}, \
             accounts guessed = {guessed}"
        );
        // At most what locks each account for good; one source alone gets five an hour once it is known.
        let most = if sources == 1 { 20 + 10 + 5 * 25 * days as u64 } else { 20 * 1000 };
        assert!(compared <= most, "{compared} of {tries}");
        assert!(guessed <= 2, "{guessed}");
    }
}

#[test]
fn slow_spraying_over_a_thousand_accounts() {
    spraying(1);
}

#[test]
#[ignore = "a long run"]
fn soak_slow_spraying_over_a_thousand_accounts_for_a_fortnight() {
    spraying(14);
}

/// The store itself under 100 wrong PINs a minute from strangers, while the owner logs in from the own handset.
async fn siege(hours: i64, owner_every: i64) {
    let mut world = World::guarded().await;
    let (rows, end) = (world.audited("failed").await + world.audited("ok").await, world.now + hours * HOUR);
    let (mut tries, mut logins, mut next) = (0, 0, world.now + owner_every);
    while world.now < end {
        let guess = format!("{:08}", 10_000_000 + tries);
        // Some by the PBX from outside, some from another handset, some with an account of their own.
        let reply = match tries % 3 {
            0 => world.login_from(&format!("+1555{:07}", tries % 40), "1004", &guess).await,
            1 => world.login_from("1005", "1004", &guess).await,
            _ => {
                let ctx = Context { source: source("203.0.113.9", Some("road")), ..world.ctx() };
                let login = Action::Login { extension: ext("1004"), pin: pin(&guess) };
                world.store.apply(&ctx, &Actor::Caller, login).await
            }
        };
        assert_eq!(reply, refused(Refusal::LoginFailed));
        (tries, world.now) = (tries + 1, world.now + 600);
        if world.now >= next {
            let reply = world.login_from("1004", "1004", "29618374").await;
            assert!(matches!(reply, Reply::LoggedIn(_)), "the owner after {tries} tries: {reply:?}");
            (logins, next) = (logins + 1, next + owner_every);
        }
    }
    let foreign = world.login_from("+15557654321", "1004", "29618374").await;
    let sql = "SELECT failures FROM lockouts WHERE origin = 'other'";
    let compared: i64 = sqlx::query_scalar(sql).fetch_one(&world.store.inner.reader).await.unwrap();
    let written = world.audited("failed").await + world.audited("ok").await + world.audited("denied").await - rows;
    println!("figure: PINs compared of {tries} guesses in {hours} h at 100 a minute = {compared}");
    println!("figure: logins of the owner in that time = {logins} of {logins}");
    println!("figure: audit rows of that time = {written}");
    assert_eq!(foreign, refused(Refusal::LoginFailed), "from a foreign phone the owner is a stranger, too");
    assert!(compared <= 20, "{compared}");
    // Each of the 42 sources until it is locked, then five an hour, and a note every five minutes.
    assert!(written <= 42 * (25 + 18 * hours), "{written} audit rows of {tries} tries");
    world.admin(Admin::Unlock { extension: ext("1004") }).await.unwrap();
    let unlocked = world.login_from("+15557654321", "1004", "29618374").await;
    assert!(matches!(unlocked, Reply::LoggedIn(_)), "once it was unlocked: {unlocked:?}");
}

#[tokio::test]
async fn an_hour_of_a_hundred_wrong_pins_a_minute_keeps_the_owner_from_nothing() {
    siege(1, 10 * MINUTE).await;
}

#[tokio::test]
#[ignore = "a long run"]
async fn soak_a_day_of_a_hundred_wrong_pins_a_minute_keeps_the_owner_from_nothing() {
    siege(24, HOUR).await;
}

/// How long the owner waits while 500 PINs a second are guessed, at the real cost and on the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a long run"]
#[allow(clippy::disallowed_methods, reason = "it measures, and asserts nothing of what it measures")]
async fn soak_the_owner_s_wait_while_five_hundred_pins_a_second_are_guessed() {
    const SECONDS: u64 = 60;
    let world = World::within(TempDir::new().unwrap(), |options| {
        options.pin_cost = PinCost::STANDARD;
        options.login = LoginLimits::default();
    })
    .await;
    let begin = std::time::Instant::now();
    let at = move || Wall(MORNING + begin.elapsed().as_millis() as i64);
    let (store, from) = (world.store.clone(), world.by_pbx("+15550000000"));
    let flood = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(2));
        let mut guesses = Vec::new();
        while begin.elapsed().as_secs() < SECONDS {
            tick.tick().await;
            let ctx = Context {
                source: source("10.0.0.5", Some(&format!("+1555{:07}", guesses.len() % 5000))),
                now: at(),
                ..from.clone()
            };
            let store = store.clone();
            let login = Action::Login { extension: ext("1004"), pin: pin("11112222") };
            guesses.push(tokio::spawn(async move { store.apply(&ctx, &Actor::Caller, login).await }));
        }
        guesses.len()
    });
    let mut waits = Vec::new();
    while begin.elapsed().as_secs() < SECONDS {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let ctx = Context { now: at(), ..world.by_pbx("1004") };
        let login = Action::Login { extension: ext("1004"), pin: pin("29618374") };
        let asked = std::time::Instant::now();
        let reply = world.store.apply(&ctx, &Actor::Caller, login).await;
        waits.push(asked.elapsed().as_secs_f64() * 1000.0);
        assert!(matches!(reply, Reply::LoggedIn(_)), "{reply:?}");
    }
    let guesses = flood.await.unwrap();
    waits.sort_by(f64::total_cmp);
    println!("figure: guesses a second = {:.0}", guesses as f64 / SECONDS as f64);
    println!("figure: the owner's wait for the login, median = {:.0} ms", waits[waits.len() / 2]);
    println!("figure: the owner's wait for the login, longest of {} = {:.0} ms", waits.len(), waits[waits.len() - 1]);
}
