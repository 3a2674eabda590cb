//! Which connections are open, and who may open one more.
//!
//! A stranger can take 64 places, all strangers together leave 256 to the trusted peers, and where a place is wanted and
//! there is none, the oldest connection that has never sent a message goes. How often strangers may come is bounded too:
//! each TLS handshake costs a signature.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::model::{Bucket, Mono, Prefix, Rate};
use crate::sip::ConnectionId;

/// Connections at once, those in their TLS handshake and those that we have opened included.
const CONNECTIONS_MAX: usize = 1024;
/// How many of them strangers can't have.
const FOR_TRUSTED: usize = 256;
/// Connections of one stranger: one IPv4 address, or one IPv6 network of 64 bits.
const OF_A_STRANGER_MAX: usize = 64;
/// Connections of one trusted peer.
const OF_A_TRUSTED_MAX: usize = 512;
/// New connections of one stranger, a second; over it a further one is closed before it has said anything.
const SOURCE_PER_SECOND_MAX: u32 = 5;
/// New connections of one stranger that may come at once: all telephones of a site after a restart.
const SOURCE_BURST_MAX: u32 = 100;
/// New connections of all strangers, a second.
const STRANGERS_PER_SECOND_MAX: u32 = 100;
/// New connections of all strangers that may come at once.
const STRANGERS_BURST_MAX: u32 = 300;
/// Strangers whose new connections are counted; who has a full bucket is forgotten then. All together come so seldom that
/// no more than some hundreds have another one at a time.
const SOURCES_MAX: usize = 4096;
/// The bits of an IPv6 address that one customer has all of the others of.
const IPV6_NETWORK_BITS: u32 = 64;

const SOURCE: Rate = Rate::per_second(SOURCE_PER_SECOND_MAX, SOURCE_BURST_MAX);
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
    of: HashMap<IpAddr, usize>,
    strangers: usize,
    come: Come,
}

/// How many strangers have come of late.
#[derive(Default)]
struct Come {
    all: Bucket,
    of: HashMap<IpAddr, Bucket>,
}

struct Open {
    network: IpAddr,
    is_trusted: bool,
    has_spoken: bool,
    cut_off: Arc<Notify>,
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
        if !is_trusted && !self.table().come.admits(now, network_of(peer)) {
            return None;
        }
        self.enter(peer, is_trusted, false)
    }

    /// A place for a connection of ours; `None` where there is none.
    pub fn open_own(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        self.enter(peer, true, true)
    }

    fn enter(self: &Arc<Self>, peer: IpAddr, is_trusted: bool, has_spoken: bool) -> Option<Place> {
        let network = network_of(peer);
        let mut table = self.table();
        if !table.make_room(network, is_trusted) {
            return None;
        }
        let id = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed));
        let cut_off = Arc::new(Notify::new());
        table.insert(id, Open { network, is_trusted, has_spoken, cut_off: Arc::clone(&cut_off) });
        drop(table);
        Some(Place { connections: Arc::clone(self), id, is_trusted, cut_off })
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
    /// Whether there is a place, if need be that of one that has never spoken.
    fn make_room(&mut self, network: IpAddr, is_trusted: bool) -> bool {
        let most = if is_trusted { OF_A_TRUSTED_MAX } else { OF_A_STRANGER_MAX };
        if self.of.get(&network).is_some_and(|count| *count >= most) && !self.evict(|open| open.network == network) {
            return false;
        }
        if !is_trusted && self.strangers >= CONNECTIONS_MAX - FOR_TRUSTED && !self.evict(|open| !open.is_trusted) {
            return false;
        }
        self.open.len() < CONNECTIONS_MAX || self.evict(|open| !open.is_trusted) || self.evict(|open| open.is_trusted)
    }

    /// Ends the oldest of those that has never spoken; `false` where there is none.
    fn evict(&mut self, of: impl Fn(&Open) -> bool) -> bool {
        let oldest = self.open.iter().find(|(_, open)| !open.has_spoken && of(open)).map(|(id, _)| *id);
        let Some(open) = oldest.and_then(|id| self.remove(id)) else { return false };
        open.cut_off.notify_one();
        true
    }

    fn insert(&mut self, id: ConnectionId, open: Open) {
        *self.of.entry(open.network).or_default() += 1;
        self.strangers += usize::from(!open.is_trusted);
        self.open.insert(id, open);
    }

    fn remove(&mut self, id: ConnectionId) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.strangers -= usize::from(!open.is_trusted);
        if let Some(count) = self.of.get_mut(&open.network) {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&open.network);
            }
        }
        Some(open)
    }
}

