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

use super::EndpointConfig;
use super::limiter::Limiter;
use super::random::Random;
use super::response::Refusal;
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
        // Room for all at once: what a string outgrows is not wiped.
        let mut secret = Zeroizing::new(String::with_capacity(username.len() + REALM.len() + password.len() + 2));
        for part in [username, ":", REALM, ":", password] {
            secret.push_str(part);
        }
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
    pub(super) fn admits(&mut self, now: Mono, peer: IpAddr) -> bool {
        self.trusts(peer) || self.limiter.admits(now, peer)
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
        let Some((public, keyed)) = nonce.split_at_checked(24) else { return Nonce::Old };
        if !is_same(&self.keyed(public, peer), keyed) {
            return Nonce::Old;
        }
        let made = public.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let lifetime = NONCE_LIFETIME.as_secs() / NONCE_STEP_S;
        match made {
            Some(made) if step(now) <= made + lifetime && made > self.forgotten => Nonce::Good(made),
            Some(_) | None => Nonce::Old,
        }
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
        Some((count, cnonce)) => Zeroizing::new(format!("{ha1}:{nonce}:{count}:{cnonce}:auth:{ha2}")),
        None => Zeroizing::new(format!("{ha1}:{nonce}:{ha2}")),
    };
    hash(shown.algorithm, &text)
}

