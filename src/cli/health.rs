//! `doorcode health`: asks the server that runs beside it how it is, for containers, which have no other program to ask
//! with. It reads one setting and opens one connection to this machine: no database, no secret, no file.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Outcome, print};
use crate::settings;

/// A server that measures its parts gives each of them two seconds.
const PATIENCE: Duration = Duration::from_secs(4);
/// More than an answer has.
const LONGEST: u64 = 16 * 1024;

/// What to ask, and where.
#[derive(Args)]
pub(super) struct Probe {
    /// Ask only whether the process lives, not whether it can serve.
    #[arg(long)]
    live: bool,
    /// Where the server listens for such questions; every address of this machine becomes loopback.
    ///
    /// Default: `127.0.0.1:4001`. Example: `0.0.0.0:4001`
    #[arg(long, env = "DOORCODE_OPS_LISTEN", value_name = "ADDRESS")]
    ops_listen: Option<String>,
}

pub(super) async fn ask(probe: Probe) -> Outcome {
    let address = near(settings::ops_address(probe.ops_listen.as_deref())?);
    let path = if probe.live { "/health" } else { "/ready" };
    let asked = timeout(PATIENCE, get(address, path)).await;
    let answer = asked
        .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
        .map_err(|error| format!("nobody answers at {address} ({})", error.kind()))?;
    let (is_well, told) = read(&answer).ok_or_else(|| format!("what answers at {address} is no Doorcode"))?;
    print::json(&told)?;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where a server that listens on every address can be reached from beside it.
fn near(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

async fn get(address: SocketAddr, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    Ok(answer)
}

/// Whether the status is 200, and what was told with it.
fn read(answer: &[u8]) -> Option<(bool, Value)> {
    let answer = str::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let told: Value = serde_json::from_str(body).ok()?;
    told.get("status")?;
    Some((status == "200", told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_loopback() {
        for (listens, asked) in [
            ("0.0.0.0:4001", "127.0.0.1:4001"),
            ("[::]:4001", "[::1]:4001"),
            ("10.0.0.5:4001", "10.0.0.5:4001"),
            ("[2001:db8::1]:9", "[2001:db8::1]:9"),
        ] {
            assert_eq!(near(listens.parse().unwrap()).to_string(), asked);
        }
    }

    #[test]
    fn only_an_answer_of_ours_with_200_is_well() {
        let answer = |status: &str, body: &str| read(format!("HTTP/1.1 {status}\r\na: b\r\n\r\n{body}").as_bytes());
        assert!(answer("200 OK", r#"{"status":"ready"}"#).unwrap().0);
        assert!(!answer("503 Service Unavailable", r#"{"status":"not ready"}"#).unwrap().0);
        assert!(answer("200 OK", "<html>").is_none() && answer("200 OK", r#"{"a":1}"#).is_none());
        assert!(read(b"SSH-2.0-OpenSSH\r\n").is_none() && read(b"\xff\xfe").is_none() && read(b"").is_none());
    }
}
