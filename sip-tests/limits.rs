//! Holds docs/limits.md to the source: each constant is where the page says with the value that it says, each test that
//! it names is there, and each bound of the source is on the page.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{code_lines, root, sources};

/// Durations whose names end so are bounds too.
const BOUNDS_OF_TIME: [&str; 2] = ["_WITHIN", "_TIMEOUT"];

/// One row of the page.
struct Row {
    value: String,
    name: String,
    file: String,
    test: Option<String>,
}

fn page() -> Vec<Row> {
    let page = fs::read_to_string(root().join("docs/limits.md")).expect("docs/limits.md");
    let rows = page.lines().filter(|line| line.starts_with('|') && line.contains("` in `")).map(|line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        assert_eq!(cells.len(), 5, "what, bound, at the bound, constant, test: {line}");
        let ticked = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let (value, place) = (ticked(cells[1]), ticked(cells[3]));
        assert_eq!((value.len(), place.len()), (1, 2), "one value, one constant and its file: {line}");
        Row {
            value: value[0].clone(),
            name: place[0].clone(),
            file: place[1].clone(),
            test: ticked(cells[4]).first().cloned(),
        }
    });
    rows.collect()
}

/// Whether a line gives the name that value: a constant, a field with its default, or a field of a struct.
fn gives(line: &str, name: &str, value: &str) -> bool {
    let Some(at) = line.find(&format!("{name}: ")) else { return false };
    let begins = line[..at].chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
    let rest = line[at + name.len() + 2..].trim_end_matches([';', ',']);
    begins && (rest == value || rest.split_once(" = ").is_some_and(|(_, given)| given == value))
}

#[test]
fn each_bound_on_the_page_is_in_the_source() {
    let sources = sources();
    let (mut faults, rows) = (Vec::new(), page());
    for row in &rows {
        let text = sources.iter().find(|(path, _)| *path == Path::new(&row.file)).map(|(_, text)| text.as_str());
        let is_so = text.is_some_and(|text| text.lines().any(|line| gives(line.trim(), &row.name, &row.value)));
        if !is_so {
            faults.push(format!("`{}` is not {} in {}", row.name, row.value, row.file));
        }
    }
    assert!(rows.len() > 100, "{} rows", rows.len());
    assert!(faults.is_empty(), "docs/limits.md:\n{}", faults.join("\n"));
}

#[test]
fn each_test_on_the_page_is_there() {
    let all = all_code();
    let tests = page().into_iter().filter_map(|row| row.test);
    let missing: Vec<String> = tests.filter(|test| !all.contains(&format!("fn {test}()"))).collect();
    assert!(missing.is_empty(), "docs/limits.md names tests that are not there: {missing:?}");
}

/// What `docs/security.md` names as shown by a test, and has the name of one.
#[test]
fn each_test_of_the_page_on_security_is_there() {
    let text = fs::read_to_string(root().join("docs/security.md")).expect("the page");
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let shown = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let quoted = shown.flat_map(|shown| shown.split('`').skip(1).step_by(2));
    let names: Vec<&str> = quoted.filter_map(|name| name.rsplit("::").next()).filter(|name| is_test(name)).collect();
    assert!(names.len() > 100, "{} names", names.len());
    let all = all_code();
    let missing: Vec<&str> = names.into_iter().filter(|name| !all.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "docs/security.md names tests that are not there: {missing:?}");
}

/// Names of tests are sentences.
fn is_test(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') && name.matches('_').count() > 2
}

/// All that is in `src` and `sip-tests`.
fn all_code() -> String {
    let mut all: String = sources().into_iter().map(|(_, text)| text).collect();
    let mut folders = vec![root().join("sip-tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|ending| ending == "rs") {
                all += &fs::read_to_string(&entry).expect("text");
            }
        }
    }
    all
}

#[test]
fn each_bound_of_the_source_is_on_the_page() {
    let rows = page();
    let known: BTreeSet<(&str, &str)> = rows.iter().map(|row| (row.name.as_str(), row.file.as_str())).collect();
    let mut missing = Vec::new();
    for (path, text) in sources() {
        for (_, line) in code_lines(&path, &text) {
            let Some((name, kind, value)) = constant(line) else { continue };
            let of_time = kind == "Duration" && BOUNDS_OF_TIME.iter().any(|ending| name.ends_with(ending));
            let file = path.to_string_lossy();
            if (name.ends_with("_MAX") || of_time) && !known.contains(&(name, file.as_ref())) {
                missing.push(format!("| what | `{value}` | at the bound | `{name}` in `{file}` | — |"));
            }
        }
    }
    assert!(missing.is_empty(), "docs/limits.md has no row for:\n{}", missing.join("\n"));
}

/// Name, type and value of a constant that a line defines.
fn constant(line: &str) -> Option<(&str, &str, &str)> {
    let line = line.trim();
    let at = line.find("const ").filter(|at| *at == 0 || line.starts_with("pub"))?;
    let (name, rest) = line[at + "const ".len()..].split_once(": ")?;
    let (kind, value) = rest.split_once(" = ")?;
    Some((name, kind, value.trim_end_matches(';')))
}

#[test]
fn a_bound_is_found_in_a_line() {
    assert!(gives("pub const A_MAX: usize = 16 * 1024;", "A_MAX", "16 * 1024"));
    assert!(gives("calls_max: u32 = 2000,", "calls_max", "2000"));
    assert!(gives("transactions_max: 131_072,", "transactions_max", "131_072"));
    assert!(!gives("const BA_MAX: usize = 5;", "A_MAX", "5") && !gives("const A_MAX: usize = 50;", "A_MAX", "5"));
    assert_eq!(constant("pub(super) const A_MAX: i64 = 5;"), Some(("A_MAX", "i64", "5")));
    assert_eq!(constant("let a = \"const A_MAX: i64 = 5;\";"), None);
}
