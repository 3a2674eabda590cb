//! A disk that is full: callers hear that it failed, nothing is lost, and when there is room again it works again.

use std::fs;
use std::time::Duration;

use crate::caller::{Caller, install_prompts};
use crate::mount::{Disk, may_mount};
use crate::serving::exports_are_as_their_rows;
use crate::state::is_whole;
use crate::world::setup::{Options, PROJECT, Setup};
use crate::world::template::pin_of;
use crate::world::tools::are_here;
use crate::world::wait::until;

/// Room for the store of the template, its log and a backup, in KiB.
const STORE_KIB: usize = 24 << 10;
/// What is put off is done by then, once there is room.
const DONE_WITHIN: Duration = Duration::from_secs(60);
/// More changes than fit on a disk with a few pages left.
const CHANGES_MAX: usize = 2000;
/// Prompts that end a change of do not disturb.
const ENDS: [&str; 4] = ["dnd-on", "dnd-off", "failed-try-later", "not-answered"];

fn world() -> Option<Setup> {
    let setup = Setup::with(Options { languages: &[], ..Options::default() });
    if !are_here(&["sqlite3"]) || !may_mount(&setup) {
        return None;
    }
    install_prompts(&setup);
    Some(setup)
}

#[test]
fn a_full_disk_refuses_changes_until_there_is_room() {
    let Some(setup) = world() else { return };
    let disk = Disk::in_memory(setup.path("disk"), STORE_KIB);
    disk.takes_the_store_of(&setup);
    let mut server = setup.serve();
    let mut caller = Caller::new(&setup);
    assert!(caller.call_as("1005", pin_of("1005")));
    let filler = disk.fill(0);
    let dnd = || setup.value("SELECT dnd FROM v_users WHERE extension = '1005'");

    // By the command line until nothing fits any more; what was acknowledged stays.
    let mut last = String::new();
    let refused = (10_000..10_000 + CHANGES_MAX).find_map(|number| {
        let output = setup.run(&["forward", "set", "1001", "always", &number.to_string()], "");
        if output.status.success() {
            last = number.to_string();
            return None;
        }
        assert_eq!(output.status.code(), Some(1));
        Some(String::from_utf8_lossy(&output.stderr).into_owned())
    });
    let refused = refused.expect("at some time the disk is full");
    assert!(refused.contains("disk is full") && refused.lines().count() == 1, "{refused}");
    let forwarded = || setup.value("SELECT coalesce(always, '') FROM v_forwarding WHERE extension = '1001'");
    assert_eq!(forwarded(), last);

    // By phone.
    let mut heard = None;
    for _ in 0..CHANGES_MAX {
        let before = dnd();
        assert!(caller.press("3"));
        heard = caller.hears(&ENDS);
        if heard == Some("failed-try-later") {
            assert_eq!(dnd(), before);
            break;
        }
    }
    assert_eq!(heard, Some("failed-try-later"));

    // What is larger than a page fits even less; of a backup nothing is left.
    let version = || setup.json(&["recording", "show", "1"])["version"].clone();
    let before = version();
    let voice = format!("{PROJECT}/prompts/demo/5.wav");
    let said = setup.refused(&["recording", "import", "1", &voice], "");
    assert!(said.contains("disk is full"), "{said}");
    assert_eq!(version(), before);
    setup.refused(&["backup", "create"], "");
    assert_eq!(fs::read_dir(disk.path("backups")).expect("the folder").count(), 0);
    assert!(server.is_running());

    fs::remove_file(filler).expect("room is made");
    let before = dnd();
    assert!(caller.press("3"));
    let expected = if before == "1" { "dnd-off" } else { "dnd-on" };
    assert_eq!(caller.hears(&ENDS), Some(expected), "there is room");
    assert_ne!(dnd(), before);
    setup.done(&["recording", "import", "1", &voice], "");
    setup.done(&["backup", "create"], "");
    let open = "SELECT count(*) FROM intents WHERE state IN ('requested', 'claimed')";
    until(DONE_WITHIN, "all effects are done", || setup.value(open) == "0");
    exports_are_as_their_rows(&setup);
    caller.hang_up();
    drop(server);
    is_whole(&setup);
}

#[test]
fn a_full_export_folder_keeps_nobody_from_calling_and_is_written_when_there_is_room() {
    let Some(setup) = world() else { return };
    let disk = Disk::in_memory(setup.path("exported"), 2 << 10);
    let server = setup.serve();
    exports_are_as_their_rows(&setup);
    let filler = disk.fill(0);
    let voice = format!("{PROJECT}/prompts/demo/5.wav");
    setup.done(&["recording", "import", "1", &voice], "");
    let put_off = "SELECT count(*) FROM intents WHERE kind = 'export' AND state = 'requested' AND tries > 0";
    until(DONE_WITHIN, "it was tried", || setup.value(put_off) == "1");
    drop(server);

    // The row is newer than the file, and the line answers all the same.
    let server = setup.serve();
    let mut caller = Caller::new(&setup);
    assert!(caller.call_as("1005", pin_of("1005")));
    caller.hang_up();
    fs::remove_file(filler).expect("room is made");
    let open = "SELECT count(*) FROM intents WHERE kind = 'export' AND state IN ('requested', 'claimed')";
    until(DONE_WITHIN, "it is exported", || setup.value(open) == "0");
    exports_are_as_their_rows(&setup);
    drop(server);
    is_whole(&setup);
}

#[test]
fn a_full_log_folder_keeps_nobody_from_calling() {
    let Some(setup) = world() else { return };
    let disk = Disk::in_memory(setup.path("log"), 64);
    let filler = disk.fill(0);
    let mut server = setup.serve();
    let mut caller = Caller::new(&setup);
    assert!(caller.call_as("1005", pin_of("1005")));
    for heard in ["dnd-on", "dnd-off", "dnd-on"] {
        assert!(caller.press("3"));
        assert_eq!(caller.hears(&ENDS), Some(heard));
    }
    caller.hang_up();
    fs::remove_file(filler).expect("room is made");
    assert!(server.is_running());
}
