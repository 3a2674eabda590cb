//! 7 Roles and 8 Recent changes.

use crate::access::Role;
use crate::menu::entry::Digits;

use super::{
    Answer, BROWSE, Function, Goes, MENU, MENU_ABOUT, Menu, Place, Question, ask, at, back, choice, menu, question, to,
};

/// What a key does to roles and changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// Opens a role.
    Open(Role),
    /// Says who holds it, one by one.
    HearHolders,
    /// Asks for whom to give it.
    Assign,
    /// Asks for whom to take it from.
    Remove,
    /// Says the last changes.
    HearChanges,
}

impl Roles {
    pub(super) fn opens(self) -> Vec<Place> {
        match self {
            Roles::Open(_) => vec![menu(&ROLE)],
            Roles::HearHolders => vec![menu(&BROWSE)],
            Roles::Assign | Roles::Remove => vec![at(&ROLE_EXTENSION)],
            Roles::HearChanges => Vec::new(),
        }
    }
}

/// Which role?
pub static ROLES: Menu = Menu {
    clip: "roles-menu",
    choices: &[
        choice('1', "roles-server-administrator", "Server Administrator", open(Role::ServerAdministrator)),
        choice('2', "roles-system-administrator", "System Administrator", open(Role::SystemAdministrator)),
        choice('3', "roles-phone-administrator", "Phone Administrator", open(Role::PhoneAdministrator)),
        choice('4', "roles-network-administrator", "Network Administrator", open(Role::NetworkAdministrator)),
        choice('5', "roles-support-technician", "Support Technician", open(Role::SupportTechnician)),
        back(Goes::Main),
    ],
    ..MENU
};

/// One role.
pub static ROLE: Menu = Menu {
    clip: "role-menu",
    choices: &[
        choice('1', "role-hear", "Hear who", roles(Roles::HearHolders)),
        choice('2', "role-assign", "Assign", roles(Roles::Assign)),
        choice('3', "role-remove", "Remove", roles(Roles::Remove)),
        back(to(&ROLES)),
    ],
    ..MENU_ABOUT
};

/// Whose role?
pub static ROLE_EXTENSION: Question =
    question("role-enter-extension", Digits::Extension, Answer::RoleExtension, to(&ROLE));

/// Recent changes.
pub static CHANGES: Menu = Menu {
    clip: "changes-menu",
    choices: &[
        choice('1', "changes-hear", "Hear the last five", roles(Roles::HearChanges)),
        choice('2', "changes-undo", "Undo one", ask(&CHANGE_NUMBER)),
        back(Goes::Main),
    ],
    ..MENU
};

/// Which change?
pub static CHANGE_NUMBER: Question =
    question("changes-enter-number", Digits::Number, Answer::ChangeNumber, to(&CHANGES));

const fn roles(function: Roles) -> Goes {
    Goes::Do(Function::Roles(function))
}

const fn open(role: Role) -> Goes {
    roles(Roles::Open(role))
}
