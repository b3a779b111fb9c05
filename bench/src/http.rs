//! An HTTP/1.1 client for loopback that costs little: one TCP connection, one buffer each way, no pool. The driver must
//! not take the processor time that the measured server needs.

use std::{net::SocketAddr, ops::Range};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Bytes read at once. A response of `me` fits.
const CHUNK: usize = 16 * 1024;
/// Maximum size of a response, against a server that never ends one.
const MOST: usize = 8 * 1024 * 1024;

/// A connection that is opened at the first request and again after the server closed it.
pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    request: Vec<u8>,
    response: Vec<u8>,
}

/// A request. `headers` are complete lines, each with its line end.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a str,
    pub(crate) body: &'a str,
}

/// A response whose body is still in the client's buffer.
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
    /// `name=value` of every cookie that was set.
    pub(crate) cookies: Vec<String>,
}

/// What the head of a response says about its body.
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    length: usize,
    status: u16,
    content: Option<usize>,
    is_chunked: bool,
    closes: bool,
    cookies: Vec<String>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, request: Vec::with_capacity(2_048), response: Vec::with_capacity(CHUNK) }
    }

    /// The origin of pages of the server.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &str) -> Result<Response<'_>> {
        self.send(Request { method: "GET", path, headers, body: "" }).await
    }

    pub(crate) async fn post(&mut self, path: &str, headers: &str, body: &str) -> Result<Response<'_>> {
        self.send(Request { method: "POST", path, headers, body }).await
    }

    pub(crate) async fn send(&mut self, request: Request<'_>) -> Result<Response<'_>> {
        self.request.clear();
        let Request { method, path, headers, body } = request;
        let host = self.address.port();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{host}\r\n{headers}");
        self.request.extend_from_slice(head.as_bytes());
        if !body.is_empty() {
            let content = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
            self.request.extend_from_slice(content.as_bytes());
        }
        self.request.extend_from_slice(b"\r\n");
        self.request.extend_from_slice(body.as_bytes());

        let reused = self.stream.is_some();
        let head = match self.exchange().await {
            Ok(head) => head,
            // The server may have closed an idle connection. Nothing of the response has arrived, so send again.
            Err(_) if reused && self.response.is_empty() => {
                self.stream = None;
                self.exchange().await?
            }
            Err(error) => {
                self.stream = None;
                return Err(error);
            }
        };
        if head.closes {
            self.stream = None;
        }
        let body = self.body(&head)?;
        Ok(Response { status: head.status, body: &self.response[body], cookies: head.cookies })
    }

    /// Sends the request and reads until the response is complete.
    async fn exchange(&mut self) -> Result<Head> {
        self.response.clear();
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).await.context("cannot connect to the server")?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        let Some(stream) = self.stream.as_mut() else { bail!("not connected") };
        stream.write_all(&self.request).await?;
        loop {
            self.response.reserve(CHUNK);
            if stream.read_buf(&mut self.response).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(head) = Head::parse(&self.response)?
                && is_complete(&head, &self.response)
            {
                return Ok(head);
            }
            if self.response.len() > MOST {
                bail!("the response is larger than {MOST} bytes");
            }
        }
    }

    /// The range of the body in the buffer. A chunked body is first moved together.
    fn body(&mut self, head: &Head) -> Result<Range<usize>> {
        if !head.is_chunked {
            return Ok(head.length..head.length + head.content.unwrap_or_default());
        }
        let (mut from, mut to) = (head.length, head.length);
        loop {
            match httparse::parse_chunk_size(&self.response[from..]) {
                Ok(httparse::Status::Complete((_, 0))) => return Ok(head.length..to),
                Ok(httparse::Status::Complete((line, size))) => {
                    let size = usize::try_from(size)?;
                    self.response.copy_within(from + line..from + line + size, to);
                    (from, to) = (from + line + size + 2, to + size);
                }
                _ => bail!("the response has a bad chunk"),
            }
        }
    }
}

impl Head {
    /// `None` if more bytes are needed.
    fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 48];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) = response.parse(bytes)? else { return Ok(None) };
        let mut head = Self { length, status: response.code.unwrap_or_default(), ..Self::default() };
        for header in response.headers.iter() {
            let value = std::str::from_utf8(header.value).unwrap_or_default();
            if header.name.eq_ignore_ascii_case("content-length") {
                head.content = value.parse().ok();
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                head.is_chunked = value.eq_ignore_ascii_case("chunked");
            } else if header.name.eq_ignore_ascii_case("connection") {
                head.closes = value.eq_ignore_ascii_case("close");
            } else if header.name.eq_ignore_ascii_case("set-cookie") {
                head.cookies.extend(value.split(';').next().map(str::to_owned));
            }
        }
        Ok(Some(head))
    }
}

fn is_complete(head: &Head, bytes: &[u8]) -> bool {
    if head.is_chunked { bytes.ends_with(b"0\r\n\r\n") } else { bytes.len() >= head.length + head.content.unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_body_is_read_without_its_sizes() {
        let text = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nset-cookie: a=1; Path=/\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let mut client = Client::new(([127, 0, 0, 1], 1).into());
        client.response.extend_from_slice(text);
        let head = Head::parse(text).unwrap().unwrap();
        assert!(is_complete(&head, text));
        assert!(!is_complete(&head, &text[..text.len() - 1]));
        assert_eq!(head.cookies, ["a=1"]);
        let body = client.body(&head).unwrap();
        assert_eq!(&client.response[body], b"abcde");
    }
}
