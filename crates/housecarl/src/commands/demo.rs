//! `housecarl demo`: the example products and what they would keep.

use crate::files;
use crate::output::{Exit, Result, print};

/// Show what the example products would keep of their own payloads, for a home of made-up people
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The people to show it for
    #[arg(long = "as", value_name = "PERSON", default_values = ["anna", "ben", "mia", "guest"])]
    people: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let people: Vec<&str> = arguments.people.iter().map(String::as_str).collect();
    for name in files::examples() {
        print(&format!("==== {name}\n{}\n", super::replay::example(name, &people)?))?;
    }
    print(
        "Anna agreed to everything, Ben refused what can be refused, Mia is eight and her parents authorised what \
         she agreed to,\nand nobody knows who the guest is. Try: housecarl check watch, housecarl replay FILES \
         --product watch --as anna+ben\n",
    )?;
    Ok(Exit::Clean)
}
