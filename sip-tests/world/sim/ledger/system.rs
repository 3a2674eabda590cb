//! The phone system's own things, and its upkeep.

use std::time::Duration;

use switchhook::access::{
    Action, BackupState, ItemKind, Mode, ModeSetting, NetworkStatus, News, Reach, RebootWhen, Refusal, Reply,
    SystemStatus, TrunkKind,
};
use switchhook::model::{AccountId, Civil, Extension, ItemNumber, Mono, RecordingNumber};

use super::changes::{Slot, Value};
use super::{Ledger, REBOOT_DELAY_S, Request};

/// The longest mode that passes, in hours.
const HOURS_MAX: u32 = 8760;
/// While the machine goes down; nobody is still counting down when that ends.
const DOWN_S: u64 = 30;
const BACKUP_BYTES: u64 = 3_000_000;
/// Some moment: none is compared with another.
const SOME_MOMENT: Civil = Civil { year: 2026, month: 1, day: 2, weekday: 4, hour: 3, minute: 4 };

pub enum Reboot {
    Requested { due: Mono, by: AccountId },
    Waiting { by: AccountId },
    Claimed { until: Mono, by: AccountId },
}

pub struct Backup {
    pub id: i64,
    by: AccountId,
    ends: Mono,
    pub state: BackupState,
}

impl Ledger {
    /// What holds at a time, and until when.
    pub fn mode(&self, now: Mono) -> (ModeSetting, Option<Mono>) {
        match self.mode_set() {
            (_, Some((passing, until))) if now < until => (passing, Some(until)),
            (setting, _) => (setting, None),
        }
    }

    fn mode_set(&self) -> (ModeSetting, Option<(ModeSetting, Mono)>) {
        match self.value(Slot::Mode) {
            Value::Mode(setting, passing) => (setting, passing),
            _ => (ModeSetting::Fixed(Mode::Day), None),
        }
    }

    pub fn is_trunk_enabled(&self, kind: TrunkKind, number: ItemNumber) -> Result<bool, Refusal> {
        self.must_be(ItemKind::Trunk(kind), number)?;
        Ok(self.is_on(Slot::Trunk(kind, number)))
    }

    /// How many of a kind are enabled.
    pub fn enabled(&self, kind: TrunkKind) -> usize {
        let numbers = self.numbers(ItemKind::Trunk(kind)).into_iter().map(ItemNumber);
        numbers.filter(|number| self.is_on(Slot::Trunk(kind, *number))).count()
    }

    /// The members of a group, in their order.
    pub fn members(&self, number: ItemNumber) -> Vec<AccountId> {
        let place = |id| match self.value(Slot::Member(number, id)) {
            Value::Number(place) => Some((place, id)),
            _ => None,
        };
        let mut members: Vec<_> = self.accounts.iter().filter_map(|account| place(account.id)).collect();
        members.sort_unstable();
        members.into_iter().map(|(_, id)| id).collect()
    }

    fn numbers(&self, kind: ItemKind) -> Vec<u32> {
        match kind {
            ItemKind::Recording => self.recordings.keys().map(|number| number.0).collect(),
            kind => self.items.get(&kind).cloned().unwrap_or_default(),
        }
    }

    fn must_be(&self, kind: ItemKind, number: ItemNumber) -> Result<(), Refusal> {
        if self.numbers(kind).contains(&number.0) { Ok(()) } else { Err(Refusal::Unknown) }
    }

