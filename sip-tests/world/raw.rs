//! Bytes over UDP and TCP exactly as a test wants them, the answers as they come, and what the server has of memory.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::agent::Message;
use super::wait::until;

/// What has not come by then does not come; this is no measurement.
const WITHIN: Duration = Duration::from_secs(10);
/// How often an unanswered OPTIONS is sent again: a flooded server may drop datagrams, as the network may.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// An OPTIONS with a Call-ID that no other has, and that Call-ID.
pub fn options(from: SocketAddr, server: SocketAddr, transport: &str) -> (String, String) {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let call_id = format!("alive{n}@{}", from.ip());
    let text = format!(
        "OPTIONS sip:7000@{server} SIP/2.0\r\nVia: SIP/2.0/{transport} {from};rport;branch=z9hG4bK-alive{n}\r\n\
         From: <sip:raw@{from}>;tag=raw{n}\r\nTo: <sip:7000@{server}>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    (text, call_id)
}

/// An INVITE number `n` whose media goes to that port.
pub fn invite(n: usize, from: SocketAddr, server: SocketAddr, media: u16) -> String {
    let ip = from.ip();
    let offer = format!(
        "v=0\r\no=raw 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {media} RTP/AVP 0 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\n"
    );
    format!(
        "INVITE sip:7000@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {from};rport;branch=z9hG4bK-i{n}\r\n\
         From: <sip:raw@{from}>;tag=i{n}\r\nTo: <sip:7000@{server}>\r\nCall-ID: i{n}@{ip}\r\nCSeq: 1 INVITE\r\n\
         Max-Forwards: 70\r\nContact: <sip:raw@{from}>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{offer}",
        offer.len()
    )
}

/// A UDP socket, and where the server is.
pub struct Datagrams {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Datagrams {
    /// Bound to that address; port 0 is any.
    pub fn new(local: SocketAddr, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind(local).expect("the client's port");
        // The kernel takes what its limits allow.
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(4 << 20);
        Self { socket, server }
    }

    /// Its own address.
    pub fn local(&self) -> SocketAddr {
        self.socket.local_addr().expect("its address")
    }

    /// Sends bytes as they are.
    pub fn send(&self, bytes: &[u8]) {
        // A full send buffer loses it, as the network may.
        let _ = self.socket.send_to(bytes, self.server);
    }

    /// The next message that comes within that time.
    pub fn receive(&self, within: Duration) -> Option<Message> {
        self.socket.set_read_timeout(Some(within.max(Duration::from_millis(1)))).expect("a time-out");
        let mut buffer = [0; 65_535];
        let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
        Some(Message::from(String::from_utf8_lossy(&buffer[..length]).into_owned()))
    }

    /// Sends an OPTIONS, again where need be, and gives what came before its 200; fails where that never comes.
    pub fn is_alive(&self) -> Vec<Message> {
        let (text, call_id) = options(self.local(), self.server, "UDP");
        let (mut before, end) = (Vec::new(), Instant::now() + WITHIN);
        let mut sent_at = None;
        loop {
            if sent_at.is_none_or(|at: Instant| at.elapsed() > AGAIN_AFTER) {
                self.send(text.as_bytes());
                sent_at = Some(Instant::now());
            }
            match self.receive(Duration::from_millis(100)) {
                Some(message) if message.header("Call-ID") == Some(&call_id) => {
                    assert_eq!(message.code(), 200, "{message:?}");
                    return before;
                }
                Some(message) => before.push(message),
                None => assert!(Instant::now() < end, "OPTIONS is not answered any more"),
            }
        }
    }
}

/// Lets this process open as many sockets as the system allows: many begin with 1024.
pub fn allow_many_files() {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    setrlimit(Resource::Nofile, raised).expect("a higher limit");
}

/// A TCP connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    server: SocketAddr,
    is_closed: bool,
}

impl Connection {
    /// Connects from an address.
    pub fn open(from: IpAddr, server: SocketAddr) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::for_address(server), socket2::Type::STREAM, None);
        let socket = socket.expect("a socket");
        socket.bind(&SocketAddr::new(from, 0).into()).expect("the client's address");
        socket.connect(&server.into()).expect("a connection");
        Self { stream: socket.into(), buffer: Vec::new(), server, is_closed: false }
    }

    /// Takes the connection that the server opens.
    pub fn accept(listener: &TcpListener, server: SocketAddr) -> Self {
        listener.set_nonblocking(true).expect("no waiting");
        let mut taken = None;
        until(WITHIN, "the server connects", || {
            taken = listener.accept().ok();
            taken.is_some()
        });
        let (stream, from) = taken.expect("just seen");
        assert_eq!(from.ip(), server.ip(), "from the address that was called");
        stream.set_nonblocking(false).expect("waiting");
        Self { stream, buffer: Vec::new(), server, is_closed: false }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.is_closed |= self.stream.write_all(bytes).is_err();
    }

    /// The next message that comes within that time.
    pub fn receive(&mut self, within: Duration) -> Option<Message> {
        let end = Instant::now() + within;
        loop {
            if let Some(message) = self.cut() {
                return Some(message);
            }
            if self.is_closed || Instant::now() > end {
                return None;
            }
            self.read(Duration::from_millis(50));
        }
    }

    /// Whether the server has closed it, or closes it within that time.
    pub fn closes(&mut self, within: Duration) -> bool {
        let end = Instant::now() + within;
        while !self.is_closed && Instant::now() < end {
            self.read(Duration::from_millis(50));
        }
        self.is_closed
    }

    /// Sends an OPTIONS, and gives what came before its 200, and whether that came.
    pub fn is_alive(&mut self, within: Duration) -> (Vec<Message>, bool) {
        let from = self.stream.local_addr().unwrap_or(self.server);
        let (text, call_id) = options(from, self.server, "TCP");
        self.send(text.as_bytes());
        let (mut before, end) = (Vec::new(), Instant::now() + within);
        while let Some(message) = self.receive(end.saturating_duration_since(Instant::now())) {
            if message.header("Call-ID") == Some(&call_id) {
                return (before, message.code() == 200);
            }
            before.push(message);
        }
        (before, false)
    }

    /// Sends an OPTIONS, and once more with the password where it is challenged: whether the last answer was 200.
    pub fn is_let_in(&mut self, username: &str, password: &str, within: Duration) -> bool {
        let from = self.stream.local_addr().expect("our address");
        self.send(options(from, self.server, "TCP").0.as_bytes());
        let challenge = self.receive(within).expect("a challenge");
        let (text, _) = options(from, self.server, "TCP");
        let shown = challenge.answered_by(username, password, text.lines().next().unwrap_or_default());
        let text = text.replacen("Content-Length", &format!("Authorization: {shown}\r\nContent-Length"), 1);
        self.send(text.as_bytes());
        self.receive(within).is_some_and(|answer| answer.code() == 200)
    }

    fn read(&mut self, within: Duration) {
        self.stream.set_read_timeout(Some(within)).expect("a time-out");
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(0) => self.is_closed = true,
            Ok(length) => self.buffer.extend_from_slice(&bytes[..length]),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            Err(_) => self.is_closed = true,
        }
    }

    /// The first whole message of what has come.
    fn cut(&mut self) -> Option<Message> {
        while self.buffer.starts_with(b"\r\n") {
            self.buffer.drain(..2);
        }
        let head = self.buffer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&self.buffer[..head]).into_owned();
        let length = Message::from(text).header("Content-Length").and_then(|length| length.parse::<usize>().ok());
        let end = head + length.unwrap_or(0);
        if self.buffer.len() < end {
            return None;
        }
        let rest = self.buffer.split_off(end);
        let whole = std::mem::replace(&mut self.buffer, rest);
        Some(Message::from(String::from_utf8_lossy(&whole).into_owned()))
    }
}

