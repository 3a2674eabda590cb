//! The phone system's own things: by phone, by the shell, and by other programs.

use std::time::Duration;

use sqlx::{Connection, SqliteConnection};

use super::*;
use crate::access::{Destructive, ItemKind, Mode, ModeSetting, NetworkStatus, People, Person, Reach, TrunkKind};
use crate::model::ItemNumber;

const DAY: ModeSetting = ModeSetting::Fixed(Mode::Day);
const HOLIDAY: ModeSetting = ModeSetting::Fixed(Mode::Holiday);
pub(super) const ONE: ItemNumber = ItemNumber(1);
const LINE: TrunkKind = TrunkKind::Line;

impl World {
    pub(super) async fn phone_system() -> (World, Actor) {
        let world = World::with(|options| {
            options.hooks = vec![HookOn { on: vec!["*".into()], run: vec!["tell".into()] }];
        })
        .await;
        let trunk = |kind, number, uri: Option<&str>| System::AddItem {
            kind: ItemKind::Trunk(kind),
            number: ItemNumber(number),
            name: format!("{} {number}", kind.name()),
            uri: uri.map(str::to_owned),
            spoken_name: (number == 1).then(|| tone(9)),
        };
        let item = |kind| System::AddItem { kind, number: ONE, name: "sales".into(), uri: None, spoken_name: None };
        for system in [
            trunk(LINE, 1, Some("sip:192.0.2.1")),
            trunk(LINE, 2, None),
            trunk(TrunkKind::Gateway, 7, Some("sip:192.0.2.2:5070")),
            item(ItemKind::Attendant),
            item(ItemKind::Group),
            item(ItemKind::CallCenter),
        ] {
            world.system(system).await.unwrap();
        }
        let actor = world.actor("1001", "52961847").await;
        (world, actor)
    }

    async fn system(&self, system: System) -> Result<AdminReply, AdminError> {
        self.admin(Admin::System(system)).await
    }

    /// The last change as `number account action target before → after`.
    pub(super) async fn last_change_told(&self) -> String {
        let rows = self.store.changes(None, Some(1)).await.unwrap();
        let row = rows.last().unwrap();
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        format!("{} {} {}: {} → {}", row.account, row.action, row.target, or(&row.before), or(&row.after))
    }

    /// What the hook was told last, without what is around it.
    async fn last_event(&self) -> (String, serde_json::Value) {
        let sql = "SELECT payload FROM intents WHERE kind = 'hook' ORDER BY id DESC LIMIT 1";
        let mut read = self.store.read().await.unwrap();
        let payload: String = sqlx::query_scalar(sql).fetch_one(&mut *read).await.unwrap();
        let told: serde_json::Value = serde_json::from_str(&payload).unwrap();
        (told["event"].as_str().unwrap().to_owned(), told["data"].clone())
    }

    /// Another program's connection.
    pub(super) async fn other_program(&self) -> SqliteConnection {
        let path = self.folder.path().join("switchhook.db");
        SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap()
    }
}

/// Undoes a change by phone, as someone who keys their PIN.
pub(super) async fn undo(world: &World, actor: &Actor, number: i64, digits: &str) -> Reply {
    let what = Destructive::Undo { number: ChangeNumber(number) };
    world.ask(actor, Action::Confirm(what, pin(digits))).await
}

fn changed(reply: &Reply) -> bool {
    matches!(reply, Reply::Changed(_))
}

#[tokio::test]
async fn the_demo_has_a_thing_of_each_kind_and_nothing_that_would_be_asked() {
    let world = World::new().await;
    demo::furnish(&world.store, &world.cli()).await.unwrap();
    assert_eq!(world.store.attendants().await.unwrap()[0].recording, Some(1));
    assert_eq!(world.store.groups().await.unwrap()[0].members, ["1005", "1006"]);
    assert_eq!(world.store.call_centers().await.unwrap()[0].name, "support");
    for (kind, count) in [(LINE, 2), (TrunkKind::Gateway, 1), (TrunkKind::Proxy, 1)] {
        let trunks = world.store.trunks(kind).await.unwrap();
        assert_eq!(trunks.iter().filter(|trunk| trunk.enabled && trunk.uri.is_none()).count(), count, "{trunks:?}");
    }
    let handsets = world.store.handsets(world.store.site()).await.unwrap();
    let nobodys: Vec<_> = handsets.iter().map(|row| (row.mac.as_str(), row.extension.is_none())).collect();
    assert_eq!(nobodys, [("00:04:f2:00:00:01", true), ("00:04:f2:00:00:02", true)]);
}

