//! What may be said: a change that is heard is a change that was made, under its own number; a change that was made is
//! heard, and a refusal, unless a key cuts it short; and no PIN is said back.

use switchhook::access::{Action, Destructive, Mode, ModeSetting, OwnAudio, RebootWhen, Refusal, Reply, TrunkKind};
use switchhook::model::{ChangeNumber, Clip};

use crate::world::ear::Ear;
use crate::world::phone::digit;

/// Shorter ones may be said by chance.
const SECRET_DIGITS_MIN: usize = 6;
/// After these digits are said that anyone may key as they like.
const READ_BACK: [Clip; 3] = ["forward-is-to", "forward-read-back", "temporary-pin-is"];
/// Where a reboot is counted down to: how it ended is asked of the store.
const COUNTDOWN: &str = "press-star-to-cancel";
/// Said of nothing but a change that has just been made.
const ONLY_RESULTS: [Clip; 40] = [
    "account-pin-changed",
    "voicemail-pin-changed",
    "support-pin-changed",
    "forward-set",
    "forward-off",
    "greeting-saved",
    "greeting-restored",
    "greeting-removed",
    "name-saved",
    "recording-saved",
    "recording-restored",
    "user-added",
    "voicemail-pin-reset",
    "account-pin-reset",
    "user-unlocked",
    "user-enabled",
    "user-disabled",
    "user-deleted",
    "handset-assigned",
    "handset-removed",
    "attendant-changed",
    "member-added",
    "member-removed",
    "callcenter-opened",
    "callcenter-closed",
    "line-enabled",
    "line-disabled",
    "gateway-enabled",
    "gateway-disabled",
    "proxy-enabled",
    "proxy-disabled",
    "backup-started",
    "reboot-in",
    "reboot-waiting",
    "reboot-started",
    "reboot-cancelled",
    "log-file-closed",
    "role-assigned",
    "role-removed",
    "change-undone",
];

#[derive(Default)]
pub(super) struct Speech {
    ear: Ear,
    /// One of these has to be said next.
    due: Vec<Clip>,
    /// What the last reply may be told with.
    result: Option<Clip>,
    /// The store has refused for now, or was given up.
    may_fail: bool,
    /// The numbers that may be told.
    numbers: Vec<String>,
    /// The PIN that may be told, once it was made.
    temporary_pin: Option<String>,
    /// Digits that are being said, and of what they have to be the beginning.
    telling: Option<(String, Vec<String>)>,
    /// All digits since the last clip that was none, and that clip.
    digits: String,
    before_digits: Clip,
    secrets: Vec<String>,
    /// Keys may wait that cut short what comes next.
    is_ahead: bool,
    keeps_keys: bool,
}

impl Speech {
    /// A packet was sent to the caller.
    pub(super) fn sent(&mut self, sequence: u16, payload: &[u8]) {
        if let Some(clip) = self.ear.hear(sequence, payload) {
            self.begins(clip);
        }
    }

    /// The caller holds the call, or does not hear us yet: what is said meanwhile is not heard.
    pub(super) fn nothing_is_sent(&mut self) {
        self.due.clear();
        self.telling = None;
    }

    /// A key was told.
    pub(super) fn key(&mut self, waits: bool) {
        self.is_ahead |= waits || self.keeps_keys;
        self.due.clear();
        self.telling = None;
    }

    /// The dialogue has got a key, of which the first packet was told before.
    pub(super) fn stops(&mut self) {
        self.telling = None;
    }

    /// The store is waited for no longer.
    pub(super) fn gives_up(&mut self) {
        self.may_fail = true;
    }

    /// The call has asked something else and will say what comes of that.
    pub(super) fn goes_on(&mut self) {
        self.may_fail = false;
        self.due.clear();
    }

    /// The call has come to a place, where keys are kept or have been taken.
    pub(super) fn comes_to(&mut self, place: &str, keeps_keys: bool) {
        self.keeps_keys = keeps_keys;
        self.is_ahead &= keeps_keys;
        if place == "over" {
            self.due.clear();
        }
    }

    pub(super) fn keep_secret(&mut self, digits: &str) {
        if digits.len() >= SECRET_DIGITS_MIN && !self.secrets.iter().any(|secret| secret == digits) {
            self.secrets.push(digits.to_owned());
        }
    }

