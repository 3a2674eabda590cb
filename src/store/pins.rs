//! The work of argon2id, on a few threads of its own behind two bounded queues, each with a memory arena that it keeps.
//! Who calls from the own handset or is logged in waits for nobody else: strangers' PINs are checked when none of theirs
//! is waiting.
//!
//! A hash is kept in the PHC string format (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`), so that it says its own cost.
//! All hashes of one account and kind share a salt: that makes the check against the last five PINs and their easy
//! steps a matter of four derivations instead of twenty.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use tokio::sync::oneshot;

use super::error::StoreError;
use super::policy;
use crate::model::Pin;

/// Jobs of a lane that wait for a worker; over it the caller is asked to try later.
pub const PIN_QUEUE_MAX: usize = 64;
/// The most memory that a stored hash may ask for, in KiB.
const STORED_MEMORY_KIB_MAX: u32 = 65_536;
/// The most passes that a stored hash may ask for.
const STORED_PASSES_MAX: u32 = 8;
const OUTPUT_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// What one guess at a PIN costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl PinCost {
    /// What every real store uses: about 50 ms a guess.
    pub const STANDARD: PinCost = PinCost { memory_kib: 47_104, passes: 2 };
    /// The cheapest that argon2 takes, for tests and simulations: no protection at all.
    pub const CHEAP_FOR_TESTS: PinCost = PinCost { memory_kib: 8, passes: 1 };
}

/// One derivation: what a worker does.
#[derive(Clone)]
struct Derive {
    salt: Salt,
    cost: PinCost,
    pin: Pin,
}

struct Job {
    list: Vec<Derive>,
    reply: oneshot::Sender<Option<Vec<[u8; OUTPUT_BYTES]>>>,
}

/// A stored hash, taken apart.
struct Stored {
    salt: Salt,
    cost: PinCost,
    output: [u8; OUTPUT_BYTES],
}

/// What comes of choosing a new PIN.
pub(super) enum Chosen {
    /// Its hash, to be stored.
    Hash(String),
    /// One of the last five, or an easy step from one.
    UsedBefore,
}

/// Where a PIN waits to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Of who calls from the own handset, is logged in, or has a shell.
    Known,
    /// Of everybody else.
    Strangers,
}

/// What waits, and whether workers are to wait for more.
#[derive(Default)]
struct Waiting {
    known: VecDeque<Job>,
    strangers: VecDeque<Job>,
    is_over: bool,
}

/// Jobs on their way to the workers.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

impl Queue {
    /// `false` where the lane is full.
    fn push(&self, lane: Lane, job: Job) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = match lane {
            Lane::Known => &mut waiting.known,
            Lane::Strangers => &mut waiting.strangers,
        };
        if jobs.len() >= PIN_QUEUE_MAX {
            return false;
        }
        jobs.push_back(job);
        self.more.notify_one();
        true
    }

    /// The next job, those of the known first; `None` where there is nothing more to do ever.
    fn pop(&self) -> Option<Job> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = waiting.known.pop_front() {
                return Some(job);
            }
            if let Some(job) = waiting.strangers.pop_front() {
                return Some(job);
            }
            if waiting.is_over {
                return None;
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
        self.more.notify_all();
    }
}

/// The workers; they end when this is dropped.
pub(super) struct PinWorkers {
    queue: Arc<Queue>,
    /// Derivations that were asked for.
    #[cfg(test)]
    derived: std::sync::atomic::AtomicU64,
    cost: PinCost,
    /// A hash that no PIN fits, for extensions that do not exist.
    dummy: String,
}

