//! Which connections are open, and who may open one more.
//!
//! A stranger can take 64 places, an IPv6 site 192, and all strangers together leave 256 to the trusted peers. A place is
//! its stranger's own from when a password was shown on it; until then, where a place is wanted and there is none, the
//! oldest goes of the site and network that have most. A trusted peer's place, and one of a connection of ours, may only
//! go before its first message. How often strangers may come is bounded too: each TLS handshake costs a signature.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::future::pending;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::model::{Bucket, Mono, Network, Prefix, Rate};
use crate::sip::ConnectionId;

/// Connections at once, those in their TLS handshake and those that we have opened included.
const CONNECTIONS_MAX: usize = 1024;
/// How many of them strangers can't have.
const FOR_TRUSTED: usize = 256;
/// Connections of one stranger: one IPv4 address, or one IPv6 network of 64 bits.
const OF_A_STRANGER_MAX: usize = 64;
/// Connections of strangers of one IPv6 site, an IPv6 network of 48 bits.
const OF_A_SITE_MAX: usize = 192;
/// Connections of one trusted peer.
const OF_A_TRUSTED_MAX: usize = 512;
/// New connections of one stranger, a second; over it a further one is closed before it has said anything.
const SOURCE_PER_SECOND_MAX: u32 = 5;
/// New connections of one stranger that may come at once: all telephones of a site after a restart.
const SOURCE_BURST_MAX: u32 = 100;
/// New connections of strangers of one IPv6 site, a second.
const SITE_PER_SECOND_MAX: u32 = 20;
/// Those that may come at once.
const SITE_BURST_MAX: u32 = 200;
/// New connections of all strangers, a second.
const STRANGERS_PER_SECOND_MAX: u32 = 100;
/// New connections of all strangers that may come at once.
const STRANGERS_BURST_MAX: u32 = 300;
/// Strangers and sites whose new connections are counted; who has a full bucket is forgotten then. All together come so seldom that
/// no more than some hundreds have another one at a time.
const SOURCES_MAX: usize = 4096;

const SOURCE: Rate = Rate::per_second(SOURCE_PER_SECOND_MAX, SOURCE_BURST_MAX);
const SITE: Rate = Rate::per_second(SITE_PER_SECOND_MAX, SITE_BURST_MAX);
const STRANGERS: Rate = Rate::per_second(STRANGERS_PER_SECOND_MAX, STRANGERS_BURST_MAX);

/// The connections.
pub struct Connections {
    next: AtomicU64,
    trusted: Vec<Prefix>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// In the order of their age.
    open: BTreeMap<ConnectionId, Open>,
    /// How many there are of each network, and of strangers of each site.
    of: HashMap<Network, usize>,
    strangers: usize,
    come: Come,
}

/// How many strangers have come of late.
#[derive(Default)]
struct Come {
    all: Bucket,
    of: HashMap<Network, Bucket>,
}

struct Open {
    whose: Whose,
    /// Whether the place is not given to another any more.
    is_kept: bool,
    cut_off: Arc<Notify>,
}

/// With whom a connection is counted.
#[derive(Clone, Copy)]
struct Whose {
    network: Network,
    /// Of a stranger by IPv6.
    site: Option<Network>,
    is_trusted: bool,
}

impl Whose {
    fn new(peer: IpAddr, is_trusted: bool) -> Self {
        let site = Network::site_of(peer).filter(|_| !is_trusted);
        Self { network: Network::of(peer), site, is_trusted }
    }

    /// The largest that it is counted with.
    fn widest(&self) -> Network {
        self.site.unwrap_or(self.network)
    }

    fn networks(&self) -> impl Iterator<Item = Network> {
        [Some(self.network), self.site].into_iter().flatten()
    }
}

/// A connection's place, which is given back when it is dropped.
pub struct Place {
    connections: Arc<Connections>,
    id: ConnectionId,
    is_trusted: bool,
    cut_off: Arc<Notify>,
}

