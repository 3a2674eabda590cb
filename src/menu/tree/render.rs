//! The menu as text for people and programs: `switchhook menu`.

use std::fmt::Write;

use crate::access::{Permission, Permissions};
use crate::model::Key;

use super::{Choice, Goes, MAIN, Menu, Place};

/// How the menu is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A list for reading.
    Text,
    /// A Mermaid flow chart.
    Mermaid,
    /// A Graphviz graph.
    Dot,
    /// One JSON array of places.
    Json,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 4] = [Format::Text, Format::Mermaid, Format::Dot, Format::Json];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Mermaid => "mermaid",
            Format::Dot => "dot",
            Format::Json => "json",
        }
    }

    /// The format of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// What is drawn: everything, or what is near the top menu and leads away from it.
struct Drawn {
    /// The places that are near, and how many choices away they are; none: everything is drawn.
    near: Option<Vec<(Place, u32)>>,
}

impl Drawn {
    fn new(levels: Option<u32>) -> Self {
        Self { near: levels.map(near) }
    }

    fn places(&self) -> Vec<Place> {
        Place::all().filter(|place| self.near.is_none() || self.choices_away(*place).is_some()).collect()
    }

    fn choices_away(&self, place: Place) -> Option<u32> {
        self.near.as_ref()?.iter().find(|(near, _)| *near == place).map(|(_, away)| *away)
    }