#[tokio::test]
async fn a_mode_with_an_end_passes_and_the_hooks_are_told_of_both() {
    let (mut world, actor) = World::phone_system().await;
    let reply = world.ask(&actor, Action::SetMode { setting: HOLIDAY, hours: Some(12) }).await;
    assert!(changed(&reply));
    assert_eq!(
        world.last_change_told().await,
        "1001 mode.changed system: day → holiday until 2026-01-31T20:15:00Z, then day"
    );
    let (event, data) = world.last_event().await;
    assert_eq!((event.as_str(), data["mode"].as_str()), ("mode.changed", Some("holiday")));
    let Reply::Mode { mode, setting, until } = world.ask(&actor, Action::ReadMode).await else { panic!("no mode") };
    assert_eq!((mode, setting, until.is_some()), (Mode::Holiday, HOLIDAY, true));

    world.store.tell_mode(&world.ctx()).await.unwrap();
    assert_eq!(world.last_event().await.1["mode"], "holiday", "told once");
    world.now += 12 * HOUR;
    assert_eq!(world.store.mode(Wall(world.now)).await.unwrap(), ModeRow { mode: "day", setting: "day", until: None });
    world.store.tell_mode(&world.ctx()).await.unwrap();
    assert_eq!(world.last_event().await.1["mode"], "day");
}

#[tokio::test]
async fn a_mode_of_no_hours_or_too_many_is_refused() {
    let (world, actor) = World::phone_system().await;
    for hours in [0, MODE_HOURS_MAX + 1] {
        let action = Action::SetMode { setting: HOLIDAY, hours: Some(hours) };
        assert_eq!(world.ask(&actor, action).await, refused(Refusal::Unknown));
    }
    let past = System::SetMode { setting: DAY, until: Some(Wall(world.now)) };
    assert!(world.system(past).await.unwrap_err().to_string().contains("in the past"));
    assert_eq!(world.store.mode(Wall(world.now)).await.unwrap().mode, "day");
}

#[tokio::test]
async fn two_who_edit_the_timetable_at_a_time_lose_nothing_of_each_others() {
    let (world, _) = World::phone_system().await;
    let ctx = world.ctx();
    let add = |day: u8| {
        let edit = TimetableEdit::AddHoliday(Date { year: 2027, month: 1, day });
        let (store, ctx) = (world.store.clone(), ctx.clone());
        tokio::spawn(async move { store.admin(&ctx, Admin::System(System::EditTimetable(edit))).await })
    };
    let editors: Vec<_> = (1..=20).map(add).collect();
    for editor in editors {
        editor.await.unwrap().unwrap();
    }
    assert_eq!(world.store.timetable().await.unwrap().holidays.len(), 20);
}

#[tokio::test]
async fn the_view_of_the_mode_says_what_we_say() {
    let (world, _) = World::phone_system().await;
    let mut other = world.other_program().await;
    let spans = |text: &str| Timetable::parse_span(text).unwrap();
    for spans in [vec![], spans("mon-sun 00:00-24:00"), spans("mon-sun 00:00-00:01")] {
        world.system(System::EditTimetable(TimetableEdit::Spans(spans))).await.unwrap();
        for setting in [ModeSetting::Timetable, HOLIDAY] {
            world.system(System::SetMode { setting, until: None }).await.unwrap();
            let now: i64 = sqlx::query_scalar("SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000")
                .fetch_one(&mut other)
                .await
                .unwrap();
            let (mode, set): (String, String) =
                sqlx::query_as("SELECT mode, setting FROM v_mode").fetch_one(&mut other).await.unwrap();
            let ours = world.store.mode(Wall(now)).await.unwrap();
            assert_eq!((mode.as_str(), set.as_str()), (ours.mode, ours.setting));
        }
    }
    assert!(world.last_change_told().await.starts_with("cli mode.changed system: timetable → holiday"));
}