impl Connections {
    /// None yet; peers in `trusted` may have more of them.
    pub fn new(trusted: Vec<Prefix>) -> Self {
        Self { next: AtomicU64::new(0), trusted, table: Mutex::default() }
    }

    /// A place for a connection that a peer has opened; `None` where there is none, or the peer comes too often.
    pub fn admit(self: &Arc<Self>, now: Mono, peer: IpAddr) -> Option<Place> {
        let is_trusted = self.trusted.iter().any(|prefix| prefix.contains(peer));
        if !is_trusted && !self.table().come.admits(now, peer) {
            return None;
        }
        self.enter(peer, is_trusted, false)
    }

    /// A place for a connection of ours; `None` where there is none.
    pub fn open_own(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        self.enter(peer, true, true)
    }

    fn enter(self: &Arc<Self>, peer: IpAddr, is_trusted: bool, is_kept: bool) -> Option<Place> {
        let whose = Whose::new(peer, is_trusted);
        let mut table = self.table();
        if !table.make_room(whose) {
            return None;
        }
        let id = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed));
        let cut_off = Arc::new(Notify::new());
        table.insert(id, Open { whose, is_kept, cut_off: Arc::clone(&cut_off) });
        drop(table);
        Some(Place { connections: Arc::clone(self), id, is_trusted, cut_off })
    }

    /// Somebody on that connection has shown that they may call: its place is not given to another any more.
    pub fn keep(&self, id: ConnectionId) {
        if let Some(open) = self.table().open.get_mut(&id) {
            open.is_kept = true;
        }
    }

    /// Ends a connection at once.
    pub fn cut_off(&self, id: ConnectionId) {
        if let Some(open) = self.table().remove(id) {
            open.cut_off.notify_one();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Whether there is a place, if need be that of one that may go.
    fn make_room(&mut self, new: Whose) -> bool {
        let most = if new.is_trusted { OF_A_TRUSTED_MAX } else { OF_A_STRANGER_MAX };
        if self.count(new.network) >= most && !self.evict(|whose| whose.network == new.network) {
            return false;
        }
        let is_site_full = new.site.is_some_and(|site| self.count(site) >= OF_A_SITE_MAX);
        if is_site_full && !self.evict(|whose| whose.site == new.site) {
            return false;
        }
        let are_strangers_full = !new.is_trusted && self.strangers >= CONNECTIONS_MAX - FOR_TRUSTED;
        if are_strangers_full && !self.evict(|whose| !whose.is_trusted) {
            return false;
        }
        self.open.len() < CONNECTIONS_MAX
            || self.evict(|whose| !whose.is_trusted)
            || self.evict(|whose| whose.is_trusted)
    }

    fn count(&self, network: Network) -> usize {
        self.of.get(&network).copied().unwrap_or(0)
    }

    /// Ends one of those, where one may go: of the sites (IPv4: addresses) the one that has most such, in that the network
    /// that has most, and of that the oldest. So whoever fills the table makes room, and not who has just come.
    fn evict(&mut self, of: impl Fn(&Whose) -> bool) -> bool {
        let may_go = || self.open.iter().filter(|(_, open)| !open.is_kept && of(&open.whose));
        let mut counts: HashMap<Network, usize> = HashMap::new();
        for network in may_go().flat_map(|(_, open)| open.whose.networks()) {
            *counts.entry(network).or_default() += 1;
        }
        let count = |network| counts.get(&network).copied().unwrap_or(0);
        let first = may_go()
            .max_by_key(|(id, Open { whose, .. })| (count(whose.widest()), count(whose.network), Reverse(**id)));
        let Some(open) = first.map(|(id, _)| *id).and_then(|id| self.remove(id)) else { return false };
        open.cut_off.notify_one();
        true
    }

    fn insert(&mut self, id: ConnectionId, open: Open) {
        for network in open.whose.networks() {
            *self.of.entry(network).or_default() += 1;
        }
        self.strangers += usize::from(!open.whose.is_trusted);
        self.open.insert(id, open);
    }

    fn remove(&mut self, id: ConnectionId) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.strangers -= usize::from(!open.whose.is_trusted);
        for network in open.whose.networks() {
            if let Some(count) = self.of.get_mut(&network) {
                *count -= 1;
                if *count == 0 {
                    self.of.remove(&network);
                }
            }
        }
        Some(open)
    }
}

