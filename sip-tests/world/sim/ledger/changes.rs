//! What can be put back, and the numbered changes that put it there.

use std::collections::HashMap;

use switchhook::access::{ForwardKind, ModeSetting, OwnAudio, Permission, Refusal, Reply, Role, TrunkKind};
use switchhook::access::{Person, ToldChange};
use switchhook::model::{
    AccountId, ChangeNumber, Civil, ItemNumber, Language, Mac, Mono, PhoneNumber, RecordingNumber,
};

use super::{Ledger, Request};

/// Changes that are told at most.
const TOLD_MAX: usize = 5;

/// One thing that can be one way or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    Forwarding(AccountId, ForwardKind),
    Dnd(AccountId),
    Language(AccountId),
    /// Which version of the greeting or the name is live.
    Own(AccountId, OwnAudio),
    Disabled(AccountId),
    Role(AccountId, Role),
    /// Whose it is.
    Handset(Mac),
    Mode,
    /// Which recording it plays.
    Attendant(ItemNumber),
    /// At which place of the group.
    Member(ItemNumber, AccountId),
    /// Whether it is open.
    CallCenter(ItemNumber),
    /// Whether it is enabled.
    Trunk(TrunkKind, ItemNumber),
    /// Which version is live.
    Recording(RecordingNumber),
}

/// How it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    #[default]
    Nothing,
    On,
    Number(u32),
    To(PhoneNumber),
    Of(AccountId),
    In(Language),
    /// What holds until it is changed, and what holds instead until some time.
    Mode(ModeSetting, Option<(ModeSetting, Mono)>),
}

/// What is put where.
pub type Edits = Vec<(Slot, Value)>;

#[derive(Clone, Debug)]
pub struct Edit {
    pub slot: Slot,
    pub before: Value,
    pub after: Value,
}

#[derive(Clone, Debug)]
pub struct Change {
    pub number: ChangeNumber,
    /// `None`: somebody with a shell.
    pub by: Option<AccountId>,
    pub action: &'static str,
    pub target: String,
    pub edits: Vec<Edit>,
    pub undone_by: Option<ChangeNumber>,
}

impl Ledger {
    pub fn value(&self, slot: Slot) -> Value {
        self.slots.get(&slot).cloned().unwrap_or_default()
    }

    pub fn is_on(&self, slot: Slot) -> bool {
        self.value(slot) == Value::On
    }

    /// What somebody with a shell does.
    pub fn by_shell(&mut self, action: &'static str, edits: Edits) -> ChangeNumber {
        self.write(None, action, String::new(), edits)
    }

    /// What an account has done before the calls, for others to build on.
    pub fn by_account(&mut self, extension: &str, action: &'static str, edits: Edits) -> ChangeNumber {
        let id = self.account(extension).id;
        self.write(Some(id), action, String::new(), edits)
    }

    /// The changes of that name.
    pub fn changes_of(&self, action: &str) -> Vec<&Change> {
        self.changes.iter().filter(|change| change.action == action).collect()
    }

    /// Makes a change under the request's name, and says its number.
    pub(super) fn change(&mut self, request: &Request<'_>, target: impl ToString, edits: Edits) -> ChangeNumber {
        self.write(Some(request.id), request.action.name(), target.to_string(), edits)
    }

    fn write(&mut self, by: Option<AccountId>, action: &'static str, target: String, edits: Edits) -> ChangeNumber {
        let edit = |(slot, after): (Slot, Value)| {
            let before = self.slots.insert(slot, after.clone()).unwrap_or_default();
            Edit { slot, before, after }
        };
        let edits = edits.into_iter().map(edit).collect();
        let number = ChangeNumber(self.changes.len() as i64 + 1);
        self.changes.push(Change { number, by, action, target, edits, undone_by: None });
        number
    }

    /// All changes, made again from the beginning, give what is there: none is lost, none is half.
    pub fn check_nothing_is_lost(&self) {
        let mut slots = self.at_first.clone();
        for change in &self.changes {
            for edit in &change.edits {
                let before = slots.insert(edit.slot, edit.after.clone()).unwrap_or_default();
                assert_eq!(before, edit.before, "change {:?} was made to something else", change.number);
            }
        }
        let set = |slots: &HashMap<Slot, Value>| {
            let set = slots.iter().filter(|(_, value)| **value != Value::Nothing);
            set.map(|(slot, value)| (*slot, value.clone())).collect::<HashMap<_, _>>()
        };
        assert_eq!(set(&slots), set(&self.slots), "what is there is not what the changes have made");
    }

