use std::collections::HashSet;

use super::*;
use crate::access::Role;

const HEADINGS: [&str; 6] = ["Server", "System", "Phone", "Network", "Support", "user"];

/// The reviewed grid: what each role hears at each place that it can reach.
#[test]
fn each_role_hears_what_it_may_do() {
    let roles = Role::ALL.map(Some).into_iter().chain([None]);
    let reached: Vec<(Permissions, Vec<Place>)> = roles
        .map(|role| {
            let granted = Permissions::of(role.as_slice());
            let top = if role.is_some() { menu(&MAIN) } else { menu(&MY) };
            (granted, reached(vec![top], granted))
        })
        .collect();
    let row = |name: &str, cells: &mut dyn Iterator<Item = String>| {
        let cells: String = cells.map(|cell| format!("{cell:<9}")).collect();
        format!("{name:<26}{}\n", cells.trim_end())
    };
    let mut grid = row("", &mut HEADINGS.map(str::to_owned).into_iter());
    for place in Place::all().filter(|place| reached.iter().any(|(_, places)| places.contains(place))) {
        let cell = |(granted, places): &(Permissions, Vec<Place>)| match place {
            _ if !places.contains(&place) => ".".to_owned(),
            Place::Menu(menu) => {
                let keys = menu.choices.iter().filter(|choice| choice.allowed(*granted));
                keys.map(|choice| choice.key.to_char()).collect::<String>()
            }
            Place::Question(_) => "asks".to_owned(),
        };
        grid.push_str(&row(place.name(), &mut reached.iter().map(cell)));
    }
    assert_eq!(grid, include_str!("roles.txt"), "\n{grid}");
}

/// Every place that can be reached from these by someone who may do this much.
fn reached(mut places: Vec<Place>, granted: Permissions) -> Vec<Place> {
    let mut next = 0;
    while let Some(place) = places.get(next).copied() {
        next += 1;
        let opens: Vec<Place> = match place {
            Place::Menu(menu) => {
                let choices = menu.choices.iter().filter(|choice| choice.allowed(granted));
                choices.map(|choice| choice.goes).chain(menu.other_keys).flat_map(Goes::opens).collect()
            }
            Place::Question(question) => [question.answer.opens(), question.back.opens()].concat(),
        };
        for place in opens.into_iter().filter(|place| is_within(*place, granted)) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

/// Whether a place that several branches share leads to this one for someone who may do this much.
fn is_within(place: Place, granted: Permissions) -> bool {
    let Some(choice) = MAIN.choices.iter().find(|choice| choice.goes == Goes::To(place)) else {
        return match place {
            // The branches' own places that keys of shared ones (lists, reviews, confirmations) may open.
            Place::Menu(menu) if [&USER, &HANDSETS].contains(&menu) => granted.has(Permission::UsersManage),
            Place::Menu(menu) if *menu == RECORDING => granted.has(Permission::RecordingsChange),
            Place::Menu(menu) if [&GROUP, &CALL_CENTER].contains(&menu) => granted.has(Permission::AttendantsManage),
            Place::Question(question) if *question == ATTENDANT_RECORDING => granted.has(Permission::AttendantsManage),
            Place::Menu(menu) if *menu == TRUNK => granted.has(Permission::NetworkManage),
            Place::Menu(menu) if *menu == ROLE => granted.has(Permission::RolesAssign),
            Place::Menu(menu) if [&REBOOT, &COUNTDOWN].contains(&menu) => granted.has(Permission::RebootRun),
            Place::Question(question) => !question.clip.starts_with("enter-extension"),
            Place::Menu(_) => true,
        };
    };
    choice.allowed(granted) && (place != menu(&MAIN) || granted.any(Permissions::ANY_ROLE))
}

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
    let mut places = reached(vec![at(&ENTER_EXTENSION)], Permissions::ALL);
    places.push(at(&ENTER_EXTENSION_OR_POUND));
    for place in Place::all() {
        assert!(places.contains(&place), "{place:?} is out of reach");
    }
}

#[test]
fn no_clip_is_listed_twice() {
    let clips = clips();
    let prompts = Place::all().flat_map(|place| place.prompt(Permissions::ALL, &Language::ALL));
    assert_eq!(prompts.count() + SAID.len() + speech::en::clips().count(), clips.len());
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
