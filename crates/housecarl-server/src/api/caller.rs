//! Who calls: nobody, a device, an operator or a consumer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use housecarl_journey::people::credentials::{Credential, Operator, Role};
use housecarl_journey::people::{DeviceId, OperatorId};
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::House;
use super::answer::Problem;
use crate::hex;

/// Who calls.
pub(super) enum Caller {
    Nobody,
    Device(Credential),
    Operator(OperatorId),
    Consumer(Consumer),
}

/// Who may read, and for what.
pub(super) struct Consumer {
    pub(super) id: OperatorId,
    pub(super) product: String,
    pub(super) purposes: Vec<String>,
}

/// Whose credential came with a request. One that is wrong, used up or revoked is nobody's, and
/// nobody is told which.
pub(super) async fn recognise(house: &House, headers: &HeaderMap) -> Result<Caller, Problem> {
    let wrong = || Problem::no_credential("the credential is not known");
    let mut credentials = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = credentials.next() else { return Ok(Caller::Nobody) };
    // Two would leave it to chance which of them counts.
    if credentials.next().is_some() {
        return Err(wrong());
    }
    let text = first.to_str().map_err(|_| wrong())?;
    let (scheme, credential) = text.split_once(' ').ok_or_else(wrong)?;
    let device = |id: &str, secret: &str| {
        let id = DeviceId(hex::read(id)?);
        house.journey.device_with(id, secret.as_bytes()).map(Caller::Device)
    };
    if scheme.eq_ignore_ascii_case("basic") {
        let plain = STANDARD.decode(credential).map_err(|_| wrong())?;
        let plain = String::from_utf8(plain).map_err(|_| wrong())?;
        let (id, secret) = plain.split_once(':').ok_or_else(wrong)?;
        return device(id, secret).ok_or_else(wrong);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(wrong());
    }
    if let Some((id, secret)) = credential.split_once('.') {
        return device(id, secret).ok_or_else(wrong);
    }
    let token = credential.to_owned();
    let known = house.ask(move |journey| journey.operator_with(&token)).await?;
    let unavailable = |_| Problem::later("not-known-now", "nobody can be recognised at present");
    let Operator { id, role } = known.map_err(unavailable)?.ok_or_else(wrong)?;
    match role {
        Role::Operator => Ok(Caller::Operator(id)),
        Role::Consumer { product, purposes } => Ok(Caller::Consumer(Consumer { id, product, purposes })),
    }
}