    pub(super) fn act_on_item(&mut self, request: &Request<'_>) -> Result<Reply, Refusal> {
        match request.action {
            Action::List { kind } => Ok(Reply::Numbers(self.numbers(*kind))),
            Action::ReadMode => {
                let (setting, until) = self.mode(request.now);
                let mode = match setting {
                    ModeSetting::Fixed(mode) => mode,
                    ModeSetting::Timetable => Mode::Day,
                };
                Ok(Reply::Mode { mode, setting, until: until.map(|_| SOME_MOMENT) })
            }
            Action::SetMode { setting, hours } => self.set_mode(request, *setting, *hours),
            Action::OpenAttendant { number } => {
                self.must_be(ItemKind::Attendant, *number)?;
                let recording = match self.value(Slot::Attendant(*number)) {
                    Value::Number(recording) => Some(RecordingNumber(recording)),
                    _ => None,
                };
                Ok(Reply::Attendant { recording })
            }
            Action::SetAttendant { number, recording } => {
                self.must_be(ItemKind::Attendant, *number)?;
                if !self.recordings.contains_key(recording) {
                    return Err(Refusal::OtherUnknown);
                }
                self.set(request, number.0, Slot::Attendant(*number), Value::Number(recording.0))
            }
            Action::ListMembers { number } => {
                self.must_be(ItemKind::Group, *number)?;
                Ok(self.people(self.members(*number)))
            }
            Action::AddMember { number, extension } => self.add_member(request, *number, extension),
            Action::RemoveMember { number, extension } => {
                self.must_be(ItemKind::Group, *number)?;
                let id = self.find(extension.as_str()).ok_or(Refusal::OtherUnknown)?.id;
                if !self.members(*number).contains(&id) {
                    return Err(Refusal::NothingThere);
                }
                self.set(request, number.0, Slot::Member(*number, id), Value::Nothing)
            }
            Action::OpenCallCenter { number } => {
                self.must_be(ItemKind::CallCenter, *number)?;
                Ok(Reply::CallCenter { open: self.is_on(Slot::CallCenter(*number)) })
            }
            Action::SetCallCenter { number, open } => {
                self.must_be(ItemKind::CallCenter, *number)?;
                self.set(request, number.0, Slot::CallCenter(*number), on(*open))
            }
            Action::OpenTrunk { kind, number } => {
                let enabled = self.is_trunk_enabled(*kind, *number)?;
                let reach = if number.0 == 1 { Reach::Reachable(Duration::from_millis(12)) } else { Reach::Unknown };
                Ok(Reply::Trunk { spoken_name: None, enabled, reach })
            }
            Action::SetTrunk { kind, number, enabled } => {
                let is_last = self.is_trunk_enabled(*kind, *number)? && self.enabled(*kind) == 1;
                if is_last && !enabled {
                    return Err(Refusal::LastEnabled);
                }
                self.set(request, number.0, Slot::Trunk(*kind, *number), on(*enabled))
            }
            Action::NetworkStatus => {
                let unreachable = vec![(TrunkKind::Line, ItemNumber(2))];
                Ok(Reply::Network(NetworkStatus { addresses: vec![[192, 0, 2, 1].into()], unreachable }))
            }
            _ => Err(Refusal::NotAllowed),
        }
    }

    /// One edit; refused where it is so already.
    fn set(
        &mut self,
        request: &Request<'_>,
        target: impl ToString,
        slot: Slot,
        value: Value,
    ) -> Result<Reply, Refusal> {
        if self.value(slot) == value {
            return Err(Refusal::AlreadySo);
        }
        Ok(Reply::Changed(self.change(request, target, vec![(slot, value)])))
    }

    fn set_mode(&mut self, request: &Request<'_>, wanted: ModeSetting, hours: Option<u32>) -> Result<Reply, Refusal> {
        let value = match hours {
            None => Value::Mode(wanted, None),
            Some(hours) if (1..=HOURS_MAX).contains(&hours) => {
                let until = request.now + Duration::from_secs(u64::from(hours) * 3600);
                Value::Mode(self.mode_set().0, Some((wanted, until)))
            }
            Some(_) => return Err(Refusal::Unknown),
        };
        // To set what is set is a change too, as it is for the real one.
        Ok(Reply::Changed(self.change(request, "system", vec![(Slot::Mode, value)])))
    }

    fn add_member(
        &mut self,
        request: &Request<'_>,
        number: ItemNumber,
        extension: &Extension,
    ) -> Result<Reply, Refusal> {
        self.must_be(ItemKind::Group, number)?;
        let id = self.find(extension.as_str()).ok_or(Refusal::OtherUnknown)?.id;
        let members = self.members(number);
        if members.contains(&id) {
            return Err(Refusal::AlreadySo);
        }
        let last = members.last().map(|last| self.value(Slot::Member(number, *last)));
        let place = match last {
            Some(Value::Number(place)) => place + 1,
            _ => 1,
        };
        self.set(request, number.0, Slot::Member(number, id), Value::Number(place))
    }

