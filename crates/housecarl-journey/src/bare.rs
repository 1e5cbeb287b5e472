//! The path of a message without the stages that protect it, to be measured against: `--cfg housecarl_bare`.
//!
//! Everything else is the same, so that `cargo xtask bench` can tell what deciding, minimising and
//! sealing cost. What is received is stored as it is, and a program that is built so refuses to serve.

use std::collections::BTreeMap;

use crate::journey::{Journey, Message, NotAdmitted, Prepared};
use crate::people::homes::DeviceAtWork;
use crate::product::InForce;
use crate::receive::receive;
use crate::seal::{Belongs, Sealed};
use crate::store::StreamNumber;

impl Journey {
    /// What stands in for all stages before the store.
    pub(crate) fn pass_on(
        &self,
        device: &DeviceAtWork,
        product: &InForce,
        stream: StreamNumber,
        message: Message<'_>,
        now: u64,
    ) -> Result<Prepared, NotAdmitted> {
        let moment = device.home.epoch.now();
        // A device is told of a payload that cannot be read, here as there.
        receive(message.payload).map_err(NotAdmitted::Unreadable)?;
        product.version().stream_of(stream).ok_or(NotAdmitted::NoSuchStream)?;
        let of = message.idempotency_key.unwrap_or(message.payload);
        let identity = device.home.identity(device.row.id, stream.0, of);
        let belongs = Belongs { device: device.row.id, stream, received: now };
        let sealed = Sealed::bare(message.payload, belongs, device.home.row.household, self.sequence());
        Ok(Prepared { sealed, identity, refused: BTreeMap::new(), moment })
    }
}
