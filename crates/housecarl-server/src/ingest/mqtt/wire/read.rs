//! Takes packets off the front of what has arrived.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use mqtt_protocol_core::mqtt::packet::{
    MqttBinary, MqttString, Property, Qos, RetainHandling, SubEntry, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::result_code::{DisconnectReasonCode, MqttError};

use super::{Connect, Filter, Packet, Publish, Reason, Retained, Version};
use crate::ingest::Message;

/// MQTT 5's user property that names a message, in any case of letters, as HTTP's header does.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What only MQTT 5 calls by a number, and every packet after the first has in common.
type Read<T> = Result<T, Reason>;

/// A first packet that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadConnect {
    /// In which version to answer; in none where it is not known to be MQTT at all.
    pub version: Option<Version>,
    /// What is wrong.
    pub reason: Reason,
}

/// The first packet, once it is there whole. It may be `size_max` bytes long.
///
/// # Errors
/// Where it is not a CONNECT, or a wrong one.
pub fn connect(input: &mut BytesMut, size_max: usize) -> Result<Option<Connect>, BadConnect> {
    const NAME: &[u8] = b"\0\x04MQTT";
    let unknown = |reason| BadConnect { version: None, reason };
    if input.first().is_some_and(|first| *first != 0x10) {
        return Err(unknown(Reason::ProtocolError));
    }
    let Some(frame) = Frame::first(input, |_| size_max).map_err(unknown)? else { return Ok(None) };
    let body = frame.body(input);
    let Some([level, flags, ..]) = body.strip_prefix(NAME) else {
        return Err(unknown(Reason::ProtocolError));
    };
    let (version, connect) = match level {
        ..4 => (Version::V3_1_1, Err(Reason::UnsupportedProtocolVersion)),
        4 => (Version::V3_1_1, connect_3(*flags, body)),
        5 => (Version::V5, connect_5(*flags, body)),
        6.. => (Version::V5, Err(Reason::UnsupportedProtocolVersion)),
    };
    let connect = connect.map_err(|reason| BadConnect { version: Some(version), reason })?;
    input.advance(frame.length);
    Ok(Some(connect))
}

/// The next packet, once it is there whole. A message may be `publish_max` bytes long, any other packet
/// `other_max`.
///
/// # Errors
/// Where it is none, or one that this side does not take. Nothing after it can be read.
pub fn packet(
    input: &mut BytesMut,
    version: Version,
    publish_max: usize,
    other_max: usize,
) -> Read<Option<Packet>> {
    let size_max = |first: u8| if first >> 4 == 3 { publish_max } else { other_max };
    let Some(frame) = Frame::first(input, size_max)? else { return Ok(None) };
    let body = frame.body(input);
    let packet = match frame.first >> 4 {
        3 => Packet::Publish(publish(version, frame.first & 0x0F, body)?),
        4 => Packet::Puback(puback(version, body)?),
        8 => subscribe(version, body)?,
        10 => unsubscribe(version, body)?,
        12 if body.is_empty() => Packet::Pingreq,
        12 => return Err(Reason::MalformedPacket),
        14 => disconnect(version, body)?,
        // Reserved.
        0 => return Err(Reason::MalformedPacket),
        15 if version == Version::V3_1_1 => return Err(Reason::MalformedPacket),
        // A second CONNECT, what only servers send, what belongs to QoS 2, and an exchange that was not begun.
        _ => return Err(Reason::ProtocolError),
    };
    input.advance(frame.length);
    Ok(Some(packet))
}

/// A packet's first byte and where its body is.
struct Frame {
    first: u8,
    body_from: usize,
    length: usize,
}

impl Frame {
    /// The packet at the front. What is wrong with its first bytes is said before the rest is waited for.
    fn first(input: &[u8], size_max: impl Fn(u8) -> usize) -> Read<Option<Self>> {
        let Some((&first, lengths)) = input.split_first() else { return Ok(None) };
        let flags_are_right = match first >> 4 {
            3 => true,
            6 | 8 | 10 => first & 0x0F == 0b0010,
            _ => first & 0x0F == 0,
        };
        if !flags_are_right {
            return Err(Reason::MalformedPacket);
        }
        let mut body = 0_usize;
        for (at, byte) in lengths.iter().take(4).enumerate() {
            body |= usize::from(byte & 0x7F) << (7 * at);
            if byte & 0x80 == 0 {
                let body_from = at + 2;
                let length = body_from + body;
                if length > size_max(first) {
                    return Err(Reason::PacketTooLarge);
                }
                return Ok((input.len() >= length).then_some(Self { first, body_from, length }));
            }
        }
        if lengths.len() < 4 { Ok(None) } else { Err(Reason::MalformedPacket) }
    }