impl Come {
    /// Whether a stranger may come once more; it is counted then.
    fn admits(&mut self, now: Mono, peer: IpAddr) -> bool {
        let counted = [Some((Network::of(peer), SOURCE)), Network::site_of(peer).map(|site| (site, SITE))];
        if self.of.len() + counted.len() > SOURCES_MAX {
            self.of.retain(|_, bucket| bucket.full_at() > now);
        }
        let has_room = self.of.len() + counted.len() <= SOURCES_MAX;
        let counted = || counted.iter().flatten();
        let own = |network| self.of.get(network).copied().unwrap_or_default();
        let may_come = has_room
            && self.all.has(now, STRANGERS, 1)
            && counted().all(|(network, rate)| own(network).has(now, *rate, 1));
        if may_come {
            self.all.take(now, STRANGERS, 1);
            for (network, rate) in counted() {
                self.of.entry(*network).or_default().take(now, *rate, 1);
            }
        }
        may_come
    }
}

impl Place {
    /// The connection.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// A whole message has come: a trusted peer's place is not given to another any more.
    pub fn has_spoken(&self) {
        if self.is_trusted {
            self.connections.keep(self.id);
        }
    }

    /// Waits until it is known that a stranger has shown no password within this time; for ever on any other connection.
    pub async fn remains_unproven(&self, within: Duration) {
        if !self.is_trusted {
            sleep(within).await;
            if self.connections.table().open.get(&self.id).is_none_or(|open| !open.is_kept) {
                return;
            }
        }
        pending::<()>().await;
    }

