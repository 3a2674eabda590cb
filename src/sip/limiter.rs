//! How often strangers are answered.
//!
//! Each source has buckets of requests and one of wrong passwords; all sources together have buckets of requests, and one
//! of refusals, since an answer to a forged address hits whoever has that address. A source that has shown a
//! right password lately does not count against the common one, so that a flood from elsewhere can't keep it out.
//!
//! A source is an IPv4 address or an IPv6 network of 64 bits. Since one who has such networks has many of them as a rule,
//! all of a site (48 bits) are counted together too; those that have shown a right password are not held by that.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use crate::model::{Bucket, Mono, Network, Rate};

/// Requests of one source that are looked at, a second; over it an INVITE gets 503, then nothing is answered.
const SOURCE_REQUESTS_PER_SECOND_MAX: u32 = 5;
/// Requests of one source that may come at once.
const SOURCE_REQUESTS_BURST_MAX: u32 = 30;
/// Requests of one IPv6 site that are looked at, a second, but for those of its known sources.
const SITE_REQUESTS_PER_SECOND_MAX: u32 = 20;
/// Those that may come at once.
const SITE_REQUESTS_BURST_MAX: u32 = 120;
/// Requests of all strangers that are looked at, a second.
const REQUESTS_PER_SECOND_MAX: u32 = 200;
/// Requests of all strangers that may come at once.
const REQUESTS_BURST_MAX: u32 = 400;
/// Wrong passwords of one source, a minute and at once; over it the source is refused for seconds at a time.
const WRONG_PER_MINUTE_MAX: u32 = 20;
/// Wrong passwords of one IPv6 site, a minute and at once; over it all of its sources but the known ones are refused.
const SITE_WRONG_PER_MINUTE_MAX: u32 = 80;
/// 503s to strangers over a limit, a second and at once; over it nothing is answered.
const REFUSALS_PER_SECOND_MAX: u32 = 50;
/// Sources and sites that have buckets of their own. At the bound the one whose buckets have been full for longest goes; where
/// none are full, all new sources share one pair.
const SOURCES_MAX: usize = 8192;
/// How long a source that has shown a right password does not count against the common bucket.
const KNOWN_FOR: Duration = Duration::from_secs(3600);

const SOURCE_REQUESTS: Rate = Rate::per_second(SOURCE_REQUESTS_PER_SECOND_MAX, SOURCE_REQUESTS_BURST_MAX);
const SITE_REQUESTS: Rate = Rate::per_second(SITE_REQUESTS_PER_SECOND_MAX, SITE_REQUESTS_BURST_MAX);
const REQUESTS: Rate = Rate::per_second(REQUESTS_PER_SECOND_MAX, REQUESTS_BURST_MAX);
const WRONG: Rate = Rate::per(Duration::from_secs(60), WRONG_PER_MINUTE_MAX, WRONG_PER_MINUTE_MAX);
const SITE_WRONG: Rate = Rate::per(Duration::from_secs(60), SITE_WRONG_PER_MINUTE_MAX, SITE_WRONG_PER_MINUTE_MAX);
const REFUSALS: Rate = Rate::per_second(REFUSALS_PER_SECOND_MAX, REFUSALS_PER_SECOND_MAX);

/// Whether a request's address can be forged. What can be is counted apart, so that it keeps nobody else out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By UDP.
    Forgeable,
    /// On a connection, or with a nonce that was given to that address.
    Proven,
}

/// A bucket for each [`Way`].
#[derive(Clone, Copy, Debug, Default)]
struct ByWay([Bucket; 2]);

impl ByWay {
    fn of(&mut self, way: Way) -> &mut Bucket {
        let ByWay([forgeable, proven]) = self;
        match way {
            Way::Forgeable => forgeable,
            Way::Proven => proven,
        }
    }

    fn full_at(&self) -> Mono {
        let ByWay([forgeable, proven]) = self;
        forgeable.full_at().max(proven.full_at())
    }
}

/// What is remembered of a source or a site; no site is known.
#[derive(Clone, Copy, Debug, Default)]
struct Buckets {
    requests: ByWay,
    wrong: Bucket,
    known_until: Mono,
}

