//! `mode`.

use super::*;

#[tokio::test]
async fn the_mode_holds_until_it_is_over() {
    let world = World::initialised().await;
    assert_eq!(world.json("mode show").await, json!({ "mode": "day", "setting": "day", "until": null }));
    let said = world.run("mode set holiday --until 3h", "").await.unwrap();
    assert_eq!(said, "mode holiday until 2026-01-31T11:15:00.000Z: change 2\n");
    let until = json!({ "mode": "holiday", "setting": "holiday", "until": "2026-01-31T11:15:00.000Z" });
    assert_eq!(world.json("mode show").await, until);
    let shown = world.run("mode show", "").await.unwrap();
    assert_eq!(shown, "mode    holiday\nset to  holiday\nuntil   2026-01-31T11:15:00.000Z\n");
    assert_eq!(world.run("mode set night", "").await.unwrap(), "mode night: change 3\n");
    assert_eq!(world.json("mode show").await, json!({ "mode": "night", "setting": "night", "until": null }));
    world.run("mode set day --until 2026-02-01T06:00:00+01:00", "").await.unwrap();
    assert_eq!(world.json("mode show").await["until"], json!("2026-02-01T05:00:00.000Z"));
    let past = world.run("mode set night --until 2026-01-31T08:15:00Z", "").await.unwrap_err();
    assert!(past.contains("past"), "{past}");
    assert_eq!(world.json("mode show").await["mode"], json!("day"));
}

#[tokio::test]
async fn the_timetable() {
    let world = World::initialised().await;
    let none = world.run("mode timetable show", "").await.unwrap();
    assert_eq!(none, "no spans: by the timetable it is day, but on holidays\n");
    let said = world.run("mode timetable set mon-tue 08:00-17:00 sat 09:00-12:30", "").await.unwrap();
    assert!(said.starts_with("timetable set: change "), "{said}");
    world.run("mode timetable holiday add 2026-12-25", "").await.unwrap();
    world.run("mode timetable holiday add 2026-01-01", "").await.unwrap();
    let spans = ["mon 08:00-17:00", "tue 08:00-17:00", "sat 09:00-12:30"];
    let expected = json!({ "spans": spans, "holidays": ["2026-01-01", "2026-12-25"] });
    assert_eq!(world.json("mode timetable show").await, expected);
    let again = world.run("mode timetable holiday add 2026-01-01", "").await.unwrap();
    assert_eq!(again, "holiday 2026-01-01 added: it was so already, nothing was changed\n");
    world.run("mode timetable holiday remove 2026-01-01", "").await.unwrap();
    world.run("mode timetable set sun 10:00-24:00", "").await.unwrap();
    let shown = world.run("mode timetable show", "").await.unwrap();
    assert_eq!(shown, "day      sun 10:00-24:00\nholiday  2026-12-25\n", "the holidays stay");
    let overlap = world.run("mode timetable set mon 08:00-12:00 mon 11:00-13:00", "").await.unwrap_err();
    assert!(overlap.contains("overlap"), "{overlap}");
    assert_eq!(world.run("mode timetable show", "").await.unwrap(), shown);
    world.run("mode timetable clear", "").await.unwrap();
    assert_eq!(world.json("mode timetable show").await, json!({ "spans": [], "holidays": [] }));
}

#[test]
fn a_span_may_be_in_quotes() {
    let parse = |words: &[&str]| Cli::try_parse_from([&["switchhook", "mode", "timetable", "set"][..], words].concat());
    assert!(parse(&["mon-fri 08:00-17:00", "sat 09:00-12:30"]).is_ok());
    assert!(parse(&["mon-fri", "08:00-17:00"]).is_ok());
    let wrong = parse(&["mon-fri 08:00-17:00", "sat"]).unwrap_err();
    assert_eq!((wrong.kind(), wrong.exit_code()), (ErrorKind::ValueValidation, 2));
    assert!(wrong.to_string().contains("such as \"mon-fri 08:00-17:00\""), "{wrong}");
}

#[test]
fn wrong_usage() {
    assert_eq!(usage("mode set lunch"), ErrorKind::ValueValidation);
    assert_eq!(usage("mode set night --until tomorrow"), ErrorKind::ValueValidation);
    assert_eq!(usage("mode timetable set"), ErrorKind::MissingRequiredArgument);
    assert_eq!(usage("mode timetable set mon 17:00-08:00"), ErrorKind::ValueValidation);
    assert_eq!(usage("mode timetable holiday add 2026-02-30"), ErrorKind::ValueValidation);
}
