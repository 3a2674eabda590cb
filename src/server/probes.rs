//! Whether lines, gateways and proxies are there: each is asked by OPTIONS once a minute, spread over it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::access::Context;
use crate::server::clock::Clock;
use crate::server::signalling::Order;
use crate::server::transport::{Connector, Outbound, Transports};
use crate::sip::{ConnectionId, Destination, DestinationHost, Flow, ProbeId, is_reachable};
use crate::store::{Probe, Store};

/// How often each is asked.
const INTERVAL: Duration = Duration::from_secs(60);
/// How long a name may take to become an address.
const RESOLVE_WITHIN: Duration = Duration::from_secs(10);
/// Addresses of a name that are tried for one that we can reach.
const ADDRESSES_MAX: usize = 8;

/// What the SIP side is asked to send.
pub struct Question {
    /// Whom to ask.
    pub to: Destination,
    /// How.
    pub way: Way,
    /// Where the answer goes; dropped where nothing can be sent.
    pub answer: oneshot::Sender<Answer>,
}

/// How a question goes to its destination.
pub enum Way {
    /// By a datagram to the first of these that there is a way to.
    Udp(Vec<SocketAddr>),
    /// On this connection, which is ours alone.
    Tcp(Flow, Outbound),
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The final response's code; `None` where there was none.
    pub code: Option<u16>,
    /// How long it took.
    pub round_trip: Duration,
}

/// Nobody is there.
const NO_ANSWER: Answer = Answer { code: None, round_trip: Duration::ZERO };

/// The questions that the SIP side has sent; each is answered or forgotten within 32 s.
#[derive(Default)]
pub struct Questions(HashMap<ProbeId, (oneshot::Sender<Answer>, Option<ConnectionId>)>);

impl Questions {
    /// The way of a question; its connection, where it has one, is noted.
    pub fn way(transports: &mut Transports, way: Way) -> Option<Flow> {
        match way {
            Way::Udp(peers) => peers.into_iter().find_map(|peer| transports.flow_to(peer)),
            Way::Tcp(flow, outbound) => {
                if let Some(id) = flow.transport.connection() {
                    transports.opened(id, outbound);
                }
                Some(flow)
            }
        }
    }

    /// A question was sent.
    pub fn sent(&mut self, probe: ProbeId, flow: Flow, answer: oneshot::Sender<Answer>) {
        self.0.insert(probe, (answer, flow.transport.connection()));
    }

    /// Passes the answer on, and closes the connection of that question.
    pub fn answered(&mut self, transports: &mut Transports, probe: ProbeId, answer: Answer) {
        let Some((asker, connection)) = self.0.remove(&probe) else { return };
        // Who asked may be gone: the process is ending.
        let _ = asker.send(answer);
        if let Some(id) = connection {
            transports.closed(id);
        }
    }
}

/// Asks them all, again and again.
#[derive(Clone)]
pub struct Prober {
    /// The store, which says whom to ask and remembers the answers.
    pub store: Store,
    /// To the SIP side.
    pub orders: Sender<Order>,
    /// For those that are asked by TCP.
    pub connector: Connector,
}

impl Prober {
    /// Runs until it is dropped.
    pub async fn run(self) {
        loop {
            let probes = match self.store.probes().await {
                Ok(probes) => probes,
                Err(error) => {
                    tracing::error!(%error, "whom to ask by OPTIONS can't be read now");
                    Vec::new()
                }
            };
            let count = u32::try_from(probes.len().max(1)).unwrap_or(u32::MAX);
            let gap = INTERVAL / count;
            if probes.is_empty() {
                sleep(gap).await;
            }
            for probe in probes {
                tokio::spawn(self.clone().ask(probe));
                sleep(gap).await;
            }
        }
    }

