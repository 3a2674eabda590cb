//! `user import` and `user export`: accounts as CSV.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use csv::StringRecord;

use super::{Shell, SiteArg};
use crate::access::{Context, Role};
use crate::model::{Extension, Language};
use crate::store::{Admin, AdminError, ImportedUser, Store};

/// Longest file that is imported, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Most users of one import: each PIN is hashed, and all are written in one step.
const USERS_MAX: usize = 10_000;
/// Most faults that are told of one file.
const FAULTS_MAX: usize = 20;
/// The columns, in the order in which they are exported.
const COLUMNS: [&str; 5] = ["extension", "name", "username", "roles", "language"];
/// What a spreadsheet takes a field that begins with it for: a formula, which may send the others to anybody.
const FORMULA_BEGINS: [char; 4] = ['=', '+', '-', '@'];
/// What is put before such a field, so that it is text; the import takes it away again.
const TEXT_MARK: char = '\'';
/// Between the roles of a user, in one field.
const ROLES_BETWEEN: &str = ";";

/// `user import FILE.csv`
#[derive(Debug, Args)]
pub struct Import {
    /// Columns extension, name, username, roles (`;` between them), language; the first line names them, and only
    /// extension has to be there
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    #[command(flatten)]
    site: SiteArg,
}

impl Import {
    pub(super) async fn run(self, shell: &mut Shell<'_>) -> anyhow::Result<()> {
        let name = self.file.display().to_string();
        let mut faults = Faults::default();
        let rows = parse(&read(&self.file)?, &mut faults).with_context(|| name.clone())?;
        let (store, ctx) = shell.open(&self.site).await?;
        let reply = async {
            find_taken(&store, &ctx, &rows, &mut faults).await?;
            faults.none_or_refuse(&name)?;
            let added = rows.len();
            let reply = store.admin(&ctx, Admin::ImportUsers { rows }).await.with_context(|| name.clone())?;
            anyhow::Ok((added, reply))
        }
        .await;
        store.close().await;
        let (added, reply) = reply?;
        let what = if added == 1 { "1 user added".to_owned() } else { format!("{added} users added") };
        shell.done(&what, &reply)
    }
}

/// Writes the accounts of a site on standard output.
pub(super) async fn export(shell: &mut Shell<'_>, site: &SiteArg) -> anyhow::Result<()> {
    let (store, ctx) = shell.open(site).await?;
    let rows = store.users(ctx.site, ctx.now).await;
    store.close().await;
    let mut text = Vec::new();
    let mut writer = csv::Writer::from_writer(&mut text);
    writer.write_record(COLUMNS)?;
    for row in rows? {
        let roles = row.roles.join(ROLES_BETWEEN);
        let language = row.language.unwrap_or_default();
        writer.write_record([row.extension, marked(row.name), marked(row.username), roles, language])?;
    }
    writer.flush()?;
    drop(writer);
    Ok(shell.out.write_all(&text)?)
}

/// What is wrong with a file, by line.
#[derive(Debug, Default)]
struct Faults {
    by_line: Vec<(u64, String)>,
    /// There are more than are told.
    more: bool,
}

impl Faults {
    fn push(&mut self, line: u64, why: impl Into<String>) {
        if self.by_line.len() < FAULTS_MAX {
            self.by_line.push((line, why.into()));
        } else {
            self.more = true;
        }
    }

    fn none_or_refuse(&mut self, name: &str) -> anyhow::Result<()> {
        if self.by_line.is_empty() {
            return Ok(());
        }
        self.by_line.sort_by_key(|(line, _)| *line);
        let mut said = "nothing was imported; mend these lines and import the file again:".to_owned();
        for (line, why) in &self.by_line {
            write!(said, "\n{name}:{line}: {why}")?;
        }
        if self.more {
            write!(said, "\nthere are more; these are {FAULTS_MAX} of them")?;
        }
        Err(WrongLines(said).into())
    }
}

/// A list of users that was not imported: each line that is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct WrongLines(String);

fn read(file: &Path) -> anyhow::Result<String> {
    let name = file.display();
    let mut bytes = Vec::new();
    let opened = File::open(file).with_context(|| format!("{name} can't be read"))?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(|| format!("{name} can't be read"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        bail!("{name} has more than {FILE_BYTES_MAX} bytes: nothing was imported; split it");
    }
    String::from_utf8(bytes).ok().with_context(|| {
        format!("{name} is not UTF-8: nothing was imported; save it as \"CSV UTF-8\" and import it again")
    })
}

/// The users of a file that has its header line; what is wrong with their lines goes to `faults`.
fn parse(text: &str, faults: &mut Faults) -> anyhow::Result<Vec<ImportedUser>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).trim(csv::Trim::All);
    let mut reader = reader.from_reader(text.as_bytes());
    let mut records = reader.records();
    let head = records.next().transpose()?.context("there is no line in it; the first one names the columns")?;
    let columns = Columns::read(&head)?;
    let (mut users, mut seen) = (Vec::new(), Seen::default());
    for record in records {
        let record = record?;
        let line = line_of(&record, text);
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.len() != head.len() {
            let (found, expected) = (record.len(), head.len());
            faults.push(line, format!("{found} fields where the first line names {expected}"));
        } else if let Some(user) = columns.user(&record, line, faults) {
            seen.note(&user, faults);
            users.push(user);
        }
        if users.len() > USERS_MAX {
            bail!("more than {USERS_MAX} users: nothing was imported; split the file");
        }
    }
    if users.is_empty() && faults.by_line.is_empty() {
        bail!("there are no users in it, only the line that names the columns");
    }
    Ok(users)
}

