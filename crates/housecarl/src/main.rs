//! One binary, thin: arguments, exit codes, printing.

mod clock;
mod files;
mod home;
mod replay;
mod output;
mod gateway;
mod remote;
mod demo;
mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Privacy by construction for consumer IoT. United Kingdom law only.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(commands::check::Arguments),
    Explain(commands::explain::Arguments),
    Rules(commands::rules::Arguments),
    Diff(commands::diff::Arguments),
    Lock(commands::lock::Arguments),
    Schema(commands::schema::Arguments),
    Replay(commands::replay::Arguments),
    Demo(commands::demo::Arguments),
    Serve(commands::serve::Arguments),
    Key(commands::key::Arguments),
    Product(commands::product::Arguments),
    Home(commands::home::Arguments),
    Device(commands::device::Arguments),
    Operator(commands::operator::Arguments),
    Verify(commands::verify::Arguments),
    Backup(commands::backup::Arguments),
    Restore(commands::restore::Arguments),
}

fn main() -> ExitCode {
    output::tell_of_faults();
    let done = match Arguments::parse().command {
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Rules(arguments) => commands::rules::run(&arguments),
        Command::Diff(arguments) => commands::diff::run(&arguments),
        Command::Lock(arguments) => commands::lock::run(&arguments),
        Command::Schema(arguments) => commands::schema::run(&arguments),
        Command::Replay(arguments) => commands::replay::run(&arguments),
        Command::Demo(arguments) => commands::demo::run(&arguments),
        Command::Serve(arguments) => commands::serve::run(&arguments),
        Command::Key(arguments) => commands::key::run(&arguments),
        Command::Product(arguments) => commands::product::run(&arguments),
        Command::Home(arguments) => commands::home::run(&arguments),
        Command::Device(arguments) => commands::device::run(&arguments),
        Command::Operator(arguments) => commands::operator::run(&arguments),
        Command::Verify(arguments) => commands::verify::run(&arguments),
        Command::Backup(arguments) => commands::backup::run(&arguments),
        Command::Restore(arguments) => commands::restore::run(&arguments),
    };
    match done {
        Ok(output::Exit::Clean) => ExitCode::SUCCESS,
        Ok(output::Exit::Findings) => ExitCode::from(1),
        Err(problem) => {
            output::complain(&problem);
            ExitCode::from(2)
        }
    }
}
