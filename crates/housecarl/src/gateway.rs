//! What `serve` and `demo` share: products loaded for a gateway, and a runtime to run it on.

use housecarl_check::diagnostic::Level;
use housecarl_journey::product::Product;
use housecarl_server::boot::{self, Named, Source};

use crate::output::{Result, complain};
use crate::{clock, files};

/// A product, checked and compiled, and the path to print for places in its manifest.
pub(crate) fn load(name: &str) -> Result<(Product, String)> {
    let file = files::manifest(name)?;
    let path = &file.path;
    let loaded = boot::load(&file.product_name(name), &file.text, &file.ordinals, clock::today())
        .map_err(|error| format!("{path}: {error}\n  `housecarl check {path}` says what and where"))?;
    let must = loaded.report.count(Level::Must);
    if must > 0 {
        complain(&format!(
            "{path}: open findings of level must: {must}; the purposes they are about are shut\n  `housecarl check \
             {path}` prints them"
        ));
    }
    Ok((loaded.product, file.path))
}

/// A product by the file that says what it is called and, at the first start, what it does.
pub(crate) fn named(name: &str) -> Result<Named> {
    let file = files::manifest(name)?;
    let source = Source::first(&file.text, &file.ordinals);
    Ok(Named { name: file.product_name(name), path: file.path, source })
}

/// The threads that a gateway runs on: as many as the machine has cores.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    if cfg!(housecarl_bare) {
        return Err(
            "this program was built to be measured against (`--cfg housecarl_bare`): it protects nobody, \
                    and serves nobody\n  build it without"
                .to_owned(),
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| format!("no thread could be started: {error}"))
}