    fn body<'i>(&self, input: &'i [u8]) -> &'i [u8] {
        input.get(self.body_from..self.length).unwrap_or_default()
    }
}

fn connect_3(flags: u8, body: &[u8]) -> Read<Connect> {
    let flags = ConnectFlags::read(flags)?;
    if flags.password && !flags.user_name {
        return Err(Reason::MalformedPacket);
    }
    let packet = whole(v3_1_1::Connect::parse(body), body)?;
    let will = packet.will_topic().map(|topic| will(topic, packet.will_payload(), None, None));
    Ok(Connect {
        version: Version::V3_1_1,
        is_clean: packet.clean_session(),
        client_id: text(packet.client_id())?.to_owned(),
        user_name: packet.user_name().map(text).transpose()?.map(str::to_owned),
        password: packet.password().map(<[u8]>::to_vec),
        keep_alive_seconds: packet.keep_alive(),
        will: will.transpose()?,
        session_seconds: if packet.clean_session() { 0 } else { u32::MAX },
        packet_max: None,
    })
}

fn connect_5(flags: u8, body: &[u8]) -> Read<Connect> {
    const FLAGS_AT: usize = 7;
    const PASSWORD: u8 = 0x40;
    let flags = ConnectFlags::read(flags)?;
    // Version 5 allows a password alone, and the library does not. It stands last, so the library reads as
    // far as it, and the password is read here.
    let mut before_password = None;
    if flags.password && !flags.user_name {
        let mut body = body.to_vec();
        if let Some(flags) = body.get_mut(FLAGS_AT) {
            *flags &= !PASSWORD;
        }
        before_password = Some(body);
    }
    let (packet, password) = match before_password {
        Some(without) => {
            let (packet, end) = v5_0::Connect::parse(&without).map_err(reason)?;
            let rest = body.get(end..).unwrap_or_default();
            let password = whole(MqttBinary::decode(rest), rest)?;
            (packet, Some(password.as_slice().to_vec()))
        }
        None => {
            let packet = whole(v5_0::Connect::parse(body), body)?;
            let password = packet.password().map(<[u8]>::to_vec);
            (packet, password)
        }
    };
    texts(packet.props())?;
    texts(packet.will_props())?;
    let mut packet_max = None;
    let mut session_seconds = 0;
    for property in packet.props() {
        match property {
            Property::MaximumPacketSize(size) => packet_max = Some(size.val()),
            Property::SessionExpiryInterval(seconds) => session_seconds = seconds.val(),
            Property::AuthenticationMethod(_) => return Err(Reason::BadAuthenticationMethod),
            Property::AuthenticationData(_) => return Err(Reason::ProtocolError),
            _ => {}
        }
    }
    // Told in CONNACK as the highest there is.
    if flags.will_qos == 2 {
        return Err(Reason::QosNotSupported);
    }
    let will = packet.will_topic().map(|topic| {
        let properties = packet.will_props();
        will(topic, packet.will_payload(), idempotency_key(properties), content_type(properties))
    });
    Ok(Connect {
        version: Version::V5,
        is_clean: packet.clean_start(),
        client_id: text(packet.client_id())?.to_owned(),
        user_name: packet.user_name().map(text).transpose()?.map(str::to_owned),
        password,
        keep_alive_seconds: packet.keep_alive(),
        will: will.transpose()?,
        session_seconds,
        packet_max,
    })
}

struct ConnectFlags {
    user_name: bool,
    password: bool,
    will_qos: u8,
}

impl ConnectFlags {
    /// What the library takes as it comes: a reserved bit, a will's flags without a will, a `QoS` of 3.
    fn read(flags: u8) -> Read<Self> {
        let (will, will_qos, will_retain) = (flags & 0x04 != 0, flags >> 3 & 0b11, flags & 0x20 != 0);
        let is_reserved_bit_set = flags & 0x01 != 0;
        if is_reserved_bit_set || will_qos == 3 || (!will && (will_qos != 0 || will_retain)) {
            return Err(Reason::MalformedPacket);
        }
        Ok(Self { user_name: flags & 0x80 != 0, password: flags & 0x40 != 0, will_qos })
    }
}

