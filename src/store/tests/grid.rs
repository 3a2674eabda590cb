use super::*;
use crate::access::{ForwardKind, Mode, ModeSetting, OwnAudio, RebootWhen, RestoreTo, TrunkKind};
use crate::model::{ItemNumber, Language};

/// Every action, in an order in which each finds what it needs; `1006` is a user like any other. What the caller's own
/// PIN confirms is tried with a wrong one here: a right one is in the tests of each deed.
fn every_action() -> Vec<Action> {
    let destructive = [
        Destructive::Reboot { when: RebootWhen::Idle },
        Destructive::AssignRole { role: Role::SupportTechnician, extension: ext("1003") },
        Destructive::RemoveRole { role: Role::NetworkAdministrator, extension: ext("1003") },
        Destructive::DeleteUser { extension: ext("1006") },
        Destructive::DisableTrunk { kind: TrunkKind::Line, number: ItemNumber(1) },
        Destructive::Undo { number: ChangeNumber(1) },
    ];
    let mut all = own_actions();
    let kinds = [ItemKind::Recording, ItemKind::Attendant, ItemKind::Group, ItemKind::CallCenter];
    let kinds = kinds.into_iter().chain(TrunkKind::ALL.map(ItemKind::Trunk));
    all.extend(kinds.map(|kind| Action::List { kind }));
    all.extend(actions_on_recordings_and_users());
    all.extend(system_actions());
    all.extend(destructive.clone().map(Action::Check));
    all.extend(destructive.map(|what| Action::Confirm(what, pin("0"))));
    all
}

fn own_actions() -> Vec<Action> {
    vec![
        Action::Login { extension: ext("1000"), pin: pin("61849273") },
        Action::ReplaceTemporaryPin { new: pin("72950384") },
        Action::SetOwnVoicemailPin { new: pin("12") },
        Action::SetOwnAccountPin { current: pin("0"), new: pin("72950384") },
        Action::SetOwnSupportPin { new: pin("736195") },
        Action::ReadForwarding { kind: ForwardKind::Busy },
        Action::CheckForwardNumber { to: super::number("5551234") },
        Action::SetForwarding { kind: ForwardKind::Busy, to: super::number("5551234") },
        Action::ForwardingOff { kind: ForwardKind::Busy },
        Action::ToggleDnd,
        Action::KeepOwn { which: OwnAudio::Greeting, audio: tone(1) },
        Action::KeepOwn { which: OwnAudio::Greeting, audio: tone(2) },
        Action::ListenOwn { which: OwnAudio::Greeting },
        Action::RestoreGreeting,
        Action::RemoveGreeting,
        Action::KeepOwn { which: OwnAudio::Name, audio: tone(3) },
        Action::ListenOwn { which: OwnAudio::Name },
        Action::SetLanguage { language: Language::Spanish },
        Action::ReadSettings,
    ]
}

fn actions_on_recordings_and_users() -> Vec<Action> {
    let (number, e) = (RecordingNumber(1), || ext("1006"));
    vec![
        Action::OpenRecording { number },
        Action::ListenRecording { number },
        Action::KeepRecording { number, audio: tone(9) },
        Action::RestoreRecording { number, to: RestoreTo::Factory },
        Action::WhoChangedRecording { number },
        Action::SaveDraft { number, audio: tone(8) },
        Action::DiscardDraft { number },
        Action::OpenUser { extension: e() },
        Action::CheckUser { extension: e() },
        Action::AddUser { extension: ext("1042") },
        Action::ResetVoicemailPin { extension: e() },
        Action::ResetAccountPin { extension: e() },
        Action::UnlockUser { extension: e() },
        Action::SetUserEnabled { extension: e(), enabled: false },
        Action::SetUserEnabled { extension: e(), enabled: true },
        Action::ListUnassignedHandsets,
        Action::AssignHandset { mac: mac(1), extension: e() },
        Action::ListHandsets { extension: e() },
        Action::RemoveHandset { mac: mac(1), extension: e() },
        Action::ReadUserForwarding { extension: e() },
        Action::UserForwardingOff { extension: e() },
        Action::KeepUserName { extension: e(), audio: tone(4) },
        Action::VerifySupportPin { extension: e(), pin: pin("736195") },
        Action::RoleHolders { role: Role::PhoneAdministrator },
        Action::ListChanges,
    ]
}

