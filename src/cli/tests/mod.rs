//! The command line as a person types it, on a store of its own.

mod backup;
mod changes;
mod forward;
mod import;
mod items;
mod man;
mod mode;
mod sites;

use clap::error::ErrorKind;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::model::Audio;
use crate::store::PinCost;
use crate::wire::wav;

struct World {
    folder: TempDir,
}

/// What a command gave: standard output, or the line on standard error.
type Outcome = Result<String, String>;

impl World {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    async fn initialised() -> Self {
        let world = Self::new();
        world.run("init --name Ann --pin-stdin", "61849273\n").await.unwrap();
        world
    }

    async fn run(&self, line: &str, stdin: &str) -> Outcome {
        let words = std::iter::once("switchhook").chain(line.split_whitespace());
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        let (options, backup) = (self.options(), self.backups());
        let (mut input, mut out) = (stdin.as_bytes(), Vec::new());
        let mut shell = Shell { options, backup, now, input: &mut input, out: &mut out };
        let Verb::Store(verb) = cli.verb else { panic!("{line} needs more than the store") };
        let done = verb.run(&mut shell).await;
        done.map(|()| String::from_utf8(out).unwrap()).map_err(|error| told(&error))
    }

    fn options(&self) -> StoreOptions {
        StoreOptions {
            pin_cost: PinCost::CHEAP_FOR_TESTS,
            recording_s_max: 5,
            ..StoreOptions::new(self.path("switchhook.db"))
        }
    }

    fn backups(&self) -> BackupOptions {
        BackupOptions { folder: self.folder.path().join("backups"), keep: 3 }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    async fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.run(&format!("{line} --json"), "").await.unwrap()).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

/// 2026-01-31T08:15:00.000Z
fn now() -> Wall {
    Wall(1_769_847_300_000)
}

/// Asserts that an object has these fields; it may have more.
fn assert_has(found: &Value, expected: &Value) {
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(found.get(field), Some(value), "{field} of {found}");
    }
}

/// The usage errors, which clap ends with exit code 2.
fn usage(line: &str) -> ErrorKind {
    let words = std::iter::once("switchhook").chain(line.split_whitespace());
    Cli::try_parse_from(words).map(drop).expect_err(line).kind()
}

#[tokio::test]
async fn init_makes_a_store_once() {
    let world = World::new();
    let missing = world.run("user list", "").await.unwrap_err();
    assert!(missing.contains("switchhook init"), "{missing}");
    let said = world.run("init", "").await.unwrap();
    let pin = said.lines().find_map(|line| line.strip_prefix("temporary PIN: ")).unwrap();
    assert!(pin.len() == 8 && pin.bytes().all(|b| b.is_ascii_digit()), "{said}");
    let again = world.run("init", "").await.unwrap_err();
    assert!(again.contains("nothing was changed"), "{again}");
    let user = world.json("user show 1000").await;
    assert_eq!((&user["roles"], &user["pin_temporary"]), (&json!(["server-administrator"]), &json!(true)));
}

#[tokio::test]
async fn an_init_with_a_bad_pin_can_be_run_again() {
    let world = World::new();
    let refused = world.run("init 2000 --pin-stdin", "12345678\n").await.unwrap_err();
    assert!(refused.contains("too simple"), "{refused}");
    let none = world.run("init 2000 --pin-stdin", "").await.unwrap_err();
    assert!(none.contains("no PIN on standard input"), "{none}");
    world.run("init 2000 --pin-stdin", "61849273\r\n").await.unwrap();
    assert_eq!(world.json("user show 2000").await["pin_temporary"], json!(false));
}

#[tokio::test]
async fn a_user_as_json_has_the_documented_fields() {
    let world = World::initialised().await;
    let said = world.run("user add 1042 --name Bo --role support-technician --role phone-administrator", "").await;
    let said = said.unwrap();
    assert!(said.starts_with("1042 added: change 2\ntemporary PIN: "), "{said}");
    let mut user = world.json("user show 1042").await;
    let known = json!({
        "extension": "1042", "username": "1042@main", "name": "Bo", "site": "main",
        "roles": ["phone-administrator", "support-technician"], "enabled": true, "locked_until": null,
        "pin_temporary": true, "voicemail_pin_temporary": false,
        "forwarding": { "always": null, "busy": null, "no_answer": null }, "dnd": false, "language": null,
    });
    for (field, value) in known.as_object().unwrap() {
        assert_eq!(user.as_object_mut().unwrap().remove(field).as_ref(), Some(value), "{field}");
    }
    assert_eq!(
        user,
        json!({ "locked": false, "own_locked_until": null, "voicemail_locked_until": null, "voicemail_pin_set": false })
    );
    assert_eq!(world.json("user list").await.as_array().unwrap().len(), 2);
    let shown = world.run("user show 1042", "").await.unwrap();
    assert!(shown.contains("account PIN             temporary"), "{shown}");
    assert!(!shown.contains("argon2"));
}

