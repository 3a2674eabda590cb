//! Who may do what: roles, permissions, and every action that a caller or an administrator's shell can ask of the store.
//!
//! The menu leaves out what a caller may not do; that is courtesy. The check is in [`crate::store`], which asks
//! [`Action::needs`] inside the transaction that applies the action.

mod action;
mod kinds;
mod reply;
mod source;
mod toll;

pub use action::{Action, Destructive};
pub use kinds::{ForwardKind, ItemKind, Mode, ModeSetting, OwnAudio, RebootWhen, RestoreTo, TrunkKind};
pub use reply::{
    BackupState, NetworkStatus, News, People, Person, Reach, Refusal, Reply, Session, Settings, SystemStatus,
    ToldChange,
};
pub use source::{SOURCE_NAME_CHARS_MAX, place_of, source};
pub use toll::{NumberPattern, TollPolicy};

use crate::model::{AccountId, CallId, Extension, SiteId, Wall};

/// An administrative role, as the Allworx System Administrator's Guide (release 7.5) has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Everything, and the only one that gives roles.
    ServerAdministrator,
    /// Everything but roles.
    SystemAdministrator,
    /// Recordings, users, attendants.
    PhoneAdministrator,
    /// Lines, gateways, proxies.
    NetworkAdministrator,
    /// Backups, reboots, logging.
    SupportTechnician,
}

/// What an account may do, by the row of the permission table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// `own.*`: one's own PINs, forwarding, greeting, name, language.
    Own,
    /// `recordings.change`
    RecordingsChange,
    /// `users.manage`
    UsersManage,
    /// `attendants.manage`
    AttendantsManage,
    /// `network.manage`
    NetworkManage,
    /// `backup.run`
    BackupRun,
    /// `reboot.run`
    RebootRun,
    /// `logging.manage`
    LoggingManage,
    /// `support.verify`
    SupportVerify,
    /// `roles.assign`
    RolesAssign,
}

impl Role {
    /// All roles, in the order of the roles menu (keys 1 to 5).
    pub const ALL: [Role; 5] = [
        Role::ServerAdministrator,
        Role::SystemAdministrator,
        Role::PhoneAdministrator,
        Role::NetworkAdministrator,
        Role::SupportTechnician,
    ];

    /// The name in the store and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Role::ServerAdministrator => "server-administrator",
            Role::SystemAdministrator => "system-administrator",
            Role::PhoneAdministrator => "phone-administrator",
            Role::NetworkAdministrator => "network-administrator",
            Role::SupportTechnician => "support-technician",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What the role allows.
    pub fn permissions(self) -> Permissions {
        use Permission as P;
        let list: &[P] = match self {
            Role::ServerAdministrator => &Permission::ALL,
            Role::SystemAdministrator => &[
                P::Own,
                P::RecordingsChange,
                P::UsersManage,
                P::AttendantsManage,
                P::NetworkManage,
                P::BackupRun,
                P::RebootRun,
                P::LoggingManage,
                P::SupportVerify,
            ],
            Role::PhoneAdministrator => {
                &[P::Own, P::RecordingsChange, P::UsersManage, P::AttendantsManage, P::SupportVerify]
            }
            Role::NetworkAdministrator => &[P::Own, P::NetworkManage],
            Role::SupportTechnician => &[P::Own, P::BackupRun, P::RebootRun, P::LoggingManage, P::SupportVerify],
        };
        list.iter().copied().collect()
    }
}

impl Permission {
    /// All permissions, in the order of the permission table.
    pub const ALL: [Permission; 10] = [
        Permission::Own,
        Permission::RecordingsChange,
        Permission::UsersManage,
        Permission::AttendantsManage,
        Permission::NetworkManage,
        Permission::BackupRun,
        Permission::RebootRun,
        Permission::LoggingManage,
        Permission::SupportVerify,
        Permission::RolesAssign,
    ];

    /// The name in the audit trail and the docs.
    pub fn name(self) -> &'static str {
        match self {
            Permission::Own => "own",
            Permission::RecordingsChange => "recordings.change",
            Permission::UsersManage => "users.manage",
            Permission::AttendantsManage => "attendants.manage",
            Permission::NetworkManage => "network.manage",
            Permission::BackupRun => "backup.run",
            Permission::RebootRun => "reboot.run",
            Permission::LoggingManage => "logging.manage",
            Permission::SupportVerify => "support.verify",
            Permission::RolesAssign => "roles.assign",
        }
    }
}

