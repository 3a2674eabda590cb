//! Four processes that write the store at once, each as fast as it can.

use std::process::{Command, Stdio};

use switchhook::access::{Context, ForwardKind};
use switchhook::model::{Extension, PhoneNumber, Wall};
use switchhook::store::{Admin, AdminReply, Store, StoreOptions};

use crate::state::is_whole;
use crate::world::setup::Setup;
use crate::world::tools::are_here;

/// One writer each.
const EXTENSIONS: [&str; 4] = ["1001", "1002", "1003", "1004"];
/// By which this program knows that it is a writer: the store, the extension, and how many changes it makes.
const STORE: &str = "FAULTS_WRITER_STORE";
const EXTENSION: &str = "FAULTS_WRITER_EXTENSION";
const CHANGES: &str = "FAULTS_WRITER_CHANGES";

/// Writes with four processes, so many changes each.
fn write_with_four(changes: usize) {
    let setup = Setup::new();
    let before: usize = setup.value("SELECT count(*) FROM changes").parse().expect("a number");
    let writer = |extension: &&str| {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "writers::a_writer", "--ignored", "--nocapture"]);
        command.env(STORE, setup.path("switchhook.db")).env(EXTENSION, extension).env(CHANGES, changes.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a writer")
    };
    let writers: Vec<_> = EXTENSIONS.iter().map(writer).collect();
    for writer in writers {
        let output = writer.wait_with_output().expect("it ends");
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "a writer was refused: {}", String::from_utf8_lossy(&said));
    }
    let written = setup.value("SELECT count(*), count(DISTINCT number), max(number) - min(number) + 1 FROM changes");
    let all = before + changes * EXTENSIONS.len();
    assert_eq!(written, format!("{all}|{all}|{all}"), "a number for each, and none left out");
    for extension in EXTENSIONS {
        let each = format!(
            "SELECT count(DISTINCT after) FROM changes WHERE action = 'forwarding.changed' AND target = '{extension}'"
        );
        assert_eq!(setup.value(&each), changes.to_string(), "those of {extension}");
    }
    is_whole(&setup);
}

#[test]
#[ignore = "it is run by the test that starts four of it"]
fn a_writer() {
    let Some(store) = std::env::var_os(STORE) else { return };
    let extension = std::env::var(EXTENSION).expect("whose calls");
    let changes: u32 = std::env::var(CHANGES).expect("how many").parse().expect("a number");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(StoreOptions::new(store)).await.expect("the store opens");
        let extension = Extension::parse(&extension).expect("an extension");
        for change in 0..changes {
            let now = Wall(1_769_847_300_000 + i64::from(change));
            let ctx = Context::without_call(now, store.site(), "cli");
            let to = PhoneNumber::parse(&(100_000 + change).to_string()).expect("a number");
            let forward = Admin::SetForwarding { extension: extension.clone(), kind: ForwardKind::Always, to };
            let reply = store.admin(&ctx, forward).await.expect("not refused");
            assert!(matches!(reply, AdminReply::Changed(_)), "{reply:?}");
        }
        store.close().await;
    });
}

#[test]
fn four_processes_write_at_once_and_none_is_refused() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    write_with_four(150);
}

#[test]
#[ignore = "a long run"]
fn soak_four_processes_with_25_000_changes_each() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let begun = std::time::Instant::now();
    write_with_four(25_000);
    let rate = 100_000.0 / begun.elapsed().as_secs_f64();
    println!("figure: four processes, 25,000 changes each = 100,000 there, 0 refused, {rate:.0} changes/s");
}
