//! Where a listener listens, and that nothing travels in the clear by accident.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::Tls;

/// The setting that switches plain connections on beyond this machine.
const PLAIN_SETTING: &str = "plain_beyond_loopback";

/// How connections are protected on their way.
#[derive(Debug, Clone)]
pub enum Transport {
    /// TLS 1.2 or 1.3.
    Tls(Tls),
    /// Not at all.
    Plain {
        /// Whether connections from other machines are wanted even so.
        beyond_loopback: bool,
    },
}

/// A bound address that nobody answers at yet.
#[derive(Debug)]
pub struct Door {
    pub(crate) listener: TcpListener,
    pub(crate) transport: Transport,
}

impl Door {
    /// Binds an address. Port 0 takes any that is free.
    ///
    /// # Errors
    /// Where the address cannot be had, and where it would let other machines speak without TLS though
    /// nobody asked for that.
    pub async fn bind(address: SocketAddr, transport: Transport) -> Result<Self, BindError> {
        if matches!(transport, Transport::Plain { beyond_loopback: false }) && !address.ip().is_loopback() {
            return Err(BindError::PlainBeyondLoopback(address));
        }
        let listener =
            TcpListener::bind(address).await.map_err(|why| BindError::Address(address, why.kind()))?;
        Ok(Self { listener, transport })
    }

    /// The address as it was bound, with the port that was taken.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Why nobody can listen at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindError {
    /// Others on the way could read it, and nobody said that this is wanted.
    PlainBeyondLoopback(SocketAddr),
    /// The system does not give the address.
    Address(SocketAddr, io::ErrorKind),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PlainBeyondLoopback(address) => write!(
                f,
                "`{address}` can be reached from other machines, and without TLS anybody between can read \
                 passwords and messages; give a certificate, listen at `127.0.0.1:{}`, or switch it on by \
                 name: `{PLAIN_SETTING} = true`",
                address.port()
            ),
            Self::Address(address, why) => write!(
                f,
                "could not listen at `{address}`: {why}; see whether another program has the port, and \
                 whether the address is this machine's"
            ),
        }
    }
}

impl std::error::Error for BindError {}
