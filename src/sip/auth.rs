//! Who may ask something: a trusted peer, or who shows by digest that they know an account's password (RFC 3261 section
//! 22, RFC 7616, RFC 8760).
//!
//! ```text
//! nonce = when (8 hex digits, seconds / 4) ‖ salt (16) ‖ keyed hash of both and the peer's address (32)
//! ```
//!
//! A challenge leaves nothing behind: a nonce is known by its hash, good for five minutes, from the address that it was
//! given to. Only what was used with the right password is remembered, with the highest count seen: the same request
//! again is refused with a new nonce. At the bound the oldest is forgotten, and no nonce as old as it is taken any more.
//!
//! A password is looked at only with a nonce that is good: nobody learns anything with one that they made up, and who
//! forges the address of somebody else can't have that one's wrong passwords counted.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use md5::Md5;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::limiter::{Limiter, Way};
use super::random::Random;
use super::response::Refusal;
use super::secrets::{hex, joined};
use super::{EndpointConfig, Flow};
use crate::model::{Mono, Prefix};
use crate::wire::sip::{Algorithm, Authorization, Name, Request, digest_challenge, read_uri, sip_user};

/// What the accounts are of; no secret, and the same everywhere.
pub const REALM: &str = "switchhook";
/// How long a nonce is good for, from its challenge.
const NONCE_LIFETIME: Duration = Duration::from_secs(300);
/// Requests that come again within this time get the same nonce.
const NONCE_STEP_S: u64 = 4;
/// Used nonces that are remembered.
const NONCES_MAX: usize = 10_000;
/// Authorization fields of one request that are looked at.
const FIELDS_MAX: usize = 4;

/// An account that may call directly; of its password only what the digests need (`HA1`).
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    username: String,
    md5: Zeroizing<String>,
    sha256: Zeroizing<String>,
}

/// Prints the name only.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.username)
    }
}

impl Account {
    /// An account and its password.
    pub fn new(username: &str, password: &str) -> Self {
        let secret = joined(&[username, REALM, password]);
        Self {
            username: username.to_owned(),
            md5: Zeroizing::new(hash(Algorithm::Md5, &secret)),
            sha256: Zeroizing::new(hash(Algorithm::Sha256, &secret)),
        }
    }

    fn ha1(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Md5 => &self.md5,
            Algorithm::Sha256 => &self.sha256,
        }
    }
}

/// Who is let in, and the nonces that were used.
#[derive(Debug)]
pub(super) struct Guard {
    trusted: Vec<Prefix>,
    accounts: HashMap<String, Account>,
    algorithms: Vec<Algorithm>,
    /// The user parts that are answered.
    users: Vec<String>,
    limiter: Limiter,
    /// Stands for accounts that there are not, so that they take as long.
    nobody: Account,
    secret: Secret,
    used: HashMap<String, Used>,
    /// The used nonces, the oldest first.
    order: VecDeque<String>,
    /// Nonces of this step and before are not taken.
    forgotten: u64,
}

struct Secret([u8; 32]);

/// Prints nothing of it.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[derive(Debug)]
struct Used {
    count_max: u32,
    step: u64,
}

/// Whether a nonce is one of ours.
enum Nonce {
    /// Made in this step, and still good.
    Good(u64),
    /// Ours, or of an earlier process, and too old.
    Old,
}

impl Guard {
    pub(super) fn new(config: &EndpointConfig, seed: &[u8; 32]) -> Self {
        let mut secret = Sha256::new();
        secret.update(seed);
        secret.update(b"digest");
        let accounts = config.accounts.iter().map(|account| (account.username.clone(), account.clone()));
        Self {
            trusted: config.trusted.clone(),
            accounts: accounts.collect(),
            algorithms: config.algorithms.clone(),
            users: config.extensions.clone(),
            limiter: Limiter::default(),
            nobody: Account::new("", ""),
            secret: Secret(secret.finalize().into()),
            used: HashMap::new(),
            order: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Takes other passwords for accounts that there are; those of whom none is told keep theirs.
    pub(super) fn set_passwords(&mut self, accounts: Vec<Account>) {
        for account in accounts {
            if let Some(known) = self.accounts.get_mut(&account.username) {
                *known = account;
            }
        }
    }

    /// Whether calls from this address need no digest, and say truly who calls.
    pub(super) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|prefix| prefix.contains(peer))
    }