    pub(super) fn maintain(&mut self, request: &Request<'_>) -> Result<Reply, Refusal> {
        match request.action {
            Action::StartBackup => {
                if self.backups.iter().any(|backup| backup.state == BackupState::Running) {
                    return Err(Refusal::AlreadySo);
                }
                let ends = request.now + Duration::from_millis(self.random.between(500, 9000));
                let id = self.backups.len() as i64 + 1;
                self.backups.push(Backup { id, by: request.id, ends, state: BackupState::Running });
                Ok(Reply::BackupStarted { id, change: self.change(request, "system", Vec::new()) })
            }
            Action::ReadBackup { id } => {
                let backup = self.backups.iter().find(|backup| backup.id == *id).ok_or(Refusal::Unknown)?;
                let (state, is_own) = (backup.state, backup.by == request.id);
                if is_own && state != BackupState::Running {
                    // It is heard now.
                    self.by_id_mut(request.id).has_heard(News::BackupDone, *id);
                }
                Ok(Reply::Backup(state))
            }
            Action::LastBackup => {
                let is_good = self.backups.iter().any(|backup| matches!(backup.state, BackupState::Done(_)));
                Ok(Reply::LastBackup { last: is_good.then_some((SOME_MOMENT, BACKUP_BYTES)) })
            }
            Action::AskReboot => Ok(self.reboot_state(request)),
            Action::CancelReboot => match self.reboot {
                Some(Reboot::Requested { due, .. }) if due <= request.now => Err(Refusal::NothingThere),
                Some(Reboot::Requested { .. } | Reboot::Waiting { .. }) => {
                    self.reboot = None;
                    Ok(Reply::Changed(self.change(request, "system", Vec::new())))
                }
                Some(Reboot::Claimed { .. }) | None => Err(Refusal::NothingThere),
            },
            Action::SetLogging { detailed } => {
                self.is_detailed = *detailed;
                Ok(Reply::Changed(self.change(request, "system", Vec::new())))
            }
            Action::NewLogFile => Ok(Reply::Changed(self.change(request, "system", Vec::new()))),
            Action::SystemStatus => Ok(Reply::Status(SystemStatus {
                version: [0, 1, 2],
                up_since: Some(SOME_MOMENT),
                calls: request.other_calls + 1,
                disk_used_percent: Some(40),
                store_bytes: BACKUP_BYTES,
            })),
            _ => Err(Refusal::NotAllowed),
        }
    }

    pub(super) fn reboot_state(&self, request: &Request<'_>) -> Reply {
        Reply::RebootState { other_calls: request.other_calls, waiting: self.reboot.is_some(), failed: false }
    }

    /// One at a time.
    pub(super) fn may_reboot(&self) -> Result<(), Refusal> {
        if self.reboot.is_some() { Err(Refusal::AlreadySo) } else { Ok(()) }
    }

    pub(super) fn request_reboot(&mut self, request: &Request<'_>, when: RebootWhen) -> Result<Reply, Refusal> {
        self.may_reboot()?;
        let by = request.id;
        let (reboot, delay_s) = match when {
            RebootWhen::Now => {
                let due = request.now + Duration::from_secs(u64::from(REBOOT_DELAY_S));
                (Reboot::Requested { due, by }, REBOOT_DELAY_S)
            }
            RebootWhen::Idle => (Reboot::Waiting { by }, 0),
        };
        self.reboot = Some(reboot);
        Ok(Reply::RebootRequested { delay_s, change: self.change(request, "system", Vec::new()) })
    }

    /// Carries out what is due, and brings the news of it (the machine of the model goes on).
    pub fn work(&mut self, now: Mono, calls: usize) {
        self.reboot = match self.reboot.take() {
            Some(Reboot::Requested { due, by }) if due <= now => Some(self.claim(now, by)),
            Some(Reboot::Waiting { by }) if calls == 0 => Some(self.claim(now, by)),
            Some(Reboot::Claimed { until, by }) if until <= now => {
                self.bring(by, News::RebootDone, 0);
                None
            }
            other => other,
        };
        let running = self.backups.iter_mut().find(|backup| backup.state == BackupState::Running && backup.ends <= now);
        if let Some(backup) = running {
            backup.state = BackupState::Done(BACKUP_BYTES);
            let (by, id) = (backup.by, backup.id);
            self.bring(by, News::BackupDone, id);
        }
    }

    /// Whether something is under way that is still to be worked on.
    pub fn is_working(&self) -> bool {
        self.reboot.is_some() || self.backups.iter().any(|backup| backup.state == BackupState::Running)
    }

    fn claim(&mut self, now: Mono, by: AccountId) -> Reboot {
        self.reboots += 1;
        Reboot::Claimed { until: now + Duration::from_secs(DOWN_S), by }
    }

    fn bring(&mut self, to: AccountId, news: News, of: i64) {
        if let Some(account) = self.accounts.iter_mut().find(|account| account.id == to) {
            account.news.push((news, of));
        }
    }
}

fn on(on: bool) -> Value {
    if on { Value::On } else { Value::Nothing }
}