#[tokio::test]
async fn a_user_s_life() {
    let world = World::initialised().await;
    world.run("user add 1042 --pin-stdin", "736195\n").await.unwrap();
    world.run("user set-pin 1042 --pin-stdin --temporary", "85173064\n").await.unwrap();
    assert_eq!(world.json("user show 1042").await["pin_temporary"], json!(true));
    assert_eq!(world.run("user disable 1042", "").await.unwrap(), "1042 disabled: change 4\n");
    let again = world.run("user disable 1042", "").await.unwrap();
    assert_eq!(again, "1042 disabled: it was so already, nothing was changed\n");
    assert_eq!(world.json("user show 1042").await["enabled"], json!(false));
    world.run("user enable 1042", "").await.unwrap();
    world.run("user unlock 1042", "").await.unwrap();
    world.run("role assign network-administrator 1042", "").await.unwrap();
    let holders = world.run("role list", "").await.unwrap();
    assert!(holders.contains("network-administrator  1042"), "{holders}");
    assert_eq!(world.json("role list").await[0], json!({ "role": "server-administrator", "holders": ["1000"] }));
    world.run("role remove network-administrator 1042", "").await.unwrap();
    world.run("user delete 1042", "").await.unwrap();
    let gone = world.run("user show 1042", "").await.unwrap_err();
    assert!(gone.contains("there is no extension 1042"), "{gone}");
    let last = world.run("role remove server-administrator 1000", "").await.unwrap_err();
    assert!(last.contains("last enabled Server Administrator"), "{last}");
    let elsewhere = world.run("user list --site berlin", "").await.unwrap_err();
    assert!(elsewhere.contains("no site `berlin`"), "{elsewhere}");
}

#[tokio::test]
async fn voicemail_verify_tells_right_from_wrong() {
    let world = World::initialised().await;
    world.run("voicemail verify 1000 --pin-stdin", "840296\n").await.unwrap_err();
    world.run("voicemail set-pin 1000 --pin-stdin", "840296\n").await.unwrap();
    world.run("voicemail verify 1000 --pin-stdin", "840296\n").await.unwrap();
    let wrong = world.run("voicemail verify 1000 --pin-stdin", "840297\n").await.unwrap_err();
    assert!(wrong.contains("not verified") && !wrong.contains("840297"), "{wrong}");
    let unknown = world.run("voicemail verify 4711 --pin-stdin", "840297\n").await.unwrap_err();
    assert_eq!(unknown, wrong);
}

#[tokio::test]
async fn recordings_in_and_out() {
    let world = World::initialised().await;
    let tone = |n: i16| Audio((0..8000).map(|i| (i % 80) * 100 + n).collect());
    for (name, audio) in [("factory.wav", tone(1)), ("new.wav", tone(2))] {
        std::fs::write(world.path(name), wav::write(&audio).unwrap()).unwrap();
    }
    let [factory, new, out] = ["factory.wav", "new.wav", "out.wav"].map(|name| world.path(name));
    world.run(&format!("recording add 7 lunch --file {factory}"), "").await.unwrap();
    world.run(&format!("recording import 7 {new}"), "").await.unwrap();
    let shown = world.json("recording show 7").await;
    let expected = json!({
        "number": 7, "name": "lunch", "version": 2, "factory": false, "duration_ms": 1000,
        "changed_by": "cli", "changed_at": "2026-01-31T08:15:00.000Z", "draft": false,
    });
    assert_eq!(shown, expected);
    world.run(&format!("recording export 7 {out}"), "").await.unwrap();
    assert_eq!(wav::read(&std::fs::read(&out).unwrap(), 5).unwrap(), tone(2));
    world.run(&format!("recording export 7 {out} --version 1"), "").await.unwrap();
    assert_eq!(wav::read(&std::fs::read(&out).unwrap(), 5).unwrap(), tone(1));
    world.run("recording restore 7 --factory", "").await.unwrap();
    assert_eq!(world.json("recording list").await[0]["factory"], json!(true));
    world.run("recording restore 7 --version 2", "").await.unwrap();
    world.run("recording restore 7", "").await.unwrap();
    assert_eq!(world.json("recording show 7").await["version"], json!(1));
    let none = world.run("recording restore 7", "").await.unwrap_err();
    assert!(none.contains("no such version"), "{none}");
    assert_eq!(world.json("recording history 7").await.as_array().unwrap().len(), 2);

    let missing = world.run("recording import 7 /nonexistent.wav", "").await.unwrap_err();
    assert!(missing.contains("/nonexistent.wav can't be read"), "{missing}");
    std::fs::write(world.path("bad.wav"), "RIFF of nothing").unwrap();
    let bad = world.run(&format!("recording import 7 {}", world.path("bad.wav")), "").await.unwrap_err();
    assert!(bad.contains("bad.wav can't be used") && bad.contains("not a whole WAV file"), "{bad}");
    std::fs::write(world.path("long.wav"), wav::write(&Audio(vec![0; 48_000].into())).unwrap()).unwrap();
    let long = world.run(&format!("recording import 7 {}", world.path("long.wav")), "").await.unwrap_err();
    assert!(long.contains("longer than 5 s"), "{long}");
}

