//! 5 Lines and network.

use crate::access::{ItemKind, TrunkKind};

use super::{CONFIRM, Function, Goes, ITEM_NUMBER, Lists, MENU, MENU_ABOUT, Menu, Place, ask, at, back, choice};

/// What a key does to lines, gateways and proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Enables it.
    Enable,
    /// Disables it; the last one that is enabled only once confirmed.
    Disable,
    /// Says the network's state.
    Status,
}

impl Network {
    pub(super) fn opens(self) -> Vec<Place> {
        match self {
            Network::Enable => vec![at(&ITEM_NUMBER)],
            Network::Disable => vec![at(&ITEM_NUMBER), at(&CONFIRM)],
            Network::Status => Vec::new(),
        }
    }
}

/// Lines and network.
pub static NETWORK: Menu = Menu {
    clip: "network-menu",
    choices: &[
        choice('1', "network-lines", "Outside lines", items(TrunkKind::Line)),
        choice('2', "network-gateways", "SIP gateways", items(TrunkKind::Gateway)),
        choice('3', "network-proxies", "SIP proxies", items(TrunkKind::Proxy)),
        choice('4', "network-status", "Network status", network(Network::Status)),
        back(Goes::Main),
    ],
    ..MENU
};

/// A line, a gateway or a proxy.
pub static TRUNK: Menu = Menu {
    clip: "trunk-menu",
    choices: &[
        choice('1', "trunk-enable", "Enable it", network(Network::Enable)),
        choice('2', "trunk-disable", "Disable it", network(Network::Disable)),
        back(ask(&ITEM_NUMBER)),
    ],
    ..MENU_ABOUT
};

const fn network(function: Network) -> Goes {
    Goes::Do(Function::Network(function))
}

const fn items(kind: TrunkKind) -> Goes {
    Goes::Do(Function::Lists(Lists::Ask(ItemKind::Trunk(kind))))
}