    /// Whether a request that belongs to no call may be looked at; a stranger's is counted.
    pub(super) fn admits(&mut self, now: Mono, flow: Flow, request: &Request) -> bool {
        let peer = flow.peer.ip();
        if self.trusts(peer) {
            return true;
        }
        let is_proven =
            flow.transport.is_reliable() || self.shown(request).is_some_and(|s| self.is_ours(peer, &s.nonce));
        self.limiter.admits(now, peer, if is_proven { Way::Proven } else { Way::Forgeable })
    }

    /// The same of what could not be read.
    pub(super) fn admits_malformed(&mut self, now: Mono, flow: Flow) -> bool {
        let way = if flow.transport.is_reliable() { Way::Proven } else { Way::Forgeable };
        self.trusts(flow.peer.ip()) || self.limiter.admits(now, flow.peer.ip(), way)
    }

    /// Whether who is over a limit may be told so; it is counted.
    pub(super) fn may_refuse(&mut self, now: Mono) -> bool {
        self.limiter.may_refuse(now)
    }

    /// Lets the request in, or says with which challenge it is refused.
    pub(super) fn check(&mut self, now: Mono, peer: IpAddr, request: &Request, random: &Random) -> Result<(), Refusal> {
        if self.trusts(peer) {
            return Ok(());
        }
        let Some(shown) = self.shown(request).filter(|shown| self.is_for_us(shown, request)) else {
            return Err(self.challenge(now, peer, request, random, false));
        };
        let Nonce::Good(step) = self.nonce(now, peer, &shown.nonce) else {
            return Err(self.challenge(now, peer, request, random, true));
        };
        let account = self.accounts.get(&shown.username).unwrap_or(&self.nobody);
        let is_right =
            is_same(&response(account.ha1(shown.algorithm), &shown, request.method.as_str()), &shown.response);
        // The stand-in is no account, whatever was guessed.
        if !is_right || !self.accounts.contains_key(&shown.username) {
            tracing::info!(%peer, "a digest was wrong");
            if self.limiter.note_wrong(now, peer) {
                tracing::warn!(%peer, "too many digests were wrong: its requests are not looked at for seconds at a time");
            }
            return Err(self.challenge(now, peer, request, random, false));
        }
        // The password is right: where the nonce was used before, only that is to be another.
        if !self.use_nonce(&shown, step) {
            return Err(self.challenge(now, peer, request, random, true));
        }
        self.limiter.note_right(now, peer);
        Ok(())
    }

    /// Whether the digest was made for a user that is asked for or answered here. Host and parameters are left aside:
    /// proxies and old phones write them otherwise than the Request-URI has them, which is no fault (RFC 3261 section
    /// 22.4).
    fn is_for_us(&self, shown: &Authorization, request: &Request) -> bool {
        let Ok(uri) = read_uri(&shown.uri) else { return false };
        let Some(user) = sip_user(&uri) else { return true };
        self.users.contains(&user) || sip_user(&request.uri).as_ref() == Some(&user)
    }

    /// Whose password a request that was let in has shown; nobody's where it needed none.
    pub(super) fn account(&self, peer: IpAddr, request: &Request) -> Option<String> {
        if self.trusts(peer) {
            return None;
        }
        self.shown(request).map(|shown| shown.username)
    }

    /// What a request shows for our realm.
    fn shown(&self, request: &Request) -> Option<Authorization> {
        let fields = request.head.values(Name::Authorization).take(FIELDS_MAX);
        fields
            .filter_map(Authorization::parse)
            .find(|field| field.realm == REALM && self.algorithms.contains(&field.algorithm))
    }