/// The line on which a record begins, from 1. The reader counts the empty lines before a record to it.
fn line_of(record: &StringRecord, text: &str) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    position.line() + empty.count() as u64
}

/// Where each of [`COLUMNS`] is in this file.
struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    fn read(head: &StringRecord) -> anyhow::Result<Self> {
        let mut places = [None; COLUMNS.len()];
        for (at, name) in head.iter().enumerate() {
            let name = name.to_ascii_lowercase();
            if name.contains(';') {
                bail!("the first line has `;` between its columns; save the file with commas between them");
            }
            if name.contains("pin") {
                bail!("PINs are not imported: take that column out; temporary PINs are made and printed");
            }
            let known = COLUMNS.iter().zip(&mut places).find(|(column, _)| **column == name);
            let Some((_, place)) = known else {
                bail!("`{name}` in the first line is no column; it takes {}", COLUMNS.join(","));
            };
            if place.replace(at).is_some() {
                bail!("the first line names `{name}` twice");
            }
        }
        let Some(Some(_)) = places.first() else {
            bail!("the first line names no column `extension`; it takes {}", COLUMNS.join(","));
        };
        Ok(Self(places))
    }

    /// The user of a record, where nothing is wrong with it.
    fn user(&self, record: &StringRecord, line: u64, faults: &mut Faults) -> Option<ImportedUser> {
        let [extension, name, username, roles, language] =
            self.0.map(|place| place.and_then(|at| record.get(at)).unwrap_or_default());
        if record.iter().any(|field| field.contains(['\r', '\n'])) {
            faults.push(line, "a field goes on over the end of the line: a `\"` is missing, or there is one too many");
            return None;
        }
        let extension = told(super::extension(extension), line, faults);
        let roles = told(read_roles(roles), line, faults);
        let language = told(read_language(language), line, faults);
        let (name, username) = (unmarked(name), unmarked(username));
        let username = (!username.is_empty()).then(|| username.to_owned());
        let (extension, roles, language) = (extension?, roles?, language?);
        Some(ImportedUser { line, extension, name: name.to_owned(), username, roles, language })
    }
}

/// Whether a spreadsheet would take it for a formula, were it not for marks before it.
fn is_formula(field: &str) -> bool {
    field.trim_start_matches(TEXT_MARK).starts_with(FORMULA_BEGINS)
}

fn marked(field: String) -> String {
    if is_formula(&field) { format!("{TEXT_MARK}{field}") } else { field }
}

/// The reverse of [`marked`].
fn unmarked(field: &str) -> &str {
    if is_formula(field) { field.strip_prefix(TEXT_MARK).unwrap_or(field) } else { field }
}

fn told<T>(read: Result<T, String>, line: u64, faults: &mut Faults) -> Option<T> {
    read.map_err(|why| faults.push(line, why)).ok()
}

fn read_roles(text: &str) -> Result<Vec<Role>, String> {
    let names = text.split(|c: char| ROLES_BETWEEN.contains(c) || c.is_whitespace()).filter(|name| !name.is_empty());
    let mut roles = names.map(super::role).collect::<Result<Vec<Role>, String>>()?;
    roles.sort_unstable();
    roles.dedup();
    Ok(roles)
}

/// Nothing is the configured language.
fn read_language(text: &str) -> Result<Option<Language>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let known = || format!("a language is one of {}, or empty", Language::ALL.map(Language::code).join(", "));
    Language::parse(text).map(Some).ok_or_else(known)
}

/// The line on which each extension and each username was first.
#[derive(Default)]
struct Seen {
    extensions: HashMap<Extension, u64>,
    usernames: HashMap<String, u64>,
}

impl Seen {
    fn note(&mut self, user: &ImportedUser, faults: &mut Faults) {
        if let Some(first) = self.extensions.insert(user.extension.clone(), user.line) {
            faults.push(user.line, format!("extension {} is on line {first} too", user.extension));
        }
        let Some(username) = &user.username else { return };
        if let Some(first) = self.usernames.insert(username.clone(), user.line) {
            faults.push(user.line, format!("the username `{username}` is on line {first} too"));
        }
    }
}