/// A will is a message like any other that nobody waits for.
fn will(topic: &str, payload: Option<&[u8]>, key: Option<Bytes>, kind: Option<String>) -> Read<Publish> {
    Ok(Publish {
        topic: topic_name(topic)?.to_owned(),
        id: None,
        message: Message {
            payload: Bytes::copy_from_slice(payload.unwrap_or_default()),
            idempotency_key: key,
            content_type: kind,
            is_answered: false,
        },
    })
}

fn publish(version: Version, flags: u8, body: &[u8]) -> Read<Publish> {
    let (is_again, qos) = (flags & 0x08 != 0, flags >> 1 & 0b11);
    match qos {
        0 if is_again => return Err(Reason::MalformedPacket),
        2 => return Err(Reason::QosNotSupported),
        _ => {}
    }
    // The one copy of a payload: what is handed on is a part of it.
    let frame: Arc<[u8]> = Arc::from(body);
    let (topic, id, payload_length, key, kind) = match version {
        Version::V3_1_1 => {
            let (packet, _) = v3_1_1::Publish::parse(flags, Arc::clone(&frame)).map_err(reason)?;
            let topic = topic_name(packet.topic_name())?.to_owned();
            (topic, packet.packet_id(), packet.payload().len(), None, None)
        }
        Version::V5 => {
            let (packet, _) = v5_0::Publish::parse(flags, Arc::clone(&frame)).map_err(reason)?;
            let properties = packet.props();
            texts(properties)?;
            for property in properties {
                match property {
                    // Told in CONNACK that there are none.
                    Property::TopicAlias(_) => return Err(Reason::TopicAliasInvalid),
                    // Servers send these.
                    Property::SubscriptionIdentifier(_) => return Err(Reason::ProtocolError),
                    _ => {}
                }
            }
            let topic = topic_name(packet.topic_name())?.to_owned();
            let (key, kind) = (idempotency_key(properties), content_type(properties));
            (topic, packet.packet_id(), packet.payload().len(), key, kind)
        }
    };
    if id == Some(0) {
        return Err(Reason::ProtocolError);
    }
    let mut payload = Bytes::from_owner(frame);
    payload.advance(payload.len().saturating_sub(payload_length));
    let message = Message { payload, idempotency_key: key, content_type: kind, is_answered: id.is_some() };
    Ok(Publish { topic, id, message })
}

fn puback(version: Version, body: &[u8]) -> Read<u16> {
    match version {
        Version::V3_1_1 => whole(v3_1_1::Puback::parse(body), body).map(|packet| packet.packet_id()),
        Version::V5 => whole(v5_0::Puback::parse(body), body).map(|packet| packet.packet_id()),
    }
}

fn subscribe(version: Version, body: &[u8]) -> Read<Packet> {
    let filters = |entries: &[SubEntry]| -> Read<Vec<Filter>> {
        entries.iter().map(|entry| filter(version, entry)).collect()
    };
    let (id, filters) = match version {
        Version::V3_1_1 => {
            let packet = whole(v3_1_1::Subscribe::parse(body), body)?;
            (packet.packet_id(), filters(packet.entries())?)
        }
        Version::V5 => {
            let packet = whole(v5_0::Subscribe::parse(body), body)?;
            texts(packet.props())?;
            if packet.props().iter().any(|one| matches!(one, Property::SubscriptionIdentifier(_))) {
                return Err(Reason::SubscriptionIdentifiersNotSupported);
            }
            (packet.packet_id(), filters(packet.entries())?)
        }
    };
    Ok(Packet::Subscribe { id: identifier(id)?, filters })
}

fn filter(version: Version, entry: &SubEntry) -> Result<Filter, Reason> {
    let options = entry.sub_opts();
    let has_new_bits = options.nl() || options.rap() || options.rh() != RetainHandling::SendRetained;
    if version == Version::V3_1_1 && has_new_bits {
        return Err(Reason::MalformedPacket);
    }
    if options.nl() && entry.topic_filter().starts_with("$share/") {
        return Err(Reason::ProtocolError);
    }
    Ok(Filter {
        topic: topic_filter(entry.topic_filter())?.to_owned(),
        qos: if options.qos() == Qos::AtMostOnce { 0 } else { 1 },
        retained: match options.rh() {
            RetainHandling::SendRetained => Retained::Always,
            RetainHandling::SendRetainedIfNotExists => Retained::IfNew,
            RetainHandling::DoNotSendRetained => Retained::Never,
        },
        keeps_retain: options.rap(),
    })
}

