//! `cargo xtask db`: a throwaway server for work by hand.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::process::parent_id;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::server::{Engine, Server};

const DATABASE: &str = "cormorant";

pub(crate) fn run(engine: Engine) -> Result<(), String> {
    let parent = parent_id();
    let mut server = Server::start(engine)?;
    server.create_database(DATABASE)?;
    eprintln!("{} is ready; Ctrl-C stops and removes it. The URL of an empty database:", engine.name());
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", server.url(DATABASE))
        .and_then(|()| stdout.flush())
        .map_err(|error| format!("cannot print the URL: {error}"))?;

    let (_open, input) = watch_input();
    // Ctrl-C ends this process at once; the server's watchdog then does the rest.
    while parent_id() == parent
        && matches!(input.recv_timeout(Duration::from_millis(300)), Err(RecvTimeoutError::Timeout))
    {
        server.check_running()?;
    }
    eprintln!("stopping {}", engine.name());
    Ok(())
}

/// The receiver is disconnected when the input ends; the sender returned keeps it connected if
/// there is no input to watch.
fn watch_input() -> (Option<Sender<()>>, Receiver<()>) {
    let (sender, receiver) = mpsc::channel::<()>();
    let Some(mut pipe) = input_pipe() else { return (Some(sender), receiver) };
    thread::spawn(move || {
        let mut ignored = [0; 512];
        while pipe.read(&mut ignored).is_ok_and(|count| count > 0) {}
        drop(sender);
    });
    (None, receiver)
}

/// Standard input if it is a pipe from another program. A terminal is left alone, because reading
/// stops a program in the background, and so is `/dev/null`, whose end says nothing.
fn input_pipe() -> Option<File> {
    let input = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let kind = input.metadata().ok()?.file_type();
    (kind.is_fifo() || kind.is_socket()).then_some(input)
}
