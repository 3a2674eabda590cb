//! Lines, gateways, proxies; the network's state.

use crate::access::{Action, Destructive, ItemKind, NetworkStatus, Reach, Refusal, Reply, TrunkKind};
use crate::menu::speech::{Noun, Words};
use crate::menu::tree::{NETWORK, Network, Place, TRUNK};
use crate::model::{Clip, ItemNumber};

use super::handsets::spelled;
use super::lists::numbered;
use super::{Dialogue, Work};

/// Addresses that are said; of more, that there are others.
const ADDRESSES_SAID_MAX: usize = 4;
/// Lines, gateways and proxies that are said not to answer; of more, that there are others.
const UNREACHABLE_SAID_MAX: usize = 10;

impl Dialogue {
    pub(super) fn run_network(&mut self, function: Network) {
        match function {
            Network::Enable => self.set_trunk(true),
            Network::Disable => self.set_trunk(false),
            Network::Status => self.ask(Action::NetworkStatus, Place::Menu(&NETWORK), Self::network_status_read),
        }
    }

    pub(super) fn trunk_opened(&mut self, reply: &Reply) {
        match (reply, self.item()) {
            (Reply::Trunk { spoken_name, enabled, reach }, Some(item)) => {
                let state = if *enabled { "state-enabled" } else { "state-disabled" };
                let words = item.named().audio(spoken_name.clone()).clip(state);
                self.go(Place::Menu(&TRUNK), reached(words, *reach));
            }
            (reply, _) => self.item_refused(reply),
        }
    }

    fn set_trunk(&mut self, enabled: bool) {
        let Some((kind, number)) = self.trunk() else { return self.go(Place::Menu(&NETWORK), Words::none()) };
        let then = if enabled { Self::trunk_enabled } else { Self::trunk_disabled };
        self.ask(Action::SetTrunk { kind, number, enabled }, Place::Menu(&TRUNK), then);
    }

    fn trunk_enabled(&mut self, reply: &Reply) {
        match (reply, self.trunk()) {
            (Reply::Changed(change), Some((kind, _))) => {
                let what = match kind {
                    TrunkKind::Line => "line-enabled",
                    TrunkKind::Gateway => "gateway-enabled",
                    TrunkKind::Proxy => "proxy-enabled",
                };
                self.changed(Place::Menu(&TRUNK), what, *change);
            }
            (reply, _) => self.item_refused(reply),
        }
    }

    /// The last one of its kind that is enabled is disabled only with the caller's PIN.
    fn trunk_disabled(&mut self, reply: &Reply) {
        match (reply, self.trunk()) {
            (Reply::Changed(change), Some((kind, _))) => {
                self.changed(Place::Menu(&TRUNK), disabled_clip(kind), *change);
            }
            (Reply::Refused(Refusal::LastEnabled), Some((kind, number))) => {
                self.check(Destructive::DisableTrunk { kind, number }, Place::Menu(&TRUNK));
            }
            (reply, _) => self.item_refused(reply),
        }
    }

    fn trunk(&self) -> Option<(TrunkKind, ItemNumber)> {
        match &self.work {
            Work::Item(item) => match item.kind {
                ItemKind::Trunk(kind) => Some((kind, item.number)),
                _ => None,
            },
            _ => None,
        }
    }

    fn network_status_read(&mut self, reply: &Reply) {
        match reply {
            Reply::Network(status) => self.go(Place::Menu(&NETWORK), network_status(status)),
            reply => self.refused(reply),
        }
    }
}

/// What is said once it is disabled.
pub(super) fn disabled_clip(kind: TrunkKind) -> Clip {
    match kind {
        TrunkKind::Line => "line-disabled",
        TrunkKind::Gateway => "gateway-disabled",
        TrunkKind::Proxy => "proxy-disabled",
    }
}

fn reached(first: Words, reach: Reach) -> Words {
    match reach {
        Reach::Unknown => first.clip("reach-unknown"),
        Reach::Unreachable => first.clip("reach-none"),
        Reach::Reachable(after) => {
            let ms = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
            first.clip("reach-answered").counted(ms, Noun::Milliseconds)
        }
    }
}

fn network_status(status: &NetworkStatus) -> Words {
    let mut words = Words::none();
    if status.addresses.is_empty() {
        words = words.clip("network-no-address");
    }
    for address in status.addresses.iter().take(ADDRESSES_SAID_MAX) {
        words = spelled(words.clip("network-address"), &address.to_string());
    }
    words = words.clips((status.addresses.len() > ADDRESSES_SAID_MAX).then_some("and-others"));
    if status.unreachable.is_empty() {
        return words.clip("network-reachable");
    }
    let said = status.unreachable.iter().take(UNREACHABLE_SAID_MAX);
    words = said.fold(words.clip("network-unreachable"), |words, (kind, number)| {
        words.then(numbered(ItemKind::Trunk(*kind), number.0))
    });
    words.clips((status.unreachable.len() > UNREACHABLE_SAID_MAX).then_some("and-others"))
}