/// A set of permissions; an account's is the union of its roles' and always has [`Permission::Own`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u16);

impl Permissions {
    /// What someone with no role may do.
    pub const OWN: Permissions = Permissions(1);

    /// The union over `roles`, and one's own settings.
    pub fn of(roles: &[Role]) -> Self {
        roles.iter().fold(Self::OWN, |all, role| Permissions(all.0 | role.permissions().0))
    }

    /// Whether the permission is in the set.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u16) != 0
    }

    /// What only someone with a role has: every permission but one's own settings.
    pub const ANY_ROLE: Permissions = Permissions(Self::ALL.0 & !Self::OWN.0);

    /// Any of these opens the maintenance menu.
    pub const MAINTENANCE: Permissions = Permissions::only(Permission::BackupRun)
        .and(Permissions::only(Permission::RebootRun))
        .and(Permissions::only(Permission::LoggingManage))
        .and(Permissions::only(Permission::SupportVerify));

    /// Everything.
    pub const ALL: Permissions = Permissions((1 << Permission::ALL.len()) - 1);

    /// The set of this one permission.
    pub const fn only(permission: Permission) -> Self {
        Permissions(1 << permission as u16)
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Permissions) -> Self {
        Permissions(self.0 | other.0)
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn without(self, other: Permissions) -> Self {
        Permissions(self.0 & !other.0)
    }

    /// Whether any permission of `other` is in this set.
    pub const fn any(self, other: Permissions) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every permission of `other` is in this set: the rule of "no reaching up".
    pub fn covers(self, other: Permissions) -> bool {
        other.0 & !self.0 == 0
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(iter: I) -> Self {
        Permissions(iter.into_iter().fold(0, |bits, p| bits | (1 << p as u16)))
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody yet: a caller before the login. May only [`Action::Login`].
    Caller,
    /// A caller who is logged in; the rights are read again at each action.
    Account {
        /// The account.
        id: AccountId,
        /// What it was allowed when it logged in; a right gained since counts from the next login.
        granted: Permissions,
        /// [`Session::pin_resets`] of its login: where the account PIN was reset since, the session is over.
        pin_resets: i64,
    },
    /// Someone with a shell on this machine: allowed everything, named `cli` in the audit trail.
    Shell,
}

/// The moment of a request: what the store can't know by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The wall clock.
    pub now: Wall,
    /// The site that the call or the command is for.
    pub site: SiteId,
    /// Where it comes from, for audit and lock-outs: what [`source`] makes of a call, else `cli` or what part of this
    /// program it is.
    pub source: String,
    /// The extension that a trusted peer says is calling. It tells whose failures are counted where, and proves nothing.
    pub caller: Option<Extension>,
    /// The call, where there is one.
    pub call: Option<CallId>,
    /// Calls in progress besides this one.
    pub other_calls: u32,
    /// Whether nobody on the way of the call can listen or forge a key: its audio and its signalling are encrypted.
    pub is_private: bool,
}

impl Context {
    /// A request that comes from no call: from the shell (`cli`) or a part of this program.
    pub fn without_call(now: Wall, site: SiteId, source: &str) -> Self {
        Self { now, site, source: source.to_owned(), caller: None, call: None, other_calls: 0, is_private: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_permission_table() {
        let mut grid = String::new();
        for permission in Permission::ALL {
            let marks = Role::ALL.map(|role| if role.permissions().has(permission) { 'x' } else { '.' });
            grid.push_str(&format!("{:<18} {}\n", permission.name(), String::from_iter(marks)));
        }
        let expected = "\
own                xxxxx
recordings.change  xxx..
users.manage       xxx..
attendants.manage  xxx..
network.manage     xx.x.
backup.run         xx..x
reboot.run         xx..x
logging.manage     xx..x
support.verify     xxx.x
roles.assign       x....
";
        assert_eq!(grid, expected);
    }

    #[test]
    fn nobody_reaches_up() {
        let of = |role: Role| Permissions::of(&[role]);
        assert!(of(Role::ServerAdministrator).covers(of(Role::SystemAdministrator)));
        assert!(!of(Role::SystemAdministrator).covers(of(Role::ServerAdministrator)));
        assert!(!of(Role::PhoneAdministrator).covers(of(Role::SupportTechnician)));
        assert!(of(Role::NetworkAdministrator).covers(Permissions::OWN));
    }
}