fn system_actions() -> Vec<Action> {
    let (number, item, e) = (RecordingNumber(1), ItemNumber(1), || ext("1006"));
    let mut all = vec![
        Action::ReadMode,
        Action::SetMode { setting: ModeSetting::Fixed(Mode::Night), hours: None },
        Action::OpenAttendant { number: item },
        Action::SetAttendant { number: item, recording: number },
        Action::AddMember { number: item, extension: e() },
        Action::ListMembers { number: item },
        Action::RemoveMember { number: item, extension: e() },
        Action::OpenCallCenter { number: item },
        Action::SetCallCenter { number: item, open: true },
        Action::SetCallCenter { number: item, open: false },
    ];
    for kind in TrunkKind::ALL {
        all.push(Action::OpenTrunk { kind, number: item });
        all.push(Action::SetTrunk { kind, number: item, enabled: true });
        all.push(Action::SetTrunk { kind, number: item, enabled: false });
    }
    all.extend([
        Action::NetworkStatus,
        Action::StartBackup,
        Action::ReadBackup { id: 1 },
        Action::LastBackup,
        Action::AskReboot,
        Action::CancelReboot,
        Action::SetLogging { detailed: true },
        Action::SetLogging { detailed: false },
        Action::NewLogFile,
        Action::SystemStatus,
        Action::NoteDenied { function: "main-roles" },
        Action::NewsHeard,
    ]);
    all
}

/// What a caller hears of the attempt, in a word.
fn word(reply: &Reply) -> &'static str {
    let Reply::Refused(refusal) = reply else { return "ok" };
    match refusal {
        Refusal::NotAllowed => "-",
        Refusal::NotAllowedForThisAccount => "above",
        Refusal::PinWrong => "pin",
        Refusal::PinTooShort => "short",
        Refusal::Unknown => "unknown",
        Refusal::NothingThere => "nothing",
        Refusal::CannotUndo => "cannot",
        Refusal::AlreadySo => "so",
        other => panic!("{other:?}"),
    }
}

/// Each action by each role in a fresh store. `-` is denied; `pin`, `short`, `unknown`, `nothing`, `cannot` are what who
/// may do it hears in this store.
#[tokio::test]
async fn each_role_and_each_action() {
    let mut columns: Vec<Vec<&str>> = Vec::new();
    for column in 0..ROLES.len() + 2 {
        let world = World::new().await;
        world.admin(Admin::AddHandset { mac: mac(1), name: "desk".into() }).await.unwrap();
        let actor = match ROLES.get(column) {
            Some((extension, _)) => world.demo(extension).await,
            None if column == ROLES.len() => Actor::Shell,
            None => Actor::Caller,
        };
        let mut words = Vec::new();
        for action in every_action() {
            words.push(word(&world.ask(&actor, action).await));
        }
        columns.push(words);
    }
    let mut grid = String::new();
    for (row, action) in every_action().iter().enumerate() {
        let kind = match action {
            Action::Check(_) => "check ",
            Action::Confirm(..) => "confirm ",
            _ => "",
        };
        let cells: String = columns.iter().map(|words| format!(" {:<7}", words[row])).collect();
        grid.push_str(format!("{:<26}{cells}", format!("{kind}{}", action.name())).trim_end());
        grid.push('\n');
    }
    assert!(grid == GRID, "the grid is another one:\n{grid}");
}