#[tokio::test]
async fn what_was_done_can_be_read() {
    let world = World::initialised().await;
    world.run("user add 1042 --pin-stdin", "736195\n").await.unwrap();
    world.run("user disable 1042", "").await.unwrap();
    let audit = world.json("audit list").await;
    let mut row = audit[2].clone();
    let hash = row.as_object_mut().unwrap().remove("hash").unwrap();
    assert_eq!(hash.as_str().unwrap().len(), 64);
    let expected = json!({
        "seq": 3, "at": "2026-01-31T08:15:00.000Z", "account": "cli", "source": "cli", "action": "user.disabled",
        "target": "1042", "outcome": "ok", "change": 3,
    });
    assert_eq!(row, expected);
    assert_eq!(world.json("audit list --last 1").await, json!([audit[2]]));
    let hash = hash.as_str().unwrap();
    let whole =
        format!("the audit trail is whole: 3 rows\nthe last one is 3, with the hash {hash}: keep that elsewhere\n");
    assert_eq!(world.run("audit verify", "").await.unwrap(), whole);
    let change = json!({
        "number": 3, "at": "2026-01-31T08:15:00.000Z", "account": "cli", "action": "user.disabled", "target": "1042",
        "before": "enabled", "after": "disabled", "undone_by": null,
    });
    assert_eq!(world.json("change list --last 1").await, json!([change]));
    assert_eq!(world.json("change list --account 1042").await, json!([]));
    assert_eq!(world.json("command list").await, json!([]));
    let table = world.run("change list --last 1", "").await.unwrap();
    assert!(table.contains("3       2026-01-31T08:15:00.000Z  cli      user.disabled  1042"), "{table}");
}

#[test]
fn wrong_usage_is_told_before_anything_is_opened() {
    assert_eq!(usage("user add 10a"), ErrorKind::ValueValidation);
    assert_eq!(usage("role assign janitor 1000"), ErrorKind::ValueValidation);
    assert_eq!(usage("recording show 0"), ErrorKind::ValueValidation);
    assert_eq!(usage("voicemail verify 1000"), ErrorKind::MissingRequiredArgument);
    assert_eq!(usage("user set-pin 1000 61849273 --pin-stdin"), ErrorKind::UnknownArgument);
    assert_eq!(usage("recording restore 1 --version 2 --factory"), ErrorKind::ArgumentConflict);
    assert_eq!(usage("frobnicate"), ErrorKind::InvalidSubcommand);
}

#[test]
fn the_parser_is_sound() {
    use clap::CommandFactory as _;
    Cli::command().debug_assert();
}

/// A standard output that nobody reads, or that is full.
struct Deaf(io::ErrorKind);