    /// A reply was taken: this is what it is told with.
    pub(super) fn replied(&mut self, place: &str, action: &Action, reply: &Reply) {
        self.may_fail = *reply == Reply::Refused(Refusal::TryLater);
        self.result = match reply {
            Reply::RebootState { waiting, .. } if place == COUNTDOWN => {
                Some(if *waiting { "reboot-started" } else { "reboot-cancelled" })
            }
            reply => number(reply).and_then(|_| result(action, reply)),
        };
        match (number(reply), reply) {
            (Some(number), _) => self.numbers = vec![number.0.to_string()],
            (None, Reply::Changes(told)) => self.numbers = told.iter().map(|told| told.number.0.to_string()).collect(),
            (None, Reply::MayUndo(told)) => self.numbers = vec![told.number.0.to_string()],
            (None, _) => {}
        }
        if let Reply::TemporaryPin { pin, .. } = reply {
            self.temporary_pin = Some(pin.digits().to_owned());
        }
        self.due = match reply {
            _ if self.is_ahead => Vec::new(),
            // Looking at a backup again and again goes on.
            Reply::Refused(_) if matches!(action, Action::ReadBackup { .. }) => Vec::new(),
            Reply::Refused(refusal) => refused(*refusal).to_vec(),
            _ => self.result.into_iter().collect(),
        };
    }

    fn begins(&mut self, clip: Clip) {
        if let Some(digit) = digit(clip) {
            return self.says_digit(digit);
        }
        self.digits.clear();
        self.before_digits = clip;
        if let Some((said, of)) = self.telling.take()
            && clip != "goodbye"
        {
            assert!(of.contains(&said), "{said} was told, of {of:?}");
        }
        let due = std::mem::take(&mut self.due);
        assert!(due.is_empty() || due.contains(&clip), "{clip} was said, where one of these had to be: {due:?}");
        match clip {
            "temporary-pin-is" => {
                let pin = self.temporary_pin.clone().expect("a PIN that was made");
                self.telling = Some((String::new(), vec![pin]));
            }
            "change-number" => self.telling = Some((String::new(), self.numbers.clone())),
            "failed-try-later" | "not-answered" => assert!(self.may_fail, "{clip} was said, and the store did answer"),
            clip if ONLY_RESULTS.contains(&clip) => {
                assert_eq!(self.result, Some(clip), "a change was told that was not made");
            }
            _ => {}
        }
    }

    fn says_digit(&mut self, digit: char) {
        assert!(self.due.is_empty(), "digits were said, where one of these had to be: {:?}", self.due);
        if let Some((said, of)) = &mut self.telling {
            said.push(digit);
            assert!(of.iter().any(|number| number.starts_with(said.as_str())), "{said} was told, of {of:?}");
        }
        self.digits.push(digit);
        let is_secret = self.secrets.iter().any(|secret| self.digits.ends_with(secret.as_str()));
        assert!(!is_secret || READ_BACK.contains(&self.before_digits), "a PIN was said after {}", self.before_digits);
    }
}

/// The number of the change that a reply tells of.
pub(super) fn number(reply: &Reply) -> Option<ChangeNumber> {
    match reply {
        Reply::Changed(change)
        | Reply::TemporaryPin { change, .. }
        | Reply::Dnd { change, .. }
        | Reply::BackupStarted { change, .. }
        | Reply::RebootRequested { change, .. } => Some(*change),
        _ => None,
    }
}