/// Server, System, Phone, Network Administrator, Support Technician, no role, the shell, not logged in.
const GRID: &str = "\
login                      -       -       -       -       -       -       -       ok
account_pin.changed        -       -       -       -       -       -       -       -
voicemail_pin.changed      short   short   short   short   short   short   -       -
account_pin.changed        pin     pin     pin     pin     pin     pin     -       -
support_pin.changed        ok      ok      ok      ok      ok      ok      -       -
forwarding.read            ok      ok      ok      ok      ok      ok      -       -
forwarding.check           ok      ok      ok      ok      ok      ok      -       -
forwarding.changed         ok      ok      ok      ok      ok      ok      -       -
forwarding.changed         ok      ok      ok      ok      ok      ok      -       -
dnd.changed                ok      ok      ok      ok      ok      ok      -       -
greeting.changed           ok      ok      ok      ok      ok      ok      -       -
greeting.changed           ok      ok      ok      ok      ok      ok      -       -
greeting.listen            ok      ok      ok      ok      ok      ok      -       -
greeting.restored          ok      ok      ok      ok      ok      ok      -       -
greeting.removed           ok      ok      ok      ok      ok      ok      -       -
name.changed               ok      ok      ok      ok      ok      ok      -       -
name.listen                ok      ok      ok      ok      ok      ok      -       -
language.changed           ok      ok      ok      ok      ok      ok      -       -
settings.read              ok      ok      ok      ok      ok      ok      -       -
recording.list             ok      ok      ok      -       -       -       ok      -
attendant.list             ok      ok      ok      -       -       -       ok      -
group.list                 ok      ok      ok      -       -       -       ok      -
callcenter.list            ok      ok      ok      -       -       -       ok      -
line.list                  ok      ok      -       ok      -       -       ok      -
gateway.list               ok      ok      -       ok      -       -       ok      -
proxy.list                 ok      ok      -       ok      -       -       ok      -
recording.open             ok      ok      ok      -       -       -       ok      -
recording.listen           ok      ok      ok      -       -       -       ok      -
recording.changed          ok      ok      ok      -       -       -       ok      -
recording.restored         ok      ok      ok      -       -       -       ok      -
recording.who              ok      ok      ok      -       -       -       ok      -
recording.draft_saved      ok      ok      ok      -       -       -       -       -
recording.draft_discarded  ok      ok      ok      -       -       -       -       -
user.open                  ok      ok      ok      -       -       -       ok      -
user.change                ok      ok      ok      -       -       -       ok      -
user.added                 ok      ok      ok      -       -       -       ok      -
voicemail_pin.reset        ok      ok      ok      -       -       -       ok      -
account_pin.reset          ok      ok      ok      -       -       -       ok      -
user.unlocked              ok      ok      ok      -       -       -       ok      -
user.disabled              ok      ok      ok      -       -       -       ok      -
user.enabled               ok      ok      ok      -       -       -       ok      -
handset.list               ok      ok      ok      -       -       -       ok      -
handset.assigned           ok      ok      ok      -       -       -       ok      -
handset.list               ok      ok      ok      -       -       -       ok      -
handset.removed            ok      ok      ok      -       -       -       ok      -
forwarding.read            ok      ok      ok      -       -       -       ok      -
forwarding.changed         nothing nothing nothing -       -       -       nothing -
name.changed               ok      ok      ok      -       -       -       ok      -
support_pin.verified       unknown unknown unknown -       unknown -       unknown -
role.list                  ok      -       -       -       -       -       ok      -
change.list                ok      ok      ok      ok      ok      -       ok      -
mode.read                  ok      ok      ok      -       -       -       ok      -
mode.changed               ok      ok      ok      -       -       -       ok      -
attendant.open             unknown unknown unknown -       -       -       unknown -
attendant.changed          unknown unknown unknown -       -       -       unknown -
group.member_added         unknown unknown unknown -       -       -       unknown -
group.open                 unknown unknown unknown -       -       -       unknown -
group.member_removed       unknown unknown unknown -       -       -       unknown -
callcenter.open            unknown unknown unknown -       -       -       unknown -
callcenter.opened          unknown unknown unknown -       -       -       unknown -
callcenter.closed          unknown unknown unknown -       -       -       unknown -
line.open                  unknown unknown -       unknown -       -       unknown -
line.enabled               unknown unknown -       unknown -       -       unknown -
line.disabled              unknown unknown -       unknown -       -       unknown -
gateway.open               unknown unknown -       unknown -       -       unknown -
gateway.enabled            unknown unknown -       unknown -       -       unknown -
gateway.disabled           unknown unknown -       unknown -       -       unknown -
proxy.open                 unknown unknown -       unknown -       -       unknown -
proxy.enabled              unknown unknown -       unknown -       -       unknown -
proxy.disabled             unknown unknown -       unknown -       -       unknown -
network.status             ok      ok      -       ok      -       -       ok      -
backup.requested           ok      ok      -       -       ok      -       ok      -
backup.read                unknown unknown -       -       unknown -       unknown -
backup.read                ok      ok      -       -       ok      -       ok      -
reboot.ask                 ok      ok      -       -       ok      -       ok      -
reboot.cancelled           nothing nothing -       -       nothing -       nothing -
logging.detailed           ok      ok      -       -       ok      -       ok      -
logging.normal             ok      ok      -       -       ok      -       ok      -
logging.file_closed        ok      ok      -       -       ok      -       ok      -
system.status              ok      ok      ok      -       ok      -       ok      -
menu.denied                ok      ok      ok      ok      ok      ok      ok      -
news.heard                 ok      ok      ok      ok      ok      ok      -       -
check reboot.requested     ok      ok      -       -       ok      -       ok      -
check role.assigned        ok      -       -       -       -       -       ok      -
check role.removed         ok      -       -       -       -       -       ok      -
check user.deleted         ok      ok      ok      -       -       -       ok      -
check line.disabled        unknown unknown -       unknown -       -       unknown -
check change.undone        cannot  cannot  unknown unknown unknown -       cannot  -
confirm reboot.requested   pin     pin     -       -       pin     -       -       -
confirm role.assigned      pin     -       -       -       -       -       -       -
confirm role.removed       pin     -       -       -       -       -       -       -
confirm user.deleted       pin     pin     pin     -       -       -       -       -
confirm line.disabled      pin     pin     -       pin     -       -       -       -
confirm change.undone      pin     pin     pin     pin     pin     -       -       -
";