impl Write for Deaf {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

impl World {
    async fn run_deaf(&self, line: &str, kind: io::ErrorKind) -> anyhow::Error {
        let words = std::iter::once("switchhook").chain(line.split_whitespace());
        let Verb::Store(verb) = Cli::try_parse_from(words).unwrap().verb else { panic!("{line}") };
        let (mut input, mut out) = (b"61849273\n".as_slice(), Deaf(kind));
        let (options, backup) = (self.options(), self.backups());
        let mut shell = Shell { options, backup, now, input: &mut input, out: &mut out };
        verb.run(&mut shell).await.unwrap_err()
    }
}

#[tokio::test]
async fn what_was_done_and_can_t_be_printed_is_no_silent_success() {
    for kind in [io::ErrorKind::BrokenPipe, io::ErrorKind::StorageFull] {
        let world = World::new();
        let init = world.run_deaf("init", kind).await;
        assert!(init.to_string().contains("Server Administrator 1000 added: change 1, but its PIN"), "{init:#}");
        let added = world.run_deaf("user add 1042", kind).await;
        assert!(added.to_string().starts_with("1042 added: change 2, but its PIN could not be printed: "), "{added:#}");
        assert!(added.to_string().contains("user set-pin"), "{added:#}");
        assert!(added.downcast_ref::<io::Error>().is_none(), "not taken for a reader who has read enough");
        let disabled = world.run_deaf("user disable 1042", kind).await;
        assert!(disabled.to_string().starts_with("1042 disabled: change 3, but that could not"), "{disabled:#}");
        assert_eq!(world.json("user show 1042").await["enabled"], json!(false), "it was done");
        for list in ["user list", "user list --json", "audit list --json", "change list", "role list --json"] {
            let error = world.run_deaf(list, kind).await;
            assert_eq!(error.downcast_ref::<io::Error>().map(io::Error::kind), Some(kind), "{list}: {error:#}");
        }
    }
}

#[tokio::test]
async fn messages_say_it_once_and_rightly() {
    let world = World::initialised().await;
    let simple = world.run("user set-pin 1000 --pin-stdin", "11111111\n").await.unwrap_err();
    assert_eq!(simple.matches("too simple").count(), 1, "{simple}");
    for no_pin in ["12345678901234567\n", " 61849273\n", "61849273 \n"] {
        let said = world.run("user set-pin 1000 --pin-stdin", no_pin).await.unwrap_err();
        assert!(said.contains("is no PIN; write 1 to 16 digits, nothing else") && !said.contains("6184"), "{said}");
    }
    let elsewhere = world.run("user show 1000 --site berlin\u{1b}[2J", "").await.unwrap_err();
    assert_eq!(elsewhere, "there is no site `berlin\\u{1b}[2J`, the store has `main`: name one of these with --site");
    let lines = anyhow::anyhow!("sip:a\nb").context("`x\ny` is no URI");
    assert_eq!(told(&lines), "`x\\u{a}y` is no URI: sip:a\\u{a}b", "one line");
    let elsewhere = world.run("user show 1000 --site berlin", "").await.unwrap_err();
    assert_eq!(elsewhere, "there is no site `berlin`, the store has `main`: name one of these with --site");
    let changes = world.json("change list --account cli").await;
    assert_eq!(changes.as_array().unwrap().len(), 1);
    assert_eq!(usage("change list --account shell"), ErrorKind::ValueValidation);
    std::fs::write(world.path("one.wav"), wav::write(&Audio(vec![1; 800].into())).unwrap()).unwrap();
    world.run(&format!("recording add 7 lunch --file {}", world.path("one.wav")), "").await.unwrap();
    for again in ["recording restore 7 --version 1", "recording restore 7 --factory"] {
        let said = world.run(again, "").await.unwrap();
        assert_eq!(said, "recording 7 restored: it was so already, nothing was changed\n");
    }
    let none = world.run("recording restore 7 --version 2", "").await.unwrap_err();
    assert!(none.contains("no such version"), "{none}");
}

#[test]
fn a_line_with_a_pin_is_read_so_far_and_no_further() {
    let world = World::new();
    let read = |text: &str| {
        let (mut input, mut out) = (text.as_bytes(), Vec::new());
        let (options, backup) = (world.options(), world.backups());
        let pin = Shell { options, backup, now, input: &mut input, out: &mut out }.read_pin();
        (pin.map(|pin| pin.digits().to_owned()).map_err(|why| why.to_string()), input.len())
    };
    let longest = "6184927361849273";
    assert_eq!(read(&format!("{longest}\n{longest}\n")), (Ok(longest.to_owned()), 17), "the next line is left");
    for (digits, left) in [(17, 0), (63, 0), (64, 1), (65, 2), (100_000, 100_000 - 63)] {
        let (refused, unread) = read(&format!("{}\n", "6".repeat(digits)));
        let why = refused.unwrap_err();
        assert!(why.contains("is no PIN; write 1 to 16 digits") && !why.contains("666"), "{why}");
        assert_eq!(unread, left, "{digits} digits");
    }
}
