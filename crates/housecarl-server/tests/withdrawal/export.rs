//! A reader: a request for data whose answer is taken as it comes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::until;

/// What every line has once.
const LINE: &[u8] = b"{\"item\"";

#[derive(Debug)]
pub(crate) struct Export {
    lines: Arc<AtomicU64>,
    reading: JoinHandle<Vec<u8>>,
}

impl Export {
    pub(crate) async fn begin(to: SocketAddr, path: &str, token: &str) -> Self {
        let mut socket = TcpStream::connect(to).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let lines = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lines);
        let reading = tokio::spawn(async move {
            let mut answer = Vec::new();
            while socket.read_buf(&mut answer).await.unwrap() > 0 {
                counted.store(count(&answer), SeqCst);
            }
            answer
        });
        Self { lines, reading }
    }

    /// Returns when so many lines have come.
    pub(crate) async fn until(&self, lines: u64) {
        until("lines of an export", || self.lines.load(SeqCst) >= lines).await;
    }

    /// Returns at its end: how many lines came in all.
    pub(crate) async fn whole(self) -> u64 {
        let answer = self.reading.await.unwrap();
        assert!(
            answer.ends_with(b"0\r\n\r\n"),
            "the answer is cut off: {}",
            String::from_utf8_lossy(&answer)
        );
        count(&answer)
    }
}

fn count(bytes: &[u8]) -> u64 {
    bytes.windows(LINE.len()).filter(|window| *window == LINE).count() as u64
}
