//! Connections as who opens them sees them: TCP and TLS on the loopback.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};

use super::*;
use crate::config::Tls;

const OPTIONS: &[u8] = b"OPTIONS sip:7000@127.0.0.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n";
/// What is to happen has happened by then, on the slowest machine.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A certificate and a key that the issuer answers for.
fn issued(by: &CertifiedIssuer<'static, KeyPair>, use_for: ExtendedKeyUsagePurpose) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new(vec!["line.example.com".to_owned()]).expect("parameters");
    params.extended_key_usages = vec![use_for];
    let key = KeyPair::generate().expect("a key");
    (params.signed_by(&key, by).expect("a certificate"), key)
}

struct World {
    address: SocketAddr,
    inbound: Receiver<Inbound>,
    transports: Transports,
    certificates: Option<Arc<Certificates>>,
    files: Tls,
    authority: CertifiedIssuer<'static, KeyPair>,
    clients: CertifiedIssuer<'static, KeyPair>,
    _folder: tempfile::TempDir,
}

/// A listener on an address of its own.
async fn world(transport: Kind, patience: Patience, wants_clients: bool) -> World {
    static HOSTS: AtomicU8 = AtomicU8::new(1);
    let ip = Ipv4Addr::new(127, 44, (std::process::id() % 250) as u8, HOSTS.fetch_add(1, Ordering::Relaxed));
    let folder = tempfile::tempdir().expect("a folder");
    let (authority, clients) = (issuer("the authority"), issuer("the clients' authority"));
    let path = |name: &str| folder.path().join(name);
    let mut files = Tls { certificate: path("certificate.pem"), key: path("key.pem"), ..Tls::default() };
    if wants_clients {
        files.client_ca = path("clients.pem");
        std::fs::write(&files.client_ca, clients.pem()).expect("written");
    }
    renew(&files, &authority);
    let certificates = match transport {
        Kind::Tls => Some(Arc::new(Certificates::read(&files).expect("certificates"))),
        Kind::Udp | Kind::Tcp => None,
    };
    let address = SocketAddr::from((ip, 5061));
    let (sender, inbound) = channel(INBOUND_MAX);
    let on = Listening {
        listens: &[Listen { transport, address }, Listen { transport: Kind::Udp, address }],
        certificates: certificates.clone(),
        trusted: vec![],
        patience,
        clock: Clock::start(),
    };
    let transports = Transports::listen(on, &sender).expect("a free port");
    World { address, inbound, transports, certificates, files, authority, clients, _folder: folder }
}

/// Writes a new certificate and key.
fn renew(files: &Tls, authority: &CertifiedIssuer<'static, KeyPair>) {
    let (certificate, key) = issued(authority, ExtendedKeyUsagePurpose::ServerAuth);
    std::fs::write(&files.certificate, certificate.pem()).expect("written");
    std::fs::write(&files.key, key.serialize_pem()).expect("written");
}

impl World {
    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// A handshake, with a certificate of ours where there is one.
    async fn tls(&self, own: Option<(rcgen::Certificate, KeyPair)>) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).expect("an authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions").with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
                builder.with_client_auth_cert(vec![certificate.der().clone()], key).expect("a certificate of ours")
            }
        };
        let name = ServerName::try_from("line.example.com").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await
    }

    /// The next message, whose connection is proven by it.
    async fn message_of_known(&mut self) {
        let id = self.message().await.0.transport.connection().expect("a connection");
        self.transports.proven(id);
    }

    /// The next message; notes connections as the SIP side does.
    async fn message(&mut self) -> (Flow, Vec<u8>) {
        loop {
            match timeout(LONG, self.inbound.recv()).await.expect("in time").expect("a message") {
                Inbound::Message(flow, bytes, _) => return (flow, bytes.to_vec()),
                Inbound::Opened(id, outbound) => self.transports.opened(id, outbound),
                Inbound::Closed(id) => self.transports.closed(id),
                Inbound::Connected(..) => panic!("nothing was to be connected"),
            }
        }
    }
}

/// Waits for the other side to close.
async fn is_closed(mut stream: impl tokio::io::AsyncRead + Unpin) -> bool {
    let mut bytes = Vec::new();
    // An end that was not told is an end.
    timeout(LONG, stream.read_to_end(&mut bytes)).await.is_ok()
}

