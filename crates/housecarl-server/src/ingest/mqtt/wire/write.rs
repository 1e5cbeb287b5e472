//! Puts packets into the bytes that go out.

use bytes::BytesMut;
use mqtt_protocol_core::mqtt::ArcPayload;
use mqtt_protocol_core::mqtt::packet::{
    AssignedClientIdentifier, GenericPacketTrait, MaximumPacketSize, MaximumQos, Property, Qos,
    ReceiveMaximum, ServerKeepAlive, SessionExpiryInterval, SharedSubscriptionAvailable,
    SubscriptionIdentifierAvailable, WildcardSubscriptionAvailable, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::result_code::{
    ConnectReasonCode, ConnectReturnCode, DisconnectReasonCode, MqttError, PubackReasonCode,
    SubackReasonCode, SubackReturnCode, UnsubackReasonCode,
};
use std::sync::Arc;

use super::{Ack, Delivery, Granted, Reason, Version};

/// Packets of one version, on their way out.
pub struct Writer {
    version: Version,
    /// What the client takes; larger packets are left out, as the specification wants it.
    packet_max: usize,
    /// What has not been sent yet.
    pub out: BytesMut,
}

/// What a client is told when it is let in.
pub struct Promises<'p> {
    /// How many unacknowledged messages it may have under way.
    pub receive_max: u16,
    /// The largest packet it may send, in bytes.
    pub packet_max: u32,
    /// The keep-alive to keep to instead of its own, in seconds.
    pub keep_alive_seconds: Option<u16>,
    /// How it is called from here on, where it did not say.
    pub client_id: Option<&'p str>,
    /// Whether there is a session from before.
    pub session_present: bool,
    /// For how many seconds its session will be kept, where that is not as long as it wants.
    pub session_seconds: Option<u32>,
}

/// A packet was not built, which only a fault of ours can bring about.
type Written = Result<(), Reason>;

impl Writer {
    /// Writes for a client that takes packets of `packet_max` bytes, or of any size.
    pub fn new(version: Version, packet_max: Option<u32>) -> Self {
        let packet_max = packet_max.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
        Self { version, packet_max, out: BytesMut::new() }
    }

    /// The client is let in.
    ///
    /// # Errors
    /// As every method here, where the packet could not be built: the connection has to end.
    pub fn accept(&mut self, promises: &Promises<'_>) -> Written {
        if self.version == Version::V3_1_1 {
            let packet = v3_1_1::Connack::builder().session_present(promises.session_present);
            return self.push(packet.return_code(ConnectReturnCode::Accepted).build());
        }
        let built = properties(promises).and_then(|properties| {
            let packet = v5_0::Connack::builder().session_present(promises.session_present).props(properties);
            packet.reason_code(ConnectReasonCode::Success).build()
        });
        self.push(built)
    }

    /// The client is not let in. Where MQTT 3.1.1 has no word for it nothing is written, and the connection
    /// just closes.
    pub fn refuse(&mut self, reason: Reason) -> Written {
        if self.version == Version::V5 {
            let code =
                ConnectReasonCode::try_from(reason as u8).unwrap_or(ConnectReasonCode::UnspecifiedError);
            return self.push(v5_0::Connack::builder().session_present(false).reason_code(code).build());
        }
        let code = match reason {
            Reason::UnsupportedProtocolVersion => ConnectReturnCode::UnacceptableProtocolVersion,
            Reason::ClientIdentifierNotValid => ConnectReturnCode::IdentifierRejected,
            Reason::ServerUnavailable | Reason::ServerBusy | Reason::QuotaExceeded => {
                ConnectReturnCode::ServerUnavailable
            }
            Reason::BadUserNameOrPassword => ConnectReturnCode::BadUserNameOrPassword,
            Reason::NotAuthorized => ConnectReturnCode::NotAuthorized,
            _ => return Ok(()),
        };
        self.push(v3_1_1::Connack::builder().session_present(false).return_code(code).build())
    }

    /// What became of a message. MQTT 3.1.1 has one word for all of it.
    pub fn puback(&mut self, id: u16, ack: Ack) -> Written {
        if self.version == Version::V3_1_1 {
            return self.push(v3_1_1::Puback::builder().packet_id(id).build());
        }
        let packet = v5_0::Puback::builder().packet_id(id);
        let packet = match ack {
            // Left out, as the specification allows: two bytes less for every message there is.
            Ack::Success => packet,
            Ack::NothingKept => packet.reason_code(PubackReasonCode::NoMatchingSubscribers),
            Ack::NotAuthorized => packet.reason_code(PubackReasonCode::NotAuthorized),
            Ack::PayloadFormatInvalid => packet.reason_code(PubackReasonCode::PayloadFormatInvalid),
        };
        self.push(packet.build())
    }

