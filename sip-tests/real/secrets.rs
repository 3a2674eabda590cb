//! No PIN and no key of one, no password and no hash anywhere: everything logs at `trace`, hooks keep all that they get,
//! and what was keyed is looked for in files, in the store and in the memory of the server.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::world::agent::{Agent, KEYS_BY_RTP, NO_KEYS_BY_RTP};
use crate::world::baresip::Phone;
use crate::world::keypad::Keypad;
use crate::world::search::Memory;
use crate::world::server::Server;
use crate::world::setup::{Options, PROGRAM, Setup};
use crate::world::template::pin_of;
use crate::world::tools::are_here;
use crate::world::wait::{becomes, until};

/// Who may call directly, by digest.
const PASSWORD: &str = "zanzibar-of-the-road";
/// A key for SRTP, as an offer has it (RFC 4568).
const SRTP_KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
/// What is left behind by a call that is over is wiped by then, and the log is written.
const WIPED_WITHIN: Duration = Duration::from_secs(30);

/// A world in which everything is logged in that format, and a hook and the reboot note what they were started with.
fn talkative(format: &str) -> Setup {
    let reboot = "cat /proc/$$/cmdline /proc/$$/environ >> spied && echo reboot >> reboots";
    let setup = Setup::with(Options { log_level: "trace", reboot, ..Options::default() });
    fs::write(setup.path("password"), format!("{PASSWORD}\n")).expect("the password");
    let folder = setup.path("").display().to_string();
    let more = format!(
        "format = \"{format}\"\n\
         [[sip.accounts]]\nusername = \"road\"\npassword_file = \"{folder}/password\"\n\
         [[effects.hooks]]\non = [\"*\"]\n\
         run = [\"sh\", \"-c\", \"cd {folder} && cat - /proc/$$/cmdline /proc/$$/environ >> spied\"]\n"
    );
    fs::write(setup.config(), setup.text("switchhook.toml") + &more).expect("the configuration");
    setup
}

/// Nothing of it is anywhere: not in files, and not in the server's memory.
fn is_nowhere(setup: &Setup, server: &Server, keyed: &[&str]) {
    is_not_written(setup, keyed);
    is_not_kept(setup, server, keyed);
}

fn is_not_written(setup: &Setup, keyed: &[&str]) {
    // A hook that is run for it has run.
    let waiting = "SELECT count(*) FROM v_commands WHERE kind = 'hook' AND state NOT IN ('done', 'failed')";
    until(WIPED_WITHIN, "all hooks are told", || setup.value(waiting) == "0");
    let logs = setup.logs();
    assert!(
        logs.contains("TRACE") && !logs.contains("INSERT INTO"),
        "statements are not logged, nor what is bound to them"
    );
    setup.logs_no_key();
    let words = [keyed, &[PASSWORD, SRTP_KEY, "inline:"]].concat();
    setup.holds_none_of(&words);
    setup.keeps_hashes_to_itself();
    assert!(setup.text("spied").contains("change"), "a hook was told");
}

fn is_not_kept(setup: &Setup, server: &Server, keyed: &[&str]) {
    let Some(memory) = Memory::of(server.id()) else { return };
    let known = setup.path("log").display().to_string();
    let bodies: Vec<String> = (0..10).map(|digit| format!("Signal={digit}\r\n")).collect();
    let texts: Vec<&str> = [known.as_str(), PASSWORD].into_iter().chain(bodies.iter().map(String::as_str)).collect();
    let held: Vec<String> = memory.holds(&texts).into_iter().collect();
    assert_eq!(held, [known], "what is there is found, no password of an account and no body of an INFO");
    let mut remains = Vec::new();
    // What is under way when the call ends is wiped a moment later.
    let wiped = becomes(WIPED_WITHIN, || {
        remains = Memory::of(server.id()).map_or_else(Vec::new, |memory| memory.remains_of(keyed));
        remains.is_empty()
    });
    assert!(wiped, "{} remains in memory:\n{}", remains.len(), remains.join("\n"));
}

