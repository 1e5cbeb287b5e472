//! `housecarl demo`: the example products and what they would keep.

use crate::files;
use crate::home::{self, HomeFile};
use crate::output::{Exit, Result, print};
use crate::replay::payloads::of_example;
use crate::replay::product::Product;
use crate::replay::{Replay, text};

/// Show what the example products would keep of their own payloads, for a home of made-up people
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The people to show it for
    #[arg(long = "as", value_name = "PERSON", default_values = ["anna", "ben", "cleo", "mia", "max", "guest"])]
    people: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let home = HomeFile::read("home.toml", home::DEFAULT)?;
    for name in files::examples() {
        let product = Product::load(name)?;
        let table = product.table()?;
        let people = arguments
            .people
            .iter()
            .map(|person| home.standing(&table, person))
            .collect::<Result<Vec<_>>>()?;
        let mut replay = Replay::new(&product, &table, &people);
        of_example(name).iter().for_each(|message| replay.message(message, None));
        print(&format!("{name}\n{}", text::table(&replay)))?;
        for home in 0..people.len() {
            print(&text::example(&replay, home).map(|line| format!("  {line}")).unwrap_or_default())?;
        }
        print("\n")?;
    }
    print(
        "Each figure is how many values would be kept, of how many that came. Anna agreed to everything; Ben refused \
         what can be\nrefused; Cleo was not asked; Mia is eight and her parents authorised what she agreed to; no parent \
         did so for Max;\nnobody knows who the guest is.\n\n\
         Try:  housecarl check doorbell\n      housecarl replay products/doorbell/payloads --product doorbell --as anna \
         --as guest\n      housecarl replay YOUR-PAYLOADS --product YOUR-MANIFEST --as anna+ben\n",
    )?;
    Ok(Exit::Clean)
}