impl Come {
    /// Whether a stranger may come once more; it is counted then.
    fn admits(&mut self, now: Mono, network: IpAddr) -> bool {
        if self.of.len() >= SOURCES_MAX {
            self.of.retain(|_, bucket| bucket.full_at() > now);
        }
        let mut own = self.of.get(&network).copied().unwrap_or_default();
        let may_come = self.of.len() < SOURCES_MAX && self.all.has(now, STRANGERS, 1) && own.take(now, SOURCE, 1);
        if may_come {
            self.all.take(now, STRANGERS, 1);
            self.of.insert(network, own);
        }
        may_come
    }
}

impl Place {
    /// The connection.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// A whole message has come: the place is not given to another any more.
    pub fn has_spoken(&self) {
        if let Some(open) = self.connections.table().open.get_mut(&self.id) {
            open.has_spoken = true;
        }
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

/// What one peer has as a rule: an IPv4 address, or the network of an IPv6 address.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let mask = u128::MAX << (128 - IPV6_NETWORK_BITS);
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
        }
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

    fn talkers(connections: &Arc<Connections>, peers: impl Iterator<Item = IpAddr>) -> Vec<Place> {
        peers.filter_map(|peer| admit(connections, peer)).inspect(Place::has_spoken).collect()
    }

    async fn is_evicted(place: &Place) -> bool {
        tokio::time::timeout(std::time::Duration::from_millis(1), place.cut_off()).await.is_ok()
    }

    #[tokio::test]
    async fn one_stranger_has_64_places_and_a_silent_one_of_its_own_goes_for_a_new_one() {
        let connections = world();
        let talking = talkers(&connections, (0..70).map(|_| stranger(1)));
        assert_eq!(talking.len(), OF_A_STRANGER_MAX);
        assert!(admit(&connections, stranger(2)).is_some(), "others have places of their own");
        drop(talking);
        let silent: Vec<Place> = (0..OF_A_STRANGER_MAX).filter_map(|_| admit(&connections, stranger(1))).collect();
        let new = admit(&connections, stranger(1)).expect("a place");
        assert!(is_evicted(&silent[0]).await && !is_evicted(&silent[1]).await && !is_evicted(&new).await);
        assert_eq!(connections.table().open.len(), OF_A_STRANGER_MAX);
    }

    #[tokio::test]
    async fn strangers_can_not_keep_trusted_peers_out() {
        let connections = world();
        let talking = talkers(&connections, (0..2000).map(stranger));
        assert_eq!(talking.len(), CONNECTIONS_MAX - FOR_TRUSTED);
        let trusted: Vec<Place> = (0..300).filter_map(|_| admit(&connections, IpAddr::from([10, 1, 1, 1]))).collect();
        assert_eq!((trusted.len(), connections.table().open.len()), (300, CONNECTIONS_MAX));
        assert!(is_evicted(&trusted[0]).await, "among its own the oldest silent one goes");
        drop((talking, trusted));
        let table = connections.table();
        assert_eq!((table.open.len(), table.of.len(), table.strangers), (0, 0, 0));
    }

    #[tokio::test]
    async fn the_oldest_that_never_spoke_goes_first() {
        let connections = world();
        let places: Vec<Place> =
            (0..CONNECTIONS_MAX - FOR_TRUSTED).filter_map(|n| admit(&connections, stranger(n))).collect();
        places[0].has_spoken();
        assert!(admit(&connections, stranger(5000)).is_some());
        assert!(!is_evicted(&places[0]).await && is_evicted(&places[1]).await && !is_evicted(&places[2]).await);
    }

    #[test]
    fn an_ipv6_customer_is_one_stranger() {
        let connections = world();
        let peer = |n: u128| IpAddr::V6(Ipv6Addr::from(0x2001_0db8_0000_0001_u128 << 64 | n));
        assert_eq!(talkers(&connections, (0..100).map(peer)).len(), OF_A_STRANGER_MAX);
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
        let network = |n: u128| IpAddr::V6(Ipv6Addr::from(0x2001_0db8_0000_0001_u128 << 64 | n));
        assert_eq!(come(&connections, 60_000, (0..1000).map(network)), 100, "an IPv6 network is one");
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
