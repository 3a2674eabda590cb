//! How the configuration is read: the file, the environment, and what is wrong with either, with its place.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Config, Login};

/// Where the configuration is looked for when neither `--config` nor `SWITCHHOOK_CONFIG` names a file.
pub const DEFAULT_PATH: &str = "/etc/switchhook/switchhook.toml";
/// Longest configuration file, in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// What an environment variable that sets a key begins with.
const VARIABLE_PREFIX: &str = "SWITCHHOOK_";

/// Why the configuration can't be used, in one line that says where and what is expected.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{file}: {why}; name another with --config or SWITCHHOOK_CONFIG")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        why: String,
    },
    /// A key or a value is wrong.
    #[error("{file}:{line}: {what}")]
    Wrong {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The key and what is expected.
        what: String,
    },
    /// An environment variable is wrong.
    #[error("{variable}: {what}")]
    Variable {
        /// Its name.
        variable: String,
        /// What is expected.
        what: String,
    },
}

impl Config {
    /// Reads `file`, else `$SWITCHHOOK_CONFIG`, else [`DEFAULT_PATH`] where it exists, else takes the defaults; then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let named = file.map(Path::to_owned).or_else(|| std::env::var_os("SWITCHHOOK_CONFIG").map(PathBuf::from));
        let config = match named {
            Some(path) => Self::read(&path)?,
            None => Self::read_if_there(Path::new(DEFAULT_PATH))?,
        };
        config.with_variables(variables()?.into_iter())
    }

    /// The defaults and the environment alone, without any file.
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::default().with_variables(variables()?.into_iter())
    }

    /// A file that is not there is none; one of which that can't be known is an error: the defaults may be less strict.
    fn read_if_there(path: &Path) -> Result<Self, ConfigError> {
        match path.try_exists() {
            Ok(true) => Self::read(path),
            Ok(false) => Ok(Self::default()),
            Err(why) => Err(ConfigError::Unreadable { file: path.display().to_string(), why: why.to_string() }),
        }
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let unreadable = |why: String| ConfigError::Unreadable { file: file.clone(), why };
        let opened = File::open(path).map_err(|e| unreadable(e.to_string()))?;
        let mut text = String::new();
        // One byte more than may be tells whether there are more; a pipe does not say its length.
        opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|e| unreadable(e.to_string()))?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(unreadable(format!("more than the {FILE_BYTES_MAX} bytes that a configuration may have")));
        }
        Self::parse(&file, &text)
    }

    /// Takes the TOML text of a file of that name.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let wrong = |error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes().iter().take(at).filter(|&&b| b == b'\n').count() + 1;
            ConfigError::Wrong { file: file.to_owned(), line, what: one_line(&explain(text, line, error.message())) }
        };
        let config: Self = toml::from_str(text).map_err(wrong)?;
        config.check().map_err(|(key, what)| {
            let line = line_of(text, key);
            ConfigError::Wrong { file: file.to_owned(), line, what: one_line(&format!("{key}: {what}")) }
        })?;
        Ok(config)
    }

    /// Applies `SWITCHHOOK_SECTION__KEY` variables, then checks what they make together; lists are separated by commas.
    ///
    /// # Errors
    /// The first variable that names no key, or has a value that does not fit.
    pub fn with_variables(self, variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut config = self;
        let mut applied: Vec<String> = Vec::new();
        for (variable, text) in variables {
            let Some(path) = variable.strip_prefix(VARIABLE_PREFIX).filter(|rest| *rest != "CONFIG") else { continue };
            let wrong = |what: String| ConfigError::Variable { variable: one_line(&variable), what: one_line(&what) };
            let path: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
            let mut table = toml::Table::try_from(&config).map_err(|e| wrong(e.to_string()))?;
            let slot =
                find(&mut table, &path).ok_or_else(|| wrong("there is no such key in the configuration".into()))?;
            *slot = value_like(slot, &text).map_err(wrong)?;
            config = table.try_into().map_err(|e: toml::de::Error| wrong(e.message().to_owned()))?;
            applied.push(variable);
        }
        if applied.is_empty() {
            return Ok(config);
        }
        config.check().map_err(|(key, what)| {
            // The one that sets the key, else all of them: the file alone was right.
            let sets = |name: &&String| name.to_ascii_lowercase().split("__").any(|part| part == key);
            let variable = applied.iter().find(sets).cloned().unwrap_or_else(|| applied.join(", "));
            ConfigError::Variable { variable, what: format!("{key}: {what}") }
        })?;
        Ok(config)
    }

    /// What serde can't know: values that parse and make no sense.
    fn check(&self) -> Result<(), (&'static str, String)> {
        let at_least_one = [
            ("first_key_s", self.menu.first_key_s),
            ("between_keys_s", self.menu.between_keys_s),
            ("silences", self.menu.silences),
            ("wrong_keys", self.menu.wrong_keys),
            ("call_max_s", self.menu.call_max_s),
            ("rtp_silence_s", self.menu.rtp_silence_s),
            ("tries_per_call", self.login.tries_per_call),
            ("lock_after", self.login.lock_after),
            ("source_tries_per_minute", self.login.source_tries_per_minute),
            ("overall_tries_per_minute", self.login.overall_tries_per_minute),
            ("temporary_pin_hours", self.login.temporary_pin_hours),
            ("calls_max", self.sip.calls_max),
            ("silence_s", self.recordings.silence_s),
            ("length_max_s", self.recordings.length_max_s),
        ];
        for (key, value) in at_least_one {
            if value == 0 {
                return Err((key, "expected at least 1".into()));
            }
        }
        let at_most = [
            ("length_max_s", self.recordings.length_max_s, 3600),
            ("call_max_s", self.menu.call_max_s, 86_400),
            ("lock_max_s", self.login.lock_max_s, 86_400),
            ("source_tries_per_minute", self.login.source_tries_per_minute, 60_000),
            ("overall_tries_per_minute", self.login.overall_tries_per_minute, 60_000),
            ("temporary_pin_hours", self.login.temporary_pin_hours, 720),
            ("delay_s", self.effects.reboot.delay_s, 3600),
            ("drain_seconds", self.sip.drain_seconds, 86_400),
            ("calls_max", self.sip.calls_max, 100_000),
        ];
        for (key, value, most) in at_most {
            if value > most {
                return Err((key, format!("expected at most {most}")));
            }
        }
        self.check_login()?;
        if self.site.name.trim().is_empty() {
            return Err(("name", "expected the site's name, such as main".into()));
        }
        if self.sip.listen.is_empty() {
            return Err(("listen", "expected at least one, such as udp:0.0.0.0:5060".into()));
        }
        if self.sip.extensions.is_empty() || self.sip.extensions.iter().any(String::is_empty) {
            return Err(("extensions", "expected at least one user part, such as 7000".into()));
        }
        if self.media.codecs.is_empty() {
            return Err(("codecs", "expected PCMU, PCMA or both".into()));
        }
        if self.effects.reboot.run.is_empty() {
            return Err(("reboot", "expected run = [\"program\", \"argument\"]".into()));
        }
        if self.effects.backup.folder.is_empty() {
            return Err(("backup", "expected folder = \"/a/folder\"".into()));
        }
        if self.effects.backup.keep == 0 || self.effects.logging.keep == 0 {
            return Err(("keep", "expected at least 1".into()));
        }
        if self.effects.hooks.iter().any(|hook| hook.run.is_empty() || hook.on.is_empty()) {
            return Err(("hooks", "expected on = [\"event\"] and run = [\"program\"]".into()));
        }
        if self.effects.hooks.iter().any(|hook| !(1..=3600).contains(&hook.timeout_s)) {
            return Err(("timeout_s", "expected 1 to 3600".into()));
        }
        Ok(())
    }

    /// Lock-outs can be made shorter, but not switched off by figures that contradict each other.
    fn check_login(&self) -> Result<(), (&'static str, String)> {
        let Login { lock_s, lock_max_s, lock_after, unlock_after, .. } = self.login;
        if lock_s == 0 || lock_max_s < lock_s {
            return Err(("lock_max_s", "expected lock_s at least 1, and lock_max_s at least lock_s".into()));
        }
        if unlock_after < lock_after || unlock_after > 1000 {
            return Err(("unlock_after", "expected at least lock_after, and at most 1000".into()));
        }
        Ok(())
    }
}

