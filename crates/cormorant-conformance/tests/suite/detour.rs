//! A slow way to a test's server, on which is seen how often one side waits for the other.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use cormorant::Result;
use cormorant_conformance::Fixture;

/// What is sent together arrives within this time, also on a busy machine.
const DELAY: Duration = Duration::from_millis(40);

/// Connections to a test's server by a slow way.
#[derive(Debug)]
pub(crate) struct Detour {
    /// The same database, by that way, on one connection.
    pub(crate) fixture: Fixture,
    trips: Arc<AtomicUsize>,
}

impl Detour {
    /// Lays the way.
    pub(crate) async fn to(test: &Fixture) -> Result<Self> {
        let (before, rest) = test.url.rsplit_once('@').unwrap();
        let (server, rest) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let trips = Arc::new(AtomicUsize::new(0));
        let (counted, server) = (Arc::clone(&trips), server.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (trips, server) = (Arc::clone(&counted), TcpStream::connect(&server).unwrap());
                thread::spawn(move || carry(client, server, &trips));
            }
        });
        let url = format!("{before}@127.0.0.1:{port}/{rest}");
        let fixture = Fixture::at(test.backend, url, |options| options.max_connections(1)).await?;
        Ok(Self { fixture, trips })
    }

    /// How often something was sent that had waited for an answer, since this was asked last.
    pub(crate) fn trips(&self) -> usize {
        self.trips.swap(0, Ordering::SeqCst)
    }
}

/// Carries what both say, what the client says late and together.
fn carry(mut client: TcpStream, mut server: TcpStream, trips: &AtomicUsize) {
    let answered = Arc::new(AtomicBool::new(true));
    let (heard, mut from, mut to) = (Arc::clone(&answered), server.try_clone(), client.try_clone());
    thread::spawn(move || {
        let (Ok(from), Ok(to)) = (&mut from, &mut to) else { return };
        let mut buffer = [0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            heard.store(true, Ordering::SeqCst);
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _gone = to.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; 1 << 20];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        thread::sleep(DELAY);
        let rest = client.set_read_timeout(Some(Duration::from_millis(1)));
        let more = rest.and_then(|()| client.read(&mut buffer[read..])).unwrap_or(0);
        if client.set_read_timeout(None).is_err() {
            break;
        }
        // What was too long for one time, or came late, waited for nobody.
        if answered.swap(false, Ordering::SeqCst) {
            trips.fetch_add(1, Ordering::SeqCst);
        }
        if server.write_all(&buffer[..read + more]).is_err() {
            break;
        }
    }
    let _gone = server.shutdown(Shutdown::Both);
}
