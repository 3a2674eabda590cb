//! What is at a bound, and what is one over it. Tables are filled by SQL: nobody waits for ten thousand requests.

use sqlx::AssertSqlSafe;

use super::system::ONE;
use super::*;
use crate::access::{ItemKind, People, TrunkKind};
use crate::model::ItemNumber;

const LINE: ItemKind = ItemKind::Trunk(TrunkKind::Line);

/// Begins a statement that has the numbers from 1 to `last` as `n`.
fn counted(last: u32) -> String {
    format!("WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})")
}

impl World {
    /// Writes rows as if they had been there before, without a change for each.
    async fn fill(&self, sql: impl std::fmt::Display) {
        let sql = format!("BEGIN; UPDATE own_write SET under = 1; {sql}; UPDATE own_write SET under = 0; COMMIT");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.store.inner.writer).await.unwrap();
    }

    /// Adds the users 20001, 20002 …
    async fn fill_users(&self, count: u32) {
        let users = "INSERT INTO accounts (site_id, extension, username, created_at)";
        let counted = counted(count);
        self.fill(format!("{users} {counted} SELECT 1, 20000 + n, 'user ' || n, 0 FROM numbers")).await;
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.store.inner.reader).await.unwrap()
    }

    async fn refused_with(&self, admin: Admin) -> String {
        let before = self.count_changes().await;
        let why = self.admin(admin).await.unwrap_err().to_string();
        assert_eq!(self.count_changes().await, before, "nothing was changed: {why}");
        why
    }
}

fn item(kind: ItemKind, number: u32, name: &str, uri: Option<&str>) -> Admin {
    let (number, name, uri) = (ItemNumber(number), name.to_owned(), uri.map(str::to_owned));
    Admin::System(System::AddItem { kind, number, name, uri, spoken_name: None })
}

fn recording(number: u32, name: &str) -> Admin {
    Admin::AddRecording { number: RecordingNumber(number), name: name.to_owned(), audio: None }
}

#[tokio::test]
async fn a_name_has_so_many_characters_and_no_more() {
    let world = World::new().await;
    let (longest, too_long) = ("ö".repeat(64), "ö".repeat(65));
    let user = |extension: &str, name: &str, username: &str| Admin::AddUser {
        extension: ext(extension),
        name: name.to_owned(),
        username: Some(username.to_owned()),
        roles: vec![],
        pin: None,
    };
    let handset = |n, name: &str| Admin::AddHandset { mac: mac(n), name: name.to_owned() };
    let named = |n: u8, name: &str| {
        let number = u32::from(n);
        [
            (user(&format!("200{n}"), name, &format!("user {n}")), "name"),
            (user(&format!("300{n}"), "", name), "username"),
            (recording(90 + number, name), "name"),
            (handset(n, name), "name"),
            (item(LINE, number, name, None), "name"),
            (item(ItemKind::Group, number, name, None), "name"),
        ]
    };
    for (admin, _) in named(1, &longest) {
        world.admin(admin).await.unwrap();
    }
    assert_eq!((world.user("2001").await.name, world.user("3001").await.username), (longest.clone(), longest));
    for (admin, what) in named(2, &too_long) {
        let why = world.refused_with(admin).await;
        assert_eq!(why, format!("the {what} must have 1 to 64 characters and no control characters"));
    }
}

#[tokio::test]
async fn numbers_end_at_eight_digits() {
    let world = World::new().await;
    for admin in [recording(99_999_999, "last"), item(LINE, 99_999_999, "last", None)] {
        world.admin(admin).await.unwrap();
    }
    assert_eq!(world.refused_with(recording(100_000_000, "x")).await, "a recording's number is 1 to 99999999");
    assert_eq!(world.refused_with(item(LINE, 100_000_000, "x", None)).await, "a number is 1 to 99999999");
}

