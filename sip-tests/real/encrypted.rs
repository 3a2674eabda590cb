//! Calls by TLS and SRTP.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use switchhook::wire::g711::Law;
use switchhook::wire::srtp::{Crypto, Key, Protector, RTP_EXTRA_MAX, Suite, Unprotector};

use crate::world::agent::{Agent, KEYS_BY_RTP};
use crate::world::baresip::{Phone, Privacy};
use crate::world::ear::{self, Sound};
use crate::world::setup::Setup;
use crate::world::template::pin_of;
use crate::world::tools::are_here;
use crate::world::wait::until;

/// The name in the line's certificate.
const NAME: &str = "line.example.com";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A world that listens on TLS too.
struct World {
    setup: Setup,
    authority: Authority,
}

impl World {
    /// With this in `[sip.tls]`, and this in `[media]`.
    fn new(tls: &str, media: &str) -> Self {
        let (setup, authority) = (Setup::new(), authority());
        let address = setup.address();
        let folder = setup.path("").display().to_string();
        let text =
            setup.text("switchhook.toml").replacen("listen = [", &format!("listen = [\"tls:{address}:5061\", "), 1);
        let tls = tls.replace("{folder}", folder.trim_end_matches('/'));
        let sections = format!(
            "[sip.tls]\ncertificate = \"{0}\"\nkey = \"{1}\"\n{tls}[media]\n{media}[prompts]\n",
            setup.path("certificate.pem").display(),
            setup.path("key.pem").display()
        );
        fs::write(setup.config(), text.replacen("[prompts]\n", &sections, 1)).expect("the configuration");
        let world = Self { setup, authority };
        world.renew();
        world
    }

    /// Writes a new certificate for the line.
    fn renew(&self) {
        let (certificate, key) = self.issue();
        fs::write(self.setup.path("certificate.pem"), certificate).expect("the certificate");
        fs::write(self.setup.path("key.pem"), key).expect("the key");
    }

    /// A certificate and its key, in PEM.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![NAME.to_owned()]).expect("parameters");
        (params.signed_by(&key, &self.authority).expect("a certificate").pem(), key.serialize_pem())
    }

    /// A file with a certificate that the authority answers for, and its key.
    fn client_certificate(&self) -> PathBuf {
        let (certificate, key) = self.issue();
        let file = self.setup.path("client.pem");
        fs::write(&file, certificate + &key).expect("the client's certificate");
        file
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from((self.setup.address(), 5061))
    }

    fn uri(&self) -> String {
        format!("sip:7000@{};transport=tls", self.address())
    }

    /// The certificate that a new connection is shown.
    fn shown(&self) -> Vec<u8> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).expect("the authority");
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("versions");
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(NAME).expect("a name");
        let client = ClientConnection::new(Arc::new(config), name).expect("a client");
        let mut stream = StreamOwned::new(client, TcpStream::connect(self.address()).expect("a connection"));
        stream.write_all(b"\r\n\r\n").expect("a handshake");
        let mut pong = [0; 2];
        stream.read_exact(&mut pong).expect("a pong");
        stream.conn.peer_certificates().expect("certificates")[0].to_vec()
    }
}

/// Logs in, changes something, and asks for a reboot until the PIN is asked for.
fn does_everything(world: &World, phone: &mut Phone) {
    phone.dial(&world.uri());
    phone.hears_all(&["welcome", "enter-extension"]);
    phone.press(&format!("1004#{}#", pin_of("1004")));
    phone.hears_all(&["logged-in", "main-menu"]);
    phone.press("63");
    phone.hears_all(&["reboot-menu", "reboot-now"]);
    phone.press("1");
    phone.hears_all(&["reboot-now-confirm", "confirm-with-pin"]);
    phone.press("*");
    phone.hears("reboot-menu");
    phone.press("**");
    phone.hears("main-menu");
    phone.press("1");
    phone.hears("my-menu");
    phone.press("3");
    phone.hears("dnd-on");
    let dnd = "SELECT dnd FROM v_forwarding WHERE extension = '1004'";
    assert_eq!(world.setup.value(dnd), "1");
    phone.hang_up();
}

#[test]
fn a_call_by_tls_and_srtp_does_everything_even_what_needs_them() {
    if !are_here(&["baresip", "sqlite3"]) {
        return;
    }
    let world = World::new("", "srtp = \"required\"\ndestructive_needs_srtp = true\n");
    let server = world.setup.serve();
    let mut phone = Phone::private(&world.setup, "caller", &Privacy::default());
    does_everything(&world, &mut phone);
    assert!(phone.log_text().contains("SRTP is Enabled"), "{}", phone.log_text());
    assert!(!server.log_text().contains("inline:"));
}

#[test]
fn a_plain_call_does_nothing_destructive_where_that_needs_an_encrypted_one() {
    if !are_here(&["baresip"]) {
        return;
    }
    let world = World::new("", "destructive_needs_srtp = true\n");
    let server = world.setup.serve();
    // SRTP alone is not enough: its keys could be read.
    let keys_in_clear = Privacy { tls: false, ..Privacy::default() };
    for mut phone in [Phone::new(&world.setup, "caller"), Phone::private(&world.setup, "caller", &keys_in_clear)] {
        phone.dial(&server.uri);
        phone.log_in("1004", pin_of("1004"));
        phone.press("63");
        phone.hears_all(&["reboot-menu", "reboot-now"]);
        phone.press("1");
        phone.hears_all(&["needs-encrypted-call", "reboot-menu"]);
        phone.hang_up();
    }
    let denied = world.setup.json(&["audit", "list"]);
    let denied = denied.as_array().expect("a list").iter().filter(|row| row["outcome"] == "denied").count();
    assert_eq!(denied, 2);
}