/// What is done to another account, by who may do such things; the last ones delete.
fn every_action_on(extension: &str) -> Vec<Action> {
    let extension = ext(extension);
    let e = || extension.clone();
    vec![
        Action::OpenUser { extension: e() },
        Action::CheckUser { extension: e() },
        Action::ResetVoicemailPin { extension: e() },
        Action::ResetAccountPin { extension: e() },
        Action::UnlockUser { extension: e() },
        Action::SetUserEnabled { extension: e(), enabled: false },
        Action::SetUserEnabled { extension: e(), enabled: true },
        Action::ListHandsets { extension: e() },
        Action::AssignHandset { mac: mac(1), extension: e() },
        Action::RemoveHandset { mac: mac(1), extension: e() },
        Action::ReadUserForwarding { extension: e() },
        Action::UserForwardingOff { extension: e() },
        Action::KeepUserName { extension: e(), audio: tone(4) },
        Action::VerifySupportPin { extension: e(), pin: pin("736195") },
        Action::Check(Destructive::AssignRole { role: Role::SupportTechnician, extension: e() }),
        Action::Check(Destructive::RemoveRole { role: Role::SupportTechnician, extension: e() }),
        Action::Check(Destructive::DeleteUser { extension: e() }),
        Action::Confirm(Destructive::DeleteUser { extension: e() }, pin("0")),
    ]
}

/// Rows: actions; columns: the account that it is done to, in the order of the roles, for each of three callers.
/// `^` is refused because that account may more than the caller, `.` because the caller may do no such thing.
#[tokio::test]
async fn nobody_reaches_up() {
    let mut rows: Vec<String> = every_action_on("0").iter().map(|a| format!("{:<22}", a.name())).collect();
    for (caller, _) in &ROLES[..3] {
        let world = World::new().await;
        world.admin(Admin::AddHandset { mac: mac(1), name: "desk".into() }).await.unwrap();
        let actor = world.demo(caller).await;
        rows.iter_mut().for_each(|row| row.push(' '));
        for (other, _) in ROLES {
            for (row, action) in rows.iter_mut().zip(every_action_on(other)) {
                row.push(match world.ask(&actor, action).await {
                    Reply::Refused(Refusal::NotAllowedForThisAccount) => '^',
                    Reply::Refused(Refusal::NotAllowed) => '.',
                    Reply::Refused(Refusal::NotYourself | Refusal::LastServerAdministrator) => 's',
                    _ => 'x',
                });
            }
        }
    }
    let grid = rows.join("\n");
    assert!(grid == UP, "the grid is another one:\n{grid}");
}