    /// What became of each filter, in their order.
    pub fn suback(&mut self, id: u16, granted: &[Granted]) -> Written {
        match self.version {
            Version::V3_1_1 => {
                let codes: Vec<_> = granted.iter().map(|one| return_code(*one)).collect();
                self.push(v3_1_1::Suback::builder().packet_id(id).return_codes(codes).build())
            }
            Version::V5 => {
                let codes: Vec<_> = granted.iter().map(|one| reason_code(*one)).collect();
                self.push(v5_0::Suback::builder().packet_id(id).reason_codes(codes).build())
            }
        }
    }

    /// Of each filter, in their order, whether there was such a subscription.
    pub fn unsuback(&mut self, id: u16, existed: &[bool]) -> Written {
        if self.version == Version::V3_1_1 {
            return self.push(v3_1_1::Unsuback::builder().packet_id(id).build());
        }
        let code = |existed: &bool| match existed {
            true => UnsubackReasonCode::Success,
            false => UnsubackReasonCode::NoSubscriptionExisted,
        };
        let codes: Vec<_> = existed.iter().map(code).collect();
        self.push(v5_0::Unsuback::builder().packet_id(id).reason_codes(codes).build())
    }

    /// The other side is still there, and so are we.
    pub fn pingresp(&mut self) -> Written {
        match self.version {
            Version::V3_1_1 => self.push(Ok(v3_1_1::Pingresp::new())),
            Version::V5 => self.push(Ok(v5_0::Pingresp::new())),
        }
    }

    /// A message to the device. Whether it was small enough for it to be written.
    pub fn publish(&mut self, delivery: Delivery<'_>) -> Result<bool, Reason> {
        let Delivery { topic, id, is_retained, payload } = delivery;
        let qos = if id.is_some() { Qos::AtLeastOnce } else { Qos::AtMostOnce };
        let payload: Arc<[u8]> = Arc::from(payload.as_ref());
        let length = payload.len();
        let payload = ArcPayload::new(payload, 0, length);
        let before = self.out.len();
        match self.version {
            Version::V3_1_1 => {
                let packet = v3_1_1::Publish::builder()
                    .topic_name(topic)
                    .map(|packet| packet.qos(qos).packet_id(id).retain(is_retained).payload(payload));
                self.push(packet.and_then(|packet| packet.build()))?;
            }
            Version::V5 => {
                let packet = v5_0::Publish::builder()
                    .topic_name(topic)
                    .map(|packet| packet.qos(qos).packet_id(id).retain(is_retained).payload(payload));
                self.push(packet.and_then(|packet| packet.build()))?;
            }
        }
        Ok(self.out.len() > before)
    }

    /// Why the connection ends. MQTT 3.1.1 has no such packet from a server: nothing is written.
    pub fn disconnect(&mut self, reason: Reason) -> Written {
        if self.version == Version::V3_1_1 {
            return Ok(());
        }
        let code =
            DisconnectReasonCode::try_from(reason as u8).unwrap_or(DisconnectReasonCode::UnspecifiedError);
        self.push(v5_0::Disconnect::builder().reason_code(code).build())
    }

    fn push(&mut self, packet: Result<impl GenericPacketTrait, MqttError>) -> Written {
        let packet = packet.map_err(|_| Reason::ImplementationSpecificError)?;
        if packet.size() <= self.packet_max {
            self.out.extend_from_slice(&packet.to_continuous_buffer());
        }
        Ok(())
    }
}

fn properties(promises: &Promises<'_>) -> Result<Vec<Property>, MqttError> {
    let mut properties: Vec<Property> = vec![
        ReceiveMaximum::new(promises.receive_max)?.into(),
        MaximumQos::new(1)?.into(),
        MaximumPacketSize::new(promises.packet_max)?.into(),
        WildcardSubscriptionAvailable::new(0)?.into(),
        SubscriptionIdentifierAvailable::new(0)?.into(),
        SharedSubscriptionAvailable::new(0)?.into(),
    ];
    if let Some(seconds) = promises.keep_alive_seconds {
        properties.push(ServerKeepAlive::new(seconds)?.into());
    }
    if let Some(client_id) = promises.client_id {
        properties.push(AssignedClientIdentifier::new(client_id)?.into());
    }
    if let Some(seconds) = promises.session_seconds {
        properties.push(SessionExpiryInterval::new(seconds)?.into());
    }
    Ok(properties)
}

fn return_code(granted: Granted) -> SubackReturnCode {
    match granted {
        Granted::Qos(0) => SubackReturnCode::SuccessMaximumQos0,
        Granted::Qos(_) => SubackReturnCode::SuccessMaximumQos1,
        Granted::Refused(_) => SubackReturnCode::Failure,
    }
}

fn reason_code(granted: Granted) -> SubackReasonCode {
    match granted {
        Granted::Qos(0) => SubackReasonCode::GrantedQos0,
        Granted::Qos(_) => SubackReasonCode::GrantedQos1,
        Granted::Refused(reason) => {
            SubackReasonCode::try_from(reason as u8).unwrap_or(SubackReasonCode::UnspecifiedError)
        }
    }
}