/// The variables of the environment that are ours.
fn variables() -> Result<Vec<(String, String)>, ConfigError> {
    let ours = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    ours.filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
        .map(|(variable, value)| match value.into_string() {
            Ok(value) => Ok((variable, value)),
            Err(_) => Err(ConfigError::Variable { variable, what: "expected text in UTF-8".into() }),
        })
        .collect()
}

/// Keys that the interface names and this version does not act on.
const NOT_YET: [&str; 2] = ["metrics", "registrations"];

/// A value that is repeated may hold anything; what is said of it is one line, and moves no terminal's cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn explain(text: &str, line: usize, message: &str) -> String {
    let written = text.lines().nth(line.saturating_sub(1)).unwrap_or("").trim();
    match NOT_YET.iter().find(|key| message.starts_with(&format!("unknown field `{key}`"))) {
        Some(key) => format!("`{key}` has no effect in this version yet; remove it"),
        None if written.is_empty() => message.to_owned(),
        None => format!("{message} (at `{written}`)"),
    }
}

/// The line of the first assignment to `key`, or of its table; 1 where it is only a default.
fn line_of(text: &str, key: &str) -> usize {
    let table = format!(".{key}]");
    let assigns =
        |line: &str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    text.lines().position(|line| assigns(line) || line.contains(&table)).map_or(1, |at| at + 1)
}

