//! Random actions on a store and on the model, whose replies and rows must agree.

use super::people::FORWARDS;
use super::*;
use crate::access::ForwardKind;
use crate::store::pins::Lane;

const SEEDS: u64 = 15;
const STEPS: usize = 150;

struct Run {
    world: World,
    model: Model,
    random: Random,
    sessions: Vec<SessionModel>,
}

impl Run {
    async fn step(&mut self) {
        match self.random.below(10) {
            0..=1 => self.login().await,
            2 => self.administer().await,
            3 if self.random.below(3) == 0 => self.world.now += 6 * MINUTE,
            _ => self.act().await,
        }
    }

    async fn login(&mut self) {
        let extension =
            self.random.of(&["1000", "1001", "1002", "1002", "1002", "1003", "1004", "1005", "1006", "4711"]);
        // 1002 forgets the PIN so often that it gets locked.
        let wrong = self.random.below(6) < if extension == "1002" { 5 } else { 1 };
        let digits = match self.model.accounts.get(extension) {
            Some(account) if !wrong => account.account.digits.clone(),
            _ => "99".to_owned(),
        };
        let expected = self.model.login(extension, &digits, self.world.now);
        match self.world.try_login(extension, &digits).await {
            Reply::LoggedIn(session) => {
                assert!(expected, "{extension} got in");
                assert_eq!(session.granted, self.model.permissions(extension));
                self.sessions.push(SessionModel { extension: extension.to_owned(), session });
            }
            reply => {
                assert_eq!(reply, refused(Refusal::LoginFailed));
                assert!(!expected, "{extension} did not get in");
            }
        }
    }

    async fn administer(&mut self) {
        let extension = self.random.of(&["1001", "1002", "1003", "1004", "1005", "1006"]);
        let (role, target) = (self.random.of(&Role::ALL), ext(extension));
        self.model.acting = String::new();
        let (admin, changed) = match self.random.below(5) {
            0 => {
                let changed = match self.model.set_role(extension, role, true) {
                    Ok(changed) => changed,
                    Err(_) => {
                        let assign = Admin::AssignRole { role, extension: target };
                        let error = self.world.admin(assign).await.err().unwrap();
                        assert!(matches!(error, AdminError::PinTooShortForRole(_)), "{error}");
                        return;
                    }
                };
                (Admin::AssignRole { role, extension: target }, changed)
            }
            1 => {
                let changed = self.model.set_role(extension, role, false).unwrap();
                (Admin::RemoveRole { role, extension: target }, changed)
            }
            2 => {
                let account = self.model.accounts.get_mut(extension).unwrap();
                account.account.unlock();
                (Admin::Unlock { extension: target }, Some(self.model.change()))
            }
            _ => {
                let enabled = self.random.below(3) > 0;
                let changed = self.model.set_enabled(extension, enabled);
                (Admin::SetEnabled { extension: target, enabled }, changed)
            }
        };
        let expected = changed.map_or(AdminReply::Unchanged, AdminReply::Changed);
        assert_eq!(self.world.admin(admin).await.unwrap(), expected);
    }

    async fn act(&mut self) {
        let Some(who) = (!self.sessions.is_empty()).then(|| self.random.of(&self.sessions)) else { return };
        let action = self.random_action(&who);
        self.model.acting = who.extension.clone();
        let expected = self.model.reply(&who, &action, self.world.now);
        let actor =
            Actor::Account { id: who.session.id, granted: who.session.granted, pin_resets: who.session.pin_resets };
        let reply = self.world.ask(&actor, action.clone()).await;
        match (expected, reply) {
            (Some(expected), reply) => assert_eq!(reply, expected, "{} asks {action:?}", who.extension),
            (None, Reply::TemporaryPin { pin, change }) => {
                let Action::ResetVoicemailPin { extension } = &action else { panic!("{action:?}") };
                assert_eq!(change, self.model.change());
                self.model.accounts.get_mut(extension.as_str()).unwrap().voicemail.set(pin.digits());
            }
            (None, reply) => panic!("{action:?}: {reply:?}"),
        }
    }

