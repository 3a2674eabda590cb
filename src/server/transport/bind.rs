//! Binds the sockets that are listened on, each for one family: where both are wanted on one port, both are there.

use std::net::{SocketAddr, TcpListener as StdTcpListener, UdpSocket as StdUdpSocket};

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

/// Bytes that the kernel may keep of what comes and goes by UDP.
const UDP_BUFFER_BYTES: usize = 4 << 20;
/// Connections that the kernel may keep until they are accepted.
const BACKLOG: i32 = 1024;

/// Binds a socket for datagrams.
pub fn bind_udp(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = of_one_family(address, Type::DGRAM)?;
    // The kernel takes what its limits allow; less costs datagrams under load, not correctness.
    let _ = socket.set_recv_buffer_size(UDP_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(UDP_BUFFER_BYTES);
    socket.bind(&address.into())?;
    UdpSocket::from_std(StdUdpSocket::from(socket))
}

/// Binds a listener for connections.
pub fn bind_tcp(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = of_one_family(address, Type::STREAM)?;
    // Connections of an earlier process that are not quite over yet do not keep the port.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(StdTcpListener::from(socket))
}

/// A socket that takes no IPv4 where the address is one of IPv6.
fn of_one_family(address: SocketAddr, kind: Type) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}