fn find<'a>(table: &'a mut toml::Table, path: &[String]) -> Option<&'a mut toml::Value> {
    let (first, rest) = path.split_first()?;
    let value = table.get_mut(first)?;
    match rest {
        [] => Some(value),
        _ => find(value.as_table_mut()?, rest),
    }
}

/// Reads `text` as a value of the kind that `present` has.
fn value_like(present: &toml::Value, text: &str) -> Result<toml::Value, String> {
    use toml::Value;
    Ok(match present {
        Value::String(_) | Value::Datetime(_) => Value::String(text.to_owned()),
        Value::Integer(_) => Value::Integer(text.parse().map_err(|_| format!("`{text}`: expected a whole number"))?),
        Value::Float(_) => Value::Float(text.parse().map_err(|_| format!("`{text}`: expected a number"))?),
        Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| format!("`{text}`: expected true or false"))?),
        Value::Array(_) => {
            let items = split_list(text).into_iter().map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        Value::Table(_) => return Err("names a whole section; name a key in it".into()),
    })
}

/// Splits at commas, but not within braces: `[0-9]{2,11}` is one item.
fn split_list(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let outside = |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    text.split(outside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Level;

    fn error(text: &str) -> String {
        Config::parse("t.toml", text).expect_err("an error").to_string()
    }

    fn with(variable: &str, text: &str) -> Result<Config, String> {
        let one = [(variable.to_owned(), text.to_owned())];
        Config::default().with_variables(one.into_iter()).map_err(|e| e.to_string())
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(Config::parse("t.toml", ""), Ok(Config::default()));
    }

    #[test]
    fn a_wrong_key_or_value_names_file_line_and_expectation() {
        let unknown = error("[sip]\ncalls_max = 5\nlissten = []\n");
        assert!(unknown.starts_with("t.toml:3: unknown field `lissten`, expected one of `listen`"), "{unknown}");
        let wrong = error("[sip]\n\nlisten = [\"udp:5060\"]\n");
        assert!(wrong.starts_with("t.toml:3: `udp:5060`: expected udp:ADDRESS:PORT"), "{wrong}");
        let number = error("[menu]\nfirst_key_s = \"eight\"\n");
        assert!(number.starts_with("t.toml:2: ") && number.contains("expected u32"), "{number}");
        assert_eq!(error("[menu]\n# at once\nfirst_key_s = 0\n"), "t.toml:3: first_key_s: expected at least 1");
        let later = error("[metrics]\nlisten = \"\"\n");
        assert_eq!(later, "t.toml:1: `metrics` has no effect in this version yet; remove it");
        let table = error("[site]\nname = \"a\"\n[effects.reboot]\nrun = []\n");
        assert!(table.starts_with("t.toml:3: reboot: expected run"), "{table}");
    }

    #[test]
    fn the_toll_policy_is_checked_where_it_stands() {
        let wrong = error("[forwarding]\nallowed = [\"[0-9]{2,11}\"]\ndenied = [\"00.*\", \"[0\"]\n");
        assert!(wrong.starts_with("t.toml:3: `[0`: expected a regular expression"), "{wrong}");
        let listed = with("SWITCHHOOK_FORWARDING__ALLOWED", "[0-9]{2,4}, 1{3,5}").map(|c| c.forwarding.allowed);
        let shown: Vec<String> = listed.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["[0-9]{2,4}", "1{3,5}"]);
        let wrong = with("SWITCHHOOK_FORWARDING__DENIED", "00.*,(").expect_err("an error");
        assert!(wrong.starts_with("SWITCHHOOK_FORWARDING__DENIED: `(`: expected a regular expression"), "{wrong}");
    }

    #[test]
    fn lock_outs_can_not_be_switched_off_by_accident() {
        let wrong = ["lock_max_s = 10", "lock_s = 0", "unlock_after = 0", "unlock_after = 100000"];
        for wrong in wrong.into_iter().chain(["source_tries_per_minute = 0", "overall_tries_per_minute = 60001"]) {
            assert!(error(&format!("[login]\n{wrong}\n")).starts_with("t.toml:"), "{wrong}");
        }
    }

    #[test]
    fn a_file_without_an_end_is_refused() {
        let error = Config::read(Path::new("/dev/zero")).expect_err("refused").to_string();
        assert!(error.starts_with("/dev/zero: more than the 1048576 bytes that a configuration may have"), "{error}");
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (bytes, fits) in [(1 << 20, true), ((1 << 20) + 1, false)] {
            std::fs::write(file.path(), "#".repeat(bytes)).expect("written");
            assert_eq!(Config::read(file.path()).is_ok(), fits, "{bytes}");
        }
    }

    #[test]
    fn the_order_of_variables_does_not_matter() {
        let set = |name: &str, text: &str| (format!("SWITCHHOOK_LOGIN__{name}"), text.to_owned());
        let both = [set("LOCK_S", "7200"), set("LOCK_MAX_S", "7200")];
        for order in [[0, 1], [1, 0]] {
            let config = Config::default().with_variables(order.into_iter().map(|at| both[at].clone()));
            assert_eq!(config.map(|config| config.login.lock_max_s), Ok(7200));
        }
        let wrong = with("SWITCHHOOK_LOGIN__LOCK_MAX_S", "1").expect_err("an error");
        assert!(wrong.starts_with("SWITCHHOOK_LOGIN__LOCK_MAX_S: lock_max_s: expected"), "{wrong}");
        let other = with("SWITCHHOOK_LOGIN__LOCK_S", "7200").expect_err("an error");
        assert!(other.starts_with("SWITCHHOOK_LOGIN__LOCK_S: lock_max_s: expected"), "{other}");
    }

    #[test]
    fn a_file_that_can_not_be_looked_for_is_not_taken_for_missing() {
        assert_eq!(Config::read_if_there(Path::new("/nonexistent/switchhook.toml")), Ok(Config::default()));
        let file = tempfile::NamedTempFile::new().expect("a file");
        let error = Config::read_if_there(&file.path().join("switchhook.toml")).expect_err("an error").to_string();
        assert!(error.contains("/switchhook.toml: ") && error.contains("--config"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = Config::load(Some(Path::new("/nonexistent/switchhook.toml"))).expect_err("an error").to_string();
        assert!(missing.starts_with("/nonexistent/switchhook.toml: No such file"), "{missing}");
    }

    #[test]
    fn variables_set_keys_of_every_kind() {
        let listen = with("SWITCHHOOK_SIP__LISTEN", "udp:127.0.0.1:5070, tcp:[::1]:5070").map(|c| c.sip.listen);
        assert_eq!(listen.map(|l| l.len()), Ok(2));
        assert_eq!(with("SWITCHHOOK_EFFECTS__REBOOT__DELAY_S", "3").map(|c| c.effects.reboot.delay_s), Ok(3));
        assert_eq!(with("SWITCHHOOK_LOG__LEVEL", "debug").map(|c| c.log.level), Ok(Level::Debug));
        assert_eq!(with("SWITCHHOOK_CONFIG", "/etc/x"), Ok(Config::default()));
        let unknown = with("SWITCHHOOK_SIP__LISSTEN", "x").expect_err("an error");
        assert_eq!(unknown, "SWITCHHOOK_SIP__LISSTEN: there is no such key in the configuration");
        let wrong = with("SWITCHHOOK_MENU__SILENCES", "three").expect_err("an error");
        assert_eq!(wrong, "SWITCHHOOK_MENU__SILENCES: `three`: expected a whole number");
        let lines = with("SWITCHHOOK_MENU__SILENCES", "1\n\u{1b}[2J2").expect_err("an error");
        assert_eq!(lines, "SWITCHHOOK_MENU__SILENCES: `1  [2J2`: expected a whole number", "one line");
    }
}