    fn challenge(&self, now: Mono, peer: IpAddr, request: &Request, random: &Random, stale: bool) -> Refusal {
        let step = step(now);
        let head = &request.head;
        let via = head.echo.vias.first().map_or("", String::as_str);
        let salt = random.hash(&["nonce", &step.to_string(), head.call_id(), via, &head.echo.cseq]);
        let public = format!("{step:08x}{salt:016x}");
        let nonce = format!("{public}{}", self.keyed(&public, peer));
        let field = |algorithm: &Algorithm| ("WWW-Authenticate", digest_challenge(REALM, &nonce, *algorithm, stale));
        let fields = self.algorithms.iter().map(field);
        Refusal { code: 401, headers: fields.collect() }
    }

    fn keyed(&self, public: &str, peer: IpAddr) -> String {
        let mut keyed = Sha256::new();
        keyed.update(self.secret.0);
        keyed.update(public.as_bytes());
        keyed.update(peer.to_canonical().to_string().as_bytes());
        hex(&keyed.finalize()).get(..32).unwrap_or_default().to_owned()
    }

    fn nonce(&self, now: Mono, peer: IpAddr, nonce: &str) -> Nonce {
        if !self.is_ours(peer, nonce) {
            return Nonce::Old;
        }
        let made = nonce.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let lifetime = NONCE_LIFETIME.as_secs() / NONCE_STEP_S;
        match made {
            Some(made) if step(now) <= made + lifetime && made > self.forgotten => Nonce::Good(made),
            Some(_) | None => Nonce::Old,
        }
    }

    /// Whether the nonce was given to that address, however long ago.
    fn is_ours(&self, peer: IpAddr, nonce: &str) -> bool {
        nonce.split_at_checked(24).is_some_and(|(public, keyed)| is_same(&self.keyed(public, peer), keyed))
    }

    /// Whether the count is higher than all before with this nonce; without a count a nonce is good once.
    fn use_nonce(&mut self, shown: &Authorization, step: u64) -> bool {
        let count = match &shown.counted {
            Some((count, _)) => u32::from_str_radix(count, 16).unwrap_or(0),
            None => u32::MAX,
        };
        if let Some(used) = self.used.get_mut(&shown.nonce) {
            let is_new = count > used.count_max && used.count_max != u32::MAX;
            used.count_max = used.count_max.max(count);
            return is_new;
        }
        if count == 0 {
            return false;
        }
        self.make_room();
        self.used.insert(shown.nonce.clone(), Used { count_max: count, step });
        self.order.push_back(shown.nonce.clone());
        true
    }

    /// At the bound the oldest is forgotten, with all that are as old.
    fn make_room(&mut self) {
        if self.order.len() < NONCES_MAX {
            return;
        }
        if let Some(used) = self.order.pop_front().and_then(|nonce| self.used.remove(&nonce)) {
            self.forgotten = self.forgotten.max(used.step);
        }
    }
}

fn step(now: Mono) -> u64 {
    // From one on, so that nothing is forgotten at the begin.
    now.since(Mono(0)).as_secs() / NONCE_STEP_S + 1
}

/// `request-digest` (RFC 7616 section 3.4.1), or RFC 2069's without a count.
fn response(ha1: &str, shown: &Authorization, method: &str) -> String {
    let ha2 = hash(shown.algorithm, &format!("{method}:{}", shown.uri));
    let nonce = &shown.nonce;
    let text = match &shown.counted {
        Some((count, cnonce)) => joined(&[ha1, nonce, count, cnonce, "auth", &ha2]),
        None => joined(&[ha1, nonce, &ha2]),
    };
    hash(shown.algorithm, &text)
}

fn hash(algorithm: Algorithm, text: &str) -> String {
    match algorithm {
        Algorithm::Md5 => hex(&Md5::digest(text.as_bytes())),
        Algorithm::Sha256 => hex(&Sha256::digest(text.as_bytes())),
    }
}

/// Compares without telling by its time where the first difference is.
fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

#[cfg(test)]
#[path = "auth_tests.rs"]
pub(super) mod tests;
