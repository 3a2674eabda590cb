use std::collections::HashSet;

use super::*;

#[test]
fn names_are_unique() {
    let mut names = HashSet::new();
    for place in Place::all() {
        assert!(names.insert(place.name()), "two places named {}", place.name());
    }
    for menu in MENUS {
        let mut keys = HashSet::new();
        for choice in menu.choices {
            assert!(keys.insert(choice.key), "{}: two choices with the key {}", menu.clip, choice.key.to_char());
            assert_ne!(choice.key, Key::Digit(0), "{}: 0 is help everywhere", menu.clip);
        }
        assert!(keys.contains(&Key::Star) || menu.other_keys.is_some(), "{}: no way back", menu.clip);
    }
}

#[test]
fn every_place_can_be_reached_from_the_first_question() {
    let mut reached = vec![Place::Question(&ENTER_EXTENSION)];
    let mut next = 0;
    while let Some(place) = reached.get(next).copied() {
        next += 1;
        for place in place.opens() {
            if !reached.contains(&place) {
                reached.push(place);
            }
        }
    }
    for place in Place::all() {
        assert!(reached.contains(&place), "{place:?} is out of reach");
    }
}

#[test]
fn no_clip_is_listed_twice() {
    let (clips, spoken) = (clips(Language::English), speech::clips(Language::English));
    let prompts = Place::all().flat_map(|place| place.prompt(Permissions::ALL, &Language::ALL));
    assert_eq!(prompts.count() + SAID.len() + spoken.len(), clips.len());
}

#[test]
fn the_text_shows_keys_functions_and_permissions() {
    let text = render(Format::Text);
    let expected = "\
main-menu
  1  My settings  -> my-menu
  2  System recordings  [recordings.change]  -> recordings-enter-number
  3  Users and extensions  [users.manage]  -> users-enter-extension
  4  Attendants, groups and mode  [attendants.manage]  -> attendants-menu
  5  Lines and network  [network.manage]  -> network-menu
  6  Maintenance  [backup.run or reboot.run or logging.manage or support.verify]  -> maintenance-menu
  7  Roles  [roles.assign]  -> roles-menu
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("recordings-enter-number\n  number and #  -> recording-menu, review-menu"), "{text}");
    assert!(text.contains("backup-wait\n  any key  -> maintenance-menu\n"), "{text}");
    assert!(text.contains("\n  *  Back  -> main-menu\n"), "{text}");
}

#[test]
fn the_docs_have_the_menu_as_it_is() {
    let drawn = include_str!("../../../docs/menu.md").split("```").nth(1).and_then(|text| text.strip_prefix("text\n"));
    assert!(drawn == Some(&render(Format::Text)), "docs/menu.md: put the output of `switchhook menu` there");
    let top: Vec<String> = render(Format::Text).lines().take(10).map(str::to_owned).collect();
    assert!(include_str!("../../../README.md").contains(&top.join("\n")), "README.md has another main menu");
}

#[test]
fn the_json_is_json() {
    let value: serde_json::Value = serde_json::from_str(&render(Format::Json)).expect("JSON");
    let places = value.as_array().expect("an array");
    assert_eq!(places.len(), MENUS.len() + QUESTIONS.len());
    assert_eq!(places[0]["name"], "main-menu");
    assert_eq!(places[0]["choices"][1]["key"], "2");
    assert_eq!(places[0]["choices"][1]["clip"], "main-recordings");
    assert_eq!(places[0]["choices"][1]["any_of"][0], "recordings.change");
    assert_eq!(places[0]["choices"][1]["opens"][0], "recordings-enter-number");
}

#[test]
fn the_drawings_have_every_place() {
    let (mermaid, dot) = (render(Format::Mermaid), render(Format::Dot));
    for place in Place::all() {
        assert!(mermaid.contains(&format!("\"{}\"", place.name())));
        assert!(dot.contains(&format!("\"{}\" [shape=", place.name())));
    }
    assert!(mermaid.contains("    main_menu -- \"6 Maintenance\" --> maintenance_menu\n"), "{mermaid}");
    assert!(dot.contains("    \"main-menu\" -> \"maintenance-menu\" [label=\"6 Maintenance\"];\n"), "{dot}");
    for format in Format::ALL {
        assert_eq!(Format::parse(format.name()), Some(format));
    }
    assert_eq!(Format::parse("svg"), None);
}
