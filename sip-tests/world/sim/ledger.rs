//! The store as a model: small enough to be seen to be right. It answers as the real one does.
//!
//! Whatever can be put back is a [`Slot`] with a [`Value`]; a change is a few edits of slots under one number, and an
//! undo is the same edits the other way round. So that nothing is lost is one check: all changes, made again from the
//! beginning, give what is there.

mod accounts;
mod changes;
mod destructive;
mod own;
mod people;
mod recordings;
mod system;

use std::collections::{BTreeMap, HashMap};

use switchhook::access::{
    Action, Actor, Destructive, ForwardKind, ItemKind, Permission, Permissions, Refusal, Reply, Role, Session,
    TrunkKind,
};
use switchhook::model::{AccountId, Extension, ItemNumber, Mac, Mono, PhoneNumber, Pin, RecordingNumber};

pub use accounts::{Account, By, Known, PEOPLE};
pub use changes::{Change, Slot, Value};
pub use recordings::Recording;
pub use system::{Backup, Reboot};

use super::random::Random;

/// From a confirmed reboot to its start, in seconds.
pub const REBOOT_DELAY_S: u32 = 10;
/// The handsets; the first one is 1005's, the others are nobody's.
pub const HANDSETS: [Mac; 3] =
    [Mac([0, 4, 0xF2, 0x10, 0x20, 1]), Mac([0, 4, 0xF2, 0x10, 0x20, 2]), Mac([0, 4, 0xF2, 0x10, 0x20, 3])];
/// Where 1006's calls go at first.
pub const FORWARDED_TO: &str = "5550100";

pub struct Ledger {
    pub accounts: Vec<Account>,
    pub recordings: BTreeMap<RecordingNumber, Recording>,
    pub changes: Vec<Change>,
    pub reboot: Option<Reboot>,
    pub reboots: u32,
    pub backups: Vec<Backup>,
    pub is_detailed: bool,
    slots: HashMap<Slot, Value>,
    /// As it was at first.
    at_first: HashMap<Slot, Value>,
    items: BTreeMap<ItemKind, Vec<u32>>,
    last_account: i64,
    random: Random,
}

/// An action of someone who is logged in, with the rights that are left of it.
struct Request<'a> {
    now: Mono,
    other_calls: u32,
    id: AccountId,
    allowed: Permissions,
    granted: Permissions,
    action: &'a Action,
}

impl Ledger {
    pub fn new(random: Random) -> Self {
        let accounts = PEOPLE.iter().zip(1..).map(|(known, id)| Account::new(AccountId(id), known));
        let mut ledger = Self {
            accounts: accounts.collect(),
            recordings: (1..=5).map(|n| (RecordingNumber(n), Recording::factory(n))).collect(),
            changes: Vec::new(),
            reboot: None,
            reboots: 0,
            backups: Vec::new(),
            is_detailed: false,
            slots: HashMap::new(),
            at_first: HashMap::new(),
            items: [
                (ItemKind::Attendant, vec![1, 2]),
                (ItemKind::Group, vec![1, 2]),
                (ItemKind::CallCenter, vec![1, 2]),
                (ItemKind::Trunk(TrunkKind::Line), vec![1, 2]),
                (ItemKind::Trunk(TrunkKind::Gateway), vec![1]),
                (ItemKind::Trunk(TrunkKind::Proxy), vec![]),
            ]
            .into(),
            last_account: PEOPLE.len() as i64,
            random,
        };
        ledger.slots = ledger.first_slots();
        ledger.at_first = ledger.slots.clone();
        ledger
    }

    fn first_slots(&self) -> HashMap<Slot, Value> {
        let id = |extension: &str| self.account(extension).id;
        let one = ItemNumber(1);
        let mut slots: HashMap<Slot, Value> = [
            (Slot::Handset(HANDSETS[0]), Value::Of(id("1005"))),
            (Slot::Forwarding(id("1006"), ForwardKind::Always), Value::To(phone_number(FORWARDED_TO))),
            (Slot::Attendant(one), Value::Number(1)),
            (Slot::Member(one, id("1005")), Value::Number(1)),
            (Slot::Member(one, id("1002")), Value::Number(2)),
            (Slot::CallCenter(ItemNumber(2)), Value::On),
            (Slot::Trunk(TrunkKind::Line, one), Value::On),
            (Slot::Trunk(TrunkKind::Line, ItemNumber(2)), Value::On),
            (Slot::Trunk(TrunkKind::Gateway, one), Value::On),
        ]
        .into();
        let roles = PEOPLE.iter().filter_map(|known| Some((id(known.extension), known.role?)));
        slots.extend(roles.map(|(id, role)| (Slot::Role(id, role), Value::On)));
        slots.extend(self.recordings.keys().map(|number| (Slot::Recording(*number), Value::Number(0))));
        slots
    }

