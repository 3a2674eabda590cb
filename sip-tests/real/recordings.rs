//! System recordings by phone.

use std::time::Duration;

use crate::world::baresip::Phone;
use crate::world::ear::{best_correlation, wav};
use crate::world::setup::Setup;
use crate::world::story::words;
use crate::world::tools::are_here;
use crate::world::wait::until;

/// What is said into a recording must be in it: a higher figure than any other recording reaches.
const ALIKE: f32 = 0.8;

const LIVE: &str = "SELECT version || ' ' || factory || ' ' || duration_ms FROM v_recordings WHERE number = 1";

/// Up to the review of a take of four seconds for recording 1.
fn record(phone: &mut Phone, uri: &str) {
    phone.dial(uri);
    phone.log_in("1002", "83517294");
    phone.press("2");
    phone.hears("recordings-enter-number");
    phone.press("1#");
    phone.hears_all(&["recording-menu", "recording-listen", "recording-record"]);
    phone.press("2");
    phone.records(&words(4));
    phone.hears_all(&["review-play", "review-keep", "review-again", "review-discard"]);
}

#[test]
fn what_is_kept_is_what_was_said() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let exported = setup.path("exported/recording-1.wav");
    let factory = wav(&exported);
    let mut phone = Phone::new(&setup, "caller");
    record(&mut phone, &server.uri);
    phone.press("1");
    phone.hears("review-menu");
    let played = best_correlation(&phone.recent(8), &words(4));
    assert!(played > ALIKE, "the review plays what was said: {played}");
    assert_eq!(wav(&exported), factory, "the live recording is not touched before it is kept");

    phone.press("2");
    phone.hears_all(&["recording-saved", "change-number"]);
    let saved = setup.value(LIVE);
    assert!(saved.starts_with("2 0 "), "{saved}");
    until(Duration::from_secs(10), "it is exported", || wav(&exported) != factory);
    let alike = best_correlation(&wav(&exported), &words(4));
    assert!(alike > ALIKE, "the exported one is what was said: {alike}");
    let unlike = best_correlation(&wav(&exported), &factory);
    assert!(unlike < 0.5, "and not what was there before: {unlike}");

    let copy = setup.path("copy.wav");
    setup.done(&["recording", "export", "1", copy.to_str().expect("UTF-8")], "");
    assert_eq!(wav(&copy), wav(&exported));
    let shown = setup.json(&["recording", "show", "1"]);
    assert_eq!(
        (&shown["version"], &shown["factory"], &shown["changed_by"]),
        (&2.into(), &false.into(), &"1002".into())
    );
    until(Duration::from_secs(10), "the PBX is told", || setup.text("told").contains("recording.changed"));

    phone.hears("recording-menu");
    phone.press("4");
    phone.hears("recording-restored");
    until(Duration::from_secs(10), "the factory version is exported", || wav(&exported) == factory);
    phone.hang_up();
    setup.done(&["audit", "verify"], "");
}

#[test]
fn hanging_up_in_review_leaves_a_draft() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let server = setup.serve();
    let exported = setup.path("exported/recording-1.wav");
    let (live, factory) = (setup.value(LIVE), wav(&exported));
    let mut phone = Phone::new(&setup, "caller");
    record(&mut phone, &server.uri);
    phone.hang_up();
    until(Duration::from_secs(10), "the draft is kept", || setup.value("SELECT count(*) FROM drafts") == "1");
    assert_eq!(setup.value(LIVE), live);
    assert_eq!(wav(&exported), factory);
    assert_eq!(setup.json(&["recording", "show", "1"])["draft"], true);

    phone.dial(&server.uri);
    phone.log_in("1002", "83517294");
    phone.press("21#");
    phone.hears_all(&["draft-waiting", "review-menu", "review-play"]);
    phone.press("1");
    phone.hears("review-menu");
    let played = best_correlation(&phone.recent(8), &words(4));
    assert!(played > ALIKE, "the draft is what was said: {played}");
    phone.press("2");
    phone.hears("recording-saved");
    phone.hang_up();
    until(Duration::from_secs(10), "it is exported", || wav(&exported) != factory);
    let alike = best_correlation(&wav(&exported), &words(4));
    assert!(alike > ALIKE, "{alike}");
    assert_eq!(setup.value("SELECT count(*) FROM drafts"), "0");
}