#[tokio::test]
async fn a_kind_has_ten_thousand_things_and_no_more() {
    let world = World::new().await;
    let admin = world.demo("1000").await;
    for (kind, table) in [
        (ItemKind::Attendant, "attendants"),
        (ItemKind::Group, "hunt_groups"),
        (ItemKind::CallCenter, "call_centers"),
        (LINE, "lines"),
        (ItemKind::Trunk(TrunkKind::Gateway), "gateways"),
        (ItemKind::Trunk(TrunkKind::Proxy), "proxies"),
    ] {
        let counted = counted(9_999);
        world.fill(format!("INSERT INTO {table} (number, name) {counted} SELECT n, 'x' FROM numbers")).await;
        world.admin(item(kind, 10_000, "the last", None)).await.unwrap();
        let why = world.refused_with(item(kind, 10_001, "one more", None)).await;
        assert_eq!(why, "there are 10000 of these already, which is the most: delete one first");
        let Reply::Numbers(all) = world.ask(&admin, Action::List { kind }).await else { panic!("no list") };
        assert_eq!((all.len(), all.last()), (10_000, Some(&10_000)));
        world.admin(Admin::System(System::DeleteItem { kind, number: ONE })).await.unwrap();
        world.admin(item(kind, 10_001, "in its place", None)).await.unwrap();
    }
}

#[tokio::test]
async fn a_hunt_group_has_so_many_members_and_no_more() {
    let world = World::new().await;
    let admin = world.demo("1001").await;
    world.fill_users(201).await;
    let members = "INSERT INTO hunt_groups (number, name) VALUES (1, 'sales'); INSERT INTO hunt_group_members
                   SELECT 1, extension, id FROM accounts WHERE extension BETWEEN '20001' AND '20199'";
    world.fill(members).await;
    let add = |extension: &str| Action::AddMember { number: ONE, extension: ext(extension) };
    world.changed(&admin, add("20200")).await;
    assert_eq!(world.ask(&admin, add("20201")).await, refused(Refusal::TooMany));
    let by_shell = Admin::System(System::AddMember { number: ONE, extension: ext("20201") });
    let why = world.refused_with(by_shell).await;
    assert_eq!(why, "hunt group 1 has 200 members already, which is the most: remove one first");
    let by_others = "INSERT INTO hunt_group_members SELECT 1, 1, id FROM accounts WHERE extension = '20201'";
    for count in [200, 201] {
        let listed = world.ask(&admin, Action::ListMembers { number: ONE }).await;
        let Reply::People(people) = listed else { panic!("{listed:?}") };
        assert_eq!((people.count, people.listed.len()), (count, 200));
        if count == 200 {
            world.fill(by_others).await;
        }
    }
}

#[tokio::test]
async fn a_uri_has_so_many_bytes_and_no_more() {
    let world = World::new().await;
    let uri = |bytes: usize| format!("{:x<bytes$}", "sip:");
    let gateway = |number, uri: &str| item(ItemKind::Trunk(TrunkKind::Gateway), number, "gateway", Some(uri));
    world.admin(gateway(1, &uri(255))).await.unwrap();
    assert_eq!(world.store.trunks(TrunkKind::Gateway).await.unwrap()[0].uri, Some(uri(255)));
    let why = world.refused_with(gateway(2, &uri(256))).await;
    assert_eq!(why, "a URI has at most 255 characters, and this one has 256: nothing was changed");
}

#[tokio::test]
async fn fifty_that_do_not_answer_are_told_and_the_rest_is_left_out() {
    let world = World::new().await;
    let admin = world.demo("1003").await;
    let silent = |table: &str, count| {
        let counted = counted(count);
        format!(
            "DELETE FROM {table}; INSERT INTO {table} (number, name, reachable) {counted} SELECT n, 'x', 0 FROM numbers"
        )
    };
    for (lines, gateways, told) in [(49, 1, [49, 1]), (49, 2, [49, 1]), (50, 1, [50, 0]), (51, 1, [50, 0])] {
        world.fill(silent("lines", lines)).await;
        world.fill(silent("gateways", gateways)).await;
        let Reply::Network(status) = world.ask(&admin, Action::NetworkStatus).await else { panic!("no status") };
        let of = |kind| status.unreachable.iter().filter(|(known, _)| *known == kind).count();
        assert_eq!([of(TrunkKind::Line), of(TrunkKind::Gateway)], told, "of {lines} lines and {gateways} gateways");
    }
}