/// With which clip a change is told.
fn result(action: &Action, reply: &Reply) -> Option<Clip> {
    use Action as A;
    let either = |is: bool, yes: Clip, no: Clip| if is { yes } else { no };
    Some(match action {
        A::ReplaceTemporaryPin { .. } | A::SetOwnAccountPin { .. } => "account-pin-changed",
        A::SetOwnVoicemailPin { .. } => "voicemail-pin-changed",
        A::SetOwnSupportPin { .. } => "support-pin-changed",
        A::SetForwarding { .. } => "forward-set",
        A::ForwardingOff { .. } | A::UserForwardingOff { .. } => "forward-off",
        A::ToggleDnd => either(matches!(reply, Reply::Dnd { on: true, .. }), "dnd-on", "dnd-off"),
        A::KeepOwn { which: OwnAudio::Greeting, .. } => "greeting-saved",
        A::KeepOwn { which: OwnAudio::Name, .. } | A::KeepUserName { .. } => "name-saved",
        A::RestoreGreeting => "greeting-restored",
        A::RemoveGreeting => "greeting-removed",
        A::SetLanguage { .. } => "language-changed",
        A::KeepRecording { .. } => "recording-saved",
        A::RestoreRecording { .. } => "recording-restored",
        A::AddUser { .. } => "user-added",
        A::ResetVoicemailPin { .. } => "voicemail-pin-reset",
        A::ResetAccountPin { .. } => "account-pin-reset",
        A::UnlockUser { .. } => "user-unlocked",
        A::SetUserEnabled { enabled, .. } => either(*enabled, "user-enabled", "user-disabled"),
        A::AssignHandset { .. } => "handset-assigned",
        A::RemoveHandset { .. } => "handset-removed",
        A::SetMode { setting, .. } => match setting {
            ModeSetting::Fixed(Mode::Day) => "mode-day",
            ModeSetting::Fixed(Mode::Night) => "mode-night",
            ModeSetting::Fixed(Mode::Holiday) => "mode-holiday",
            ModeSetting::Timetable => "mode-timetable",
        },
        A::SetAttendant { .. } => "attendant-changed",
        A::AddMember { .. } => "member-added",
        A::RemoveMember { .. } => "member-removed",
        A::SetCallCenter { open, .. } => either(*open, "callcenter-opened", "callcenter-closed"),
        A::SetTrunk { kind, enabled, .. } => trunk(*kind, *enabled),
        A::StartBackup => "backup-started",
        A::CancelReboot => "reboot-cancelled",
        A::SetLogging { detailed } => either(*detailed, "logging-detailed", "logging-normal"),
        A::NewLogFile => "log-file-closed",
        A::Confirm(what, _) => match what {
            Destructive::Reboot { when } => either(*when == RebootWhen::Now, "reboot-in", "reboot-waiting"),
            Destructive::DeleteUser { .. } => "user-deleted",
            Destructive::DisableTrunk { kind, .. } => trunk(*kind, false),
            Destructive::AssignRole { .. } => "role-assigned",
            Destructive::RemoveRole { .. } => "role-removed",
            Destructive::Undo { .. } => "change-undone",
        },
        _ => return None,
    })
}

fn trunk(kind: TrunkKind, enabled: bool) -> Clip {
    match (kind, enabled) {
        (TrunkKind::Line, true) => "line-enabled",
        (TrunkKind::Line, false) => "line-disabled",
        (TrunkKind::Gateway, true) => "gateway-enabled",
        (TrunkKind::Gateway, false) => "gateway-disabled",
        (TrunkKind::Proxy, true) => "proxy-enabled",
        (TrunkKind::Proxy, false) => "proxy-disabled",
    }
}

/// With what a refusal may be told, whatever it is about.
fn refused(refusal: Refusal) -> &'static [Clip] {
    match refusal {
        Refusal::LoginFailed => &["login-failed"],
        Refusal::NotAllowed => &["no-longer-allowed", "change-not-allowed"],
        Refusal::NoLongerAllowed => &["no-longer-allowed"],
        Refusal::NotAllowedForThisAccount => &["not-allowed-for-this-account"],
        Refusal::NotYourself => &["not-yourself"],
        Refusal::PinWrong => &["pin-wrong", "nothing-changed"],
        Refusal::PinTooShort => &["pin-too-short"],
        Refusal::PinTooSimple => &["pin-too-simple"],
        Refusal::PinUsedBefore => &["pin-used-before"],
        Refusal::PinTooShortForRole => &["pin-too-short-for-role"],
        Refusal::Unknown => &[
            "recording-unknown",
            "extension-unknown",
            "extension-free",
            "item-unknown",
            "change-unknown",
            "support-pin-invalid",
            "hours-out-of-range",
        ],
        Refusal::OtherUnknown => &["recording-unknown", "extension-unknown", "handset-gone", "group-not-a-member"],
        Refusal::NothingThere => &[
            "recording-nothing-older",
            "recording-empty",
            "recording-discarded",
            "take-silent",
            "forward-is-off",
            "reboot-none-waiting",
            "handset-gone",
            "group-not-a-member",
            "role-not-held",
            "log-file-none",
        ],
        Refusal::AlreadySo => &["already-so", "reboot-already-waiting", "backup-already-running", "handset-gone"],
        Refusal::ForwardNotAllowed => &["forward-not-allowed"],
        Refusal::LastServerAdministrator => &["last-server-administrator"],
        // It is asked for in the other way.
        Refusal::LastEnabled => &[],
        // No call here has to be encrypted.
        Refusal::NotEncrypted => &[],
        Refusal::CannotUndo => &["change-cannot-be-undone"],
        Refusal::ChangedSince => &["change-changed-since"],
        Refusal::AlreadyUndone => &["change-already-undone"],
        Refusal::TooMany => &["too-many"],
        Refusal::TryLater => &["failed-try-later"],
    }
}