#[tokio::test]
async fn attendants_groups_and_call_centers() {
    let (world, actor) = World::phone_system().await;
    let set = |recording| Action::SetAttendant { number: ONE, recording: RecordingNumber(recording) };
    assert!(changed(&world.ask(&actor, set(2)).await));
    assert_eq!(world.last_change_told().await, "1001 attendant.changed 1: - → 2");
    assert_eq!(world.ask(&actor, set(2)).await, refused(Refusal::AlreadySo));
    assert_eq!(world.ask(&actor, set(77)).await, refused(Refusal::OtherUnknown));
    let open = world.ask(&actor, Action::OpenAttendant { number: ONE }).await;
    assert_eq!(open, Reply::Attendant { recording: Some(RecordingNumber(2)) });

    let add = |extension| Action::AddMember { number: ONE, extension: ext(extension) };
    for member in ["1005", "1006", "1001"] {
        assert!(changed(&world.ask(&actor, add(member)).await));
    }
    assert_eq!(world.ask(&actor, add("1005")).await, refused(Refusal::AlreadySo));
    assert_eq!(world.ask(&actor, add("1099")).await, refused(Refusal::OtherUnknown));
    let remove = |extension| Action::RemoveMember { number: ONE, extension: ext(extension) };
    assert!(changed(&world.ask(&actor, remove("1005")).await));
    assert_eq!(world.last_change_told().await, "1001 group.member_removed 1: 1005 at 1 → -");
    assert_eq!(world.ask(&actor, remove("1005")).await, refused(Refusal::NothingThere));
    let person = |extension| Person { extension: ext(extension), spoken_name: None };
    let listed = vec![person("1006"), person("1001")];
    let members = world.ask(&actor, Action::ListMembers { number: ONE }).await;
    assert_eq!(members, Reply::People(People { count: 2, listed }));

    let set = |open| Action::SetCallCenter { number: ONE, open };
    assert_eq!(world.ask(&actor, set(false)).await, refused(Refusal::AlreadySo), "a new one is closed");
    assert!(changed(&world.ask(&actor, set(true)).await));
    assert_eq!(world.last_event().await.0, "callcenter.opened");
    assert!(world.store.call_centers().await.unwrap()[0].open);

    for action in [
        Action::OpenAttendant { number: ItemNumber(9) },
        Action::ListMembers { number: ItemNumber(9) },
        Action::OpenCallCenter { number: ItemNumber(9) },
        Action::SetCallCenter { number: ItemNumber(9), open: true },
    ] {
        assert_eq!(world.ask(&actor, action).await, refused(Refusal::Unknown));
    }
}

#[tokio::test]
async fn the_last_line_that_is_enabled_is_not_disabled_by_one_key() {
    let (world, actor) = World::phone_system().await;
    let set = |number, enabled| Action::SetTrunk { kind: LINE, number: ItemNumber(number), enabled };
    assert!(changed(&world.ask(&actor, set(2, false)).await));
    assert_eq!(world.last_change_told().await, "1001 line.disabled 2: enabled → disabled");
    assert_eq!(world.ask(&actor, set(1, false)).await, refused(Refusal::LastEnabled));
    assert_eq!(world.ask(&actor, set(2, false)).await, refused(Refusal::AlreadySo));
    let rows = world.store.trunks(LINE).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.enabled).collect::<Vec<_>>(), [true, false]);
    let off = System::SetTrunk { kind: LINE, number: ONE, enabled: false };
    assert!(matches!(world.system(off.clone()).await.unwrap(), AdminReply::Changed(_)), "the shell may");
    assert_eq!(world.system(off).await.unwrap(), AdminReply::Unchanged);
}

#[tokio::test]
async fn what_does_not_answer_is_told_and_a_transition_is_an_event() {
    let (world, actor) = World::phone_system().await;
    let probes = world.store.probes().await.unwrap();
    assert_eq!(
        probes.iter().map(|probe| probe.uri.as_str()).collect::<Vec<_>>(),
        ["sip:192.0.2.1", "sip:192.0.2.2:5070"]
    );
    let took = Duration::from_millis(12);
    world.store.probed(&world.ctx(), &probes[0], Some(took)).await.unwrap();
    assert_eq!(world.last_event().await.0, "line.reachable");
    world.store.probed(&world.ctx(), &probes[1], None).await.unwrap();
    assert_eq!(world.last_event().await.0, "gateway.unreachable");
    let (before, audit) = (world.last_event().await, world.last_audit().await);
    world.store.probed(&world.ctx(), &probes[0], Some(took)).await.unwrap();
    assert_eq!((world.last_event().await, world.last_audit().await), (before, audit), "nothing new");
    let open = world.ask(&actor, Action::OpenTrunk { kind: LINE, number: ONE }).await;
    assert_eq!(open, Reply::Trunk { spoken_name: Some(tone(9)), enabled: true, reach: Reach::Reachable(took) });
    let unreachable = vec![(TrunkKind::Gateway, ItemNumber(7))];
    let status = world.ask(&actor, Action::NetworkStatus).await;
    assert_eq!(status, Reply::Network(NetworkStatus { addresses: Vec::new(), unreachable }));
}