impl Buckets {
    /// From then on they are like those of a source that never came.
    fn spare_at(&self) -> Mono {
        self.requests.full_at().max(self.wrong.full_at()).max(self.known_until)
    }
}

/// The buckets of all strangers, in bounded memory.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    /// Of sources and sites.
    sources: HashMap<Network, Buckets>,
    /// The same, by when they may be forgotten.
    spare: BTreeSet<(Mono, Network)>,
    /// Of all sources for which there is no room.
    shared: Buckets,
    requests: ByWay,
    refusals: Bucket,
}

impl Limiter {
    /// Whether a request of a stranger may be looked at; it is counted then.
    pub(super) fn admits(&mut self, now: Mono, peer: IpAddr, way: Way) -> bool {
        let (source, mut buckets) = self.buckets(now, Network::of(peer));
        let has_own = buckets.requests.of(way).has(now, SOURCE_REQUESTS, 1) && buckets.wrong.has(now, WRONG, 1);
        let is_known = buckets.known_until > now;
        if !has_own || !is_known && !self.admits_one_of_many(now, peer, way) {
            return false;
        }
        buckets.requests.of(way).take(now, SOURCE_REQUESTS, 1);
        self.keep(source, buckets);
        if !is_known {
            self.requests.of(way).take(now, REQUESTS, 1);
            self.count_site(now, peer, |site| site.requests.of(way).take(now, SITE_REQUESTS, 1));
        }
        true
    }

    /// Whether the buckets that a source has in common with others let it in; nothing is counted.
    fn admits_one_of_many(&mut self, now: Mono, peer: IpAddr, way: Way) -> bool {
        let does_site = self.site(now, peer).is_none_or(|(_, mut site)| {
            site.requests.of(way).has(now, SITE_REQUESTS, 1) && site.wrong.has(now, SITE_WRONG, 1)
        });
        does_site && self.requests.of(way).has(now, REQUESTS, 1)
    }

    /// Whether one more stranger over a limit may be told so; it is counted then.
    pub(super) fn may_refuse(&mut self, now: Mono) -> bool {
        self.refusals.take(now, REFUSALS, 1)
    }

    /// A password was wrong; true where it was the last one for now.
    pub(super) fn note_wrong(&mut self, now: Mono, peer: IpAddr) -> bool {
        let (source, mut buckets) = self.buckets(now, Network::of(peer));
        buckets.wrong.take(now, WRONG, 1);
        self.keep(source, buckets);
        self.count_site(now, peer, |site| site.wrong.take(now, SITE_WRONG, 1));
        !buckets.wrong.has(now, WRONG, 1)
    }

    /// A password was right. What was wrong before still counts, or one good account would let all others be guessed.
    pub(super) fn note_right(&mut self, now: Mono, peer: IpAddr) {
        let (source, mut buckets) = self.buckets(now, Network::of(peer));
        if source.is_some() {
            buckets.known_until = now + KNOWN_FOR;
            self.keep(source, buckets);
        }
    }

    /// The buckets of the source's site, and whose they are; `None` for IPv4, and where there is no room: sources of that
    /// site share a pair with all others then.
    fn site(&self, now: Mono, peer: IpAddr) -> Option<(Network, Buckets)> {
        let (site, buckets) = self.buckets(now, Network::site_of(peer)?);
        Some((site?, buckets))
    }

    fn count_site(&mut self, now: Mono, peer: IpAddr, count: impl FnOnce(&mut Buckets) -> bool) {
        if let Some((site, mut buckets)) = self.site(now, peer) {
            count(&mut buckets);
            self.keep(Some(site), buckets);
        }
    }

    /// The buckets and whose they are; `None` for the shared ones.
    fn buckets(&self, now: Mono, source: Network) -> (Option<Network>, Buckets) {
        match self.sources.get(&source) {
            Some(buckets) => (Some(source), *buckets),
            None if self.has_room(now) => (Some(source), Buckets::default()),
            None => (None, self.shared),
        }
    }

