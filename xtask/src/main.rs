//! The project's own commands: `cargo xtask test`, `bench`, `guard` and `db`.

mod args;
mod bench;
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
        Ok(Request::Db(engine)) => ended(db::run(engine)),
        Ok(Request::Bench(options)) => ended(bench::run(&options)),
        Ok(Request::BenchBuild(systems, rounds)) => ended(bench::build::run(&systems, rounds)),
        Ok(Request::Guard { bless }) => {
            let said = if bless { bench::guard::bless() } else { bench::guard::check() };
            ended(said.map(|text| println!("{text}")))
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
