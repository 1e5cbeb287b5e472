//! What the program is asked to do.

use std::path::PathBuf;

use housecarl_audit::VerifierKey;
use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Verifies a log of Housecarl, or a receipt from one, without a network.

housecarl-verify log DIR --key VKEY [--since CHECKPOINT]
housecarl-verify receipt FILE --key VKEY

  DIR         a copy of the published log: the folder with `checkpoint` and `tile`
  FILE        a receipt that somebody was handed
  VKEY        the log's public key, `name+id+base64`. Take it from where you trust it,
              not from the copy that you are checking
  CHECKPOINT  an earlier checkpoint of the same log, from another day or another person,
              or a receipt, which holds one

Exit status: 0 it holds, 1 it does not, 2 it could not be checked.
";

pub(crate) struct Arguments {
    pub(crate) what: What,
    pub(crate) key: VerifierKey,
}

pub(crate) enum What {
    Log { folder: PathBuf, since: Option<PathBuf> },
    Receipt(PathBuf),
}

impl Arguments {
    /// `None` where help was asked for.
    pub(crate) fn parse(parser: lexopt::Parser) -> Result<Option<Self>, String> {
        read(parser).map_err(|error| format!("{error}; `housecarl-verify --help` shows how it is used"))
    }
}

fn read(mut parser: lexopt::Parser) -> Result<Option<Arguments>, lexopt::Error> {
    let (mut command, mut path, mut key, mut since) = (None, None, None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(None),
            Long("key") if key.is_none() => {
                let text = parser.value()?.string()?;
                key = Some(text.parse().map_err(|error| format!("`--key {text}` is no key: {error}"))?);
            }
            Long("since") if since.is_none() => since = Some(PathBuf::from(parser.value()?)),
            Value(word) if command.is_none() => command = Some(word.string()?),
            Value(word) if path.is_none() => path = Some(PathBuf::from(word)),
            other => return Err(other.unexpected()),
        }
    }
    let what = match (command.as_deref(), path, since) {
        (Some("log"), Some(folder), since) => What::Log { folder, since },
        (Some("receipt"), Some(file), None) => What::Receipt(file),
        (Some("receipt"), Some(_), Some(_)) => return Err("a receipt has no `--since`".into()),
        (Some("log" | "receipt"), None, _) => return Err("what is to be verified is missing".into()),
        _ => return Err("the first argument is `log` or `receipt`".into()),
    };
    Ok(Some(Arguments { what, key: key.ok_or("`--key` is missing")? }))
}