#[tokio::test]
async fn the_status_has_the_version_the_calls_and_the_size() {
    let (world, actor) = World::phone_system().await;
    let Reply::Status(status) = world.ask(&actor, Action::SystemStatus).await else { panic!("no status") };
    assert_eq!(status.version.map(|part| part.to_string()).join("."), env!("CARGO_PKG_VERSION"));
    assert_eq!(status.calls, 4, "three others and this one");
    assert!(status.store_bytes > 100_000, "{}", status.store_bytes);
}

#[tokio::test]
async fn what_the_shell_may_not_add_or_delete() {
    let (world, _) = World::phone_system().await;
    let add = |kind, number, uri: Option<&str>| System::AddItem {
        kind,
        number: ItemNumber(number),
        name: "x".into(),
        uri: uri.map(str::to_owned),
        spoken_name: None,
    };
    let proxy = ItemKind::Trunk(TrunkKind::Proxy);
    for (system, error) in [
        (add(proxy, 0, None), "a number is 1 to 99999999"),
        (add(ItemKind::Trunk(LINE), 1, None), "line 1 exists already"),
        (add(proxy, 1, Some("http://h")), "`http://h` is no SIP URI that can be asked"),
        (add(proxy, 1, Some("sip:a b")), "`sip:a b` is no SIP URI that can be asked"),
        (add(ItemKind::Group, 2, Some("sip:h")), "only lines, gateways and proxies"),
        (
            System::DeleteItem { kind: proxy, number: ONE },
            "there is no proxy 1: see which there are with `switchhook proxy list`",
        ),
        (System::SetAttendant { number: ONE, recording: RecordingNumber(88) }, "there is no recording 88"),
        (System::AddMember { number: ONE, extension: ext("999") }, "there is no extension 999"),
    ] {
        let said = world.system(system).await.unwrap_err().to_string();
        assert!(said.starts_with(error), "{said}");
    }
    for member in ["1006", "1005"] {
        world.system(System::AddMember { number: ONE, extension: ext(member) }).await.unwrap();
    }
    world.system(System::DeleteItem { kind: ItemKind::Group, number: ONE }).await.unwrap();
    let told = "cli group.deleted 1: sales, with 1006@main, with 1005@main → -";
    assert_eq!(world.last_change_told().await, told, "nobody else says who was in it");
    let (event, data) = world.last_event().await;
    let members = serde_json::json!(["1006@main", "1005@main"]);
    assert_eq!((event.as_str(), &data["members"]), ("group.deleted", &members));
}

#[tokio::test]
async fn what_other_programs_write_is_numbered_audited_and_told() {
    let (world, actor) = World::phone_system().await;
    let mut other = world.other_program().await;
    for sql in [
        "UPDATE mode SET setting = 'night'",
        "UPDATE attendants SET recording = 3 WHERE number = 1",
        "INSERT INTO hunt_group_members (number, position, account_id)
         SELECT 1, 1, id FROM accounts WHERE extension = '1005'",
        "DELETE FROM hunt_group_members WHERE number = 1",
        "UPDATE call_centers SET is_open = 1",
        "UPDATE lines SET enabled = 0 WHERE number = 2",
        "UPDATE gateways SET enabled = 0",
        "UPDATE gateways SET enabled = enabled",
        "UPDATE accounts SET dnd = 1, name = 'x' WHERE extension = '1005'",
        "UPDATE accounts SET forward_busy = '1006' WHERE extension = '1005'",
    ] {
        sqlx::query(sql).execute(&mut other).await.unwrap();
    }
    // The next change of ours comes after them.
    assert!(changed(&world.ask(&actor, Action::SetTrunk { kind: LINE, number: ItemNumber(2), enabled: true }).await));
    let rows = world.store.changes(None, Some(10)).await.unwrap();
    let told: Vec<String> = rows
        .iter()
        .map(|row| {
            let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
            format!("{} {} {}: {} → {}", row.account, row.action, row.target, or(&row.before), or(&row.after))
        })
        .collect();
    assert_eq!(
        told,
        [
            "outside mode.changed system: day → night",
            "outside attendant.changed 1: - → 3",
            "outside group.member_added 1: - → 1005 at 1",
            "outside group.member_removed 1: 1005 at 1 → -",
            "outside callcenter.opened 1: closed → open",
            "outside line.disabled 2: enabled → disabled",
            "outside gateway.disabled 7: enabled → disabled",
            "outside dnd.changed 1005: off → on",
            "outside forwarding.changed 1005: always off, busy off, no-answer off → always off, busy 1006, no-answer off",
            "1001 line.enabled 2: disabled → enabled",
        ]
    );
    let mut read = world.store.read().await.unwrap();
    let sql = "SELECT source FROM audit ORDER BY seq DESC LIMIT 2";
    let sources: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *read).await.unwrap();
    drop(read);
    assert_eq!(sources, ["192.0.2.7", "outside"], "not the caller's address for what others wrote");
    assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
    assert_eq!(world.store.take_outside_writes(&world.ctx()).await.map_err(|e| e.to_string()), Ok(()));
    assert_eq!(world.store.changes(None, Some(1)).await.unwrap(), rows[9..]);
    sqlx::query("UPDATE mode SET passing = 'holiday', passing_until = 1769847300000")
        .execute(&mut other)
        .await
        .unwrap();
    world.store.take_outside_writes(&world.ctx()).await.unwrap();
    assert_eq!(
        world.last_change_told().await,
        "outside mode.changed system: night → holiday until 2026-01-31T08:15:00Z, then night"
    );
}