    /// Whether the caller hears of it: everyone of their own, Server and System Administrators of all.
    fn hears_of(&self, request: &Request<'_>, change: &Change) -> bool {
        let administers = |role: Role| {
            let administers = matches!(role, Role::ServerAdministrator | Role::SystemAdministrator);
            administers && request.allowed.covers(role.permissions())
        };
        change.by == Some(request.id) || self.roles(request.id).into_iter().any(administers)
    }

    pub(super) fn last_changes(&self, request: &Request<'_>) -> Reply {
        let heard = self.changes.iter().rev().filter(|change| self.hears_of(request, change));
        Reply::Changes(heard.take(TOLD_MAX).map(|change| self.told(change)).collect())
    }

    fn told(&self, change: &Change) -> ToldChange {
        let by = change.by.and_then(|id| self.by_id(id));
        ToldChange {
            number: change.number,
            by: by.map(|account| Person { extension: account.extension.clone(), spoken_name: self.name(account.id) }),
            action: change.action.to_owned(),
            target: change.target.clone(),
            at: Some(Civil { year: 2026, month: 1, day: 2, weekday: 4, hour: 3, minute: 4 }),
        }
    }

    /// What undoing that change would put back, if it may be undone.
    pub(super) fn may_undo(&self, request: &Request<'_>, number: ChangeNumber) -> Result<Reply, Refusal> {
        self.undoing(request, number).map(|(change, _)| Reply::MayUndo(self.told(change)))
    }

    /// Makes the reverse change, which has its own number and can be undone itself.
    pub(super) fn undo(&mut self, request: &Request<'_>, number: ChangeNumber) -> Result<Reply, Refusal> {
        let (change, edits) = self.undoing(request, number)?;
        let (action, target) = (change.action, change.target.clone());
        let made = self.write(Some(request.id), action, target, edits);
        let change = self.changes.iter_mut().find(|change| change.number == number).ok_or(Refusal::Unknown)?;
        change.undone_by = Some(made);
        Ok(Reply::Changed(made))
    }

    fn undoing(&self, request: &Request<'_>, number: ChangeNumber) -> Result<(&Change, Edits), Refusal> {
        let change = self.changes.iter().find(|change| change.number == number).ok_or(Refusal::Unknown)?;
        if !self.hears_of(request, change) {
            return Err(Refusal::Unknown);
        }
        if change.undone_by.is_some() {
            return Err(Refusal::AlreadyUndone);
        }
        if !change.can_be_undone() {
            return Err(Refusal::CannotUndo);
        }
        for edit in &change.edits {
            self.may_put_back(request, edit)?;
        }
        if change.edits.iter().any(|edit| self.value(edit.slot) != edit.after) {
            return Err(Refusal::ChangedSince);
        }
        let edits: Vec<_> = change.edits.iter().map(|edit| (edit.slot, edit.before.clone())).collect();
        let disables_oneself = edits.contains(&(Slot::Disabled(request.id), Value::On));
        if disables_oneself {
            return Err(Refusal::NotYourself);
        }
        let edits = self.keeping_an_administrator(edits)?;
        if self.was_changed_after(change) { Err(Refusal::ChangedSince) } else { Ok((change, edits)) }
    }

    /// Whether something later was about the same and still holds, even where all is as the change has left it; the undo
    /// of something later is none of its own.
    fn was_changed_after(&self, change: &Change) -> bool {
        let later: Vec<&Change> = self.changes.iter().filter(|later| later.number > change.number).collect();
        let is_about =
            |later: &Change| later.edits.iter().any(|edit| change.edits.iter().any(|before| before.slot == edit.slot));
        let is_undo = |number| later.iter().any(|undone| undone.undone_by == Some(number));
        later.iter().any(|later| is_about(later) && !is_undo(later.number) && self.holds(later))
    }

    fn holds(&self, change: &Change) -> bool {
        let undo = change.undone_by.and_then(|by| self.changes.iter().find(|change| change.number == by));
        undo.is_none_or(|undo| !self.holds(undo))
    }

