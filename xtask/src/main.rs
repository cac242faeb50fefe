//! The project's own commands: `cargo xtask test` and `cargo xtask db`.

mod args;
mod db;
mod dependencies;
mod program;
mod server;
mod stream;
mod tally;
mod test;

use std::process::ExitCode;

use args::Request;

fn main() -> ExitCode {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    match args::parse(words) {
        Ok(Request::Help(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Request::Test(options)) => ExitCode::from(u8::from(!test::run(&options))),
        Ok(Request::Db(engine)) => match db::run(engine) {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => {
                eprintln!("error: {message}");
                ExitCode::FAILURE
            }
        },
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
