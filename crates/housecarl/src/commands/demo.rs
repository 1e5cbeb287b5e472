//! demo
use crate::output::{Exit, Result};
/// demo
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}
pub(crate) fn run(_: &Arguments) -> Result<Exit> { Ok(Exit::Clean) }