    /// Whether it is a trusted peer's, or ours.
    pub fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// Waits until the connection is to end at once, as its place is given to another or it takes nothing.
    pub async fn cut_off(&self) {
        self.cut_off.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.table().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> Arc<Connections> {
        Arc::new(Connections::new(vec!["10.0.0.0/8".parse().expect("a prefix")]))
    }

    fn stranger(n: usize) -> IpAddr {
        IpAddr::from([192, 0, (n / 250) as u8, (n % 250) as u8])
    }

    /// A place for one that does not come too often.
    fn admit(connections: &Arc<Connections>, peer: IpAddr) -> Option<Place> {
        connections.table().come = Come::default();
        connections.admit(Mono(0), peer)
    }

    /// Places of those that get one and have sent a message.
    fn talkers(connections: &Arc<Connections>, peers: impl Iterator<Item = IpAddr>) -> Vec<Place> {
        peers.filter_map(|peer| admit(connections, peer)).inspect(Place::has_spoken).collect()
    }

    /// The same of those that have shown a password as well.
    fn proven(connections: &Arc<Connections>, peers: impl Iterator<Item = IpAddr>) -> Vec<Place> {
        peers.filter_map(|peer| admit(connections, peer)).inspect(|place| connections.keep(place.id())).collect()
    }

    /// An address in a network of its own, of a site that has many.
    fn of_site(site: u16, network: u16) -> IpAddr {
        IpAddr::from([0x2001, 0xdb8, site, network, 0, 0, 0, 1])
    }

    async fn is_evicted(place: &Place) -> bool {
        tokio::time::timeout(std::time::Duration::from_millis(1), place.cut_off()).await.is_ok()
    }

    #[tokio::test]
    async fn one_stranger_has_64_places_and_one_of_its_own_without_a_password_goes_for_a_new_one() {
        let connections = world();
        let known = proven(&connections, (0..70).map(|_| stranger(1)));
        assert_eq!(known.len(), OF_A_STRANGER_MAX);
        assert!(admit(&connections, stranger(2)).is_some(), "others have places of their own");
        drop(known);
        let talking = talkers(&connections, (0..OF_A_STRANGER_MAX).map(|_| stranger(1)));
        let new = admit(&connections, stranger(1)).expect("a place");
        assert!(is_evicted(&talking[0]).await && !is_evicted(&talking[1]).await && !is_evicted(&new).await);
        assert_eq!(connections.table().open.len(), OF_A_STRANGER_MAX);
    }

    #[tokio::test]
    async fn strangers_can_not_keep_trusted_peers_out() {
        let connections = world();
        let known = proven(&connections, (0..2000).map(stranger));
        assert_eq!(known.len(), CONNECTIONS_MAX - FOR_TRUSTED);
        let trusted: Vec<Place> = (0..300).filter_map(|_| admit(&connections, IpAddr::from([10, 1, 1, 1]))).collect();
        assert_eq!((trusted.len(), connections.table().open.len()), (300, CONNECTIONS_MAX));
        assert!(is_evicted(&trusted[0]).await, "among its own the oldest silent one goes");
        drop((known, trusted));
        let table = connections.table();
        assert_eq!((table.open.len(), table.of.len(), table.strangers), (0, 0, 0));
    }

    #[tokio::test]
    async fn the_oldest_that_has_shown_no_password_goes_first_whatever_it_said() {
        let connections = world();
        let places = talkers(&connections, (0..CONNECTIONS_MAX - FOR_TRUSTED).map(stranger));
        connections.keep(places[0].id());
        assert!(admit(&connections, stranger(5000)).is_some());
        assert!(!is_evicted(&places[0]).await && is_evicted(&places[1]).await && !is_evicted(&places[2]).await);
    }

    #[tokio::test]
    async fn who_fills_the_places_by_talking_keeps_nobody_out_and_makes_room_from_its_own() {
        let connections = world();
        let early = admit(&connections, stranger(1)).expect("a place");
        let greedy = |n: usize| IpAddr::from([203, 0, 113, (n / OF_A_STRANGER_MAX) as u8]);
        let talking = talkers(&connections, (0..CONNECTIONS_MAX - FOR_TRUSTED - 1).map(greedy));
        assert_eq!(talking.len() + 1, CONNECTIONS_MAX - FOR_TRUSTED);
        let late: Vec<Place> = (2..202).filter_map(|n| admit(&connections, stranger(n))).collect();
        assert_eq!(late.len(), 200, "all who come later have a place");
        assert!(!is_evicted(&early).await, "though it is the oldest of all");
        for place in &late {
            assert!(!is_evicted(place).await);
        }
        let mut gone = 0;
        for place in &talking {
            gone += usize::from(is_evicted(place).await);
        }
        assert_eq!(gone, 200);
        assert!(admit(&connections, greedy(0)).is_some() && !is_evicted(&early).await, "nor for one more of its own");
    }

    #[tokio::test]
    async fn an_ipv6_network_is_one_stranger_and_a_site_has_192_places() {
        let connections = world();
        let peer = |n: u16| IpAddr::from([0x2001, 0xdb8, 1, 1, 0, 0, 0, n]);
        assert_eq!(proven(&connections, (0..100).map(peer)).len(), OF_A_STRANGER_MAX);
        let known = proven(&connections, (0..1000).map(|n| of_site(2, n)));
        assert_eq!(known.len(), OF_A_SITE_MAX);
        assert!(admit(&connections, of_site(2, 2000)).is_none() && admit(&connections, of_site(3, 0)).is_some());
        drop(known);
        let first = admit(&connections, of_site(2, 0)).expect("a place");
        let of_one_network = talkers(&connections, (0..20).map(|_| of_site(2, 1)));
        let talking = talkers(&connections, (0..181).map(|n| of_site(2, 2 + n)));
        assert_eq!(talking.len(), 181, "for each of the ten that are too many another goes");
        let [last, next] = [&of_one_network[9], &of_one_network[10]];
        assert!(is_evicted(last).await && !is_evicted(next).await && !is_evicted(&first).await, "of who has most");
    }

    #[tokio::test]
    async fn a_site_with_many_networks_makes_room_before_one_who_has_no_more() {
        let connections = world();
        let early = admit(&connections, of_site(1, 1)).expect("a place");
        let greedy = |n: u16| of_site(2 + n / OF_A_SITE_MAX as u16, n);
        let talking = talkers(&connections, (0..767).map(greedy));
        assert_eq!(talking.len(), 767);
        assert!(admit(&connections, stranger(1)).is_some());
        assert!(!is_evicted(&early).await && is_evicted(&talking[0]).await, "each network has one");
    }

    #[test]
    fn one_trusted_peer_has_512_places() {
        let connections = world();
        let peer = IpAddr::from([10, 1, 1, 1]);
        let talking = talkers(&connections, (0..OF_A_TRUSTED_MAX).map(|_| peer));
        assert_eq!(talking.len(), OF_A_TRUSTED_MAX);
        assert!(admit(&connections, peer).is_none() && connections.open_own(peer).is_none());
        assert!(admit(&connections, IpAddr::from([10, 1, 1, 2])).is_some(), "others have places of their own");
    }

    /// How many of these come in at that time; none of them stays.
    fn come(connections: &Arc<Connections>, ms: u64, peers: impl Iterator<Item = IpAddr>) -> usize {
        peers.filter_map(|peer| connections.admit(Mono(ms * 1000), peer)).count()
    }

    #[test]
    fn one_stranger_comes_so_often_and_no_more_whatever_becomes_of_its_connections() {
        let connections = world();
        let again = |n: usize| (0..1000).map(move |_| stranger(n));
        assert_eq!(come(&connections, 0, again(1)), SOURCE_BURST_MAX as usize);
        assert_eq!((come(&connections, 0, again(2)), come(&connections, 900, again(1))), (100, 4), "others are others");
        assert_eq!(come(&connections, 1000, again(1)), 1);
        let network = |n: u16| IpAddr::from([0x2001, 0xdb8, 1, 1, 0, 0, 0, n]);
        assert_eq!(come(&connections, 60_000, (0..1000).map(network)), 100, "an IPv6 network is one");
        assert_eq!(come(&connections, 120_000, (0..1000).map(|n| of_site(1, n))), SITE_BURST_MAX as usize);
        assert_eq!(come(&connections, 121_000, (0..1000).map(|n| of_site(1, n))), SITE_PER_SECOND_MAX as usize);
        let trusted = (0..5000).map(|_| IpAddr::from([10, 1, 1, 1]));
        assert_eq!(come(&connections, 60_000, trusted), 5000, "a trusted peer as often as it likes");
    }

    #[test]
    fn all_strangers_come_so_often_and_no_more_and_trusted_peers_do_not_mind() {
        let connections = world();
        assert_eq!(come(&connections, 0, (0..2000).map(stranger)), STRANGERS_BURST_MAX as usize);
        assert_eq!(come(&connections, 1000, (2000..4000).map(stranger)), STRANGERS_PER_SECOND_MAX as usize);
        assert_eq!(come(&connections, 1000, (0..2000).map(|_| IpAddr::from([10, 1, 1, 1]))), 2000);
        // Who was kept out by all the others has spent nothing of its own.
        assert_eq!(come(&connections, 10_000, (0..100).map(|_| stranger(3999))), 100);
    }

    #[test]
    fn strangers_who_come_seldom_are_forgotten() {
        let connections = world();
        for second in 0..60 {
            come(&connections, second * 1000, (0..100).map(|n| stranger(100 * second as usize + n)));
            assert!(connections.table().come.of.len() <= SOURCES_MAX);
        }
        assert!(connections.table().come.of.len() < 6000 - SOURCES_MAX + 101, "6000 have come");
    }
}