    pub fn account(&self, extension: &str) -> &Account {
        self.accounts.iter().find(|account| account.extension.as_str() == extension).expect("an account")
    }

    /// The same for someone who may have been deleted.
    pub fn find(&self, extension: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.extension.as_str() == extension)
    }

    pub fn roles(&self, id: AccountId) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.is_on(Slot::Role(id, *role))).collect()
    }

    pub fn permissions(&self, id: AccountId) -> Permissions {
        Permissions::of(&self.roles(id))
    }

    pub fn is_enabled(&self, id: AccountId) -> bool {
        !self.is_on(Slot::Disabled(id))
    }

    /// Does what is asked, as the actor may.
    pub fn apply(&mut self, now: Mono, other_calls: u32, actor: &Actor, action: &Action) -> Reply {
        let had_administrator = self.has_administrator(&[]);
        let done = match (actor, action) {
            (Actor::Caller, Action::Login { extension, pin }) => self.login(now, extension, pin),
            (Actor::Account { id, granted, pin_resets }, action) => {
                self.authorise(*id, *granted, *pin_resets, action).and_then(|allowed| {
                    self.act(&Request { now, other_calls, id: *id, allowed, granted: *granted, action })
                })
            }
            _ => Err(Refusal::NotAllowed),
        };
        let reply = done.unwrap_or_else(Reply::Refused);
        assert!(!had_administrator || self.has_administrator(&[]), "{action:?} has left no Server Administrator");
        reply
    }

    /// The rights are read again at each action; a temporary PIN is changed before anything else.
    fn authorise(
        &self,
        id: AccountId,
        granted: Permissions,
        pin_resets: i64,
        action: &Action,
    ) -> Result<Permissions, Refusal> {
        let needed = action.needs().ok_or(Refusal::NotAllowed)?;
        let account = self.by_id(id).filter(|_| self.is_enabled(id)).ok_or(Refusal::NoLongerAllowed)?;
        let held = self.permissions(id);
        let allowed: Permissions = Permission::ALL.into_iter().filter(|p| held.has(*p) && granted.has(*p)).collect();
        if !granted.any(needed) {
            return Err(Refusal::NotAllowed);
        }
        if !allowed.any(needed) {
            return Err(Refusal::NoLongerAllowed);
        }
        if account.pin.resets != pin_resets {
            return Err(Refusal::NoLongerAllowed);
        }
        let replaces = matches!(action, Action::ReplaceTemporaryPin { .. });
        if account.pin.is_temporary != replaces && !matches!(action, Action::NoteDenied { .. }) {
            return Err(Refusal::NotAllowed);
        }
        if let Some(other) = done_to(action) {
            let other = self.find(other.as_str()).ok_or(Refusal::Unknown)?.id;
            self.not_reaching_up(allowed, other)?;
        }
        Ok(allowed)
    }

    /// The one rule for all that is done to another account.
    fn not_reaching_up(&self, allowed: Permissions, other: AccountId) -> Result<(), Refusal> {
        if allowed.covers(self.permissions(other)) { Ok(()) } else { Err(Refusal::NotAllowedForThisAccount) }
    }

    fn login(&mut self, now: Mono, extension: &Extension, pin: &Pin) -> Result<Reply, Refusal> {
        let id = self.find(extension.as_str()).ok_or(Refusal::LoginFailed)?.id;
        if !self.is_right(now, id, By::Other, pin) {
            return Err(Refusal::LoginFailed);
        }
        let account = self.by_id_mut(id);
        account.offered = account.news.len();
        let news = account.news.iter().map(|(news, _)| *news).collect();
        let (must_change_pin, pin_resets) = (account.pin.is_temporary, account.pin.resets);
        Ok(Reply::LoggedIn(Session {
            id,
            extension: extension.clone(),
            granted: self.permissions(id),
            has_role: !self.roles(id).is_empty(),
            language: self.language(id),
            spoken_name: self.name(id),
            must_change_pin,
            pin_resets,
            news,
        }))
    }

    fn act(&mut self, request: &Request<'_>) -> Result<Reply, Refusal> {
        use Action as A;
        match request.action {
            A::Login { .. } => Err(Refusal::NotAllowed),
            A::ReplaceTemporaryPin { .. }
            | A::SetOwnVoicemailPin { .. }
            | A::SetOwnAccountPin { .. }
            | A::SetOwnSupportPin { .. } => self.act_on_own_pins(request),
            A::ReadForwarding { .. }
            | A::CheckForwardNumber { .. }
            | A::SetForwarding { .. }
            | A::ForwardingOff { .. }
            | A::ToggleDnd
            | A::ListenOwn { .. }
            | A::KeepOwn { .. }
            | A::RestoreGreeting
            | A::RemoveGreeting
            | A::SetLanguage { .. }
            | A::ReadSettings => self.act_on_own(request),
            A::OpenRecording { .. }
            | A::ListenRecording { .. }
            | A::KeepRecording { .. }
            | A::RestoreRecording { .. }
            | A::WhoChangedRecording { .. }
            | A::SaveDraft { .. }
            | A::DiscardDraft { .. } => self.act_on_recording(request),
            A::OpenUser { .. }
            | A::CheckUser { .. }
            | A::AddUser { .. }
            | A::ResetVoicemailPin { .. }
            | A::ResetAccountPin { .. }
            | A::UnlockUser { .. }
            | A::SetUserEnabled { .. }
            | A::ReadUserForwarding { .. }
            | A::UserForwardingOff { .. }
            | A::KeepUserName { .. }
            | A::VerifySupportPin { .. } => self.act_on_user(request),
            A::ListHandsets { .. } | A::ListUnassignedHandsets | A::AssignHandset { .. } | A::RemoveHandset { .. } => {
                self.act_on_handset(request)
            }
            A::List { .. }
            | A::ReadMode
            | A::SetMode { .. }
            | A::OpenAttendant { .. }
            | A::SetAttendant { .. }
            | A::ListMembers { .. }
            | A::AddMember { .. }
            | A::RemoveMember { .. }
            | A::OpenCallCenter { .. }
            | A::SetCallCenter { .. }
            | A::OpenTrunk { .. }
            | A::SetTrunk { .. }
            | A::NetworkStatus => self.act_on_item(request),
            A::StartBackup
            | A::ReadBackup { .. }
            | A::LastBackup
            | A::AskReboot
            | A::CancelReboot
            | A::SetLogging { .. }
            | A::NewLogFile
            | A::SystemStatus => self.maintain(request),
            A::RoleHolders { role } => Ok(self.holders(*role)),
            A::ListChanges => Ok(self.last_changes(request)),
            A::Check(what) => self.check(request, what),
            A::Confirm(what, pin) => self.confirm(request, what, pin),
            A::NoteDenied { .. } => Ok(Reply::Done),
            A::NewsHeard => Ok(self.news_heard(request.id)),
        }
    }

    fn news_heard(&mut self, id: AccountId) -> Reply {
        let account = self.by_id_mut(id);
        account.news.drain(..account.offered);
        account.offered = 0;
        Reply::Done
    }

    /// Whether it is that account's PIN, no lock is on and the account enabled; a failure counts.
    fn is_right(&mut self, now: Mono, id: AccountId, by: By, pin: &Pin) -> bool {
        let is_enabled = self.is_enabled(id);
        self.by_id_mut(id).pin.is_right(now, by, pin, is_enabled)
    }

    fn by_id(&self, id: AccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// Someone who has just been found.
    fn by_id_mut(&mut self, id: AccountId) -> &mut Account {
        self.accounts.iter_mut().find(|account| account.id == id).expect("an account")
    }

    fn id_of(&self, extension: &Extension) -> Result<AccountId, Refusal> {
        self.find(extension.as_str()).map(|account| account.id).ok_or(Refusal::Unknown)
    }
}

/// The account that something is done to; to open one, to check a support PIN or to add a user is not that.
fn done_to(action: &Action) -> Option<&Extension> {
    match action {
        Action::CheckUser { extension }
        | Action::ResetVoicemailPin { extension }
        | Action::ResetAccountPin { extension }
        | Action::UnlockUser { extension }
        | Action::SetUserEnabled { extension, .. }
        | Action::ListHandsets { extension }
        | Action::AssignHandset { extension, .. }
        | Action::RemoveHandset { extension, .. }
        | Action::ReadUserForwarding { extension }
        | Action::UserForwardingOff { extension }
        | Action::KeepUserName { extension, .. } => Some(extension),
        Action::Check(what) | Action::Confirm(what, _) => match what {
            Destructive::DeleteUser { extension }
            | Destructive::AssignRole { extension, .. }
            | Destructive::RemoveRole { extension, .. } => Some(extension),
            Destructive::Reboot { .. } | Destructive::DisableTrunk { .. } | Destructive::Undo { .. } => None,
        },
        _ => None,
    }
}

pub fn phone_number(digits: &str) -> PhoneNumber {
    PhoneNumber::parse(digits).expect("a number")
}