    async fn ask(self, probe: Probe) {
        let to = match Destination::parse(&probe.uri) {
            Ok(to) => to,
            Err(why) => {
                tracing::warn!(kind = probe.kind.name(), number = probe.number.0, %why, "its URI can't be asked");
                return;
            }
        };
        let Some(answer) = self.answer(to).await else {
            tracing::debug!(kind = probe.kind.name(), number = probe.number.0, "there is no way to ask it from here");
            return;
        };
        let is_there = is_reachable(answer.code);
        tracing::debug!(kind = probe.kind.name(), number = probe.number.0, code = answer.code, is_there, "asked");
        let ctx = Context::without_call(Clock::wall(), self.store.site(), "probe");
        let answered_in = is_there.then_some(answer.round_trip);
        if let Err(error) = self.store.probed(&ctx, &probe, answered_in).await {
            tracing::warn!(kind = probe.kind.name(), number = probe.number.0, %error, "the answer was not kept");
        }
    }

    /// `None` where it could not be asked, which says nothing of it.
    async fn answer(&self, to: Destination) -> Option<Answer> {
        let peers = addresses(&to).await;
        let Some(first) = peers.first().copied() else { return Some(NO_ANSWER) };
        let way = if to.is_tcp() {
            match self.connector.connect(first).await {
                Ok((flow, outbound)) => Way::Tcp(flow, outbound),
                Err(_) => return Some(NO_ANSWER),
            }
        } else {
            Way::Udp(peers)
        };
        let (answer, answered) = oneshot::channel();
        self.orders.send(Order::Ask(Box::new(Question { to, way, answer }))).await.ok()?;
        answered.await.ok()
    }
}

/// The addresses of a destination; none where its name has none.
async fn addresses(to: &Destination) -> Vec<SocketAddr> {
    match to.host() {
        DestinationHost::Address(ip) => vec![SocketAddr::new(*ip, to.port())],
        DestinationHost::Name(name) => {
            let looked_up = timeout(RESOLVE_WITHIN, tokio::net::lookup_host((name.as_str(), to.port()))).await;
            match looked_up {
                Ok(Ok(found)) => tried(found),
                Ok(Err(_)) | Err(_) => Vec::new(),
            }
        }
    }
}