#[tokio::test]
async fn each_change_of_the_phone_system_is_undone_by_its_number_whoever_made_it() {
    let (world, actor) = World::phone_system().await;
    let mut other = world.other_program().await;
    for sql in [
        "UPDATE accounts SET dnd = 1 WHERE extension = '1005'",
        "UPDATE accounts SET forward_busy = '1006' WHERE extension = '1005'",
    ] {
        sqlx::query(sql).execute(&mut other).await.unwrap();
    }
    for action in [
        Action::SetMode { setting: HOLIDAY, hours: Some(12) },
        Action::SetAttendant { number: ONE, recording: RecordingNumber(2) },
        Action::AddMember { number: ONE, extension: ext("1005") },
        Action::SetCallCenter { number: ONE, open: true },
        Action::SetTrunk { kind: LINE, number: ItemNumber(2), enabled: false },
    ] {
        assert!(changed(&world.ask(&actor, action).await));
    }
    let made = world.store.changes(None, Some(7)).await.unwrap();
    let first = made[0].number;
    for (number, expected) in (first..).zip([
        "1001 dnd.changed 1005: on → off",
        "1001 forwarding.changed 1005: busy 1006 → busy off",
        "1001 mode.changed system: holiday until 2026-01-31T20:15:00Z, then day → day",
        "1001 attendant.changed 1: 2 → -",
        "1001 group.member_removed 1: 1005 at 1 → -",
        "1001 callcenter.closed 1: open → closed",
        "1001 line.enabled 2: disabled → enabled",
    ]) {
        let reply = undo(&world, &actor, number, "52961847").await;
        assert!(changed(&reply), "{number}: {reply:?}");
        assert_eq!(
            world.last_change_told().await.split(", busy").next().unwrap(),
            expected.split(", busy").next().unwrap()
        );
        assert_eq!(undo(&world, &actor, number, "52961847").await, refused(Refusal::AlreadyUndone));
    }
    // An undo is a change like any other, and is undone like it.
    let last = world.store.changes(None, Some(1)).await.unwrap()[0].number;
    assert!(changed(&undo(&world, &actor, last, "52961847").await));
    assert_eq!(world.last_change_told().await, "1001 line.disabled 2: enabled → disabled");
}

#[tokio::test]
async fn what_was_changed_since_or_needs_another_right_is_not_undone() {
    let (world, actor) = World::phone_system().await;
    let set = |setting| Action::SetMode { setting, hours: None };
    let Reply::Changed(ChangeNumber(first)) = world.ask(&actor, set(HOLIDAY)).await else { panic!("no change") };
    assert!(changed(&world.ask(&actor, set(ModeSetting::Fixed(Mode::Night))).await));
    assert_eq!(undo(&world, &actor, first, "52961847").await, refused(Refusal::ChangedSince));
    let Reply::Changed(ChangeNumber(line)) =
        world.ask(&actor, Action::SetTrunk { kind: LINE, number: ItemNumber(2), enabled: false }).await
    else {
        panic!("no change")
    };
    let technician = world.actor("1004", "29618374").await;
    assert_eq!(undo(&world, &technician, line, "29618374").await, refused(Refusal::Unknown), "hears not of it");
    let reboot = Action::Confirm(Destructive::Reboot { when: crate::access::RebootWhen::Idle }, pin("29618374"));
    let Reply::RebootRequested { change, .. } = world.ask(&technician, reboot).await else { panic!("no reboot") };
    assert_eq!(undo(&world, &technician, change.0, "29618374").await, refused(Refusal::CannotUndo));
    assert_eq!(undo(&world, &actor, line, "00000000").await, refused(Refusal::PinWrong));
}
