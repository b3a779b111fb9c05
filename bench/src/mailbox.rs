//! A mail server that keeps the newest code of every recipient, so that the driver signs in by real mail. It runs in the
//! driver's process: the mail costs one TLS or TCP conversation and no file, database or other process.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream},
    net::TcpListener,
    sync::oneshot,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::certificate;

/// How long a sign-in waits for its mail.
const WAIT: Duration = Duration::from_secs(10);

/// A code that has arrived, or somebody who waits for it.
enum Slot {
    Code(String),
    Waits(oneshot::Sender<String>),
}

/// The mail catcher.
#[derive(Clone)]
pub(crate) struct Mailbox {
    slots: Arc<Mutex<HashMap<String, Slot>>>,
    received: Arc<AtomicU64>,
    /// Port for SMTP in plain text, for peers.
    pub(crate) plain: SocketAddr,
    /// Port for SMTP over TLS.
    pub(crate) tls: SocketAddr,
}

impl Mailbox {
    /// Listens on two free ports of loopback.
    pub(crate) async fn open(folder: &Path) -> Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(certificate::server(folder)?));
        let (plain, tls) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let mailbox = Self {
            slots: Arc::default(),
            received: Arc::default(),
            plain: plain.local_addr()?,
            tls: tls.local_addr()?,
        };
        let own = mailbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = plain.accept().await {
                drop(stream.set_nodelay(true));
                let own = own.clone();
                tokio::spawn(async move { own.converse(BufStream::new(stream)).await });
            }
        });
        let own = mailbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = tls.accept().await {
                drop(stream.set_nodelay(true));
                let (own, acceptor) = (own.clone(), acceptor.clone());
                tokio::spawn(async move { own.converse(BufStream::new(acceptor.accept(stream).await?)).await });
            }
        });
        Ok(mailbox)
    }

    /// Number of mails so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Forgets the code of an earlier mail. Call it before the next code is requested.
    pub(crate) fn expect(&self, address: &str) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
    }

    /// Waits for the code that was mailed to an address.
    pub(crate) async fn code(&self, address: &str) -> Result<String> {
        let waiting = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Slot::Code(code)) = slots.remove(address) {
                return Ok(code);
            }
            let (sender, waiting) = oneshot::channel();
            slots.insert(address.to_owned(), Slot::Waits(sender));
            waiting
        };
        let code = timeout(WAIT, waiting).await.with_context(|| format!("no mail to {address} arrived"))?;
        code.with_context(|| format!("two sign-ins wait for mail to {address}"))
    }

    fn deliver(&self, to: &str, code: String) {
        self.received.fetch_add(1, Ordering::Relaxed);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.remove(to) {
            Some(Slot::Waits(waiting)) => drop(waiting.send(code)),
            _ => drop(slots.insert(to.to_owned(), Slot::Code(code))),
        }
    }

    /// One SMTP conversation: accepts everything.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(self, mut stream: BufStream<S>) -> Result<()> {
        answer(&mut stream, "220 localhost ESMTP\r\n").await?;
        let (mut line, mut to) = (String::new(), String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => answer(&mut stream, "250-localhost\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n").await?,
                "RCPT" => {
                    let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                    to = address.to_owned();
                    answer(&mut stream, "250 OK\r\n").await?;
                }
                "DATA" => {
                    answer(&mut stream, "354 go on\r\n").await?;
                    let mut code = None;
                    loop {
                        line.clear();
                        if stream.read_line(&mut line).await? == 0 {
                            return Ok(());
                        }
                        if line.trim_end() == "." {
                            break;
                        }
                        code = code.or_else(|| find_code(&line));
                    }
                    if let Some(code) = code {
                        self.deliver(&to, code);
                    }
                    answer(&mut stream, "250 OK\r\n").await?;
                }
                "QUIT" => return answer(&mut stream, "221 bye\r\n").await,
                _ => answer(&mut stream, "250 OK\r\n").await?,
            }
        }
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>, text: &str) -> Result<()> {
    stream.write_all(text.as_bytes()).await?;
    Ok(stream.flush().await?)
}

/// The code, if a line consists of nothing but 6 to 8 digits and spaces.
fn find_code(line: &str) -> Option<String> {
    let line = line.trim();
    let digits: String = line.chars().filter(|letter| *letter != ' ').collect();
    let is_code = (6..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::find_code;

    #[test]
    fn a_code_stands_alone_on_its_line() {
        assert_eq!(find_code("8287 6862\r\n").as_deref(), Some("82876862"));
        assert_eq!(find_code("123456\r\n").as_deref(), Some("123456"));
        for other in ["", "12345", "123456789", "Your code: 8287 6862", "8287-6862", "Date: 2026"] {
            assert_eq!(find_code(other), None, "{other:?}");
        }
    }
}