/// A call whose keys come by telephone-events, as fast as an autodialler.
struct Call<'a> {
    server: &'a Server,
    agent: Agent,
    keypad: Keypad,
}

impl<'a> Call<'a> {
    fn new(setup: &Setup, server: &'a Server) -> Self {
        let mut agent = Agent::new(setup);
        agent.new_call();
        let answer = agent.call(1, KEYS_BY_RTP);
        Self { server, keypad: Keypad::new(&answer), agent }
    }

    /// Presses keys, until the store was asked so often because of them and has answered.
    fn keys(&mut self, keys: &str, asked: usize) {
        let answered = |server: &Server| server.log_text().matches("switchhook::server::requests").count();
        let before = answered(self.server);
        self.keypad.events(&self.agent, keys);
        until(Duration::from_secs(30), keys, || answered(self.server) >= before + asked);
    }
}

#[test]
fn ones_own_pins_are_nowhere() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = talkative("text");
    let server = setup.serve();
    let mut call = Call::new(&setup, &server);
    // The PIN where the extension was asked for, an extension of nobody, then the right ones.
    call.keys("904826#904826#", 1);
    call.keys("1999#618049#", 1);
    call.keys("1005#904826#", 1);
    // A voicemail PIN: two that differ, one that is too simple, the present one, a good one.
    call.keys("1731946#731964#", 0);
    call.keys("777123#777123#", 1);
    call.keys("407193#407193#", 1);
    call.keys("731946#731946#", 1);
    call.keys("7852037#852037#", 1);
    call.keys("5904827#297350#297350#", 1);
    call.keys("904826#297350#297350#", 1);
    assert_eq!(call.agent.bye(2).code(), 200);
    let changed = "SELECT action FROM v_changes WHERE account = '1005' ORDER BY number";
    assert_eq!(setup.rows(changed), ["voicemail_pin.changed", "support_pin.changed", "account_pin.changed"]);
    let keyed = ["618049", "731946", "731964", "777123", "407193", "852037", "904827", "297350"];
    is_nowhere(&setup, &server, &keyed);
    // It was looked up as the extension that it was keyed as: what the database read it with is not ours to wipe.
    setup.holds_none_of(&["904826"]);
}

#[test]
fn pins_that_are_made_for_others_are_nowhere() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = talkative("text");
    let server = setup.serve();
    let mut phone = Phone::new(&setup, "caller");
    phone.dial(&server.uri);
    phone.press(&format!("1002#{}#31005#1", pin_of("1002")));
    phone.hears("temporary-pin-is");
    let voicemail = phone.hears_digits(6);
    phone.press("#*1006#2");
    phone.hears("temporary-pin-is");
    let account = phone.hears_digits(8);
    phone.hang_up();
    assert!(setup.voicemail_pin_is("1005", &voicemail));
    let mut call = Call::new(&setup, &server);
    call.keys(&format!("1006#{account}#"), 1);
    call.keys("73946185#73946185#", 1);
    assert_eq!(call.agent.bye(2).code(), 200);
    let temporary = &setup.json(&["user", "show", "1006"])["pin_temporary"];
    assert_eq!(*temporary, false, "it was changed");
    is_nowhere(&setup, &server, &[pin_of("1002"), &account, "73946185"]);
    // Six digits by chance are in a hundred megabytes by chance, as numbers some bytes apart: it is looked for in files only.
    setup.holds_none_of(&[&voicemail]);
}

#[test]
fn pins_that_confirm_are_nowhere() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = talkative("text");
    let server = setup.serve();
    let mut call = Call::new(&setup, &server);
    call.keys("1004#29618374#", 1);
    call.keys("651005#852038#", 1);
    // The reboot: what is said before it, whether it is allowed, a wrong PIN; then the right one.
    call.keys("3129618375#", 3);
    call.keys("29618374#", 1);
    until(Duration::from_secs(20), "the command is run", || setup.text("reboots") == "reboot\n");
    assert_eq!(call.agent.bye(2).code(), 200);
    assert!(setup.text("spied").contains("echo reboot"), "what the reboot was started with is known");
    is_nowhere(&setup, &server, &["29618374", "29618375", "852038"]);
}