    /// An undo needs what the change itself needed, and reaches no higher.
    fn may_put_back(&self, request: &Request<'_>, edit: &Edit) -> Result<(), Refusal> {
        let touched = edit.touched();
        if let Some(id) = touched {
            self.by_id(id).ok_or(Refusal::ChangedSince)?;
        }
        let needed = edit.slot.needs(request.id);
        if !request.allowed.has(needed) {
            let had = request.granted.has(needed);
            return Err(if had { Refusal::NoLongerAllowed } else { Refusal::NotAllowed });
        }
        match (needed, touched) {
            (Permission::UsersManage | Permission::RolesAssign, Some(id)) => self.not_reaching_up(request.allowed, id),
            _ => Ok(()),
        }
    }

    /// Whether an enabled Server Administrator is left once these edits are made.
    pub(super) fn has_administrator(&self, edits: &[(Slot, Value)]) -> bool {
        let is_on = |slot: Slot| {
            let edited = edits.iter().find(|(edited, _)| *edited == slot);
            edited.map_or(self.is_on(slot), |(_, value)| *value == Value::On)
        };
        let administers = |id| is_on(Slot::Role(id, Role::ServerAdministrator)) && !is_on(Slot::Disabled(id));
        self.accounts.iter().any(|account| administers(account.id))
    }

    /// These edits, unless they take away the last Server Administrator.
    pub(super) fn keeping_an_administrator(&self, edits: Edits) -> Result<Edits, Refusal> {
        let takes_the_last = self.has_administrator(&[]) && !self.has_administrator(&edits);
        if takes_the_last { Err(Refusal::LastServerAdministrator) } else { Ok(edits) }
    }

    /// What becomes of all that belongs to an account when it is deleted.
    pub(super) fn without(&self, id: AccountId) -> Edits {
        let is_its = |slot: &Slot, value: &Value| match slot {
            Slot::Handset(_) => *value == Value::Of(id),
            slot => slot.account() == Some(id),
        };
        let its = self.slots.iter().filter(|(slot, value)| **value != Value::Nothing && is_its(slot, value));
        its.map(|(slot, _)| (*slot, Value::Nothing)).collect()
    }
}

impl Change {
    /// A PIN, an addition, a deletion, an unlocking, a reboot, a backup can't.
    fn can_be_undone(&self) -> bool {
        !self.edits.is_empty() && self.action != "user.deleted"
    }
}

impl Slot {
    /// Whose it is.
    fn account(self) -> Option<AccountId> {
        match self {
            Slot::Forwarding(id, _)
            | Slot::Dnd(id)
            | Slot::Language(id)
            | Slot::Own(id, _)
            | Slot::Disabled(id)
            | Slot::Role(id, _)
            | Slot::Member(_, id) => Some(id),
            Slot::Handset(_)
            | Slot::Mode
            | Slot::Attendant(_)
            | Slot::CallCenter(_)
            | Slot::Trunk(..)
            | Slot::Recording(_) => None,
        }
    }

    /// What someone needs who puts it back.
    fn needs(self, by: AccountId) -> Permission {
        match self {
            Slot::Forwarding(id, _) | Slot::Dnd(id) | Slot::Language(id) | Slot::Own(id, _) if id == by => {
                Permission::Own
            }
            Slot::Forwarding(..)
            | Slot::Dnd(_)
            | Slot::Language(_)
            | Slot::Own(..)
            | Slot::Disabled(_)
            | Slot::Handset(_) => Permission::UsersManage,
            Slot::Role(..) => Permission::RolesAssign,
            Slot::Member(..) | Slot::Mode | Slot::Attendant(_) | Slot::CallCenter(_) => Permission::AttendantsManage,
            Slot::Trunk(..) => Permission::NetworkManage,
            Slot::Recording(_) => Permission::RecordingsChange,
        }
    }
}

impl Edit {
    /// The account that is concerned, where it is one.
    fn touched(&self) -> Option<AccountId> {
        let owner = |value: &Value| match value {
            Value::Of(id) => Some(*id),
            _ => None,
        };
        self.slot.account().or_else(|| owner(&self.before)).or_else(|| owner(&self.after))
    }
}