    /// The choices of a menu, without the way back where only what is near is drawn.
    fn choices(&self, menu: &'static Menu) -> impl Iterator<Item = &'static Choice> {
        let all = self.near.is_none();
        menu.choices.iter().filter(move |choice| all || choice.key != Key::Star)
    }

    /// The ways from one place that are drawn.
    fn opens(&self, from: Place, places: Vec<Place>) -> Vec<Place> {
        if self.near.is_none() {
            return places;
        }
        let away = self.choices_away(from);
        places.into_iter().filter(|to| away < self.choices_away(*to)).collect()
    }
}

/// The places that are so many choices from the top menu at most, and how many. `*` is no choice.
fn near(levels: u32) -> Vec<(Place, u32)> {
    let mut near = vec![(Place::Menu(&MAIN), 0)];
    let mut next = 0;
    while let Some(&(from, away)) = near.get(next).filter(|(_, away)| *away < levels) {
        for to in forward(from) {
            if !near.iter().any(|(known, _)| *known == to) {
                near.push((to, away + 1));
            }
        }
        next += 1;
    }
    near
}

fn forward(from: Place) -> Vec<Place> {
    match from {
        Place::Menu(menu) => {
            let chosen = menu.choices.iter().filter(|choice| choice.key != Key::Star).map(|choice| choice.goes);
            chosen.chain(menu.other_keys).flat_map(Goes::opens).collect()
        }
        Place::Question(question) => question.answer.opens(),
    }
}

/// Draws the menu, each line ended: all of it, or only the places within so many choices of the top menu and the ways
/// to them, without the ways back.
pub fn render(format: Format, levels: Option<u32>) -> String {
    let drawn = Drawn::new(levels);
    match format {
        Format::Text => text(&drawn),
        Format::Mermaid => {
            let id = |place: Place| place.name().replace('-', "_");
            let mut out = String::from("flowchart LR\n");
            for place in drawn.places() {
                let (open, close) = if matches!(place, Place::Menu(_)) { ("[", "]") } else { ("([", "])") };
                line(&mut out, format_args!("    {}{open}\"{}\"{close}", id(place), place.name()));
            }
            for edge in edges(&drawn) {
                let (from, to) = (id(edge.from), id(edge.to));
                line(&mut out, format_args!("    {from} -- \"{}\" --> {to}", edge.label));
            }
            out
        }
        Format::Dot => {
            let mut out = String::from("digraph menu {\n    rankdir=LR;\n");
            for place in drawn.places() {
                let shape = if matches!(place, Place::Menu(_)) { "box" } else { "oval" };
                line(&mut out, format_args!("    \"{}\" [shape={shape}];", place.name()));
            }
            for edge in edges(&drawn) {
                let (from, to) = (edge.from.name(), edge.to.name());
                line(&mut out, format_args!("    \"{from}\" -> \"{to}\" [label=\"{}\"];", edge.label));
            }
            out.push_str("}\n");
            out
        }
        Format::Json => json(&drawn),
    }
}

fn text(drawn: &Drawn) -> String {
    let mut out = String::new();
    for place in drawn.places() {
        line(&mut out, format_args!("{}", place.name()));
        let opens = |places: Vec<Place>| opens(&drawn.opens(place, places));
        match place {
            Place::Menu(menu) => {
                for choice in drawn.choices(menu) {
                    let needs = choice.needs.map(|needs| format!("  [{}]", any_of(needs))).unwrap_or_default();
                    let opens = opens(choice.goes.opens());
                    line(&mut out, format_args!("  {}  {}{needs}{opens}", choice.key.to_char(), choice.title));
                }
                if let Some(goes) = menu.other_keys {
                    line(&mut out, format_args!("  any key{}", opens(goes.opens())));
                }
            }
            Place::Question(question) => {
                let answer = opens(question.answer.opens());
                line(&mut out, format_args!("  {} and #{answer}", question.digits.name()));
                if drawn.near.is_none() {
                    line(&mut out, format_args!("  *  Back{}", opens(question.back.opens())));
                }
            }
        }
    }
    out
}

fn opens(places: &[Place]) -> String {
    if places.is_empty() { String::new() } else { format!("  -> {}", names(places).join(", ")) }
}

/// A key, or the digits and `#`, that can lead from one place to another.
struct Edge {
    from: Place,
    label: String,
    to: Place,
}

fn edges(drawn: &Drawn) -> Vec<Edge> {
    let mut edges = Vec::new();
    for from in drawn.places() {
        let mut add = |label: String, places: Vec<Place>| {
            let places = drawn.opens(from, places);
            edges.extend(places.into_iter().map(|to| Edge { from, label: label.clone(), to }));
        };
        match from {
            Place::Menu(menu) => {
                for choice in drawn.choices(menu) {
                    add(format!("{} {}", choice.key.to_char(), choice.title), choice.goes.opens());
                }
                if let Some(goes) = menu.other_keys {
                    add("any key".to_owned(), goes.opens());
                }
            }
            Place::Question(question) => {
                add(format!("{} #", question.digits.name()), question.answer.opens());
                if drawn.near.is_none() {
                    add("* Back".to_owned(), question.back.opens());
                }
            }
        }
    }
    edges
}

fn json(drawn: &Drawn) -> String {
    let places = drawn.places().into_iter().map(|place| {
        let opens = |places: Vec<Place>| json_names(&drawn.opens(place, places));
        match place {
            Place::Menu(menu) => {
                let choices = drawn.choices(menu).map(|choice| json_choice(choice, &opens(choice.goes.opens())));
                format!(
                    r#"{{"name":{},"kind":"menu","choices":[{}],"other_keys":{}}}"#,
                    quoted(menu.clip),
                    choices.collect::<Vec<_>>().join(","),
                    menu.other_keys.map_or_else(|| "null".to_owned(), |goes| opens(goes.opens()))
                )
            }
            Place::Question(question) => format!(
                r#"{{"name":{},"kind":"question","digits":{},"opens":{},"back":{}}}"#,
                quoted(question.clip),
                quoted(question.digits.name()),
                opens(question.answer.opens()),
                opens(question.back.opens()),
            ),
        }
    });
    format!("[{}]\n", places.collect::<Vec<_>>().join(",\n "))
}

fn json_choice(choice: &Choice, opens: &str) -> String {
    let clip = if choice.said { quoted(choice.name) } else { "null".to_owned() };
    let needs: Vec<String> = choice.needs.map_or_else(Vec::new, names_of).into_iter().map(quoted).collect();
    let any_of = needs.join(",");
    format!(
        r#"{{"key":"{}","name":{},"clip":{clip},"title":{},"any_of":[{any_of}],"opens":{opens}}}"#,
        choice.key.to_char(),
        quoted(choice.name),
        quoted(choice.title),
    )
}

fn json_names(places: &[Place]) -> String {
    let quoted: Vec<String> = names(places).into_iter().map(quoted).collect();
    format!("[{}]", quoted.join(","))
}

fn any_of(permissions: Permissions) -> String {
    if permissions == Permissions::ANY_ROLE { "any role".to_owned() } else { names_of(permissions).join(" or ") }
}

fn names_of(permissions: Permissions) -> Vec<&'static str> {
    Permission::ALL.into_iter().filter(|permission| permissions.has(*permission)).map(Permission::name).collect()
}

fn names(places: &[Place]) -> Vec<&'static str> {
    places.iter().map(|place| place.name()).collect()
}

/// The text as a JSON string. All texts are constants of ours, without control characters.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn line(out: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = writeln!(out, "{line}");
}
