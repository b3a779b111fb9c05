//! `doorcode health`: requests the health of the server on this machine, for containers without an HTTP client. Uses no
//! database, secret or file.

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

/// Longer than the two seconds that the server gives each of its checks.
const TIMEOUT: Duration = Duration::from_secs(4);
const MAX_RESPONSE: u64 = 16 * 1024;

/// The check, and the address of the server.
#[derive(Args)]
pub(super) struct Probe {
    /// Check only that the process is running, not that it is ready.
    #[arg(long)]
    live: bool,
    /// Address and port for health checks and metrics. An unspecified address such as 0.0.0.0 becomes loopback.
    ///
    /// Default: `127.0.0.1:4001`. Example: `0.0.0.0:4001`
    #[arg(long, env = "DOORCODE_OPS_LISTEN", value_name = "ADDRESS")]
    ops_listen: Option<String>,
}

pub(super) async fn check(probe: Probe) -> Outcome {
    let address = reachable(settings::ops_address(probe.ops_listen.as_deref())?);
    let path = if probe.live { "/health" } else { "/ready" };
    let response = timeout(TIMEOUT, get(address, path)).await;
    let response = response.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())).map_err(|error| {
        format!(
            "cannot reach the server at {address} ({}). Is it running, with this DOORCODE_OPS_LISTEN?",
            error.kind()
        )
    })?;
    let (is_healthy, status) = read(&response).ok_or_else(|| format!("the server at {address} is not Doorcode"))?;
    print::json(&status)?;
    Ok(if is_healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Replaces an unspecified address by loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
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
    let mut response = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut response).await?;
    Ok(response)
}

/// Whether the status is 200, and the JSON body. `None` if the response is not from Doorcode.
fn read(response: &[u8]) -> Option<(bool, Value)> {
    let response = str::from_utf8(response).ok()?;
    let (head, body) = response.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let json: Value = serde_json::from_str(body).ok()?;
    json.get("status")?;
    Some((status == "200", json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_becomes_loopback() {
        for (listen, expected) in [
            ("0.0.0.0:4001", "127.0.0.1:4001"),
            ("[::]:4001", "[::1]:4001"),
            ("10.0.0.5:4001", "10.0.0.5:4001"),
            ("[2001:db8::1]:9", "[2001:db8::1]:9"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), expected);
        }
    }

    #[test]
    fn only_a_200_from_doorcode_is_healthy() {
        let response = |status: &str, body: &str| read(format!("HTTP/1.1 {status}\r\na: b\r\n\r\n{body}").as_bytes());
        assert!(response("200 OK", r#"{"status":"ready"}"#).unwrap().0);
        assert!(!response("503 Service Unavailable", r#"{"status":"not ready"}"#).unwrap().0);
        assert!(response("200 OK", "<html>").is_none() && response("200 OK", r#"{"a":1}"#).is_none());
        assert!(read(b"SSH-2.0-OpenSSH\r\n").is_none() && read(b"\xff\xfe").is_none() && read(b"").is_none());
    }
}