    fn has_room(&self, now: Mono) -> bool {
        self.sources.len() < SOURCES_MAX || self.spare.first().is_some_and(|(spare_at, _)| *spare_at <= now)
    }

    fn keep(&mut self, source: Option<Network>, buckets: Buckets) {
        let Some(source) = source else {
            self.shared = buckets;
            return;
        };
        match self.sources.insert(source, buckets) {
            Some(old) => {
                self.spare.remove(&(old.spare_at(), source));
            }
            None if self.sources.len() > SOURCES_MAX => {
                if let Some((_, oldest)) = self.spare.pop_first() {
                    self.sources.remove(&oldest);
                }
            }
            None => {}
        }
        self.spare.insert((buckets.spare_at(), source));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Mono = Mono(1_000_000);

    fn at(ms: u64) -> Mono {
        START + Duration::from_millis(ms)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// The address number `n` of a network of many.
    fn one_of_many(n: usize) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from(0x0A00_0000 + u32::try_from(n).expect("a number")))
    }

    fn admitted(limiter: &mut Limiter, now: Mono, peer: IpAddr, tries: usize) -> usize {
        (0..tries).filter(|_| limiter.admits(now, peer, Way::Forgeable)).count()
    }

    #[test]
    fn a_source_has_a_burst_and_then_its_rate() {
        let mut limiter = Limiter::default();
        let (one, other) = (address("198.51.100.7"), address("198.51.100.8"));
        assert_eq!(admitted(&mut limiter, at(0), one, 1000), 30);
        assert_eq!(admitted(&mut limiter, at(0), other, 1), 1, "another source is not kept out");
        assert_eq!(admitted(&mut limiter, at(1000), one, 1000), 5);
        assert_eq!(admitted(&mut limiter, at(1100), one, 1000), 0);
        assert_eq!(admitted(&mut limiter, at(60_000), one, 1000), 30, "never more than the burst");
    }

    #[test]
    fn an_ipv6_network_is_one_source_and_a_mapped_address_is_ipv4() {
        let mut limiter = Limiter::default();
        assert_eq!(admitted(&mut limiter, at(0), address("2001:db8:1:2::1"), 29), 29);
        assert_eq!(admitted(&mut limiter, at(0), address("2001:db8:1:2:ffff::9"), 9), 1);
        assert_eq!(admitted(&mut limiter, at(0), address("2001:db8:1:3::1"), 9), 9);
        assert_eq!(admitted(&mut limiter, at(0), address("198.51.100.7"), 30), 30);
        assert_eq!(admitted(&mut limiter, at(0), address("::ffff:198.51.100.7"), 9), 0);
    }

    /// An address in a network of its own, of a site that has many.
    fn of_site(site: u16, network: usize) -> IpAddr {
        let network = u16::try_from(network).expect("a number");
        IpAddr::from([0x2001, 0xdb8, site, network, 0, 0, 0, 1])
    }

    #[test]
    fn the_networks_of_an_ipv6_site_are_counted_together_too_and_known_ones_are_not_held_by_that() {
        let mut limiter = Limiter::default();
        let known = of_site(1, 5000);
        limiter.note_right(at(0), known);
        let flood = |limiter: &mut Limiter, ms: u64| {
            (0..1000).filter(|n| limiter.admits(at(ms), of_site(1, *n), Way::Proven)).count()
        };
        assert_eq!(flood(&mut limiter, 0), 120);
        assert!(limiter.admits(at(0), of_site(2, 0), Way::Proven), "another site is not kept out");
        assert!(limiter.admits(at(0), of_site(1, 2000), Way::Forgeable), "nor who comes by the other way");
        assert!(limiter.admits(at(0), known, Way::Proven), "nor who is known");
        assert_eq!(flood(&mut limiter, 1000), 20);
    }