const UP: &str = "\
user.open              xxxxxx xxxxxx xxxxxx
user.change            xxxxxx ^xxxxx ^^x^^x
voicemail_pin.reset    xxxxxx ^xxxxx ^^x^^x
account_pin.reset      sxxxxx ^sxxxx ^^s^^x
user.unlocked          xxxxxx ^xxxxx ^^x^^x
user.disabled          sxxxxx ^sxxxx ^^s^^x
user.enabled           xxxxxx ^xxxxx ^^x^^x
handset.list           xxxxxx ^xxxxx ^^x^^x
handset.assigned       xxxxxx ^xxxxx ^^x^^x
handset.removed        xxxxxx ^xxxxx ^^x^^x
forwarding.read        xxxxxx ^xxxxx ^^x^^x
forwarding.changed     xxxxxx ^xxxxx ^^x^^x
name.changed           xxxxxx ^xxxxx ^^x^^x
support_pin.verified   xxxxxx xxxxxx xxxxxx
role.assigned          xxxxxx ...... ......
role.removed           xxxxxx ...... ......
user.deleted           sxxxxx ^sxxxx ^^s^^x
user.deleted           xxxxxx ^xxxxx ^^x^^x";

#[tokio::test]
async fn reaching_up_is_noted() {
    let world = World::new().await;
    let actor = world.demo("1002").await;
    let reply = world.ask(&actor, Action::CheckUser { extension: ext("1004") }).await;
    assert_eq!(reply, refused(Refusal::NotAllowedForThisAccount));
    assert_eq!(world.last_audit().await, "1002 user.change 1004 denied");
    world.ask(&actor, Action::Check(Destructive::DeleteUser { extension: ext("1000") })).await;
    assert_eq!(world.last_audit().await, "1002 user.deleted 1000 denied");
    world.ask(&actor, Action::ResetVoicemailPin { extension: ext("1005") }).await;
    assert_eq!(world.last_audit().await, "1002 voicemail_pin.reset 1005 ok");
    assert_eq!(world.ask(&actor, Action::CheckUser { extension: ext("4711") }).await, refused(Refusal::Unknown));
}

#[tokio::test]
async fn a_right_taken_away_is_gone_at_once_and_one_given_comes_with_the_next_login() {
    let world = World::new().await;
    let actor = world.actor("1002", "83517294").await;
    assert!(matches!(world.ask(&actor, Action::List { kind: ItemKind::Recording }).await, Reply::Numbers(_)));
    let role = Role::PhoneAdministrator;
    world.admin(Admin::RemoveRole { role, extension: ext("1002") }).await.unwrap();
    assert_eq!(world.ask(&actor, Action::List { kind: ItemKind::Recording }).await, refused(Refusal::NoLongerAllowed));
    assert_eq!(world.last_audit().await, "1002 recording.list - denied");
    assert_eq!(world.ask(&actor, Action::AskReboot).await, refused(Refusal::NotAllowed));

    let role = Role::SupportTechnician;
    world.admin(Admin::AssignRole { role, extension: ext("1002") }).await.unwrap();
    assert_eq!(world.ask(&actor, Action::AskReboot).await, refused(Refusal::NotAllowed));
    let actor = world.actor("1002", "83517294").await;
    let expected = Reply::RebootState { other_calls: 3, waiting: false, failed: false };
    assert_eq!(world.ask(&actor, Action::AskReboot).await, expected);
}

#[tokio::test]
async fn a_disabled_or_deleted_account_may_nothing_more() {
    let world = World::new().await;
    let actor = world.actor("1001", "52961847").await;
    world.admin(Admin::SetEnabled { extension: ext("1001"), enabled: false }).await.unwrap();
    assert_eq!(world.ask(&actor, Action::List { kind: ItemKind::Recording }).await, refused(Refusal::NoLongerAllowed));
    world.admin(Admin::DeleteUser { extension: ext("1001") }).await.unwrap();
    let add = Admin::AddUser { extension: ext("1001"), name: String::new(), username: None, roles: vec![], pin: None };
    world.admin(add).await.unwrap();
    let new = Action::SetOwnVoicemailPin { new: pin("730185") };
    assert_eq!(world.ask(&actor, new).await, refused(Refusal::NoLongerAllowed), "the new 1001 is somebody else");
}

#[tokio::test]
async fn a_key_that_is_not_theirs_is_noted() {
    let world = World::new().await;
    let actor = world.actor("1005", "904826").await;
    assert_eq!(world.ask(&actor, Action::NoteDenied { function: "main-roles" }).await, Reply::Done);
    assert_eq!(world.last_audit().await, "1005 menu.denied main-roles denied");
}