/// Those addresses of a name that are tried.
fn tried(found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    found.take(ADDRESSES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, UdpSocket};
    use tokio::sync::mpsc::{Receiver, channel};

    use super::*;
    use crate::config::{Listen, Transport as Kind};
    use crate::server::transport::{Inbound, Listening, Patience};
    use crate::sip::{Endpoint, EndpointConfig, Event};

    /// What the gateway says to a request.
    fn response(request: &[u8]) -> String {
        let text = String::from_utf8_lossy(request);
        assert!(text.starts_with("OPTIONS sip:127.0.0.1:"), "{text}");
        let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let lines = text.split("\r\n").filter(|line| copied.iter().any(|name| line.starts_with(name)));
        let lines: Vec<String> = lines.map(|line| format!("{line}\r\n")).collect();
        format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", lines.concat())
    }

    /// The SIP side, as far as questions have to do with it.
    struct World {
        clock: Clock,
        endpoint: Endpoint,
        transports: Transports,
        questions: Questions,
        inbound: Receiver<Inbound>,
    }

    impl World {
        async fn new() -> Self {
            let (sender, inbound) = channel(16);
            let clock = Clock::start();
            let listen = Listen { transport: Kind::Udp, address: "0.0.0.0:0".parse().expect("an address") };
            let on = Listening {
                listens: &[listen],
                certificates: None,
                trusted: vec![],
                patience: Patience::default(),
                clock,
            };
            let transports = Transports::listen(on, &sender).expect("a socket");
            let endpoint = Endpoint::new(EndpointConfig::new(vec!["7000".into()]), [7; 32]);
            // The runtime has to see once that a new socket can be written.
            sleep(Duration::from_millis(5)).await;
            Self { clock, endpoint, transports, questions: Questions::default(), inbound }
        }

        fn ask(&mut self, to: &Destination, way: Way) -> oneshot::Receiver<Answer> {
            let (answer, answered) = oneshot::channel();
            let flow = Questions::way(&mut self.transports, way).expect("a way");
            let probe = self.endpoint.probe(self.clock.now(), flow, to).expect("room");
            self.questions.sent(probe, flow, answer);
            while let Some(transmit) = self.endpoint.poll_transmit() {
                self.transports.send(transmit);
            }
            answered
        }

        /// Takes what comes in until there is an answer.
        async fn answer(&mut self, mut answered: oneshot::Receiver<Answer>) -> Answer {
            loop {
                if let Ok(answer) = answered.try_recv() {
                    return answer;
                }
                let now = self.clock.now();
                let message = timeout(Duration::from_secs(20), self.inbound.recv()).await.expect("in time");
                match message.expect("a message") {
                    Inbound::Message(flow, bytes, _) => self.endpoint.handle_message(now, flow, &bytes),
                    Inbound::Opened(id, outbound) => self.transports.opened(id, outbound),
                    Inbound::Closed(id) => self.endpoint.handle_flow_closed(now, id),
                    Inbound::Connected(..) => panic!("nothing was to be connected"),
                }
                while let Some(event) = self.endpoint.poll_event() {
                    let Event::Probed { probe, answer, round_trip } = event else { panic!("{event:?}") };
                    self.questions.answered(&mut self.transports, probe, Answer { code: answer, round_trip });
                }
            }
        }
    }

    #[tokio::test]
    async fn a_gateway_is_asked_by_a_datagram_and_its_answer_comes_back() {
        let mut world = World::new().await;
        let gateway = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let address = gateway.local_addr().expect("an address");
        let to = Destination::parse(&format!("sip:{address}")).expect("a destination");
        let nowhere = "[2001:db8::1]:5060".parse().expect("an address");
        let answered = world.ask(&to, Way::Udp(vec![nowhere, address]));
        let mut buffer = [0; 2000];
        let (length, from) = gateway.recv_from(&mut buffer).await.expect("a request");
        gateway.send_to(response(&buffer[..length]).as_bytes(), from).await.expect("sent");
        assert_eq!(world.answer(answered).await.code, Some(200));
    }

    #[tokio::test]
    async fn a_gateway_by_tcp_is_asked_on_a_connection_that_is_closed_then() {
        let mut world = World::new().await;
        let gateway = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = gateway.local_addr().expect("an address");
        let to = Destination::parse(&format!("sip:{address};transport=tcp")).expect("a destination");
        let (flow, outbound) = world.transports.connector().connect(address).await.expect("a connection");
        let (mut stream, _) = gateway.accept().await.expect("a connection");
        let answered = world.ask(&to, Way::Tcp(flow, outbound));
        let mut buffer = [0; 2000];
        let length = stream.read(&mut buffer).await.expect("a request");
        stream.write_all(response(&buffer[..length]).as_bytes()).await.expect("sent");
        assert_eq!(world.answer(answered).await.code, Some(200));
        assert_eq!(stream.read(&mut buffer).await.expect("the end"), 0, "closed by who has asked");
    }

    #[tokio::test]
    async fn a_connection_that_is_closed_is_no_answer() {
        let mut world = World::new().await;
        let gateway = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = gateway.local_addr().expect("an address");
        let to = Destination::parse(&format!("sip:{address};transport=tcp")).expect("a destination");
        let (flow, outbound) = world.transports.connector().connect(address).await.expect("a connection");
        let (stream, _) = gateway.accept().await.expect("a connection");
        let answered = world.ask(&to, Way::Tcp(flow, outbound));
        drop(stream);
        assert_eq!(world.answer(answered).await, NO_ANSWER);
    }

    #[tokio::test]
    async fn an_address_needs_no_resolver() {
        let to = Destination::parse("sip:[2001:db8::1]:5070").expect("a destination");
        assert_eq!(addresses(&to).await, ["[2001:db8::1]:5070".parse().expect("an address")]);
    }

    #[test]
    fn so_many_addresses_of_a_name_are_tried_and_no_more() {
        let of = |count: u8| (0..count).map(|n| SocketAddr::from(([192, 0, 2, n], 5060)));
        assert_eq!(tried(of(ADDRESSES_MAX as u8)).len(), ADDRESSES_MAX);
        assert_eq!(tried(of(ADDRESSES_MAX as u8 + 1)), of(ADDRESSES_MAX as u8).collect::<Vec<_>>(), "the first ones");
    }
}
