//! The docs are right: what a page says can be done is done here as it is written.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::world::server::Server;
use crate::world::setup::{PROJECT, Setup, sql_rows};
use crate::world::tools::are_here;
use crate::world::wait::until;

/// What others write has become changes by then.
const TAKEN_WITHIN: Duration = Duration::from_secs(20);

/// A fenced block of a page.
struct Block<'a> {
    /// What follows the opening fence.
    info: &'a str,
    text: &'a str,
    /// The `text` block that follows at once: what comes of it.
    result: Option<&'a str>,
}

/// The SQL of docs/store.md, on the demo's own store while it serves: each block runs as it stands, and where a `text`
/// block follows it is the answer. What is marked `sql outside` is written by another program, and becomes changes.
#[test]
fn the_sql_of_the_store_page_runs_as_it_stands() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = Setup::without_store();
    let server = Server::start_demo(&setup);
    let store = server.demo_store();
    let page = page("docs/store.md");
    let blocks = blocks(&page);
    let sql = || blocks.iter().filter(|block| block.info.split(' ').next() == Some("sql"));
    assert!(sql().count() >= 3, "{} blocks of SQL", sql().count());
    for block in sql() {
        let answer = sql_rows(&store, block.text).join("\n");
        if let Some(result) = block.result {
            assert_eq!(answer, result.trim_end(), "{}", block.text);
        }
        if block.info == "sql outside" {
            let left = || sql_rows(&store, "SELECT count(*) FROM outside_writes");
            until(TAKEN_WITHIN, "what was written has numbers", || left() == ["0"]);
        }
    }
    let outside = sql().filter(|block| block.info == "sql outside").count();
    let sql = "SELECT count(*) FROM v_changes WHERE account = 'outside'";
    let changes: usize = sql_rows(&store, sql).join("").parse().expect("a number");
    assert!(changes >= outside, "{outside} blocks write, and there are {changes} changes");
    assert_eq!(sql_rows(&store, "PRAGMA integrity_check"), ["ok"]);
}

/// What other programs read has no hash of a PIN in it, whichever view they choose.
#[test]
fn no_view_shows_the_hash_of_a_pin() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    assert!(setup.rows("SELECT hash FROM pins").iter().any(|hash| hash.contains("argon2")));
    let views = setup.rows("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name");
    assert!(views.len() > 10, "{views:?}");
    let page = page("docs/store.md");
    for view in &views {
        assert!(page.contains(view.as_str()), "docs/store.md does not name {view}");
        let rows = setup.rows(&format!("SELECT * FROM {view}"));
        assert!(!rows.iter().any(|row| row.contains("argon2")), "{view}");
    }
}

/// The drawing in the README is made by the program.
#[test]
fn the_menu_of_the_readme_is_the_menu_that_runs() {
    let setup = Setup::without_store();
    let readme = page("README.md");
    let section =
        readme.split("\n## The menu\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the section");
    let blocks = blocks(section);
    let drawn = blocks.iter().find(|block| block.info == "mermaid").expect("a drawing");
    let made = setup.done(&["menu", "--format", "mermaid"], "");
    let differs = drawn.text.lines().zip(made.lines()).position(|(drawn, made)| drawn != made);
    let how = "put what `switchhook menu --format mermaid` prints into README.md, section \"The menu\"";
    assert!(drawn.text.trim_end() == made.trim_end(), "line {differs:?} of the drawing differs: {how}");
}

fn page(name: &str) -> String {
    let path: PathBuf = Path::new(PROJECT).join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The fenced blocks of a page, in order.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    // Every second part is inside of a fence.
    let mut parts = page.split("```");
    let mut between = parts.next().unwrap_or_default();
    while let (Some(inside), Some(after)) = (parts.next(), parts.next()) {
        let (info, text) = inside.split_once('\n').unwrap_or((inside, ""));
        let follows_at_once = between.trim().is_empty();
        match blocks.last_mut() {
            Some(last) if info == "text" && follows_at_once => last.result = Some(text),
            _ => blocks.push(Block { info: info.trim(), text, result: None }),
        }
        between = after;
    }
    blocks
}

#[test]
fn blocks_of_a_page() {
    let blocks = blocks(
        "a\n```sql\nSELECT 1;\n```\n\n```text\n1\n```\nb\n```sql outside\nUPDATE x;\n```\nc\n```text\nno\n```\n",
    );
    let found: Vec<_> = blocks.iter().map(|block| (block.info, block.text, block.result)).collect();
    let expected = [("sql", "SELECT 1;\n", Some("1\n")), ("sql outside", "UPDATE x;\n", None), ("text", "no\n", None)];
    assert_eq!(found, expected);
}
