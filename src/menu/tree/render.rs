//! The menu as text for people and programs: `switchhook menu`.

use std::fmt::Write;

use crate::access::{Permission, Permissions};

use super::{Choice, MENUS, Place, QUESTIONS};

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

/// Draws the whole menu, each line ended.
pub fn render(format: Format) -> String {
    match format {
        Format::Text => text(),
        Format::Mermaid => {
            let id = |place: Place| place.name().replace('-', "_");
            let mut out = String::from("flowchart LR\n");
            for place in Place::all() {
                let (open, close) = if matches!(place, Place::Menu(_)) { ("[", "]") } else { ("([", "])") };
                line(&mut out, format_args!("    {}{open}\"{}\"{close}", id(place), place.name()));
            }
            for edge in edges() {
                let (from, to) = (id(edge.from), id(edge.to));
                line(&mut out, format_args!("    {from} -- \"{}\" --> {to}", edge.label));
            }
            out
        }
        Format::Dot => {
            let mut out = String::from("digraph menu {\n    rankdir=LR;\n");
            for place in Place::all() {
                let shape = if matches!(place, Place::Menu(_)) { "box" } else { "oval" };
                line(&mut out, format_args!("    \"{}\" [shape={shape}];", place.name()));
            }
            for edge in edges() {
                let (from, to) = (edge.from.name(), edge.to.name());
                line(&mut out, format_args!("    \"{from}\" -> \"{to}\" [label=\"{}\"];", edge.label));
            }
            out.push_str("}\n");
            out
        }
        Format::Json => json(),
    }
}

fn text() -> String {
    let mut out = String::new();
    for menu in MENUS {
        line(&mut out, format_args!("{}", menu.clip));
        for choice in menu.choices {
            let needs = choice.needs.map(|needs| format!("  [{}]", any_of(needs))).unwrap_or_default();
            let opens = opens(&choice.goes.opens());
            line(&mut out, format_args!("  {}  {}{needs}{opens}", choice.key.to_char(), choice.title));
        }
        if let Some(goes) = menu.other_keys {
            line(&mut out, format_args!("  any key{}", opens(&goes.opens())));
        }
    }
    for question in QUESTIONS {
        line(&mut out, format_args!("{}", question.clip));
        let answer = opens(&question.answer.opens());
        line(&mut out, format_args!("  {} and #{answer}", question.digits.name()));
        line(&mut out, format_args!("  *  Back{}", opens(&question.back.opens())));
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

fn edges() -> Vec<Edge> {
    let mut edges = Vec::new();
    for from in Place::all() {
        let mut add = |label: String, places: Vec<Place>| {
            edges.extend(places.into_iter().map(|to| Edge { from, label: label.clone(), to }));
        };
        match from {
            Place::Menu(menu) => {
                for choice in menu.choices {
                    add(format!("{} {}", choice.key.to_char(), choice.title), choice.goes.opens());
                }
                if let Some(goes) = menu.other_keys {
                    add("any key".to_owned(), goes.opens());
                }
            }
            Place::Question(question) => {
                add(format!("{} #", question.digits.name()), question.answer.opens());
                add("* Back".to_owned(), question.back.opens());
            }
        }
    }
    edges
}

fn json() -> String {
    let menus = MENUS.iter().map(|menu| {
        let choices: Vec<String> = menu.choices.iter().map(json_choice).collect();
        let other_keys = menu.other_keys.map_or_else(|| "null".to_owned(), |goes| json_names(&goes.opens()));
        format!(
            r#"{{"name":{},"kind":"menu","choices":[{}],"other_keys":{other_keys}}}"#,
            quoted(menu.clip),
            choices.join(",")
        )
    });
    let questions = QUESTIONS.iter().map(|question| {
        format!(
            r#"{{"name":{},"kind":"question","digits":{},"opens":{},"back":{}}}"#,
            quoted(question.clip),
            quoted(question.digits.name()),
            json_names(&question.answer.opens()),
            json_names(&question.back.opens()),
        )
    });
    format!("[{}]\n", menus.chain(questions).collect::<Vec<_>>().join(",\n "))
}

fn json_choice(choice: &Choice) -> String {
    let clip = if choice.said { quoted(choice.name) } else { "null".to_owned() };
    let needs: Vec<String> = choice.needs.map_or_else(Vec::new, names_of).into_iter().map(quoted).collect();
    let any_of = needs.join(",");
    format!(
        r#"{{"key":"{}","name":{},"clip":{clip},"title":{},"any_of":[{any_of}],"opens":{}}}"#,
        choice.key.to_char(),
        quoted(choice.name),
        quoted(choice.title),
        json_names(&choice.goes.opens()),
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