#[test]
fn where_srtp_is_required_a_plain_call_is_refused_and_where_it_is_off_an_encrypted_one() {
    let secure = KEYS_BY_RTP.replace("RTP/AVP", "RTP/SAVP")
        + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
    for (srtp, plain_gets, secure_gets) in [("required", 488, 200), ("optional", 200, 200), ("off", 200, 488)] {
        let world = World::new("", &format!("srtp = \"{srtp}\"\n"));
        let _server = world.setup.serve();
        let mut agent = Agent::new(&world.setup);
        for (media, code) in [(KEYS_BY_RTP, plain_gets), (secure.as_str(), secure_gets)] {
            agent.new_call();
            let answer = agent.call(1, media);
            assert_eq!(answer.code(), code, "{srtp}: {media}");
            if code == 200 {
                assert_eq!(answer.body().contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"), media == secure);
                agent.bye(2);
            }
        }
    }
}

/// No telephone here has AES-GCM, so this one speaks it itself: hears the welcome, and logs in with keys by RTP.
#[test]
fn a_call_by_srtp_with_aes_gcm_is_heard_and_its_keys_are_too() {
    let world = World::new("", "srtp = \"required\"\n");
    let server = world.setup.serve();
    let mut agent = Agent::new(&world.setup);
    agent.new_call();
    let theirs = Key::new(Suite::AeadAes128Gcm, &[42; 30]);
    let mut protector = Protector::new(&theirs);
    let line = Crypto { tag: 7, key: theirs }.line();
    let answer = agent.call(1, &(KEYS_BY_RTP.replace("RTP/AVP", "RTP/SAVP") + &line));
    assert_eq!(answer.code(), 200);
    let crypto = answer.body().lines().find_map(|line| Crypto::parse(line.strip_prefix("a=crypto:")?)).expect("a key");
    assert_eq!((crypto.tag, crypto.key.suite()), (7, Suite::AeadAes128Gcm));
    let mut unprotector = Unprotector::new(&crypto.key, 0);
    let mut presses = format!("1004#{}#", pin_of("1004")).into_bytes().into_iter();
    let (mut sound, mut sequence) = (Sound::default(), 0_u16);
    let is_in = |sound: &Sound| ear::find(sound, 0, "en", "main-menu").is_some();
    while sound.frames() < 1500 && !(sound.frames().is_multiple_of(50) && is_in(&sound)) {
        let (mut packet, line) = agent.datagram();
        let length = unprotector.unprotect_rtp(&mut packet).expect("a packet of the line's");
        let samples: Vec<i16> = packet[12..length].iter().map(|code| Law::Mu.decode(*code)).collect();
        sound.push(&samples);
        sequence += 1;
        // One key each 100 ms, from the first second on.
        if sound.frames() > 50
            && sound.frames().is_multiple_of(5)
            && let Some(key) = presses.next()
        {
            let event = if key == b'#' { 11 } else { key - b'0' };
            let timestamp = u32::from(sequence) * 160;
            let packet = [&[0x80_u8, 0x80 | 101][..], &sequence.to_be_bytes(), &timestamp.to_be_bytes(), &[0, 0, 0, 9]];
            let mut packet = packet.concat();
            // The end of the key, of volume 10 and 40 ms; and room for the tag.
            packet.extend([event, 0x8A, 1, 0x40]);
            packet.extend([0; RTP_EXTRA_MAX]);
            let length = protector.protect_rtp(&mut packet, 16).expect("protected");
            agent.send_datagram(&packet[..length], line);
        }
    }
    assert!(is_in(&sound), "{:?}", ear::heard(&sound, 0, "en", |_| true));
    assert_eq!(agent.bye(2).code(), 200);
    assert!(server.log_text().contains("action=\"login\""));
}

#[test]
fn a_renewed_certificate_is_shown_after_sighup_and_a_broken_one_is_not() {
    let world = World::new("", "");
    let server = world.setup.serve();
    let first = world.shown();
    world.renew();
    server.signal("HUP");
    until(Duration::from_secs(20), "the new certificate is shown", || world.shown() != first);
    let second = world.shown();
    fs::write(world.setup.path("key.pem"), "no key").expect("a broken key");
    server.signal("HUP");
    until(Duration::from_secs(20), "the log tells of it", || {
        server.log_text().contains("the new certificates can't be used, the old ones stay in use")
    });
    assert_eq!(world.shown(), second);
}

#[test]
fn a_certificate_that_is_not_there_stops_the_start() {
    let world = World::new("", "");
    fs::remove_file(world.setup.path("key.pem")).expect("removed");
    let said = world.setup.refused(&["serve"], "");
    assert!(said.contains("key in [sip.tls]") && said.contains("key.pem: No such file"), "{said}");
}

#[test]
fn where_clients_need_a_certificate_a_stranger_gets_no_call_and_silent_ones_are_in_nobodys_way() {
    if !are_here(&["baresip"]) {
        return;
    }
    let world = World::new("client_ca = \"{folder}/clients.pem\"\n", "");
    fs::write(world.setup.path("clients.pem"), world.authority.pem()).expect("the authority");
    let server = world.setup.serve();
    let silent: Vec<TcpStream> = (0..200).filter_map(|_| TcpStream::connect(world.address()).ok()).collect();
    assert_eq!(silent.len(), 200);
    let mut stranger = Phone::private(&world.setup, "caller", &Privacy::default());
    stranger.dials_without_an_answer(&world.uri());
    let certificate = Some(world.client_certificate());
    let mut known = Phone::private(&world.setup, "caller", &Privacy { certificate, ..Privacy::default() });
    known.dial(&world.uri());
    known.hears("welcome");
    known.hang_up();
    let calls = server.log_text().matches("call answered").count();
    assert_eq!(calls, 1, "the stranger had none");
    drop(silent);
}
