//! Every answer that the store could give, for the walk.

use std::time::Duration;

use super::audio;
use crate::access::{
    Action, BackupState, Destructive, Mode, ModeSetting, NetworkStatus, News, OwnAudio, People, Permissions, Person,
    Reach, Refusal, Reply, Role, Session, Settings, SystemStatus, ToldChange, TrunkKind,
};
use crate::model::{
    AccountId, ChangeNumber, Civil, Extension, ItemNumber, Language, Mac, PhoneNumber, Pin, RecordingNumber,
};

const CHANGE: ChangeNumber = ChangeNumber(42);
const AT: Civil = Civil { year: 2026, month: 3, day: 3, weekday: 1, hour: 19, minute: 5 };

/// The usual answer first, one that makes no sense last.
pub fn replies(action: &Action) -> Vec<Reply> {
    let mut replies = usual(action);
    replies.extend(Refusal::ALL.map(Reply::Refused));
    replies.push(Reply::Who { by: None, spoken_name: None, at: None });
    if let Action::WhoChangedRecording { .. } = action {
        replies.pop();
        replies.push(Reply::Done);
    }
    replies
}

/// What the store answers when nothing goes wrong.
pub fn usual(action: &Action) -> Vec<Reply> {
    match action {
        Action::Login { .. } => sessions().into_iter().map(Reply::LoggedIn).collect(),
        Action::ReadForwarding { .. } => vec![Reply::Forwarding { to: None }, Reply::Forwarding { to: number() }],
        Action::ReadUserForwarding { .. } => {
            vec![Reply::Forwardings([None, None, None]), Reply::Forwardings([None, number(), number()])]
        }
        Action::CheckForwardNumber { .. }
        | Action::CheckUser { .. }
        | Action::VerifySupportPin { .. }
        | Action::SaveDraft { .. }
        | Action::DiscardDraft { .. }
        | Action::NoteDenied { .. }
        | Action::NewsHeard => vec![Reply::Done],
        Action::ToggleDnd => [true, false].map(|on| Reply::Dnd { on, change: CHANGE }).to_vec(),
        Action::ListenOwn { which: OwnAudio::Greeting | OwnAudio::Name } | Action::ListenRecording { .. } => {
            vec![Reply::Audio(None), Reply::Audio(Some(audio(800)))]
        }
        Action::ReadSettings => settings(),
        Action::List { .. } => vec![Reply::Numbers(Vec::new()), Reply::Numbers(vec![1, 2])],
        Action::OpenRecording { .. } => vec![
            Reply::Recording { factory: true, draft: None },
            Reply::Recording { factory: false, draft: None },
            Reply::Recording { factory: true, draft: Some(audio(800)) },
        ],
        Action::WhoChangedRecording { .. } => vec![
            Reply::Who { by: None, spoken_name: None, at: None },
            Reply::Who { by: None, spoken_name: None, at: Some(AT) },
            Reply::Who { by: Extension::parse("1000"), spoken_name: None, at: Some(AT) },
        ],
        Action::OpenUser { .. } => vec![
            Reply::User { spoken_name: None, enabled: true, locked: false },
            Reply::User { spoken_name: None, enabled: false, locked: true },
        ],
        Action::AddUser { .. } | Action::ResetVoicemailPin { .. } | Action::ResetAccountPin { .. } => {
            vec![Reply::TemporaryPin { pin: Pin::parse("730185").expect("a PIN"), change: CHANGE }]
        }
        Action::ListHandsets { .. } | Action::ListUnassignedHandsets => {
            let macs = [Mac([0, 0, 0, 0xab, 0xcd, 0xef]), Mac([0; 6])];
            vec![Reply::Handsets(macs.to_vec()), Reply::Handsets(Vec::new())]
        }
        Action::Check(what) => vec![checked(what)],
        Action::Confirm(Destructive::Reboot { .. }, _) => {
            vec![Reply::RebootRequested { delay_s: 10, change: CHANGE }]
        }
        action => system(action),
    }
}

