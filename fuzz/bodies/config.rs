//! The configuration: TOML text and variables of the environment.

use switchhook::config::Config;

/// Text to the first NUL; then `NAME=VALUE`, a NUL between two.
pub fn run(data: &[u8]) {
    let mut parts = data.split(|b| *b == 0).map(String::from_utf8_lossy);
    let text = parts.next().unwrap_or_default();
    let config = match Config::parse("f.toml", &text) {
        Ok(config) => config,
        Err(error) => {
            let said = error.to_string();
            assert!(said.starts_with("f.toml:") && is_one_line(&said), "{said:?}");
            Config::default()
        }
    };
    let pair = |part: &str| part.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let variables: Vec<(String, String)> = parts.filter_map(|part| pair(&part)).collect();
    match config.clone().with_variables(variables.clone().into_iter()) {
        Ok(changed) => assert!(!variables.is_empty() || changed == config),
        Err(error) => {
            let said = error.to_string();
            let names = |name: &str| said.starts_with(&name.replace(char::is_control, " "));
            assert!(variables.iter().any(|(name, _)| names(name)), "{said:?}");
            assert!(is_one_line(&said), "{said:?}");
        }
    }
}

fn is_one_line(said: &str) -> bool {
    !said.contains(char::is_control)
}
