//! The first call of the docs, made as it is written there: `docs/first-call.md` is the script.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::world::baresip::Phone;
use crate::world::ear::wav;
use crate::world::server::Server;
use crate::world::setup::{PROJECT, Setup};
use crate::world::tools::are_here;

#[test]
fn the_first_call_is_as_the_docs_have_it() {
    if !are_here(&["baresip"]) {
        return;
    }
    let page = fs::read_to_string(Path::new(PROJECT).join("docs/first-call.md")).expect("the page");
    let script = page.split("```call\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the call");
    let setup = Setup::new();
    let server = Server::start_demo(&setup);
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    let mut steps = 0;
    for line in script.lines() {
        let (what, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        match what {
            "hears" => rest.split(' ').for_each(|clip| phone.hears(clip)),
            "dials" => phone.press(rest),
            "says" => {
                let words = wav(&Path::new(PROJECT).join(rest));
                phone.speak(&words);
                sleep(Duration::from_millis(words.len() as u64 / 8 + 600));
            }
            "ends" => phone.hears_the_end(),
            other => panic!("`{other}` is no step of a call"),
        }
        steps += 1;
    }
    assert!(steps > 20, "{steps} steps");
    for (second, clip) in phone.heard() {
        println!("{second:6.1}  {clip}");
    }
}