#[test]
fn keys_by_events_info_and_tones_are_nowhere() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = talkative("json");
    let (mut agent, mut stranger) = (Agent::new(&setup), Agent::new(&setup));
    let trusted = agent.media().local_addr().expect("its address").ip();
    let text =
        setup.text("switchhook.toml").replacen("127.0.0.0/8\"]", &format!("{trusted}\"]\ndigest = [\"MD5\"]"), 1);
    fs::write(setup.config(), text).expect("the configuration");
    let server = setup.serve();
    let changed = |account: &str| {
        let count =
            format!("SELECT count(*) FROM v_changes WHERE account = '{account}' AND action = 'voicemail_pin.changed'");
        until(Duration::from_secs(20), "the keys were understood", || setup.value(&count) == "1");
    };
    agent.new_call();
    let answer = agent.call(1, KEYS_BY_RTP);
    Keypad::new(&answer).events(&agent, "1005#904826#1736194#736194#");
    changed("1005");
    agent.bye(2);

    agent.new_call();
    assert_eq!(agent.call(1, NO_KEYS_BY_RTP).code(), 200);
    let next = Keypad::info(&mut agent, 2, "1006#618049#1840517#840517#");
    changed("1006");
    agent.bye(next);

    agent.new_call();
    let answer = agent.call(1, NO_KEYS_BY_RTP);
    Keypad::new(&answer).tones(&agent, "1003#74926185#11395062#395062#");
    changed("1003");
    agent.bye(2);

    shows_the_password(&mut stranger);
    offers_a_key(&mut agent);
    assert!(setup.logs().contains("{\"timestamp\""), "the log is JSON");
    let keyed = ["904826", "736194", "618049", "840517", "74926185", "395062"];
    is_nowhere(&setup, &server, &keyed);
}

/// A call from where nobody is trusted.
fn shows_the_password(agent: &mut Agent) {
    agent.new_call();
    let challenge = agent.call(1, KEYS_BY_RTP);
    assert_eq!(challenge.code(), 401);
    let line = agent.line("INVITE");
    let shown = challenge.answered_by("road", PASSWORD, &line);
    agent.new_call();
    let offer = agent.sdp(KEYS_BY_RTP);
    let invite = agent.request(&line, 2, &[("Authorization", &shown)], &offer);
    assert_eq!(agent.ask(&invite).code(), 200);
    let ack = agent.request(&agent.line("ACK"), 2, &[], "");
    agent.send(&ack);
    agent.bye(3);
}

/// An offer with a key for SRTP in it, whether it is taken or not.
fn offers_a_key(agent: &mut Agent) {
    agent.new_call();
    let media = format!("m=audio {{port}} RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{SRTP_KEY}\r\n");
    if agent.call(1, &media).code() == 200 {
        agent.bye(2);
    }
}

#[test]
fn no_verb_tells_a_pin() {
    if !are_here(&["sqlite3"]) {
        return;
    }
    let setup = talkative("text");
    let _server = setup.serve();
    assert_eq!(Agent::new(&setup).options().code(), 200);
    let mut said = String::new();
    fs::write(setup.path("users.csv"), "extension,pin\n1012,593718\n").expect("a file");
    let file = setup.path("users.csv").display().to_string();
    let verbs: [(i32, &[&str], &str); 21] = [
        (0, &["user", "add", "1010", "--pin-stdin"], "305918"),
        (1, &["user", "add", "1011", "--pin-stdin"], "777124"),
        (0, &["user", "set-pin", "1010", "--pin-stdin"], "481726"),
        (1, &["user", "set-pin", "1010", "--pin-stdin"], "305918"),
        (1, &["user", "set-pin", "1010", "--pin-stdin"], "62719x"),
        (1, &["user", "set-pin", "1010", "--pin-stdin"], "62719483627194836"),
        (1, &["user", "set-pin", "9999", "--pin-stdin"], "627194"),
        (0, &["user", "set-pin", "1010", "--pin-stdin", "--temporary"], "950372"),
        (0, &["voicemail", "set-pin", "1010", "--pin-stdin"], "184063"),
        (0, &["voicemail", "verify", "1010", "--pin-stdin"], "184063"),
        (1, &["voicemail", "verify", "1010", "--pin-stdin"], "184064"),
        (1, &["init", "1000", "--pin-stdin"], "72950361"),
        (1, &["user", "import", &file], ""),
        (0, &["user", "export"], ""),
        (0, &["user", "list", "--json"], ""),
        (0, &["user", "show", "1010", "--json"], ""),
        (0, &["user", "show", "1010"], ""),
        (0, &["audit", "list", "--json"], ""),
        (0, &["change", "list", "--json"], ""),
        (0, &["command", "list", "--json"], ""),
        (0, &["backup", "create"], ""),
    ];
    for (code, arguments, pin) in verbs {
        let output = setup.run(arguments, pin);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        said.push_str(&text);
    }
    let pins = ["305918", "777124", "481726", "62719", "950372", "184063", "184064", "72950361", "593718"];
    for pin in pins {
        assert!(!said.contains(pin), "{pin} was told by a verb");
    }
    assert!(!said.contains("$argon2") && said.contains("1010"));
    fs::remove_file(&file).expect("the file that has a PIN in it");
    is_not_written(&setup, &pins);
}

