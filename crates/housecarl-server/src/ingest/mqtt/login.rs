//! The beginning of a connection: somebody says who they are.

use std::net::SocketAddr;
use std::sync::Arc;

use super::House;
use super::connected::Seat;
use super::link::{Link, Moved};
use super::policy::Subscription;
use super::wire::{self, BadConnect, Connect, Promises, Publish, Reason, Version, Writer};
use crate::ingest::{Credential, Denied, Gateway, Refusal};

/// A device that was let in.
pub(super) struct Guest<D> {
    pub(super) device: Arc<D>,
    pub(super) version: Version,
    pub(super) writer: Writer,
    pub(super) seat: Seat,
    pub(super) subscription: Option<Subscription>,
    pub(super) will: Option<Publish>,
    /// After how many seconds without a word the device is taken to be gone.
    pub(super) silence_seconds_max: u64,
}

/// Why somebody was not let in, and what they are told.
#[derive(Debug)]
pub(super) struct NotLetIn {
    pub(super) refusal: Refusal,
    pub(super) answer: Option<(Version, Reason)>,
}

impl NotLetIn {
    fn answering(version: Version, reason: Reason, refusal: Refusal) -> Self {
        Self { refusal, answer: Some((version, reason)) }
    }
}

impl From<BadConnect> for NotLetIn {
    fn from(bad: BadConnect) -> Self {
        let refusal = match bad.reason {
            Reason::PacketTooLarge => Refusal::TooMuch,
            _ => Refusal::NotMqtt,
        };
        Self { refusal, answer: bad.version.map(|version| (version, bad.reason)) }
    }
}

/// Hears who it is, and lets them in or says why not.
pub(super) async fn login<G: Gateway>(
    house: &House<G>,
    link: &mut Link,
    peer: SocketAddr,
) -> Result<Guest<G::Device>, NotLetIn> {
    let mut connect = first_packet(house, link).await?;
    let version = connect.version;
    let refused = |reason, refusal| NotLetIn::answering(version, reason, refusal);
    let is_named_here = connect.client_id.is_empty();
    if is_named_here {
        // A session that is to be found again needs a name to be found by.
        if version == Version::V3_1_1 && !connect.is_clean {
            return Err(refused(Reason::ClientIdentifierNotValid, Refusal::NotMqtt));
        }
        connect.client_id = house.name_client();
    }
    let credential = Credential {
        client_id: &connect.client_id,
        user_name: connect.user_name.as_deref(),
        password: connect.password.as_deref(),
        peer,
    };
    let device = house.gateway.authenticate(credential).await.map_err(|denied| match denied {
        Denied::Unknown => refused(Reason::BadUserNameOrPassword, Refusal::Credential),
        Denied::Revoked => refused(Reason::NotAuthorized, Refusal::Credential),
        Denied::Unavailable => refused(Reason::ServerUnavailable, Refusal::Unavailable),
    })?;
    let session_seconds = connect.session_seconds.min(house.limits.session_seconds_max);
    let name = house.gateway.name(&device);
    let seated = house.connected.sit(name, &connect.client_id, connect.is_clean, session_seconds);
    let (seat, before) = seated.map_err(|_| refused(Reason::QuotaExceeded, Refusal::DeviceFull))?;
    if before.was_taken {
        house.counters.count_taken_over();
    }

    let mut writer = Writer::new(version, connect.packet_max);
    let longest = house.limits.keep_alive_seconds_max;
    let keeps_its_own = (1..=longest).contains(&connect.keep_alive_seconds);
    let promises = Promises {
        receive_max: house.limits.in_flight_max,
        packet_max: u32::try_from(house.limits.publish_bytes_max()).unwrap_or(u32::MAX),
        keep_alive_seconds: (!keeps_its_own).then_some(longest),
        client_id: is_named_here.then_some(connect.client_id.as_str()),
        session_present: before.is_present,
        session_seconds: (session_seconds != connect.session_seconds).then_some(session_seconds),
    };
    writer.accept(&promises).map_err(|reason| refused(reason, Refusal::Unavailable))?;
    // Version 3.1.1 cannot be told of a shorter one, and keeps to the one it has.
    let keep_alive = match version {
        Version::V3_1_1 if connect.keep_alive_seconds != 0 => connect.keep_alive_seconds,
        _ if keeps_its_own => connect.keep_alive_seconds,
        _ => longest,
    };
    let silence_seconds_max = u64::from(keep_alive) * 3 / 2;
    Ok(Guest {
        device: Arc::new(device),
        version,
        writer,
        seat,
        subscription: before.subscription,
        will: connect.will,
        silence_seconds_max,
    })
}

async fn first_packet<G: Gateway>(house: &House<G>, link: &mut Link) -> Result<Connect, NotLetIn> {
    let bytes_max = house.limits.login_bytes_max;
    loop {
        if let Some(connect) = wire::connect(&mut link.input, bytes_max)? {
            return Ok(connect);
        }
        let room = bytes_max.saturating_sub(link.input.len());
        let moved = link.moved(&mut bytes::BytesMut::new(), room).await;
        if !matches!(moved, Ok(Moved::In)) {
            return Err(NotLetIn { refusal: Refusal::Left, answer: None });
        }
    }
}