#[tokio::test]
async fn a_message_by_tls_comes_with_its_flow_and_the_answer_goes_back_on_it() {
    let mut world = world(Kind::Tls, Patience::default(), false).await;
    let mut stream = world.tls(None).await.expect("a handshake");
    stream.write_all(OPTIONS).await.expect("sent");
    let (flow, bytes) = world.message().await;
    assert_eq!(bytes, OPTIONS);
    assert!(matches!(flow.transport, Transport::Tls(_)), "{flow:?}");
    world.transports.send(Transmit { flow, bytes: Arc::from(&b"SIP/2.0 200 OK\r\n\r\n"[..]) });
    let mut answer = [0; 18];
    stream.read_exact(&mut answer).await.expect("the answer");
    assert_eq!(&answer, b"SIP/2.0 200 OK\r\n\r\n");
}

#[tokio::test]
async fn a_stranger_without_a_certificate_is_refused_where_one_is_wanted() {
    let mut world = world(Kind::Tls, Patience::default(), true).await;
    let stranger = [None, Some(issued(&world.authority, ExtendedKeyUsagePurpose::ClientAuth))];
    for own in stranger {
        // By TLS 1.3 the refusal follows the client's side of the handshake.
        if let Ok(mut stream) = world.tls(own).await {
            let _ = stream.write_all(OPTIONS).await;
            let mut answer = Vec::new();
            assert!(timeout(LONG, stream.read_to_end(&mut answer)).await.expect("in time").is_err(), "{answer:?}");
        }
    }
    let own = issued(&world.clients, ExtendedKeyUsagePurpose::ClientAuth);
    let mut stream = world.tls(Some(own)).await.expect("a handshake");
    stream.write_all(OPTIONS).await.expect("sent");
    // The first message that comes at all is the known client's.
    let (flow, _) = world.message().await;
    assert_eq!(flow.peer, stream.get_ref().0.local_addr().expect("an address"));
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_connections_and_the_old_ones_go_on() {
    let mut world = world(Kind::Tls, Patience::default(), false).await;
    let shown = |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().expect("shown")[0].to_vec();
    let mut before = world.tls(None).await.expect("a handshake");
    renew(&world.files, &world.authority);
    assert_eq!(shown(&world.tls(None).await.expect("a handshake")), shown(&before), "not read again yet");
    world.certificates.as_ref().expect("certificates").reload().expect("good files");
    let after = world.tls(None).await.expect("a handshake");
    assert_ne!(shown(&after), shown(&before));
    before.write_all(OPTIONS).await.expect("sent");
    assert_eq!(world.message().await.1, OPTIONS);
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_ended() {
    let world = world(Kind::Tls, Patience { handshake: SHORT, ..Patience::default() }, false).await;
    assert!(is_closed(world.tcp().await).await, "nothing was said");
    let mut plain = world.tcp().await;
    plain.write_all(OPTIONS).await.expect("sent");
    assert!(is_closed(plain).await, "it is no TLS");
}

#[tokio::test]
async fn a_connection_that_says_nothing_or_only_pings_is_closed() {
    let patience = Patience { message: SHORT, ..Patience::default() };
    for transport in [Kind::Tcp, Kind::Tls] {
        let world = world(transport, patience, false).await;
        match transport {
            Kind::Tls => assert!(is_closed(world.tls(None).await.expect("a handshake")).await),
            Kind::Tcp | Kind::Udp => {
                let mut stream = world.tcp().await;
                stream.write_all(b"\r\n\r\n").await.expect("sent");
                assert!(is_closed(stream).await);
            }
        }
    }
}

#[tokio::test]
async fn a_message_that_comes_drop_by_drop_is_waited_for_only_so_long() {
    let mut world = world(Kind::Tcp, Patience { message: SHORT, ..Patience::default() }, false).await;
    let mut stream = world.tcp().await;
    stream.write_all(OPTIONS).await.expect("sent");
    world.message().await;
    let (reader, mut writer) = stream.into_split();
    let drops = async {
        for byte in OPTIONS.iter().cycle() {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(SHORT / 6).await;
        }
    };
    tokio::select! {
        closed = is_closed(reader) => assert!(closed),
        () = drops => {}
    }
    let inbound = &mut world.inbound;
    assert!(matches!(inbound.recv().await, Some(Inbound::Closed(_))), "no second message was made of it");
}

#[tokio::test]
async fn a_connection_that_has_spoken_may_be_silent_until_it_is_idle_for_long() {
    let patience = Patience { message: SHORT, idle: SHORT * 6, ..Patience::default() };
    let mut world = world(Kind::Tcp, patience, false).await;
    let mut stream = world.tcp().await;
    stream.write_all(OPTIONS).await.expect("sent");
    world.message().await;
    sleep(SHORT * 3).await;
    stream.write_all(OPTIONS).await.expect("still open");
    assert_eq!(world.message().await.1, OPTIONS, "a message may follow later than the first had to come");
    assert!(is_closed(stream).await);
}

#[tokio::test]
async fn where_a_stranger_has_too_many_the_oldest_without_a_password_is_closed() {
    let mut world = world(Kind::Tcp, Patience::default(), false).await;
    let mut known = world.tcp().await;
    known.write_all(OPTIONS).await.expect("sent");
    world.message_of_known().await;
    let mut talker = world.tcp().await;
    talker.write_all(OPTIONS).await.expect("sent");
    world.message().await;
    let mut silent = Vec::new();
    for _ in 0..63 {
        silent.push(world.tcp().await);
    }
    assert!(is_closed(talker).await);
    known.write_all(OPTIONS).await.expect("still open");
    assert_eq!(world.message().await.1, OPTIONS);
}

#[tokio::test]
async fn who_shows_no_password_is_closed_however_much_they_say() {
    let mut world = world(Kind::Tcp, Patience { proof: SHORT * 4, ..Patience::default() }, false).await;
    let mut known = world.tcp().await;
    known.write_all(OPTIONS).await.expect("sent");
    world.message_of_known().await;
    let (reader, mut writer) = world.tcp().await.into_split();
    let talks = async {
        while writer.write_all(OPTIONS).await.is_ok() {
            world.message().await;
            sleep(SHORT / 6).await;
        }
    };
    tokio::select! {
        closed = is_closed(reader) => assert!(closed),
        () = talks => {}
    }
    known.write_all(OPTIONS).await.expect("still open, though it is older");
    let of_known = known.local_addr().expect("its address");
    while world.message().await.0.peer != of_known {}
}

#[tokio::test]
async fn who_has_a_certificate_need_not_show_a_password() {
    let mut world = world(Kind::Tls, Patience { proof: SHORT * 8, ..Patience::default() }, true).await;
    let own = issued(&world.clients, ExtendedKeyUsagePurpose::ClientAuth);
    let mut stream = world.tls(Some(own)).await.expect("a handshake");
    stream.write_all(OPTIONS).await.expect("sent");
    world.message().await;
    sleep(SHORT * 10).await;
    stream.write_all(OPTIONS).await.expect("still open");
    assert_eq!(world.message().await.1, OPTIONS);
}

#[tokio::test]
async fn one_port_has_a_listener_for_each_family() {
    let any = |ip: &str, port| SocketAddr::new(ip.parse().expect("an address"), port);
    for ips in [["0.0.0.0", "::"], ["::", "0.0.0.0"]] {
        let Ok(free) = std::net::TcpListener::bind(any("::", 0)) else {
            println!("SKIPPED: there is no IPv6 here");
            return;
        };
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let (sender, mut inbound) = channel(INBOUND_MAX);
        let on = Listening {
            listens: &ips.map(|ip| Listen { transport: Kind::Tcp, address: any(ip, port) }),
            certificates: None,
            trusted: vec![],
            patience: Patience::default(),
            clock: Clock::start(),
        };
        let mut transports = Transports::listen(on, &sender).expect("both");
        for host in ["127.0.0.1", "::1"] {
            let mut stream = TcpStream::connect(any(host, port)).await.expect("a connection");
            stream.write_all(OPTIONS).await.expect("sent");
            let flow = loop {
                match timeout(LONG, inbound.recv()).await.expect("in time").expect("a message") {
                    Inbound::Message(flow, ..) => break flow,
                    Inbound::Opened(id, outbound) => transports.opened(id, outbound),
                    Inbound::Closed(_) | Inbound::Connected(..) => {}
                }
            };
            assert_eq!((flow.local, flow.peer), (any(host, port), stream.local_addr().expect("its address")));
        }
    }
}

/// A message that is so long, from 1000 to 99,999 bytes.
fn message_of(bytes: usize) -> Vec<u8> {
    let head = |body: usize| format!("OPTIONS sip:7000@127.0.0.1 SIP/2.0\r\nContent-Length: {body:05}\r\n\r\n");
    let body = bytes - head(0).len();
    let mut message = head(body).into_bytes();
    message.resize(bytes, b'x');
    message
}

#[tokio::test]
async fn so_many_bytes_wait_for_the_endpoint_and_what_comes_beyond_waits_by_tcp_and_is_dropped_by_udp() {
    let mut world = world(Kind::Tcp, Patience::default(), false).await;
    let mut stream = world.tcp().await;
    let (mut waiting, mut left) = (Vec::new(), 16 << 20);
    while left >= 20_000 {
        let long = message_of(if left > 140_000 { 60_000 } else { 3000 });
        stream.write_all(&long).await.expect("sent");
        let (bytes, share) = loop {
            match timeout(LONG, world.inbound.recv()).await.expect("room for it").expect("a message") {
                Inbound::Message(_, bytes, share) => break (bytes, share),
                Inbound::Opened(id, outbound) => world.transports.opened(id, outbound),
                Inbound::Closed(_) | Inbound::Connected(..) => panic!("it is open"),
            }
        };
        assert_eq!(bytes.len(), long.len());
        left -= bytes.capacity();
        waiting.push((bytes, share));
    }
    assert!(waiting.len() < INBOUND_MAX / 8, "{} messages", waiting.len());
    let datagrams = tokio::net::UdpSocket::bind((world.address.ip(), 0)).await.expect("a socket");
    for bytes in [30_000, 1000] {
        datagrams.send_to(&message_of(bytes), world.address).await.expect("sent");
    }
    assert_eq!(world.message().await.1.len(), 1000, "the long one is dropped");
    stream.write_all(&message_of(60_000)).await.expect("sent");
    assert!(timeout(SHORT, world.inbound.recv()).await.is_err(), "it waits");
    drop(waiting);
    assert_eq!(world.message().await.1.len(), 60_000);
}

#[tokio::test]
async fn a_connection_that_takes_too_little_is_closed_at_once() {
    let mut world = world(Kind::Tcp, Patience::default(), false).await;
    let mut stream = world.tcp().await;
    stream.write_all(OPTIONS).await.expect("sent");
    let (flow, _) = world.message().await;
    let bytes: Arc<[u8]> = vec![b'x'; 64 << 10].into();
    for n in 1..=17 {
        // Nothing else has a turn between them, so that nothing is written yet.
        world.transports.send(Transmit { flow, bytes: Arc::clone(&bytes) });
        assert_eq!(world.transports.connections.is_empty(), n == 17, "{n} times 64 KiB");
    }
    let mut taken = Vec::new();
    let _ = timeout(LONG, stream.read_to_end(&mut taken)).await.expect("closed");
    assert!(taken.is_empty(), "what waits for it is not written first");
    let closed = timeout(LONG, world.inbound.recv()).await.expect("in time");
    assert!(matches!(closed, Some(Inbound::Closed(id)) if Some(id) == flow.transport.connection()));
}

#[tokio::test]
async fn a_message_that_is_not_taken_is_waited_for_only_so_long() {
    let mut world = world(Kind::Tcp, Patience { write: SHORT, ..Patience::default() }, false).await;
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stream = socket.connect(world.address).await.expect("a connection");
    stream.write_all(OPTIONS).await.expect("sent");
    let (flow, _) = world.message().await;
    // Until the kernel takes no more; then so seldom that not too much waits here before the time is up.
    while !matches!(world.inbound.try_recv(), Ok(Inbound::Closed(id)) if Some(id) == flow.transport.connection()) {
        assert!(!world.transports.connections.is_empty(), "closed for another reason");
        world.transports.send(Transmit { flow, bytes: vec![b'x'; 64 << 10].into() });
        sleep(SHORT / 6).await;
    }
}

#[tokio::test]
async fn a_connection_that_nobody_takes_is_given_up() {
    let world = world(Kind::Tcp, Patience { connect: SHORT, ..Patience::default() }, false).await;
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    listener.bind(&SocketAddr::new(world.address.ip(), 0).into()).expect("a port");
    listener.listen(0).expect("a listener");
    let address = listener.local_addr().expect("its address").as_socket().expect("of IP");
    // Until the kernel has as many as wait to be accepted, and leaves the next one without an answer.
    let mut waiting = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, SHORT) {
        waiting.push(stream);
        assert!(waiting.len() < 20, "the kernel takes them all");
    }
    let refused = timeout(LONG, world.transports.connector().connect(address)).await.expect("in time");
    assert_eq!(refused.err().map(|error| error.kind()), Some(std::io::ErrorKind::TimedOut));
}

#[tokio::test]
async fn the_longest_datagram_comes_whole() {
    // What is left of 65,535 bytes by the headers of IPv4 and UDP.
    let mut world = world(Kind::Tcp, Patience::default(), false).await;
    let datagrams = tokio::net::UdpSocket::bind((world.address.ip(), 0)).await.expect("a socket");
    let longest = message_of(65_507);
    datagrams.send_to(&longest, world.address).await.expect("sent");
    assert_eq!(world.message().await.1, longest);
}