fn hash(algorithm: Algorithm, text: &str) -> String {
    match algorithm {
        Algorithm::Md5 => hex(&Md5::digest(text.as_bytes())),
        Algorithm::Sha256 => hex(&Sha256::digest(text.as_bytes())),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares without telling by its time where the first difference is.
fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::wire::sip::{Framing, Message, decode};

    const PEER: &str = "198.51.100.7";

    fn guard() -> (Guard, Random) {
        let config = EndpointConfig {
            trusted: vec!["192.0.2.0/24".parse().expect("a prefix")],
            accounts: vec![Account::new("bob", "zanzibar")],
            ..EndpointConfig::new(vec![])
        };
        (Guard::new(&config, &[7; 32]), Random::new([7; 32]))
    }

    fn at(seconds: u64) -> Mono {
        Mono(0) + Duration::from_secs(seconds)
    }

    fn request(authorization: &str) -> Request {
        let text = format!(
            "INVITE sip:7000@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:7000@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{authorization}Content-Length: 0\r\n\r\n"
        );
        match decode(text.as_bytes(), Framing::Datagram) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn ask(guard: &mut Guard, random: &Random, now: Mono, from: &str, authorization: &str) -> Result<(), Refusal> {
        guard.check(now, from.parse().expect("an address"), &request(authorization), random)
    }

    /// The nonce of a refusal, and whether it says that only the nonce was wrong.
    fn challenged(refused: Result<(), Refusal>) -> (String, bool) {
        let refusal = refused.expect_err("a challenge");
        assert_eq!((refusal.code, refusal.headers.len()), (401, 2));
        assert!(refusal.headers[0].1.contains("algorithm=SHA-256") && refusal.headers[1].1.contains("algorithm=MD5"));
        let nonce = refusal.headers[0].1.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next());
        (nonce.expect("a nonce").to_owned(), refusal.headers[0].1.contains("stale=true"))
    }

    pub(in crate::sip) fn shows(
        user: &str,
        password: &str,
        nonce: &str,
        count: Option<&str>,
        algorithm: Algorithm,
    ) -> String {
        shows_for(user, password, nonce, count, algorithm, "sip:7000@h")
    }

    fn shows_for(
        user: &str,
        password: &str,
        nonce: &str,
        count: Option<&str>,
        algorithm: Algorithm,
        uri: &str,
    ) -> String {
        let mut shown = Authorization {
            username: user.into(),
            realm: REALM.into(),
            nonce: nonce.into(),
            uri: uri.into(),
            response: String::new(),
            algorithm,
            counted: count.map(|count| (count.to_owned(), "cn".to_owned())),
        };
        shown.response = response(Account::new(user, password).ha1(algorithm), &shown, "INVITE");
        let counted = count.map(|count| format!(", qop=auth, nc={count}, cnonce=\"cn\"")).unwrap_or_default();
        format!(
            "Authorization: Digest username=\"{user}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{}\", algorithm={}{counted}\r\n",
            shown.response,
            algorithm.name()
        )
    }

    #[test]
    fn the_examples_of_rfc_7616() {
        // Section 3.9.1.
        let mut shown = Authorization {
            username: "Mufasa".into(),
            realm: "http-auth@example.org".into(),
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".into(),
            uri: "/dir/index.html".into(),
            response: String::new(),
            algorithm: Algorithm::Md5,
            counted: Some(("00000001".into(), "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".into())),
        };
        for (algorithm, expected) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            shown.algorithm = algorithm;
            let ha1 = hash(algorithm, "Mufasa:http-auth@example.org:Circle of Life");
            assert_eq!(response(&ha1, &shown, "GET"), expected);
        }
    }

    #[test]
    fn a_trusted_peer_needs_no_digest_and_all_others_do() {
        let (mut guard, random) = guard();
        assert_eq!(ask(&mut guard, &random, at(0), "192.0.2.9", ""), Ok(()));
        let (nonce, stale) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
        assert!(!stale);
        assert_eq!(
            challenged(ask(&mut guard, &random, at(1), PEER, "")).0,
            nonce,
            "the same to the same request again"
        );
        for algorithm in Algorithm::ALL {
            let (nonce, _) = challenged(ask(&mut guard, &random, at(10), PEER, ""));
            let count = if algorithm == Algorithm::Md5 { "00000002" } else { "00000001" };
            let shown = shows("bob", "zanzibar", &nonce, Some(count), algorithm);
            assert_eq!(ask(&mut guard, &random, at(11), PEER, &shown), Ok(()));
        }
    }

    #[test]
    fn a_wrong_password_an_unknown_account_and_a_foreign_realm_are_told_the_same() {
        let (mut guard, random) = guard();
        let (nonce, _) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
        let right = shows("bob", "zanzibar", &nonce, Some("00000001"), Algorithm::Sha256);
        for shown in [
            shows("bob", "wrong", &nonce, Some("00000001"), Algorithm::Sha256),
            shows("alice", "zanzibar", &nonce, Some("00000001"), Algorithm::Sha256),
            shows("", "", &nonce, Some("00000001"), Algorithm::Sha256),
            right.replace("realm=\"switchhook\"", "realm=\"elsewhere\""),
            right.replace("sip:7000@h", "sip:7000@elsewhere"),
        ] {
            assert!(!challenged(ask(&mut guard, &random, at(1), PEER, &shown)).1, "{shown}");
        }
        assert_eq!(ask(&mut guard, &random, at(1), PEER, &right), Ok(()), "nothing was used up");
    }

    #[test]
    fn the_digest_may_be_for_another_host_but_not_for_another_user() {
        let (mut guard, random) = guard();
        guard.users = vec!["7999".into()];
        let (nonce, _) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
        let count = |n: usize| format!("{n:08x}");
        let good = ["sip:7000@h", "sip:7000@[2001:db8::1]:5080;transport=udp", "sips:%37000@x", "sip:h", "sip:7999@h"];
        for (n, uri) in good.iter().enumerate() {
            let shown = shows_for("bob", "zanzibar", &nonce, Some(&count(n + 1)), Algorithm::Sha256, uri);
            assert_eq!(ask(&mut guard, &random, at(1), PEER, &shown), Ok(()), "{uri}");
        }
        for uri in ["sip:7001@h", "7000@h", "", "/dir/index.html"] {
            let shown = shows_for("bob", "zanzibar", &nonce, Some(&count(9)), Algorithm::Sha256, uri);
            assert!(!challenged(ask(&mut guard, &random, at(1), PEER, &shown)).1, "{uri}");
        }
    }

    #[test]
    fn a_password_is_not_looked_at_with_a_nonce_that_was_made_up() {
        let (mut guard, random) = guard();
        let peer: IpAddr = PEER.parse().expect("an address");
        for password in ["zanzibar", "wrong"] {
            let shown = shows("bob", password, &"0".repeat(56), Some("00000001"), Algorithm::Sha256);
            for _ in 0..50 {
                assert!(challenged(ask(&mut guard, &random, at(1), PEER, &shown)).1, "told the same");
            }
        }
        assert!(guard.admits(at(1), peer), "nor counted");
        let (nonce, _) = challenged(ask(&mut guard, &random, at(2), PEER, ""));
        let shown = shows("bob", "wrong", &nonce, Some("00000001"), Algorithm::Sha256);
        for n in 1..=20 {
            assert!(guard.admits(at(2), peer), "{n}");
            assert!(!challenged(ask(&mut guard, &random, at(2), PEER, &shown)).1);
        }
        assert!(!guard.admits(at(2), peer));
        assert!(guard.admits(at(2), "192.0.2.9".parse().expect("an address")), "a trusted peer is never counted");
    }

    #[test]
    fn only_what_is_offered_is_taken() {
        let (mut guard, random) = guard();
        guard.algorithms = vec![Algorithm::Sha256];
        let refusal = ask(&mut guard, &random, at(0), PEER, "").expect_err("a challenge");
        assert_eq!(refusal.headers.len(), 1);
        let nonce = refusal.headers[0].1.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next());
        let nonce = nonce.expect("a nonce").to_owned();
        let shown = |algorithm| shows("bob", "zanzibar", &nonce, Some("00000001"), algorithm);
        assert!(ask(&mut guard, &random, at(1), PEER, &shown(Algorithm::Md5)).is_err());
        assert_eq!(ask(&mut guard, &random, at(1), PEER, &shown(Algorithm::Sha256)), Ok(()));
    }

    #[test]
    fn a_replay_an_old_nonce_and_another_address_get_a_new_nonce() {
        let (mut guard, random) = guard();
        let (nonce, _) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
        let shown = |count| shows("bob", "zanzibar", &nonce, Some(count), Algorithm::Sha256);
        assert_eq!(ask(&mut guard, &random, at(1), PEER, &shown("00000001")), Ok(()));
        assert!(challenged(ask(&mut guard, &random, at(9), PEER, &shown("00000001"))).1, "a replay");
        assert_eq!(ask(&mut guard, &random, at(9), PEER, &shown("00000005")), Ok(()), "counts may leave some out");
        assert!(challenged(ask(&mut guard, &random, at(9), PEER, &shown("00000004"))).1, "and never go back");
        assert!(challenged(ask(&mut guard, &random, at(9), "198.51.100.8", &shown("00000006"))).1);
        assert!(challenged(ask(&mut guard, &random, at(310), PEER, &shown("00000006"))).1, "too old");
        let made_up = shows("bob", "zanzibar", &"0".repeat(56), Some("00000001"), Algorithm::Sha256);
        assert!(challenged(ask(&mut guard, &random, at(1), PEER, &made_up)).1);
    }

    #[test]
    fn without_a_count_a_nonce_is_good_once() {
        let (mut guard, random) = guard();
        let (nonce, _) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
        let shown = shows("bob", "zanzibar", &nonce, None, Algorithm::Md5);
        assert_eq!(ask(&mut guard, &random, at(1), PEER, &shown), Ok(()));
        assert!(challenged(ask(&mut guard, &random, at(1), PEER, &shown)).1);
        let counted = shows("bob", "zanzibar", &nonce, Some("00000002"), Algorithm::Md5);
        assert!(challenged(ask(&mut guard, &random, at(1), PEER, &counted)).1);
    }

    #[test]
    fn at_the_bound_the_oldest_is_forgotten_and_not_taken_again() {
        let (mut guard, random) = guard();
        let (first, _) = challenged(ask(&mut guard, &random, at(0), PEER, ""));
        let first = shows("bob", "zanzibar", &first, Some("00000001"), Algorithm::Md5);
        assert_eq!(ask(&mut guard, &random, at(0), PEER, &first), Ok(()));
        for n in 0..NONCES_MAX {
            guard.make_room();
            guard.used.insert(format!("nonce {n}"), Used { count_max: 1, step: 2 });
            guard.order.push_back(format!("nonce {n}"));
        }
        assert_eq!((guard.used.len(), guard.order.len()), (NONCES_MAX, NONCES_MAX));
        assert!(challenged(ask(&mut guard, &random, at(8), PEER, &first)).1);
    }
}
