//! Strangers who guess, and the owner who gets in all the same.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::world::agent::{Agent, NO_KEYS_BY_RTP};
use crate::world::baresip::Phone;
use crate::world::setup::Setup;
use crate::world::template::pin_of;
use crate::world::tools::are_here;

/// A PBX at 127.0.0.1 is trusted; everybody else shows the password of `phone`.
fn one_trusted_peer() -> Setup {
    let setup = Setup::new();
    fs::write(setup.path("password"), "zanzibar\n").expect("the password");
    let password = setup.path("password").display().to_string();
    let trusts = "trusted_peers = [\"127.0.0.1\"]\ndigest = [\"MD5\"]";
    let account = format!("[[sip.accounts]]\nusername = \"phone\"\npassword_file = \"{password}\"\n[prompts]\n");
    let text = setup.text("switchhook.toml").replacen("trusted_peers = [\"127.0.0.0/8\"]", trusts, 1);
    fs::write(setup.config(), text.replacen("[prompts]\n", &account, 1)).expect("the configuration");
    setup
}

/// Keys these PINs for an extension, and is refused each time; the third refusal of a call ends it.
fn is_refused(phone: &mut Phone, uri: &str, extension: &str, pins: &[&str]) {
    phone.dial(uri);
    phone.hears("enter-extension");
    for (tried, pin) in pins.iter().enumerate() {
        phone.press(&format!("{extension}#{pin}#"));
        let next = if tried == 2 { "goodbye" } else { "enter-extension" };
        phone.hears_all(&["login-failed", next]);
    }
    if pins.len() == 3 {
        phone.hears_the_end();
    } else {
        phone.hang_up();
    }
}

#[test]
fn a_stranger_is_locked_out_over_a_restart_and_the_owner_gets_in_from_the_own_extension() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let setup = one_trusted_peer();
    let right = pin_of("1005");
    let server = setup.serve();
    // It says that it is 1005, and nobody vouches for that.
    let mut stranger = Phone::behind_nat(&setup, "1005");
    is_refused(&mut stranger, &server.uri, "1005", &["904827", "904828", "904829"]);
    is_refused(&mut stranger, &server.uri, "1005", &["904830", "904831", right]);
    let user = setup.json(&["user", "show", "1005"]);
    assert_eq!(user["locked"], true);
    assert_eq!(user["own_locked_until"], serde_json::Value::Null);
    drop(server);

    let server = setup.serve();
    is_refused(&mut stranger, &server.uri, "1005", &[right]);
    let mut owner = Phone::new(&setup, "1005");
    owner.dial(&server.uri);
    owner.hears_all(&["welcome", "enter-extension-or-pound"]);
    owner.press("#");
    owner.hears("enter-pin");
    owner.press(&format!("{right}#"));
    owner.hears_all(&["logged-in", "my-menu"]);
    owner.hang_up();

    setup.done(&["user", "unlock", "1005"], "");
    stranger.dial(&server.uri);
    stranger.log_in("1005", right);
    stranger.hang_up();
    let sources =
        setup.rows("SELECT source, outcome, count(*) FROM v_audit WHERE action = 'login' GROUP BY 1, 2 ORDER BY 1, 2");
    let [own, failed, unlocked] = sources.as_slice() else { panic!("{sources:?}") };
    assert_eq!(own, "127.0.0.1 (1005)|ok|1");
    assert!(failed.starts_with("127.") && failed.ends_with(" (phone)|failed|7"), "{failed}");
    assert!(unlocked.ends_with(" (phone)|ok|1"), "{unlocked}");
    setup.is_in_order();
}

/// Callers who guess, and how often all of them together do so in a second.
const GUESSERS: u64 = 60;
const GUESSES_A_SECOND: u64 = 500;
/// Guesses in a call.
const GUESSES: u64 = 3;

/// Guesses in call after call, two digits each time, by SIP INFO; gives the number of guesses.
fn guess(agent: &mut Agent, over: &AtomicBool) -> u64 {
    let mut guesses = 0;
    while !over.load(Ordering::Relaxed) {
        let next = Instant::now() + Duration::from_millis(1000 * GUESSES * GUESSERS / GUESSES_A_SECOND);
        agent.new_call();
        if agent.call(1, NO_KEYS_BY_RTP).code() != 200 {
            sleep(Duration::from_millis(100));
            continue;
        }
        let line = agent.line("INFO");
        let mut number = 1;
        for key in "1#1#2#2#3#3#".chars() {
            number += 1;
            let changes = [("Content-Type", "application/dtmf-relay")];
            let info = agent.request(&line, number, &changes, &format!("Signal={key}\r\nDuration=100\r\n"));
            agent.send(&info);
            sleep(Duration::from_millis(5));
        }
        guesses += GUESSES;
        // The last answer may end the call before.
        agent.bye(number + 1);
        sleep(next.saturating_duration_since(Instant::now()));
    }
    guesses
}

/// How long an OPTIONS takes while 500 PINs a second are guessed.
#[test]
#[ignore = "a long run"]
fn soak_options_while_five_hundred_pins_a_second_are_guessed() {
    const SECONDS: u64 = 30;
    let setup = Setup::alone();
    let server = setup.serve();
    let over = AtomicBool::new(false);
    let mut asker = Agent::new(&setup);
    let (mut taken, mut quiet) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        quiet.push(options(&mut asker));
    }
    let begin = Instant::now();
    let guesses: u64 = std::thread::scope(|scope| {
        let agents: Vec<_> = (0..GUESSERS)
            .map(|_| {
                let (mut agent, over) = (Agent::new(&setup), &over);
                scope.spawn(move || guess(&mut agent, over))
            })
            .collect();
        while begin.elapsed().as_secs() < SECONDS {
            taken.push(options(&mut asker));
            sleep(Duration::from_millis(20));
        }
        over.store(true, Ordering::Relaxed);
        agents.into_iter().map(|agent| agent.join().expect("an agent")).sum()
    });
    let seconds = begin.elapsed().as_secs_f64();
    let seen = server.log_text().lines().filter(|line| line.contains("LoginFailed")).count();
    println!("figure: PINs keyed a second by guessers = {:.0}", guesses as f64 / seconds);
    println!("figure: PINs answered a second to guessers = {:.0}", seen as f64 / seconds);
    println!("figure: OPTIONS before that, p99 = {:.1} ms", p99(&mut quiet));
    println!("figure: OPTIONS while PINs are guessed, p99 of {} = {:.1} ms", taken.len(), p99(&mut taken));
    setup.done(&["audit", "verify"], "");
}

fn options(agent: &mut Agent) -> f64 {
    let begin = Instant::now();
    assert_eq!(agent.options().code(), 200);
    begin.elapsed().as_secs_f64() * 1000.0
}

fn p99(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}
