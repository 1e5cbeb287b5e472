//! A device: it publishes through a client that we did not write, and knows of each message what it was told.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{Client, Event, MqttOptions};

use crate::PATIENCE;

/// How many messages a device has under way at once.
const WINDOW: u16 = 4;

/// A device of the watch.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// By which its messages name whom they are about.
    pub(crate) mark: String,
}

/// How a message was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    Kept,
    /// Received, and no purpose permits any of it.
    NothingKept,
    /// Refused for good.
    Never,
}

impl Device {
    /// Publishes these messages, the number of each being what it measured, and hands on each answer. Returns when
    /// all are answered, or the connection has ended.
    pub(crate) fn publish(&self, to: SocketAddr, numbers: &[u64], mut told: impl FnMut(u64, Told)) {
        let mut options = MqttOptions::new(&self.id, to.ip().to_string(), to.port());
        options.set_credentials(&self.id, &self.secret).set_outgoing_inflight_upper_limit(WINDOW);
        options.set_connection_timeout(PATIENCE.as_secs());
        let (client, mut connection) = Client::new(options, numbers.len().max(1));
        for number in numbers {
            let message = format!(r#"{{"profile": "{}", "seq": {number}, "hr": {number}}}"#, self.mark);
            let topic = format!("pulse/{}/vitals", self.id);
            client.try_publish(topic, QoS::AtLeastOnce, false, message).unwrap();
        }
        let mut waiting: VecDeque<u64> = numbers.iter().copied().collect();
        let mut flying = BTreeMap::new();
        let mut unanswered = numbers.len();
        while unanswered > 0 {
            match connection.recv_timeout(PATIENCE) {
                Ok(Ok(Event::Outgoing(Outgoing::Publish(id)))) => {
                    flying.insert(id, waiting.pop_front().unwrap());
                }
                Ok(Ok(Event::Incoming(Packet::PubAck(answer)))) => {
                    let number = flying.remove(&answer.pkid).unwrap();
                    unanswered -= 1;
                    told(
                        number,
                        match answer.reason {
                            PubAckReason::Success => Told::Kept,
                            PubAckReason::NoMatchingSubscribers => Told::NothingKept,
                            _ => Told::Never,
                        },
                    );
                }
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return,
                Err(silence) => {
                    panic!("a device hears nothing, and its connection does not end: {silence:?}")
                }
            }
        }
    }
}