    #[test]
    fn a_site_has_eighty_wrong_passwords_a_minute_however_many_networks_guess() {
        let mut limiter = Limiter::default();
        let known = of_site(1, 5000);
        limiter.note_right(at(0), known);
        let mut guesses = 0;
        for n in 0..1000 {
            // So slowly that no other bucket is empty.
            if limiter.admits(at(n as u64 * 60), of_site(1, n), Way::Proven) {
                guesses += 1;
                limiter.note_wrong(at(n as u64 * 60), of_site(1, n));
            }
        }
        assert_eq!(guesses, 80 + 79, "80 at once, and those of the minute that follows");
        assert!(!limiter.admits(at(59_950), of_site(1, 2000), Way::Proven));
        let mut is_let_in = |peer| limiter.admits(at(59_950), peer, Way::Proven);
        assert!(is_let_in(of_site(2, 0)) && is_let_in(known));
    }

    #[test]
    fn all_strangers_together_have_a_bucket_and_a_known_one_does_not_need_it() {
        let mut limiter = Limiter::default();
        let (known, new) = (address("198.51.100.7"), address("198.51.100.8"));
        limiter.note_right(at(0), known);
        assert_eq!((0..1000).filter(|n| limiter.admits(at(0), one_of_many(*n), Way::Forgeable)).count(), 400);
        assert!(!limiter.admits(at(0), new, Way::Forgeable));
        assert_eq!(admitted(&mut limiter, at(0), known, 100), 30, "but its own");
        assert_eq!((0..1000).filter(|n| limiter.admits(at(1000), one_of_many(*n), Way::Forgeable)).count(), 200);
        assert!(
            !limiter.admits(at(3_601_000), known, Way::Forgeable) || limiter.requests.full_at() > at(3_601_000),
            "not for ever"
        );
    }

    #[test]
    fn twenty_wrong_passwords_a_minute_and_then_nothing_is_looked_at() {
        let mut limiter = Limiter::default();
        let (guesser, other) = (address("198.51.100.7"), address("198.51.100.8"));
        for n in 1..=20 {
            assert!(limiter.admits(at(n * 200), guesser, Way::Forgeable), "{n}");
            assert_eq!(limiter.note_wrong(at(0), guesser), n == 20);
        }
        assert!(!limiter.admits(at(2900), guesser, Way::Forgeable), "not even a right one");
        assert!(limiter.admits(at(2900), other, Way::Forgeable));
        let mut guesses = 0;
        for second in 3..3603 {
            if limiter.admits(at(second * 1000), guesser, Way::Forgeable) {
                guesses += 1;
                limiter.note_wrong(at(second * 1000), guesser);
                limiter.note_right(at(second * 1000), guesser);
            }
        }
        assert_eq!(guesses, 1200, "20 a minute for an hour, and a right one between frees no others");
    }

    #[test]
    fn at_the_bound_new_sources_share_one_pair_until_the_oldest_is_full() {
        let mut limiter = Limiter::default();
        for n in 0..SOURCES_MAX {
            limiter.note_wrong(at(n as u64 / 100), one_of_many(n));
        }
        assert_eq!(limiter.sources.len(), SOURCES_MAX);
        let (one, other) = (address("198.51.100.7"), address("198.51.100.8"));
        assert_eq!(admitted(&mut limiter, at(100), one, 100), 30);
        assert_eq!(admitted(&mut limiter, at(100), other, 100), 0, "they share");
        limiter.note_right(at(100), other);
        assert!(limiter.shared.known_until <= at(100), "nobody is known by what others showed");
        assert_eq!(admitted(&mut limiter, at(100), one_of_many(3), 100), 30, "who has a pair keeps it");
        assert!(limiter.admits(at(3000), other, Way::Forgeable), "the first one's 3 seconds are over");
        assert!(!limiter.sources.contains_key(&Network::of(one_of_many(0))), "so it went");
        assert!(limiter.sources.contains_key(&Network::of(other)));
        assert_eq!((limiter.sources.len(), limiter.spare.len()), (SOURCES_MAX, SOURCES_MAX));
    }

    #[test]
    fn refusals_have_a_budget() {
        let mut limiter = Limiter::default();
        assert_eq!((0..1000).filter(|_| limiter.may_refuse(at(0))).count(), 50);
        assert_eq!((0..1000).filter(|_| limiter.may_refuse(at(100))).count(), 5);
    }
}