fn system(action: &Action) -> Vec<Reply> {
    match action {
        Action::ReadMode => Mode::ALL
            .into_iter()
            .flat_map(|mode| {
                let fixed = ModeSetting::Fixed(mode);
                [
                    Reply::Mode { mode, setting: fixed, until: None },
                    Reply::Mode { mode, setting: fixed, until: Some(AT) },
                    Reply::Mode { mode, setting: ModeSetting::Timetable, until: None },
                ]
            })
            .collect(),
        Action::OpenAttendant { .. } => {
            [None, Some(RecordingNumber(1))].map(|recording| Reply::Attendant { recording }).to_vec()
        }
        Action::ListMembers { .. } | Action::RoleHolders { .. } => {
            let people = People { count: 3, listed: vec![person(), person()] };
            vec![Reply::People(people), Reply::People(People::default())]
        }
        Action::OpenCallCenter { .. } => [true, false].map(|open| Reply::CallCenter { open }).to_vec(),
        Action::OpenTrunk { .. } => [Reach::Unknown, Reach::Unreachable, Reach::Reachable(Duration::from_millis(12))]
            .map(|reach| Reply::Trunk { spoken_name: None, enabled: reach != Reach::Unreachable, reach })
            .to_vec(),
        Action::NetworkStatus => {
            let address = "2001:db8::ff".parse().expect("an address");
            let dotted = "192.0.2.1".parse().expect("an address");
            let unreachable = [TrunkKind::Line, TrunkKind::Gateway].map(|kind| (kind, ItemNumber(1)));
            vec![
                Reply::Network(NetworkStatus { addresses: vec![address, dotted], unreachable: unreachable.to_vec() }),
                Reply::Network(NetworkStatus { addresses: vec![address; 16], unreachable: unreachable.repeat(25) }),
                Reply::Network(NetworkStatus::default()),
            ]
        }
        Action::StartBackup => vec![Reply::BackupStarted { id: 7, change: CHANGE }],
        Action::ReadBackup { .. } => {
            let states = [BackupState::Done(40_000_000), BackupState::Done(1), BackupState::Failed];
            states.into_iter().chain([BackupState::Running]).map(Reply::Backup).collect()
        }
        Action::LastBackup => [None, Some((AT, 40_000_000))].map(|last| Reply::LastBackup { last }).to_vec(),
        Action::AskReboot => {
            let states = [(0, false, false), (1, true, false), (2, false, true)];
            let state = |(other_calls, waiting, failed)| Reply::RebootState { other_calls, waiting, failed };
            states.map(state).to_vec()
        }
        Action::SystemStatus => {
            let status =
                SystemStatus { calls: 2, up_since: Some(AT), disk_used_percent: Some(40), ..Default::default() };
            vec![Reply::Status(status), Reply::Status(SystemStatus { calls: 1, ..Default::default() })]
        }
        Action::ListChanges => {
            vec![Reply::Changes(Vec::new()), Reply::Changes(ACTIONS.map(told).to_vec())]
        }
        _ => vec![Reply::Changed(CHANGE)],
    }
}

/// What the check of something destructive answers where it may be done.
fn checked(what: &Destructive) -> Reply {
    match what {
        Destructive::Reboot { .. } => Reply::RebootState { other_calls: 2, waiting: false, failed: false },
        Destructive::DeleteUser { .. } | Destructive::AssignRole { .. } | Destructive::RemoveRole { .. } => {
            Reply::MayChange(person())
        }
        Destructive::DisableTrunk { .. } => Reply::Done,
        Destructive::Undo { .. } => Reply::MayUndo(told("mode.changed")),
    }
}

fn settings() -> Vec<Reply> {
    let all = |has: bool, language| Settings {
        forwarding: if has { [number(), None, number()] } else { [None, None, None] },
        dnd: has,
        has_greeting: has,
        has_name: has,
        has_voicemail_pin: has,
        has_support_pin: has,
        language,
    };
    let languages = Language::ALL.map(|language| Reply::Settings(all(true, Some(language))));
    languages.into_iter().chain([Reply::Settings(all(false, None))]).collect()
}

fn number() -> Option<PhoneNumber> {
    PhoneNumber::parse("5550100")
}

fn person() -> Person {
    Person { extension: Extension::parse("1000").expect("an extension"), spoken_name: Some(audio(80)) }
}

/// A change, by someone where its action is one of a caller's own.
pub fn told(action: &str) -> ToldChange {
    let by = (action != "something.else").then(person);
    ToldChange { number: CHANGE, by, action: action.to_owned(), target: "1005".to_owned(), at: Some(AT) }
}

/// One action for each clip that tells what a change was.
pub const ACTIONS: [&str; 32] = [
    "account_pin.changed",
    "voicemail_pin.reset",
    "support_pin.changed",
    "forwarding.changed",
    "dnd.changed",
    "greeting.removed",
    "name.changed",
    "language.changed",
    "recording.restored",
    "user.added",
    "user.deleted",
    "user.unlocked",
    "user.enabled",
    "user.disabled",
    "handset.assigned",
    "handset.removed",
    "role.assigned",
    "role.removed",
    "mode.changed",
    "attendant.changed",
    "group.member_added",
    "callcenter.opened",
    "callcenter.closed",
    "line.enabled",
    "gateway.disabled",
    "proxy.enabled",
    "backup.requested",
    "reboot.requested",
    "reboot.cancelled",
    "logging.detailed",
    "change.undone",
    "something.else",
];

/// One who may do everything, with news and without; one whose PIN is temporary; one with each role; one with none.
fn sessions() -> Vec<Session> {
    let news = vec![News::RebootDone, News::RebootFailed, News::RebootUnknown, News::BackupDone, News::BackupFailed];
    let mut sessions = vec![
        session(Permissions::ALL, true, false, news.clone()),
        session(Permissions::ALL, true, false, Vec::new()),
        session(Permissions::ALL, true, true, news),
        session(Permissions::OWN, false, false, Vec::new()),
        session(Permissions::OWN, false, true, Vec::new()),
    ];
    sessions.extend(Role::ALL.map(|role| session(Permissions::of(&[role]), true, false, Vec::new())));
    sessions
}

pub fn session(granted: Permissions, has_role: bool, must_change_pin: bool, news: Vec<News>) -> Session {
    Session {
        language: Some(Language::English),
        id: AccountId(1),
        extension: Extension::parse("1000").expect("an extension"),
        granted,
        has_role,
        spoken_name: None,
        must_change_pin,
        pin_resets: 0,
        news,
    }
}