impl PinWorkers {
    /// Starts `threads` workers.
    pub(super) fn start(threads: usize, cost: PinCost) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::default());
        for n in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            let thread = std::thread::Builder::new().name(format!("pin-{n}"));
            thread.spawn(move || work(&queue)).map_err(|why| StoreError::Database(format!("no PIN worker: {why}")))?;
        }
        let output = Output::new(&random::<OUTPUT_BYTES>()?).map_err(|_| StoreError::NoRandom)?;
        let dummy = format_hash(new_salt()?, cost, output)?;
        Ok(Self {
            queue,
            #[cfg(test)]
            derived: std::sync::atomic::AtomicU64::new(0),
            cost,
            dummy,
        })
    }

    /// Whether the PIN fits the hash. With no hash the same work is done, and the answer is no.
    pub(super) async fn verify(&self, lane: Lane, stored: Option<&str>, pin: &Pin) -> Result<bool, StoreError> {
        let wanted = match stored.map(parse_hash) {
            Some(Some(wanted)) => Some(wanted),
            Some(None) => {
                tracing::error!("a stored PIN hash is malformed or asks for too much work; the PIN is refused");
                None
            }
            None => None,
        };
        let (wanted, real) = match wanted {
            Some(wanted) => (wanted, true),
            None => (parse_hash(&self.dummy).ok_or(StoreError::PinsBusy)?, false),
        };
        let got = self.derive(lane, vec![Derive { salt: wanted.salt, cost: wanted.cost, pin: pin.clone() }]).await?;
        Ok(got.first().is_some_and(|output| same(output, &wanted.output)) && real)
    }

    /// Hashes a new PIN, unless it or one of its [`policy::ancestors`] is in the history (newest last).
    pub(super) async fn choose(&self, pin: &Pin, history: &[String]) -> Result<Chosen, StoreError> {
        let before: Vec<Stored> = history.iter().filter_map(|hash| parse_hash(hash)).collect();
        let salt = match before.last() {
            Some(last) => last.salt,
            None => new_salt()?,
        };
        let mut list = vec![Derive { salt, cost: self.cost, pin: pin.clone() }];
        for ancestor in policy::ancestors(pin) {
            for stored in &before {
                let derive = Derive { salt: stored.salt, cost: stored.cost, pin: ancestor.clone() };
                if !list.iter().any(|d| d.pin == derive.pin && d.cost == derive.cost && d.salt == derive.salt) {
                    list.push(derive);
                }
            }
        }
        let outputs = self.derive(Lane::Known, list.clone()).await?;
        let used = list.iter().zip(&outputs).any(|(derive, output)| {
            let fits = |s: &Stored| s.salt == derive.salt && s.cost == derive.cost && same(&s.output, output);
            before.iter().any(fits)
        });
        if used {
            return Ok(Chosen::UsedBefore);
        }
        let own = outputs.first().and_then(|o| Output::new(o).ok()).ok_or(StoreError::PinsBusy)?;
        Ok(Chosen::Hash(format_hash(salt, self.cost, own)?))
    }

    async fn derive(&self, lane: Lane, list: Vec<Derive>) -> Result<Vec<[u8; OUTPUT_BYTES]>, StoreError> {
        let (reply, answer) = oneshot::channel();
        #[cfg(test)]
        self.derived.fetch_add(list.len() as u64, std::sync::atomic::Ordering::Relaxed);
        if !self.queue.push(lane, Job { list, reply }) {
            return Err(StoreError::PinsBusy);
        }
        answer.await.ok().flatten().ok_or(StoreError::PinsBusy)
    }

    /// How many derivations were asked for since the start.
    #[cfg(test)]
    pub(super) fn derived(&self) -> u64 {
        self.derived.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Drop for PinWorkers {
    fn drop(&mut self) {
        self.queue.end();
    }
}

/// A worker's life.
fn work(queue: &Queue) {
    let mut arena: Vec<Block> = Vec::new();
    while let Some(job) = queue.pop() {
        if job.reply.is_closed() {
            continue;
        }
        let outputs = job.list.iter().map(|derive| derive_one(derive, &mut arena)).collect();
        // Who asked may have gone meanwhile.
        let _ = job.reply.send(outputs);
    }
}

fn derive_one(derive: &Derive, arena: &mut Vec<Block>) -> Option<[u8; OUTPUT_BYTES]> {
    let params = Params::new(derive.cost.memory_kib, derive.cost.passes, 1, Some(OUTPUT_BYTES)).ok()?;
    let blocks = params.block_count();
    if arena.len() < blocks {
        arena.resize(blocks, Block::default());
    }
    let mut output = [0; OUTPUT_BYTES];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let memory = arena.get_mut(..blocks)?;
    argon2.hash_password_into_with_memory(derive.pin.digits().as_bytes(), &derive.salt, &mut output, memory).ok()?;
    Some(output)
}

/// Takes a stored hash apart; `None` where it is malformed or asks for more work than we ever do.
fn parse_hash(text: &str) -> Option<Stored> {
    let hash = PasswordHash::new(text).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let affordable = params.m_cost() <= STORED_MEMORY_KIB_MAX && params.t_cost() <= STORED_PASSES_MAX;
    let ours = hash.algorithm == ARGON2ID_IDENT && hash.version == Some(19) && params.p_cost() == 1;
    if !affordable || !ours {
        return None;
    }
    let output = hash.hash?.as_bytes().try_into().ok()?;
    Some(Stored { salt: hash.salt?, cost: PinCost { memory_kib: params.m_cost(), passes: params.t_cost() }, output })
}

fn format_hash(salt: Salt, cost: PinCost, output: Output) -> Result<String, StoreError> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, None)
        .ok()
        .and_then(|params| ParamsString::try_from(&params).ok())
        .ok_or_else(|| StoreError::Inconsistent(format!("a PIN cost that argon2 does not take: {cost:?}")))?;
    let hash =
        PasswordHash { algorithm: ARGON2ID_IDENT, version: Some(19), params, salt: Some(salt), hash: Some(output) };
    Ok(hash.to_string())
}

