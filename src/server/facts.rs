//! What the store can't know of the machine that it runs on: its addresses, its disk, since when it serves.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use crate::access::Reply;
use crate::model::Wall;
use crate::store::civil;

/// Addresses that are told, at most.
const ADDRESSES_MAX: usize = 16;
/// Where the kernel tells its IPv4 addresses.
const IPV4_FILE: &str = "/proc/net/fib_trie";
/// Where the kernel tells its IPv6 addresses.
const IPV6_FILE: &str = "/proc/net/if_inet6";
/// Scope of an IPv6 address that others reach (`include/net/ipv6.h` of Linux).
const GLOBAL_SCOPE: u32 = 0;
/// Flags of an IPv6 address that nobody is to be told: temporary, not usable, given up or not yet checked
/// (`IFA_F_*` in `include/uapi/linux/if_addr.h` of Linux).
const PASSING_FLAGS: u32 = 0x01 | 0x08 | 0x20 | 0x40;

/// What is known of this process and its machine.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When it began to serve.
    pub started: Wall,
    /// The store's file.
    pub store: PathBuf,
    /// The addresses that are listened on.
    pub listens: Vec<IpAddr>,
}

impl Facts {
    /// Whether [`Facts::complete`] has something to add.
    pub fn are_wanted(reply: &Reply) -> bool {
        matches!(reply, Reply::Network(_) | Reply::Status(_))
    }

    /// Fills in what the store has left open. May block for as long as the disk takes.
    #[must_use]
    pub fn complete(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Network(mut status) => {
                let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
                status.addresses = told(&self.listens, &ipv4(&read(IPV4_FILE)), &ipv6(&read(IPV6_FILE)));
                Reply::Network(status)
            }
            Reply::Status(mut status) => {
                status.up_since = civil(self.started);
                status.disk_used_percent = self.disk_used_percent();
                Reply::Status(status)
            }
            reply => reply,
        }
    }

    fn disk_used_percent(&self) -> Option<u8> {
        let disk = rustix::fs::statvfs(&self.store).ok()?;
        percent(disk.f_blocks.saturating_sub(disk.f_bfree), disk.f_bavail)
    }
}

/// As `df` counts: of what is not kept for the system, rounded up.
fn percent(used: u64, available: u64) -> Option<u8> {
    let (used, all) = (u128::from(used), u128::from(used) + u128::from(available));
    (all > 0).then(|| u8::try_from((used * 100).div_ceil(all)).unwrap_or(100))
}

/// The addresses that are listened on; in the place of "all" those of this host, the loopback's only where there are no others.
fn told(listens: &[IpAddr], ipv4: &[Ipv4Addr], ipv6: &[Ipv6Addr]) -> Vec<IpAddr> {
    let (ipv4, ipv6) = (ipv4.iter().copied().map(IpAddr::V4), ipv6.iter().copied().map(IpAddr::V6));
    let mut all: Vec<IpAddr> = Vec::new();
    for listen in listens {
        match listen {
            IpAddr::V4(ip) if ip.is_unspecified() => all.extend(ipv4.clone().filter(|ip| !ip.is_loopback())),
            IpAddr::V6(ip) if ip.is_unspecified() => all.extend(ipv6.clone()),
            ip => all.push(*ip),
        }
    }
    if all.is_empty() {
        all.extend(ipv4);
    }
    let mut addresses = Vec::new();
    for ip in all {
        if !addresses.contains(&ip) && addresses.len() < ADDRESSES_MAX {
            addresses.push(ip);
        }
    }
    addresses
}

/// The addresses in the kernel's table of routes: a leaf `|-- 192.0.2.1`, followed by `/32 host LOCAL`.
fn ipv4(table: &str) -> Vec<Ipv4Addr> {
    let mut found: Vec<Ipv4Addr> = Vec::new();
    let mut leaf = None;
    for line in table.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse().ok();
        } else if line == "/32 host LOCAL"
            && let Some(address) = leaf
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