#[test]
fn a_verb_that_waits_for_a_pin_has_it_in_no_argument() {
    let setup = Setup::new();
    let mut command = setup.command(&["voicemail", "verify", "1005", "--pin-stdin"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(b"40719").expect("written");
    let seen = |name: &str| {
        let bytes = fs::read(format!("/proc/{}/{name}", child.id())).expect("its process");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    // A process that has just begun shows nothing for a moment.
    until(Duration::from_secs(20), "it runs", || seen("cmdline").contains("--pin-stdin"));
    let seen = seen("cmdline") + &seen("environ");
    assert!(!seen.contains("40719"), "{seen}");
    input.write_all(b"3\n").expect("written");
    drop(input);
    assert!(child.wait().expect("it ends").success(), "a PIN that comes in pieces is one");
}

/// What is seen on a terminal where somebody answers the question for a PIN with these keys.
fn on_a_terminal(setup: &Setup, keys: &[u8]) -> String {
    let config = setup.config().display().to_string();
    let line = format!(
        "{PROGRAM} user set-pin 1005 --pin-stdin --config {config}; echo \"exit $?\"; stty -a | tr ' ;' '\\n\\n' | grep -x -e -*echo"
    );
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &line, "/dev/null"]).env("SHELL", "/bin/sh");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("script starts");
    let (mut input, mut output) = (child.stdin.take().expect("input"), child.stdout.take().expect("output"));
    let (mut seen, mut buffer) = (Vec::new(), [0; 1024]);
    while let Ok(count @ 1..) = output.read(&mut buffer) {
        let asked = seen.ends_with(b"PIN: ");
        seen.extend_from_slice(&buffer[..count]);
        if !asked && seen.ends_with(b"PIN: ") {
            input.write_all(keys).expect("keys");
        }
    }
    child.wait().expect("it ends");
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
fn a_terminal_does_not_show_the_pin() {
    if !are_here(&["script", "stty", "sqlite3"]) {
        return;
    }
    let setup = Setup::new();
    let seen = on_a_terminal(&setup, b"297350\n");
    assert!(seen.contains("PIN: ") && seen.contains("1005 PIN set") && seen.contains("exit 0"), "{seen}");
    assert!(!seen.contains("297350"), "{seen}");
    let lines = |seen: &str| seen.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    assert!(lines(&seen).contains(&"echo".to_owned()), "the terminal shows again what is typed: {seen}");

    let before = setup.value("SELECT count(*) FROM v_changes");
    let seen = on_a_terminal(&setup, b"8136\x03");
    assert!(seen.contains("interrupted, and nothing was done") && seen.contains("exit 1"), "{seen}");
    assert!(!seen.contains("8136") && lines(&seen).contains(&"echo".to_owned()), "{seen}");
    assert_eq!(setup.value("SELECT count(*) FROM v_changes"), before);
}