fn new_salt() -> Result<Salt, StoreError> {
    Salt::new(&random::<SALT_BYTES>()?).map_err(|_| StoreError::NoRandom)
}

/// Compares in a time that does not tell where they differ.
fn same(a: &[u8; OUTPUT_BYTES], b: &[u8; OUTPUT_BYTES]) -> bool {
    a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::NoRandom)?;
    Ok(bytes)
}

/// Makes a random PIN of that many digits that the policy does not refuse.
pub(super) fn random_pin(digits: usize, extension: &crate::model::Extension) -> Result<Pin, StoreError> {
    const ATTEMPTS_MAX: u32 = 1000;
    for _ in 0..ATTEMPTS_MAX {
        let mut text = String::with_capacity(digits);
        while text.len() < digits {
            let [byte] = random::<1>()?;
            // 250 is the largest multiple of ten in a byte: no digit is likelier than another.
            if byte < 250 {
                text.push(char::from(b'0' + byte % 10));
            }
        }
        let pin = Pin::parse(&text).ok_or(StoreError::NoRandom)?;
        zeroize::Zeroize::zeroize(&mut text);
        if policy::check(&pin, digits, extension).is_ok() {
            return Ok(pin);
        }
    }
    Err(StoreError::NoRandom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Extension;

    fn pin(text: &str) -> Pin {
        Pin::parse(text).unwrap()
    }

    async fn hash(workers: &PinWorkers, text: &str, history: &[String]) -> Option<String> {
        match workers.choose(&pin(text), history).await.unwrap() {
            Chosen::Hash(hash) => Some(hash),
            Chosen::UsedBefore => None,
        }
    }

    #[tokio::test]
    async fn a_hash_says_its_cost_and_fits_one_pin() {
        let workers = PinWorkers::start(1, PinCost::STANDARD).unwrap();
        let stored = hash(&workers, "904826", &[]).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=2,p=1$"), "{stored}");
        assert!(workers.verify(Lane::Strangers, Some(&stored), &pin("904826")).await.unwrap());
        assert!(!workers.verify(Lane::Strangers, Some(&stored), &pin("904827")).await.unwrap());
        assert!(!workers.verify(Lane::Strangers, None, &pin("904826")).await.unwrap());
    }

    /// Its memory is ours, and it has copies of its own of what it makes of a PIN.
    #[test]
    fn what_argon2_works_with_is_wiped() {
        fn is_wiped<T: zeroize::Zeroize>() {}
        // Only with that feature of the crate it is so, and then its own copies are wiped too.
        is_wiped::<Block>();
    }

    #[tokio::test]
    async fn the_last_five_are_forbidden_each_with_its_reverse_and_its_plus_ones() {
        let workers = PinWorkers::start(2, PinCost::CHEAP_FOR_TESTS).unwrap();
        // Each as it is, reversed, plus one as a number, plus one digit by digit.
        let last = [
            ["618049", "940816", "618050", "729150"],
            ["730185", "581037", "730186", "841296"],
            ["904829", "928409", "904830", "015930"],
            ["407193", "391704", "407194", "518204"],
            ["395062", "260593", "395063", "406173"],
        ];
        let mut history = Vec::new();
        for [pin, ..] in last {
            history.push(hash(&workers, pin, &history).await.unwrap());
        }
        for forbidden in last.into_iter().flatten() {
            assert!(hash(&workers, forbidden, &history).await.is_none(), "{forbidden}");
        }
        // A step back, two steps, another length.
        for free in ["618048", "618051", "507938", "61804", "6180490"] {
            assert!(hash(&workers, free, &history).await.is_some(), "{free}");
        }
        assert!(hash(&workers, "618049", &history[1..]).await.is_some(), "the sixth last");
    }

    #[tokio::test]
    async fn the_history_forbids_reverses_and_plus_ones() {
        let workers = PinWorkers::start(2, PinCost::CHEAP_FOR_TESTS).unwrap();
        let first = hash(&workers, "618049", &[]).await.unwrap();
        let second = hash(&workers, "730185", std::slice::from_ref(&first)).await.unwrap();
        let history = [first, second];
        for used in ["618049", "940816", "618050", "729150", "730185", "730186"] {
            assert!(hash(&workers, used, &history).await.is_none(), "{used}");
        }
        let third = hash(&workers, "904826", &history).await.unwrap();
        assert!(workers.verify(Lane::Strangers, Some(&third), &pin("904826")).await.unwrap());
    }

    #[tokio::test]
    async fn a_stored_hash_can_t_ask_for_terabytes() {
        let workers = PinWorkers::start(1, PinCost::CHEAP_FOR_TESTS).unwrap();
        let stored = hash(&workers, "904826", &[]).await.unwrap();
        for dear in [stored.replace("m=8", "m=4000000000"), stored.replace("t=1", "t=4000000"), "rubbish".to_owned()] {
            assert!(!workers.verify(Lane::Strangers, Some(&dear), &pin("904826")).await.unwrap(), "{dear}");
        }
    }

    #[tokio::test]
    async fn the_queue_is_bounded() {
        let workers = PinWorkers::start(1, PinCost::STANDARD).unwrap();
        let tries: Vec<_> =
            (0..PIN_QUEUE_MAX * 2).map(|_| Box::pin(workers.verify(Lane::Strangers, None, &DIGITS))).collect();
        static DIGITS: std::sync::LazyLock<Pin> = std::sync::LazyLock::new(|| pin("904826"));
        let mut busy = 0;
        let mut waiting = Vec::new();
        for mut attempt in tries {
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(attempt.as_mut().poll(cx))).await;
            match polled {
                std::task::Poll::Ready(Err(StoreError::PinsBusy)) => busy += 1,
                _ => waiting.push(attempt),
            }
        }
        assert!(busy >= PIN_QUEUE_MAX - 2, "{busy}");
    }

    #[tokio::test]
    async fn strangers_wait_for_the_known_and_their_full_lane_keeps_nobody_else_out() {
        let workers = Arc::new(PinWorkers::start(1, PinCost { memory_kib: 4096, passes: 2 }).unwrap());
        let order = Arc::new(Mutex::new(Vec::new()));
        let ask = |lane: Lane| {
            let (workers, order) = (Arc::clone(&workers), Arc::clone(&order));
            tokio::spawn(async move {
                let outcome = workers.verify(lane, None, &pin("904826")).await;
                order.lock().unwrap().push(lane);
                outcome.is_ok()
            })
        };
        let mut strangers: Vec<_> = (0..PIN_QUEUE_MAX * 2).map(|_| ask(Lane::Strangers)).collect();
        // One thread: all of them have asked before this goes on.
        for _ in 0..PIN_QUEUE_MAX {
            tokio::task::yield_now().await;
        }
        let refused = order.lock().unwrap().len();
        assert!(refused >= PIN_QUEUE_MAX - 2, "{refused}");
        let known: Vec<_> = (0..PIN_QUEUE_MAX / 2).map(|_| ask(Lane::Known)).collect();
        for known in known {
            assert!(known.await.unwrap(), "the lane of the known is not full");
        }
        let answered = order.lock().unwrap()[refused..].iter().filter(|lane| **lane == Lane::Strangers).count();
        assert!(answered <= 3, "{answered} strangers were answered before {} who are known", PIN_QUEUE_MAX / 2);
        let mut looked_at = 0;
        for stranger in strangers.drain(..) {
            looked_at += usize::from(stranger.await.unwrap());
        }
        assert_eq!(looked_at + refused, PIN_QUEUE_MAX * 2, "in the end each one that waited is answered");
    }

    #[test]
    fn temporary_pins_are_made_by_chance() {
        let extension = Extension::parse("1004").unwrap();
        let mut seen = [[0; 10]; 8];
        let mut all = std::collections::HashSet::new();
        for _ in 0..2000 {
            let made = random_pin(8, &extension).unwrap();
            for (place, digit) in made.digits().bytes().enumerate() {
                seen[place][usize::from(digit - b'0')] += 1;
            }
            all.insert(made.digits().to_owned());
        }
        assert!(all.len() >= 1995, "{} different ones of 2000", all.len());
        // 200 of each digit at each place; the policy shifts that a little. Seven standard deviations.
        assert!(seen.iter().flatten().all(|count| (100..=300).contains(count)), "{seen:?}");
    }

    #[test]
    fn temporary_pins_satisfy_the_policy() {
        let extension = Extension::parse("1004").unwrap();
        for digits in [6, 8] {
            for _ in 0..50 {
                let made = random_pin(digits, &extension).unwrap();
                assert_eq!(made.digits().len(), digits);
                assert_eq!(policy::check(&made, digits, &extension), Ok(()));
            }
        }
    }
}
