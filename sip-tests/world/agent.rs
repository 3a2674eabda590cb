//! A SIP agent that sends exactly the bytes a test wants, over UDP, and can listen for RTP.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use md5::{Digest as _, Md5};

use super::setup::Setup;

/// An answer that has not come by then does not come.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Telephone-events are offered as payload type 101.
pub const KEYS_BY_RTP: &str = "m=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
/// No telephone-events are offered.
pub const NO_KEYS_BY_RTP: &str = "m=audio {port} RTP/AVP 0\r\n";

/// The agent, with one dialog at a time in its mind.
pub struct Agent {
    socket: UdpSocket,
    media: UdpSocket,
    address: Ipv4Addr,
    server: SocketAddr,
    call: u32,
    /// The To header of the answers, with the server's tag once there is one.
    to: String,
    branch: String,
}

/// A response, or a request of the server.
#[derive(Clone, Debug)]
pub struct Message(String);

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Message {
    /// The first word: a request's method, or `SIP/2.0`.
    pub fn first_word(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// The code of a response; 0 for a request.
    pub fn code(&self) -> u16 {
        self.0.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
    }

    /// The first header field of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named =
            |line: &&str| line.split_once(':').is_some_and(|(found, _)| found.trim().eq_ignore_ascii_case(name));
        self.0.lines().take_while(|line| !line.is_empty()).find(named)?.split_once(':').map(|(_, value)| value.trim())
    }

    /// The Authorization field's value that answers this challenge in a request with that start line, by MD5.
    pub fn answered_by(&self, username: &str, password: &str, start_line: &str) -> String {
        let challenge = self.header("WWW-Authenticate").expect("a challenge");
        let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
        let mut words = start_line.split(' ');
        let (method, uri) = (words.next().expect("a method"), words.next().expect("a URI"));
        let hash = |text: String| Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (who, what) = (hash(format!("{username}:switchhook:{password}")), hash(format!("{method}:{uri}")));
        let response = hash(format!("{who}:{nonce}:00000001:abc:auth:{what}"));
        format!(
            "Digest username=\"{username}\", realm=\"switchhook\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=MD5, \
             qop=auth, nc=00000001, cnonce=\"abc\", response=\"{response}\""
        )
    }

    /// The method of a request; nothing for a response.
    pub fn method(&self) -> &str {
        self.0.split(' ').next().filter(|first| !first.starts_with("SIP/")).unwrap_or_default()
    }

    /// The body.
    pub fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

impl Agent {
    /// An agent on an address of its own.
    pub fn new(setup: &Setup) -> Self {
        let address = setup.next_address();
        let socket = UdpSocket::bind((address, 5060)).expect("the agent's port");
        let media = UdpSocket::bind((address, 0)).expect("the agent's media port");
        let server = SocketAddr::from((setup.address(), 5060));
        Self { socket, media, address, server, call: 0, to: String::new(), branch: String::new() }
    }

    /// Its address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Begins another dialog.
    pub fn new_call(&mut self) {
        static CALLS: AtomicU32 = AtomicU32::new(1);
        self.call = CALLS.fetch_add(1, Ordering::Relaxed);
        self.to = format!("<sip:7000@{}>", self.server);
    }

    /// A request of the present dialog. `changes` replace header fields by name, add new ones, or (where empty) leave
    /// one out.
    pub fn request(&mut self, first_line: &str, number: u32, changes: &[(&str, &str)], body: &str) -> String {
        let method = first_line.split(' ').next().unwrap_or_default();
        let (address, call) = (self.address, self.call);
        if method != "CANCEL" {
            self.branch = format!("z9hG4bK-{call}-{number}-{method}");
        }
        let mut headers = vec![
            ("Via", format!("SIP/2.0/UDP {address}:5060;branch={}", self.branch)),
            ("From", format!("<sip:agent@{address}>;tag=agent{call}")),
            ("To", self.to.clone()),
            ("Call-ID", format!("call{call}@{address}")),
            ("CSeq", format!("{number} {method}")),
            ("Max-Forwards", "70".to_owned()),
            ("Contact", format!("<sip:agent@{address}:5060>")),
        ];
        if !body.is_empty() {
            headers.push(("Content-Type", "application/sdp".to_owned()));
        }
        headers.push(("Content-Length", body.len().to_string()));
        for (name, value) in changes {
            match headers.iter_mut().find(|(known, _)| known == name) {
                Some(header) => header.1 = (*value).to_owned(),
                None => headers.insert(1, (*name, (*value).to_owned())),
            }
        }
        let lines =
            headers.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}: {value}\r\n"));
        format!("{first_line}\r\n{}\r\n{body}", lines.collect::<String>())
    }

    /// The first line of a request to the extension.
    pub fn line(&self, method: &str) -> String {
        format!("{method} sip:7000@{} SIP/2.0", self.server)
    }

    /// An offer (or answer) with the agent's media port.
    pub fn sdp(&self, media: &str) -> String {
        let (address, port) = (self.address, self.media.local_addr().expect("its port").port());
        let media = media.replace("{port}", &port.to_string());
        format!("v=0\r\no=agent 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n{media}")
    }

    /// Sends bytes as they are.
    pub fn send(&self, bytes: &str) {
        self.socket.send_to(bytes.as_bytes(), self.server).expect("sent");
    }

    /// The next message; `None` where none comes.
    pub fn receive(&mut self) -> Option<Message> {
        self.receive_within(ANSWER_WITHIN)
    }

    /// The next message; `None` where none comes within that time.
    pub fn receive_within(&mut self, time: Duration) -> Option<Message> {
        self.socket.set_read_timeout(Some(time)).expect("a time-out");
        let mut buffer = [0; 65_535];
        let (length, _) = receive(&self.socket, &mut buffer)?;
        let message = Message(String::from_utf8_lossy(&buffer[..length]).into_owned());
        if let Some(to) = message.header("To").filter(|_| message.code() > 100) {
            self.to = to.to_owned();
        }
        Some(message)
    }

    /// Sends, and gives the final response to that method.
    pub fn ask(&mut self, request: &str) -> Message {
        let method = request.split(' ').next().unwrap_or_default();
        let call_id = format!("call{}@{}", self.call, self.address);
        self.send(request);
        loop {
            let message = self.receive().unwrap_or_else(|| panic!("no answer to\n{request}"));
            let is_its = message.header("CSeq").is_some_and(|sequence| sequence.ends_with(method));
            if message.code() >= 200 && is_its && message.header("Call-ID") == Some(&call_id) {
                return message;
            }
        }
    }

    /// Sends a request as [`Agent::request`] makes it, and gives its final response, acknowledged.
    pub fn call(&mut self, number: u32, media: &str) -> Message {
        let offer = if media.is_empty() { String::new() } else { self.sdp(media) };
        let invite = self.request(&self.line("INVITE"), number, &[], &offer);
        let answer = self.ask(&invite);
        let ack_body = if media.is_empty() { self.sdp(KEYS_BY_RTP) } else { String::new() };
        let branch = format!("SIP/2.0/UDP {}:5060;branch={}", self.address, self.branch);
        // The ACK to a refusal belongs to the INVITE's transaction (RFC 3261 section 17.1.1.3).
        let changes = [("Via", branch.as_str())];
        let changes = if answer.code() >= 300 { &changes[..] } else { &[] };
        let ack = self.request(&self.line("ACK"), number, changes, &ack_body);
        self.send(&ack);
        answer
    }

    /// OPTIONS in a dialog of its own.
    pub fn options(&mut self) -> Message {
        self.new_call();
        let options = self.request(&self.line("OPTIONS"), 1, &[], "");
        self.ask(&options)
    }

    /// BYE.
    pub fn bye(&mut self, number: u32) -> Message {
        let bye = self.request(&self.line("BYE"), number, &[], "");
        self.ask(&bye)
    }

    /// Answers a request of the server with 200.
    pub fn accept(&self, request: &Message) {
        let same = ["Via", "From", "To", "Call-ID", "CSeq"];
        let lines = same.iter().filter_map(|name| Some(format!("{name}: {}\r\n", request.header(name)?)));
        self.send(&format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", lines.collect::<String>()));
    }

    /// The media socket, for who sends from it while the agent listens.
    pub fn media(&self) -> UdpSocket {
        self.media.try_clone().expect("the media socket")
    }

    /// Leaves aside what has come to the media port.
    pub fn forget_rtp(&mut self) {
        self.media.set_nonblocking(true).expect("no waiting");
        while self.media.recv_from(&mut [0; 2048]).is_ok() {}
        self.media.set_nonblocking(false).expect("waiting");
    }

    /// What comes next to the media port, and from where.
    pub fn datagram(&mut self) -> (Vec<u8>, SocketAddr) {
        self.media.set_read_timeout(Some(ANSWER_WITHIN)).expect("a time-out");
        let mut buffer = [0; 2048];
        let (length, from) = receive(&self.media, &mut buffer).expect("RTP");
        (buffer[..length].to_vec(), from)
    }

    /// Sends from the media port.
    pub fn send_datagram(&self, bytes: &[u8], to: SocketAddr) {
        self.media.send_to(bytes, to).expect("sent");
    }

    /// Takes that many packets from the media port, and gives their RTP headers: sequence number, timestamp, SSRC.
    pub fn rtp(&mut self, count: usize) -> Vec<(u16, u32, u32)> {
        let mut headers = Vec::new();
        while headers.len() < count {
            let (buffer, _) = self.datagram();
            assert_eq!((buffer.len(), buffer[0], buffer[1] & 0x7f), (172, 0x80, 0), "a packet of 20 ms of PCMU");
            let number = |at: usize| u32::from_be_bytes([buffer[at], buffer[at + 1], buffer[at + 2], buffer[at + 3]]);
            headers.push(((number(0) & 0xffff) as u16, number(4), number(8)));
        }
        headers
    }
}

/// The length of the next datagram; `None` where none comes in time. A wait that was interrupted (the test was stopped and
/// goes on) begins again.
fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(buffer) {
            Ok(datagram) => return Some(datagram),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}
