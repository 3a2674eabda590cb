//! Passwords that are changed while calls go on.

use super::*;
use crate::sip::Account;
use crate::sip::auth::tests::shows;
use crate::wire::sip::Algorithm;

/// The answer to an INVITE that shows this password with a nonce that was just given.
fn answer(world: &mut World, branch: &str, user: &str, password: &str) -> String {
    let invite = |branch: &str| Msg { call_id: format!("call-{user}-{password}"), ..invite(branch) };
    let refused = world.get(&invite(branch));
    let challenge = &refused[0].headers("WWW-Authenticate")[0];
    let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
    let shown = shows(user, password, nonce, Some("00000001"), Algorithm::Sha256);
    let sent = world.get(&invite(&format!("{branch}b")).seq(2).header(shown.trim_end()));
    words(&sent)
}

#[test]
fn a_new_password_counts_at_once_and_the_old_one_no_more() {
    let mut world =
        World::with(|config| config.accounts = vec![Account::new("bob", "zanzibar"), Account::new("ann", "lamu")]);
    world.flow = udp("198.51.100.7:5060");
    world.endpoint.set_passwords(vec![Account::new("bob", "pemba"), Account::new("eve", "mafia")]);
    assert_eq!(answer(&mut world, "i1", "bob", "zanzibar"), "401 INVITE");
    assert_eq!(answer(&mut world, "i2", "eve", "mafia"), "401 INVITE", "no account is added so");
    assert_eq!(answer(&mut world, "i3", "ann", "lamu"), "", "whose password was not told keeps it");
    assert!(matches!(world.event(), Event::Incoming(incoming) if incoming.account.as_deref() == Some("ann")));
    assert_eq!(answer(&mut world, "i4", "bob", "pemba"), "");
    assert!(matches!(world.event(), Event::Incoming(incoming) if incoming.account.as_deref() == Some("bob")));
}
