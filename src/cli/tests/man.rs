//! `man`.

use super::*;

#[test]
fn every_verb_has_a_page() {
    let world = World::new();
    let folder = world.path("man1");
    Cli::try_parse_from(["switchhook", "man", "--folder", &folder]).unwrap().run().unwrap();
    for page in ["switchhook", "switchhook-user-import", "switchhook-mode-timetable-set", "switchhook-callcenter-open"]
    {
        let text = std::fs::read_to_string(format!("{folder}/{page}.1")).expect(page);
        assert!(text.contains(".SH SYNOPSIS") && text.contains(".SH NAME"), "{page}: {text}");
    }
}
