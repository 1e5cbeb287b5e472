//! The bytes of one connection, in and out at once, with no buffer while nothing moves.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// How much is taken from the system at once.
const READ_BYTES: usize = 16 << 10;

/// A buffer larger than this is given back when it is empty: most connections rest most of the time.
const KEPT_BYTES: usize = 512;

/// What bytes come and go by: TCP, or TLS over it.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for S {}

/// A socket and what has arrived on it.
pub(super) struct Link {
    /// Boxed: a session of TLS is large, and would be moved about from one future into the next.
    socket: Box<dyn Socket>,
    /// What has arrived and was not looked at yet.
    pub(super) input: BytesMut,
    is_unflushed: bool,
}

/// What moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// Something was sent.
    Out,
    /// Something has arrived.
    In,
    /// Nothing will arrive any more.
    Ended,
}

impl Link {
    pub(super) fn new(socket: impl Socket + 'static) -> Self {
        Self { socket: Box::new(socket), input: BytesMut::new(), is_unflushed: false }
    }

    /// Sends what is in `out`, and reads up to `room` bytes more; returns when one of the two got on. May
    /// be dropped and called again.
    pub(super) async fn moved(&mut self, out: &mut BytesMut, room: usize) -> io::Result<Moved> {
        poll_fn(|cx| self.poll_moved(cx, out, room)).await
    }

    /// Sends all of `out`.
    pub(super) async fn send(&mut self, out: &mut BytesMut) -> io::Result<()> {
        while !out.is_empty() || self.is_unflushed {
            self.moved(out, 0).await?;
        }
        Ok(())
    }

    /// Sends all of `out`, says that no more comes, and waits until the other side has gone or `time` is over.
    ///
    /// A socket that is closed with something unread in it is reset, and what was sent last is lost with it.
    pub(super) async fn part(mut self, mut out: BytesMut, time: Duration) {
        let parting = async {
            self.send(&mut out).await?;
            self.socket.shutdown().await?;
            while self.moved(&mut out, READ_BYTES).await? != Moved::Ended {
                self.input.clear();
            }
            io::Result::Ok(())
        };
        // It is over either way.
        let _ = timeout(time, parting).await;
    }

    /// Gives back the memory that nothing is in.
    pub(super) fn rest(&mut self) {
        give_back(&mut self.input);
    }

    fn poll_moved(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut BytesMut,
        room: usize,
    ) -> Poll<io::Result<Moved>> {
        let mut has_sent = false;
        while !out.is_empty() {
            let Poll::Ready(sent) = Pin::new(&mut self.socket).poll_write(cx, out)? else { break };
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            out.advance(sent);
            self.is_unflushed = true;
            has_sent = true;
        }
        if out.is_empty() {
            give_back(out);
            // TLS may hold back what it was given.
            if self.is_unflushed && Pin::new(&mut self.socket).poll_flush(cx)?.is_ready() {
                self.is_unflushed = false;
                has_sent = true;
            }
        }
        if room > 0 {
            // On the stack for as long as this takes: a connection that waits owns no buffer.
            let mut bytes = [const { MaybeUninit::uninit() }; READ_BYTES];
            let mut bytes = ReadBuf::uninit(bytes.get_mut(..room.min(READ_BYTES)).unwrap_or_default());
            if Pin::new(&mut self.socket).poll_read(cx, &mut bytes)?.is_ready() {
                self.input.extend_from_slice(bytes.filled());
                let moved = if bytes.filled().is_empty() { Moved::Ended } else { Moved::In };
                return Poll::Ready(Ok(moved));
            }
        }
        if has_sent { Poll::Ready(Ok(Moved::Out)) } else { Poll::Pending }
    }
}

fn give_back(buffer: &mut BytesMut) {
    if buffer.is_empty() && buffer.capacity() > KEPT_BYTES {
        *buffer = BytesMut::new();
    }
}