fn unsubscribe(version: Version, body: &[u8]) -> Read<Packet> {
    let owned = |filters: &[MqttString]| -> Read<Vec<String>> {
        filters.iter().map(|one| Ok(topic_filter(one.as_str())?.to_owned())).collect()
    };
    let (id, filters) = match version {
        Version::V3_1_1 => {
            let packet = whole(v3_1_1::Unsubscribe::parse(body), body)?;
            (packet.packet_id(), owned(packet.entries())?)
        }
        Version::V5 => {
            let packet = whole(v5_0::Unsubscribe::parse(body), body)?;
            (packet.packet_id(), owned(packet.entries())?)
        }
    };
    Ok(Packet::Unsubscribe { id: identifier(id)?, filters })
}

fn disconnect(version: Version, body: &[u8]) -> Read<Packet> {
    match version {
        Version::V3_1_1 if body.is_empty() => {
            Ok(Packet::Disconnect { publishes_will: false, session_seconds: None })
        }
        Version::V3_1_1 => Err(Reason::MalformedPacket),
        Version::V5 => {
            let packet = whole(v5_0::Disconnect::parse(body), body)?;
            let is_normal =
                matches!(packet.reason_code(), None | Some(DisconnectReasonCode::NormalDisconnection));
            let session_seconds = packet.props().iter().flatten().find_map(|property| match property {
                Property::SessionExpiryInterval(seconds) => Some(seconds.val()),
                _ => None,
            });
            Ok(Packet::Disconnect { publishes_will: !is_normal, session_seconds })
        }
    }
}

/// A parsed packet that fills its frame to the last byte.
fn whole<T>(parsed: Result<(T, usize), MqttError>, body: &[u8]) -> Read<T> {
    let (packet, length) = parsed.map_err(reason)?;
    if length == body.len() { Ok(packet) } else { Err(Reason::MalformedPacket) }
}

fn reason(error: MqttError) -> Reason {
    match error {
        MqttError::ProtocolError => Reason::ProtocolError,
        _ => Reason::MalformedPacket,
    }
}

fn identifier(id: u16) -> Read<u16> {
    if id == 0 { Err(Reason::ProtocolError) } else { Ok(id) }
}

/// A string of the protocol may hold anything but U+0000.
fn text(text: &str) -> Read<&str> {
    if text.contains('\0') { Err(Reason::MalformedPacket) } else { Ok(text) }
}

fn topic_name(topic: &str) -> Read<&str> {
    match text(topic)? {
        "" => Err(Reason::ProtocolError),
        topic if topic.contains(['+', '#']) => Err(Reason::TopicNameInvalid),
        topic => Ok(topic),
    }
}

fn topic_filter(filter: &str) -> Read<&str> {
    if filter.is_empty() { Err(Reason::MalformedPacket) } else { text(filter) }
}

fn texts(properties: &[Property]) -> Read<()> {
    for property in properties {
        match property {
            Property::ContentType(one) => drop(text(one.val())?),
            Property::ResponseTopic(one) => drop(topic_name(one.val())?),
            Property::AuthenticationMethod(one) => drop(text(one.val())?),
            Property::UserProperty(one) => {
                text(one.key())?;
                text(one.val())?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn idempotency_key(properties: &[Property]) -> Option<Bytes> {
    let named = properties.iter().find_map(|property| match property {
        Property::UserProperty(pair) if pair.key().eq_ignore_ascii_case(IDEMPOTENCY_KEY) => {
            Some(pair.val().as_bytes())
        }
        _ => None,
    });
    let correlated = || {
        properties.iter().find_map(|property| match property {
            Property::CorrelationData(data) => Some(data.val()),
            _ => None,
        })
    };
    named.or_else(correlated).map(Bytes::copy_from_slice)
}

fn content_type(properties: &[Property]) -> Option<String> {
    properties.iter().find_map(|property| match property {
        Property::ContentType(kind) => Some(kind.val().to_owned()),
        _ => None,
    })
}