    fn random_action(&mut self, who: &SessionModel) -> Action {
        let number = RecordingNumber(self.random.of(&[1, 1, 2, 3, 9]));
        let audio = tone(self.random.below(1000) as u32 + 100);
        let own = self.model.accounts[&who.extension].account.digits.clone();
        let right_or_wrong = self.random.of(&[own.clone(), own, "11".to_owned()]);
        let new = self.random.of(&[GOOD.as_slice(), &["1234", "11111111"]].concat());
        let extension = ext(self.random.of(&["1000", "1001", "1002", "1004", "1005", "1006", "4711"]));
        let kind = ForwardKind::Busy;
        // 1000 stays, so that there is always a Server Administrator.
        let other = ext(self.random.of(&["1001", "1002", "1003", "1004", "1005", "1006", "4711"]));
        match self.random.below(26) {
            13..=14 => Action::ToggleDnd,
            15..=16 => Action::SetForwarding { kind, to: super::number(self.random.of(&FORWARDS)) },
            17 => Action::ForwardingOff { kind },
            18 => Action::SetUserEnabled { extension: other, enabled: self.random.below(3) > 0 },
            19 => Action::UnlockUser { extension: other },
            20 => {
                let (role, extension) = (self.random.of(&Role::ALL), other);
                let give = Destructive::AssignRole { role, extension: extension.clone() };
                let what = self.random.of(&[give, Destructive::RemoveRole { role, extension }]);
                Action::Confirm(what, pin(&right_or_wrong))
            }
            21..=25 => {
                let last = self.model.log.iter().rposition(|change| change.by == who.extension && !change.undone);
                let any = self.model.log.len() + 2 - self.random.below(20);
                let number = match last {
                    Some(at) if self.random.below(3) > 0 => at + 1,
                    _ => any,
                };
                Action::Confirm(Destructive::Undo { number: ChangeNumber(number as i64) }, pin(&right_or_wrong))
            }
            0 => Action::SetOwnVoicemailPin { new: pin(new) },
            1 => Action::SetOwnAccountPin { current: pin(&right_or_wrong), new: pin(new) },
            2 => Action::OpenRecording { number },
            3 => Action::ListenRecording { number },
            4..=5 => Action::KeepRecording { number, audio },
            6 => Action::RestoreRecording { number, to: self.random.of(&[RestoreTo::Previous, RestoreTo::Factory]) },
            7 => Action::SaveDraft { number, audio },
            8 => Action::DiscardDraft { number },
            9 => Action::ResetVoicemailPin { extension },
            10 => {
                let when = self.random.of(&[RebootWhen::Now, RebootWhen::Idle]);
                Action::Confirm(Destructive::Reboot { when }, pin(&right_or_wrong))
            }
            11 => self.random.of(&[Action::AskReboot, Action::CancelReboot]),
            _ => Action::NoteDenied { function: "main-roles" },
        }
    }

    async fn rows_agree(&self) {
        let (store, site) = (&self.world.store, self.world.store.site());
        for row in store.users(site, Wall(self.world.now)).await.unwrap() {
            let account = &self.model.accounts[&row.extension];
            let roles: Vec<&str> = account.roles.iter().map(|role| role.name()).collect();
            let locked = account.account.lock.is_locked(Wall(self.world.now), &LoginLimits::default());
            assert_eq!((row.enabled, row.locked, row.roles), (account.enabled, locked, roles), "{}", row.extension);
            assert_eq!((row.dnd, row.forwarding.busy.as_deref()), (account.dnd, account.busy), "{}", row.extension);
        }
        for row in store.recordings().await.unwrap() {
            let recording = &self.model.recordings[&row.number];
            let draft = self.model.drafts.keys().any(|(_, number)| *number == row.number);
            assert_eq!((row.version, row.draft), (Some(recording.live as i64), draft), "recording {}", row.number);
        }
        let undone: Vec<bool> =
            store.changes(None, None).await.unwrap().iter().map(|row| row.undone_by.is_some()).collect();
        assert_eq!(undone, self.model.log.iter().map(|change| change.undone).collect::<Vec<_>>());
        let mut audited = BTreeMap::new();
        for row in store.audit(None).await.unwrap() {
            *audited.entry(row.outcome).or_insert(0) += 1;
        }
        let expected = self.model.audited.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)).collect();
        assert_eq!(audited, expected);
        assert_eq!(store.verify_audit().await.unwrap().fault, None);
        for (extension, account) in &self.model.accounts {
            let mut read = store.read().await.unwrap();
            let kept = accounts::hash(&mut read, store.site(), &ext(extension), PinKind::Voicemail).await.unwrap();
            drop(read);
            let digits = pin(&account.voicemail.digits);
            assert!(
                store.inner.pins.verify(Lane::Known, kept.as_deref(), &digits).await.unwrap(),
                "voicemail PIN of {extension}"
            );
        }
    }
}

#[tokio::test]
async fn random_actions_agree_with_the_model() {
    let mut undone = 0;
    for seed in 1..=SEEDS {
        let mut run = Run {
            // All its callers call from one place.
            world: World::with(|options| options.login.source_lock_after = u32::MAX).await,
            model: Model::demo(),
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            sessions: Vec::new(),
        };
        let _seed = SeedOnPanic(seed);
        for _ in 0..STEPS {
            run.step().await;
        }
        run.rows_agree().await;
        undone += run.model.log.iter().filter(|change| change.undone).count();
    }
    assert!(undone > 30, "the runs say little of undoing: {undone}");
}

/// Names the seed of a run that failed.
struct SeedOnPanic(u64);

impl Drop for SeedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("seed {}", self.0);
        }
    }
}
