use super::*;
use crate::access::{NetworkStatus, Reach, TrunkKind};
use crate::model::ItemNumber;

const MENU: &str = "network-menu network-lines network-gateways network-proxies network-status";
const TRUNK: &str = "trunk-menu trunk-enable trunk-disable";
const PIN: &str = "74926185#";

fn at_network() -> Caller {
    let mut caller = Caller::logged_in("1003");
    caller.dials("5").hears(MENU);
    caller
}

#[test]
fn a_line_is_heard_enabled_and_disabled() {
    let mut caller = at_network();
    let reach = "reach-answered number-12 milliseconds";
    caller.dials("1").hears("item-enter-number").dials("2#").asked("line.open");
    caller.hears(&format!("line-number digit-2 audio-600 state-disabled {reach} {TRUNK}")).dials("1");
    caller.asked("line.enabled").hears(&format!("line-enabled change-number digit-4 digit-2 {TRUNK}")).dials("2");
    caller.asked("line.disabled").hears(&format!("line-disabled change-number digit-4 digit-3 {TRUNK}"));
    caller.store_refuses(Refusal::AlreadySo).dials("2").hears(&format!("already-so {TRUNK}"));
    caller.store_refuses(Refusal::Unknown).dials("2").hears("item-unknown item-enter-number").dials("*").hears(MENU);
}

#[test]
fn the_last_line_is_disabled_with_the_callers_pin() {
    let mut caller = at_network();
    caller.dials("11#2").asked("line.open line.disabled line.disabled?");
    caller.hears("trunk-last-enabled confirm-with-pin").dials(PIN).asked("line.disabled");
    caller.hears(&format!("line-disabled change-number digit-4 digit-2 {TRUNK}"));
    caller.dials("2*").hears(TRUNK).dials("2").dials("1#").hears("pin-wrong confirm-with-pin").dials("2#");
    caller.hears(&format!("nothing-changed {TRUNK}"));
    caller.dials("2").store_refuses(Refusal::TryLater).dials(PIN).hears(&format!("failed-try-later {TRUNK}"));
}

#[test]
fn gateways_and_proxies() {
    let mut caller = at_network();
    caller.store.reach = Reach::Unreachable;
    caller.dials("2#").hears("gateway-number digit-1 list-menu").dials("1");
    caller.hears(&format!("gateway-number digit-1 audio-600 state-enabled reach-none {TRUNK}")).dials("2");
    caller.hears(&format!("gateway-disabled change-number digit-4 digit-2 {TRUNK}")).dials("1");
    caller.hears(&format!("gateway-enabled change-number digit-4 digit-3 {TRUNK}")).dials("**").hears(MENU);
    caller.dials("3#").hears(&format!("items-none {MENU}"));
    caller.store.trunks.push((TrunkKind::Proxy, 8, true));
    caller.store.reach = Reach::Unknown;
    caller.dials("38#").hears(&format!("proxy-number digit-8 audio-600 state-enabled reach-unknown {TRUNK}"));
    caller.dials("2").hears(&format!("proxy-disabled change-number digit-4 digit-4 {TRUNK}")).dials("1");
    caller.hears(&format!("proxy-enabled change-number digit-4 digit-5 {TRUNK}"));
}

#[test]
fn the_network_status() {
    let mut caller = at_network();
    caller.dials("4").asked("network.status");
    let address = "digit-1 digit-9 digit-2 address-dot digit-0 address-dot digit-2 address-dot digit-7";
    caller.hears(&format!("network-address {address} network-reachable {MENU}"));
    let status = NetworkStatus {
        addresses: vec!["fe80::1".parse().expect("an address")],
        unreachable: vec![(TrunkKind::Line, ItemNumber(1)), (TrunkKind::Proxy, ItemNumber(12))],
    };
    caller.store_will(Reply::Network(status)).dials("4");
    caller.hears(&format!(
        "network-address letter-f letter-e digit-8 digit-0 address-colon address-colon digit-1 network-unreachable \
         line-number digit-1 proxy-number digit-1 digit-2 {MENU}"
    ));
    caller.store_will(Reply::Network(NetworkStatus::default())).dials("4");
    caller.hears(&format!("network-no-address network-reachable {MENU}"));
}

#[test]
fn so_many_addresses_are_said_and_that_there_are_others() {
    for (addresses, said, others) in [(4, 4, ""), (5, 4, "and-others "), (16, 4, "and-others ")] {
        let mut caller = at_network();
        let status =
            NetworkStatus { addresses: vec!["::".parse().expect("an address"); addresses], unreachable: vec![] };
        caller.store_will(Reply::Network(status)).dials("4");
        let heard = "network-address address-colon address-colon ".repeat(said);
        caller.hears(&format!("{heard}{others}network-reachable {MENU}"));
    }
}

#[test]
fn so_many_lines_are_said_not_to_answer_and_that_there_are_others() {
    for (lines, said, others) in [(10, 10, ""), (11, 10, "and-others "), (50, 10, "and-others ")] {
        let mut caller = at_network();
        let status = NetworkStatus { addresses: vec![], unreachable: vec![(TrunkKind::Line, ItemNumber(1)); lines] };
        caller.store_will(Reply::Network(status)).dials("4");
        let heard = "line-number digit-1 ".repeat(said);
        caller.hears(&format!("network-no-address network-unreachable {heard}{others}{MENU}"));
    }
}