/// Finds the extensions that have an account already. The import itself checks again; it tells one line only.
async fn find_taken(store: &Store, ctx: &Context, rows: &[ImportedUser], faults: &mut Faults) -> anyhow::Result<()> {
    for row in rows {
        match store.user(ctx.site, &row.extension, ctx.now).await {
            Ok(_) => faults.push(row.line, format!("extension {} has an account already", row.extension)),
            Err(AdminError::UnknownExtension(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if faults.more {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The users, or what is told of the file.
    fn parsed(text: &str) -> Result<Vec<ImportedUser>, String> {
        let mut faults = Faults::default();
        let users = parse(text, &mut faults).map_err(|error| error.to_string())?;
        faults.none_or_refuse("f.csv").map_err(|error| error.to_string())?;
        Ok(users)
    }

    fn refused(text: &str) -> String {
        parsed(text).expect_err(text)
    }

    #[test]
    fn a_file_as_a_spreadsheet_saves_it() {
        let text = "\u{feff}Extension,Name,Username,Roles,Language\r\n\
                    1042,\"Bo, the \"\"Second\"\"\",bo,phone-administrator; support-technician,de\r\n\
                    \r\n\
                    1043, Cy ,,,\r\n\
                    ,,,,\r\n";
        let [bo, cy]: [ImportedUser; 2] = parsed(text).unwrap().try_into().unwrap();
        assert_eq!((bo.line, bo.extension.as_str(), bo.name.as_str()), (2, "1042", "Bo, the \"Second\""));
        assert_eq!(bo.username.as_deref(), Some("bo"));
        assert_eq!(bo.roles, [Role::PhoneAdministrator, Role::SupportTechnician]);
        assert_eq!(bo.language, Some(Language::German));
        assert_eq!((cy.line, cy.extension.as_str(), cy.name.as_str()), (4, "1043", "Cy"));
        assert_eq!((cy.username, cy.roles, cy.language), (None, vec![], None));
    }

    #[test]
    fn what_a_spreadsheet_takes_for_a_formula_is_text_and_comes_back_the_same() {
        for name in ["=HYPERLINK(\"http://h\")", "+1", "-1", "@x", "'=1", "''@x", "'quoted'", "Ada", "a=b"] {
            let written = marked(name.to_owned());
            assert!(!written.starts_with(FORMULA_BEGINS), "{written}");
            assert_eq!(unmarked(&written), name);
        }
    }

    #[test]
    fn columns_may_be_left_out_and_in_another_order() {
        let users = parsed("name,extension\nAda,1000\n").unwrap();
        assert_eq!((users[0].name.as_str(), users[0].extension.as_str()), ("Ada", "1000"));
    }

    #[test]
    fn every_wrong_line_is_told_with_its_number() {
        let text = "extension,name,username,roles,language\n\
                    10a,A,,,\n\
                    1001,B,bo,janitor,xx\n\
                    \n\
                    1002,C,bo,,\n\
                    1003,D\n\
                    1002,E,bo,,\n";
        let said = refused(text);
        let lines: Vec<&str> = said.lines().skip(1).collect();
        let expected = [
            "f.csv:2: an extension is 1 to 16 digits",
            "f.csv:3: a role is one of server-administrator, ",
            "f.csv:3: a language is one of en, es, fr, de, or empty",
            "f.csv:6: 2 fields where the first line names 5",
            "f.csv:7: extension 1002 is on line 5 too",
            "f.csv:7: the username `bo` is on line 5 too",
        ];
        assert_eq!(lines.len(), expected.len(), "{said}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}");
        }
    }

    #[test]
    fn twenty_faults_are_told_and_no_more() {
        let said = refused(&format!("extension\n{}", "x\n".repeat(21)));
        assert_eq!(said.matches("f.csv:").count(), 20);
        assert!(said.contains("f.csv:21: ") && said.ends_with("there are more; these are 20 of them"), "{said}");
        assert!(!refused(&format!("extension\n{}", "x\n".repeat(20))).contains("there are more"));
    }

    #[test]
    fn what_is_no_list_of_users_is_refused_as_a_whole() {
        for (text, why) in [
            ("", "there is no line in it"),
            ("extension,name\n", "there are no users in it"),
            ("1042,Bo\n", "`1042` in the first line is no column; it takes extension,name,username,roles,language"),
            ("name\nBo\n", "names no column `extension`"),
            ("extension;name\n1042;Bo\n", "with commas between them"),
            ("extension,PIN\n1042,61849273\n", "PINs are not imported"),
            ("extension,extension\n1,2\n", "names `extension` twice"),
        ] {
            let said = refused(text);
            assert!(said.contains(why) && !said.contains("6184"), "{said}");
        }
        let unclosed = refused("extension,name\n1042,\"Bo\n1043,Cy\n");
        assert!(unclosed.contains("f.csv:2: a field goes on over the end of the line"), "{unclosed}");
        let most: String = (1..=10_000).map(|n| format!("{n}\n")).collect();
        assert_eq!(parsed(&format!("extension\n{most}")).map(|users| users.len()), Ok(10_000));
        let many = refused(&format!("extension\n{}", "1\n".repeat(10_001)));
        assert!(many.contains("more than 10000 users"), "{many}");
    }
}
