//! Opens a secure connection to the mail server and describes connection errors. `smtp.rs` classifies which errors can
//! be retried.

use std::{
    error::Error as _,
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use lettre::transport::smtp::{
    Error,
    authentication::Mechanism,
    client::{AsyncSmtpConnection, AsyncTokioStream},
    extension::ClientId,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};

use super::target::{Protection, Target};

/// Maximum length of a quoted server response, in characters.
const QUOTED: usize = 200;

/// The stage of an SMTP conversation in which an error happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Opening the TCP connection, before any response from the server.
    Connecting,
    /// With `smtps://`, the server did not respond in time. It may not speak TLS on this port.
    Silent,
    /// The server does not offer the required STARTTLS.
    NoStartTls,
    /// The TLS handshake failed or timed out.
    Handshake,
    /// Signing in with user name and password.
    SigningIn,
    /// Any other stage; the server's response describes the error.
    Conversation,
}

/// An SMTP error as one line of text that is safe to log.
#[derive(Clone, Debug)]
pub(crate) struct SmtpError {
    pub(crate) stage: Stage,
    /// The server's response code, or `None` if the server did not respond.
    pub(crate) code: Option<u16>,
    /// Text without addresses, passwords and control characters.
    pub(crate) text: String,
}

impl SmtpError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::at(Stage::Conversation, text)
    }

    fn at(stage: Stage, text: impl Into<String>) -> Self {
        Self { stage, code: None, text: text.into() }
    }

    fn in_stage(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }
}

/// Runs one step of the conversation with a timeout. Errors start with `name`.
pub(crate) async fn step<T>(
    name: &str,
    patience: Duration,
    target: &Target,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, SmtpError> {
    match timeout(patience, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let code = error.status().map(u16::from);
            let words = neutral(&error.to_string(), target);
            Err(SmtpError { stage: Stage::Conversation, code, text: format!("{name}: {words}") })
        }
        Err(_) => Err(SmtpError::new(format!("{name}: timed out after {} ms", patience.as_millis()))),
    }
}

/// Opens a connection, encrypts it as the target requires, and signs in.
pub(crate) async fn open(target: &Target, patience: Duration) -> Result<AsyncSmtpConnection, SmtpError> {
    let hello = ClientId::default();
    let mut connection = match &target.protection {
        Protection::Implicit(tls) => {
            let server = (target.host.as_str(), target.port);
            let work = AsyncSmtpConnection::connect_tokio1(server, Some(patience), &hello, Some(tls.clone()), None);
            let hint = async { work.await.map_err(|error| (is_tls(&error), error)) };
            match timeout(patience, hint).await {
                Ok(Ok(connection)) => connection,
                Ok(Err((true, error))) => return Err(tls_error(&error, target)),
                Ok(Err((false, error))) => {
                    let failed = step("connecting", patience, target, async { Err(error) }).await;
                    return failed.map_err(|error| error.in_stage(Stage::Connecting));
                }
                Err(_) => {
                    let text = "connecting: timed out; does the server speak TLS on this port?";
                    return Err(SmtpError::at(Stage::Silent, text));
                }
            }
        }
        Protection::Upgrade(tls) => {
            let mut connection = greet(target, patience, &hello).await?;
            if !connection.can_starttls() {
                return Err(SmtpError::at(
                    Stage::NoStartTls,
                    "the mail server does not offer STARTTLS, so nothing was sent; a middlebox may have removed \
                     it: try smtps:// on port 465",
                ));
            }
            match timeout(patience, connection.starttls(tls.clone(), &hello)).await {
                Ok(Ok(())) => connection,
                Ok(Err(error)) => return Err(tls_error(&error, target)),
                Err(_) => {
                    return Err(SmtpError::at(Stage::Handshake, "the TLS handshake with the mail server timed out"));
                }
            }
        }
        Protection::Loopback => greet(target, patience, &hello).await?,
    };
    if let Some(credentials) = &target.credentials {
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        let name = "signing in to the mail server; check user name and password";
        let signed_in = step(name, patience, target, connection.auth(&mechanisms, credentials)).await;
        signed_in.map_err(|error| error.in_stage(Stage::SigningIn))?;
    }
    Ok(connection)
}

/// Connects without TLS, up to EHLO.
async fn greet(target: &Target, patience: Duration, hello: &ClientId) -> Result<AsyncSmtpConnection, SmtpError> {
    let stream = match timeout(patience, TcpStream::connect((target.host.as_str(), target.port))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            let text = format!("connecting: {}", neutral(&error.to_string(), target));
            return Err(SmtpError::at(Stage::Connecting, text));
        }
        Err(_) => return Err(SmtpError::at(Stage::Connecting, "connecting: timed out")),
    };
    // lettre sends a message and the dot that ends it in two writes. Otherwise the second would wait about 40 ms for the
    // server to acknowledge the first. Without the option it still works.
    _ = stream.set_nodelay(true);
    let is_local = stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
    if matches!(target.protection, Protection::Loopback) && !is_local {
        // The name `localhost` may resolve to another machine.
        return Err(SmtpError::new("the mail server is not on this machine, so nothing was sent unencrypted"));
    }
    let stream = Box::new(ByLine { stream, encrypted: false });
    step("greeting", patience, target, AsyncSmtpConnection::connect_with_transport(stream, hello)).await
}

fn is_tls(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::InvalidData) {
            return true;
        }
        source = error.source();
    }
    error.is_tls()
}

fn tls_error(error: &Error, target: &Target) -> SmtpError {
    let text = format!(
        "the TLS handshake with the mail server failed, so nothing was sent: {} (for a private CA, set \
         ca=/path/to/ca.pem)",
        neutral(&error.to_string(), target)
    );
    SmtpError::at(Stage::Handshake, text)
}

/// Makes text from the server safe to log: at most 200 printable ASCII characters, without email addresses and our
/// password.
fn neutral(text: &str, target: &Target) -> String {
    use secrecy::ExposeSecret;

    let mut text = text.to_owned();
    for secret in &target.secrets {
        text = text.replace(secret.expose_secret(), "[password]");
    }
    let printable: String =
        text.chars().map(|char| if char == ' ' || char.is_ascii_graphic() { char } else { ' ' }).collect();
    let words = printable.split_whitespace().map(|word| if word.contains('@') { "[address]" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(QUOTED).collect()
}

/// A stream that reads one byte at a time until TLS begins, which defeats STARTTLS response injection. lettre keeps its
/// read buffer across STARTTLS, and an attacker could put a plaintext response into that buffer. With single bytes, the
/// buffer is empty when TLS begins, so injected bytes go to the TLS handshake and make it fail.
#[derive(Debug)]
struct ByLine {
    stream: TcpStream,
    encrypted: bool,
}

/// First byte of every TLS handshake record; no SMTP command starts with it.
const TLS_HANDSHAKE: u8 = 0x16;

impl AsyncRead for ByLine {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.encrypted {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let mut byte = [0];
        let mut single = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut single))?;
        buffer.put_slice(single.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ByLine {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.encrypted |= bytes.first() == Some(&TLS_HANDSHAKE);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for ByLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}