/// The BYE of a caller whose INVITE that 200 answers.
pub fn bye_after(ok: &Message) -> Option<String> {
    let header = |name: &str| ok.header(name);
    let number: u32 = header("CSeq")?.split(' ').next()?.parse().ok()?;
    let contact = header("Contact")?.trim_start_matches('<').split('>').next()?;
    let via = header("Via")?.split(";branch=").next()?;
    let (from, to, call_id) = (header("From")?, header("To")?, header("Call-ID")?);
    let (tag, number) = (to.rsplit("tag=").next()?, number.saturating_add(1));
    Some(format!(
        "BYE {contact} SIP/2.0\r\nVia: {via};branch=z9hG4bK-bye-{tag}\r\nFrom: {from}\r\nTo: {to}\r\n\
         Call-ID: {call_id}\r\nCSeq: {number} BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ))
}

/// The 200 to a request of the server.
pub fn ok_to(request: &Message) -> String {
    let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
    let lines = copied.map(|name| format!("{name}: {}\r\n", request.header(name).unwrap_or_default()));
    format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", lines.concat())
}

/// What a process has of memory now, in KiB (`VmRSS`).
pub fn memory_kib(process: u32) -> u64 {
    status(process, "VmRSS:")
}

/// The most that it ever had, in KiB (`VmHWM`).
pub fn memory_peak_kib(process: u32) -> u64 {
    status(process, "VmHWM:")
}

fn status(process: u32, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).expect("its status");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the line");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}
