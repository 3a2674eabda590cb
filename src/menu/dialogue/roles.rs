//! Roles: who holds one, giving it, taking it away.

use crate::access::{Action, Destructive, Refusal, Reply, Role};
use crate::menu::entry::Entry;
use crate::menu::speech::{Noun, Words};
use crate::menu::tree::{Place, ROLE, ROLE_EXTENSION, ROLES, Roles};
use crate::model::Clip;

use super::lists::ListOf;
use super::{Dialogue, Work};

/// The role that the caller has chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoleInHand {
    role: Role,
    /// Whether the extension that is asked for is to get it (else to lose it).
    giving: bool,
}

impl Dialogue {
    pub(super) fn run_roles(&mut self, function: Roles) {
        match function {
            Roles::Open(role) => {
                self.work = Work::Role(RoleInHand { role, giving: false });
                self.ask(Action::RoleHolders { role }, Place::Menu(&ROLES), Self::role_opened);
            }
            Roles::HearHolders => match self.work {
                Work::Role(RoleInHand { role, .. }) => {
                    self.ask(Action::RoleHolders { role }, Place::Menu(&ROLE), Self::holders_listed);
                }
                _ => self.go(Place::Menu(&ROLES), Words::none()),
            },
            Roles::Assign => self.ask_holder(true),
            Roles::Remove => self.ask_holder(false),
            Roles::HearChanges => self.hear_changes(),
        }
    }

    fn role_opened(&mut self, reply: &Reply) {
        match (reply, &self.work) {
            (Reply::People(people), Work::Role(in_hand)) => {
                let words = held_by(Words::from(role_clip(in_hand.role)), people.count);
                self.go(Place::Menu(&ROLE), words);
            }
            (reply, _) => self.refused(reply),
        }
    }

    fn holders_listed(&mut self, reply: &Reply) {
        match (reply, &self.work) {
            (Reply::People(people), Work::Role(in_hand)) => {
                let (first, of) = (held_by(Words::none(), people.count), ListOf::Holders(*in_hand));
                self.hear_people(first, people, of, Place::Menu(&ROLE));
            }
            (reply, _) => self.refused(reply),
        }
    }

    fn ask_holder(&mut self, giving: bool) {
        if let Work::Role(in_hand) = &mut self.work {
            in_hand.giving = giving;
        }
        self.go(Place::Question(&ROLE_EXTENSION), Words::none());
    }

    pub(super) fn role_extension(&mut self, entry: &Entry) {
        let Work::Role(RoleInHand { role, giving }) = self.work else {
            return self.go(Place::Menu(&ROLES), Words::none());
        };
        let Some(extension) = entry.extension().filter(|_| !entry.overlong()) else {
            return self.stay("extension-unknown");
        };
        let what = match giving {
            true => Destructive::AssignRole { role, extension },
            false => Destructive::RemoveRole { role, extension },
        };
        self.check(what, Place::Menu(&ROLE));
    }

    pub(super) fn role_refused(&mut self, reply: &Reply) {
        match reply {
            Reply::Refused(Refusal::Unknown) => self.go(Place::Question(&ROLE_EXTENSION), "extension-unknown"),
            Reply::Refused(Refusal::NothingThere) => self.go(Place::Menu(&ROLE), "role-not-held"),
            reply => self.refused(reply),
        }
    }
}

/// The role's name.
pub(super) fn role_clip(role: Role) -> Clip {
    match role {
        Role::ServerAdministrator => "role-server-administrator",
        Role::SystemAdministrator => "role-system-administrator",
        Role::PhoneAdministrator => "role-phone-administrator",
        Role::NetworkAdministrator => "role-network-administrator",
        Role::SupportTechnician => "role-support-technician",
    }
}

fn held_by(first: Words, count: u32) -> Words {
    match count {
        0 => first.clip("role-held-by-no-one"),
        count => first.clip("role-held-by").counted(count, Noun::People),
    }
}
