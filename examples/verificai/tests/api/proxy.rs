//! A TCP proxy that a test can cut: connections break, and new ones are refused until it is restored.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

pub(crate) struct Proxy {
    pub address: String,
    is_cut: Arc<AtomicBool>,
    cut: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// A proxy to an address such as `127.0.0.1:5432`.
    pub(crate) async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (is_cut, cut) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (refuses, broken, target) = (Arc::clone(&is_cut), Arc::clone(&cut), target.to_owned());
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                if refuses.load(Ordering::SeqCst) {
                    continue;
                }
                let (broken, target) = (Arc::clone(&broken), target.clone());
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        () = broken.notified() => {}
                    }
                });
            }
        });
        Self { address, is_cut, cut, task }
    }

    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        self.cut.notify_waiters();
    }

    pub(crate) fn restore(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

/// Puts another address into a URL such as `redis://127.0.0.1:6379/0`. Returns the URL and the address that it had.
pub(crate) fn through(url: &str, address: &str) -> (String, String) {
    let parsed = url::Url::parse(url).unwrap();
    let before = format!("{}:{}", parsed.host_str().unwrap(), parsed.port().unwrap());
    (url.replacen(&before, address, 1), before)
}