#[tokio::test]
async fn an_account_has_twenty_drafts_and_the_oldest_goes() {
    let mut world = World::new().await;
    let owner = world.demo("1002").await;
    let counted = counted(21);
    let recordings = "INSERT INTO recordings (number, name, changed_by, changed_at)";
    world.fill(format!("{recordings} {counted} SELECT 100 + n, 'x', '', 0 FROM numbers")).await;
    let open = || Action::OpenRecording { number: RecordingNumber(101) };
    for n in 1..=21 {
        world.now += MINUTE;
        let save = Action::SaveDraft { number: RecordingNumber(100 + n), audio: tone(n) };
        assert_eq!(world.ask(&owner, save).await, Reply::Done);
        assert_eq!(world.count("SELECT count(*) FROM drafts").await, i64::from(n.min(20)));
        let draft = (n <= 20).then(|| tone(1));
        assert_eq!(world.ask(&owner, open()).await, Reply::Recording { factory: false, draft }, "after {n}");
    }
    assert_eq!(world.count("SELECT min(number) FROM drafts").await, 102);
}

async fn holders(world: &World) -> People {
    let admin = world.demo("1000").await;
    match world.ask(&admin, Action::RoleHolders { role: Role::PhoneAdministrator }).await {
        Reply::People(people) => people,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn two_hundred_people_are_named_and_the_rest_is_counted() {
    let world = World::new().await;
    world.fill_users(200).await;
    let give = "INSERT INTO roles SELECT id, 'phone-administrator', 0 FROM accounts WHERE extension";
    world.fill(format!("{give} BETWEEN '20001' AND '20199'")).await;
    let people = holders(&world).await;
    assert_eq!((people.count, people.listed.len()), (200, 200), "with 1002");
    world.fill(format!("{give} = '20200'")).await;
    let people = holders(&world).await;
    assert_eq!((people.count, people.listed.len()), (201, 200));
}

#[tokio::test]
async fn spoken_names_of_a_list_fill_so_much_memory_and_no_more() {
    let world = World::new().await;
    world.fill_users(5).await;
    let all = "FROM accounts WHERE extension > '20000'";
    // Four times two million samples of two bytes are as much as a list may have, and the fifth has one.
    let bytes = "CASE extension WHEN '20005' THEN 2 ELSE 4194304 END";
    world
        .fill(format!(
            "INSERT INTO roles SELECT id, 'phone-administrator', 0 {all};
             INSERT INTO account_audio SELECT id, 'name', 1, 0, '', 0, zeroblob({bytes}) {all};
             UPDATE accounts SET name_version = 1 WHERE extension > '20000'"
        ))
        .await;
    let heard = |people: People| -> Vec<(String, usize)> {
        let spoken = people.listed.into_iter().filter(|person| person.spoken_name.is_some());
        spoken.map(|person| (person.extension.to_string(), person.spoken_name.unwrap().0.len())).collect()
    };
    let long = |extension: &str| (extension.to_owned(), 2 << 20);
    assert_eq!(heard(holders(&world).await), ["20001", "20002", "20003", "20004"].map(long));
    world.fill("DELETE FROM roles WHERE account_id = (SELECT id FROM accounts WHERE extension = '20001')").await;
    let mut rest = ["20002", "20003", "20004"].map(long).to_vec();
    rest.push(("20005".to_owned(), 1));
    assert_eq!(heard(holders(&world).await), rest, "where there is room it is heard");
}

#[tokio::test]
async fn two_hundred_handsets_are_listed() {
    let world = World::new().await;
    let admin = world.demo("1002").await;
    let handsets = "INSERT INTO handsets (mac, added_at)";
    for (begin, count, listed) in [("00", 199, 199), ("01", 1, 200), ("02", 1, 200)] {
        let (mac, counted) = (format!("printf('{begin}:04:f2:12:00:%02x', n)"), counted(count));
        world.fill(format!("{handsets} {counted} SELECT {mac}, 0 FROM numbers")).await;
        let Reply::Handsets(all) = world.ask(&admin, Action::ListUnassignedHandsets).await else { panic!("no list") };
        assert_eq!(all.len(), listed);
    }
}

#[tokio::test]
async fn a_thousand_notes_of_other_programs_are_taken_and_the_rest_waits() {
    let world = World::new().await;
    let (note, counted) = ("INSERT INTO outside_writes (at, action, target, after)", counted(1001));
    world.fill(format!("{note} {counted} SELECT n, 'dnd.changed', '1005', n FROM numbers")).await;
    for (taken, left) in [(1000, 1), (1001, 0)] {
        world.store.take_outside_writes(&world.ctx()).await.unwrap();
        let rows = world.store.changes(Some("outside"), None).await.unwrap();
        assert_eq!(rows.len(), taken);
        assert_eq!(rows.last().unwrap().after, Some(taken.to_string()), "in their order");
        assert_eq!(world.count("SELECT count(*) FROM outside_writes").await, left);
    }
    assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
}

#[tokio::test]
async fn ten_thousand_intents_are_kept_and_the_oldest_go() {
    let world = World::new().await;
    let (done, counted) =
        ("INSERT INTO intents (id, kind, state, subject, requested_by, requested_at)", counted(9_999));
    world
        .fill(format!("DELETE FROM intents; {done} {counted} SELECT n, 'export', 'done', 1, '', 0 FROM numbers"))
        .await;
    for (id, oldest) in [(10_000, 1), (10_001, 2)] {
        world.store.export_again(&world.cli(), RecordingNumber(1)).await.unwrap();
        let due = world.store.claim_export(&world.cli()).await.unwrap().unwrap();
        world.store.finish(&world.cli(), due.id, IntentState::Done, "").await.unwrap();
        let rows = world.store.commands().await.unwrap();
        assert_eq!((due.id, rows.len(), rows[0].id), (id, 10_000, oldest));
    }
}

#[tokio::test]
async fn four_read_at_a_time_and_the_next_one_waits() {
    let world = World::new().await;
    let mut reading = Vec::new();
    for _ in 0..4 {
        reading.push(world.store.read().await.unwrap());
    }
    let (store, now) = (world.store.clone(), Wall(world.now));
    let fifth = tokio::spawn(async move { store.mode(now).await });
    let written = world.ask(&Actor::Shell, Action::KeepRecording { number: RecordingNumber(1), audio: tone(7) }).await;
    assert!(matches!(written, Reply::Changed(_)), "who writes does not wait for them: {written:?}");
    assert!(!fifth.is_finished());
    reading.pop();
    assert_eq!(fifth.await.unwrap().unwrap().mode, "day");
    assert_eq!(world.store.inner.reader.size(), 4);
}

/// Asks for a new voicemail PIN, while the present one is changed `times` times, each time after it was looked at.
async fn changed_under(world: &World, digits: &str, times: u64) -> Reply {
    let writer = &world.store.inner.writer;
    let actor = world.demo("1005").await;
    let mut held = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let begun = world.store.writes_begun();
    let others = async {
        for n in 1..=times {
            while world.store.writes_begun() < begun + n {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let sql = "UPDATE pins SET hash = hash || 'x' WHERE kind = 'voicemail'";
            sqlx::query(sql).execute(&mut *held).await.unwrap();
            // Who waits for the writer first has it first: the next one after the request, and before its next try.
            let pool = writer.clone();
            let next = tokio::spawn(async move { pool.begin_with("BEGIN IMMEDIATE").await.unwrap() });
            held.commit().await.unwrap();
            held = next.await.unwrap();
        }
        held.rollback().await.unwrap();
    };
    let (reply, ()) = tokio::join!(world.ask(&actor, Action::SetOwnVoicemailPin { new: pin(digits) }), others);
    reply
}

#[tokio::test]
async fn a_pin_that_is_changed_under_a_request_is_looked_at_three_times() {
    let world = World::new().await;
    let done = changed_under(&world, "736195", 2).await;
    assert!(matches!(done, Reply::Changed(_)), "{done:?}");
    let before = world.count_changes().await;
    assert_eq!(changed_under(&world, "851730", 3).await, refused(Refusal::TryLater));
    assert_eq!(world.count_changes().await, before);
}

#[tokio::test]
async fn the_log_is_cut_back_after_much_was_written() {
    // Far more than there may be memory for.
    let world = World::within(TempDir::new().unwrap(), |_| {}).await;
    let log = || std::fs::metadata(world.folder.path().join("switchhook.db-wal")).unwrap().len();
    // Nothing of it has to outlive the test.
    sqlx::query("PRAGMA synchronous = OFF").execute(&world.store.inner.writer).await.unwrap();
    world.fill("UPDATE sites SET spoken_name = zeroblob(70000000)").await;
    assert!(log() > 70_000_000, "{}", log());
    world.ask(&Actor::Shell, Action::KeepRecording { number: RecordingNumber(1), audio: tone(7) }).await;
    assert_eq!(log(), 67_108_864);
}