/// The addresses in the kernel's list, a line each: address, interface, prefix, scope and flags in hexadecimal digits, name.
fn ipv6(list: &str) -> Vec<Ipv6Addr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        let address = u128::from_str_radix(words.next()?, 16).ok()?;
        let mut numbers = words.skip(2).map(|word| u32::from_str_radix(word, 16).ok());
        let (scope, flags) = (numbers.next()??, numbers.next()??);
        (scope == GLOBAL_SCOPE && flags & PASSING_FLAGS == 0).then(|| Ipv6Addr::from(address))
    };
    list.lines().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{NetworkStatus, SystemStatus};

    const FIB_TRIE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 192.0.2.0/24 2 0 2
        +-- 192.0.2.0/28 2 0 2
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.7
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
Local:
  +-- 192.0.2.0/24 2 0 2
           |-- 192.0.2.7
              /32 host LOCAL
";
    const IF_INET6: &str = "\
00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000002163efffe000001 02 40 20 80     eth0
20010db8000000000000000000000007 02 40 00 80     eth0
20010db80000000000000000deadbeef 02 40 00 01     eth0
20010db8000000000000000000000009 02 40 00 40     eth0
";

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_kernel_s_lists_are_read() {
        assert_eq!(ipv4(FIB_TRIE), [Ipv4Addr::new(192, 0, 2, 7), Ipv4Addr::LOCALHOST]);
        assert_eq!(ipv6(IF_INET6).into_iter().map(IpAddr::V6).collect::<Vec<_>>(), [ip("2001:db8::7")]);
        assert!(ipv4("").is_empty() && ipv6("").is_empty() && ipv6("zz 1 2\n\n").is_empty());
    }

    #[test]
    fn what_is_listened_on_is_told_and_all_means_those_that_others_reach() {
        let (four, six) = (ipv4(FIB_TRIE), ipv6(IF_INET6));
        let told_of = |listens: &[&str]| told(&listens.iter().map(|text| ip(text)).collect::<Vec<_>>(), &four, &six);
        assert_eq!(told_of(&["0.0.0.0", "0.0.0.0"]), [ip("192.0.2.7")]);
        assert_eq!(told_of(&["0.0.0.0", "::"]), [ip("192.0.2.7"), ip("2001:db8::7")]);
        assert_eq!(told_of(&["127.0.0.1"]), [ip("127.0.0.1")]);
        assert_eq!(told(&[ip("0.0.0.0")], &[Ipv4Addr::LOCALHOST], &[]), [ip("127.0.0.1")]);
    }

    #[test]
    fn so_many_addresses_are_told_and_no_more() {
        let many: Vec<Ipv4Addr> = (1..40).map(|n| Ipv4Addr::new(192, 0, 2, n)).collect();
        for (has, are_told) in [(ADDRESSES_MAX, ADDRESSES_MAX), (ADDRESSES_MAX + 1, ADDRESSES_MAX), (39, ADDRESSES_MAX)]
        {
            let first = many.iter().take(are_told).copied().map(IpAddr::V4).collect::<Vec<_>>();
            assert_eq!(told(&[ip("0.0.0.0")], &many[..has], &[]), first, "{has}");
        }
    }

    #[test]
    fn the_disk_is_as_full_as_df_says() {
        assert_eq!(percent(0, 100), Some(0));
        assert_eq!(percent(1, 999), Some(1), "rounded up");
        assert_eq!(percent(90, 10), Some(90));
        assert_eq!(percent(7, 0), Some(100));
        assert_eq!(percent(0, 0), None);
    }

    #[test]
    fn replies_are_completed() {
        let folder = tempfile::tempdir().expect("a folder");
        let started = Wall(1_772_407_800_000);
        let facts = Facts { started, store: folder.path().to_owned(), listens: vec![ip("127.0.0.1")] };
        let Reply::Status(status) = facts.complete(Reply::Status(SystemStatus { calls: 3, ..SystemStatus::default() }))
        else {
            panic!("a status")
        };
        assert_eq!((status.calls, status.up_since), (3, civil(started)));
        assert!(status.disk_used_percent.is_some_and(|percent| percent <= 100));
        let Reply::Network(network) = facts.complete(Reply::Network(NetworkStatus::default())) else {
            panic!("a status")
        };
        assert_eq!(network.addresses, [ip("127.0.0.1")]);
        assert!(!Facts::are_wanted(&Reply::Done) && Facts::are_wanted(&Reply::Network(network)));
    }
}
