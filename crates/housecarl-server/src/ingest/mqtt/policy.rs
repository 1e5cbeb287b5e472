//! The one topic a device may subscribe to: what it is wanted to send.

use bytes::Bytes;
use tokio::sync::watch;

use super::wire::{Delivery, Filter, Granted, Reason, Retained, Writer};

/// A device's policy, and whether it wants to hear of it.
pub(super) struct PolicyFeed {
    topic: String,
    policy: watch::Receiver<Bytes>,
    subscription: Option<Subscription>,
    /// What is to be sent as soon as it may be.
    due: Option<Due>,
    /// The message whose acknowledgement is awaited. One at a time: the next one tells everything anyway.
    awaited: Option<u16>,
    last_id: u16,
    /// Nobody will change the policy any more.
    is_final: bool,
}

/// How a device wants its policy: what a session consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subscription {
    qos: u8,
    keeps_retain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// The message that stood before the subscription.
    Retained,
    /// A change since.
    Change,
}

impl PolicyFeed {
    /// The feed of a device, and the subscription that it has from before. What has changed meanwhile is
    /// not known, so the policy is then told as it stands.
    pub(super) fn new(
        device: &str,
        policy: watch::Receiver<Bytes>,
        subscription: Option<Subscription>,
    ) -> Self {
        Self {
            topic: format!("housecarl/v1/{device}/policy"),
            policy,
            subscription,
            due: subscription.map(|_| Due::Change),
            awaited: None,
            last_id: 0,
            is_final: false,
        }
    }

    /// Subscribes to the policy, or says why there is nothing to subscribe to.
    pub(super) fn subscribe(&mut self, filter: &Filter) -> Granted {
        if filter.topic != self.topic {
            return Granted::Refused(refusal(&filter.topic));
        }
        let is_new = self.subscription.is_none();
        match filter.retained {
            Retained::Always => self.due = Some(Due::Retained),
            Retained::IfNew if is_new => self.due = Some(Due::Retained),
            // What has changed until now is old.
            _ if is_new => self.policy.mark_unchanged(),
            _ => {}
        }
        self.subscription = Some(Subscription { qos: filter.qos, keeps_retain: filter.keeps_retain });
        Granted::Qos(filter.qos)
    }

    pub(super) fn subscription(&self) -> Option<Subscription> {
        self.subscription
    }

    /// Whether there was such a subscription; now there is none.
    pub(super) fn unsubscribe(&mut self, topic: &str) -> bool {
        if topic != self.topic {
            return false;
        }
        self.due = None;
        self.subscription.take().is_some()
    }

    pub(super) fn acknowledge(&mut self, id: u16) {
        if self.awaited == Some(id) {
            self.awaited = None;
        }
    }

    /// Whether a change has to be waited for.
    pub(super) fn is_waiting(&self) -> bool {
        self.subscription.is_some() && self.due.is_none() && !self.is_final
    }

    /// Waits for a change. May be dropped and called again.
    pub(super) async fn changed(&mut self) {
        match self.policy.changed().await {
            Ok(()) => self.due = Some(Due::Change),
            Err(_) => self.is_final = true,
        }
    }

    /// Writes what is due, where the device is ready for it.
    pub(super) fn write_due(&mut self, writer: &mut Writer) -> Result<(), Reason> {
        let (Some(due), Some(subscription), None) = (self.due, self.subscription, self.awaited) else {
            return Ok(());
        };
        self.due = None;
        let payload = self.policy.borrow_and_update().clone();
        // No bytes stand for no message, and none is not sent. That it became none is.
        if due == Due::Retained && payload.is_empty() {
            return Ok(());
        }
        let id = (subscription.qos > 0).then(|| self.next_id());
        let is_retained = due == Due::Retained || subscription.keeps_retain;
        if writer.publish(Delivery { topic: &self.topic, id, is_retained, payload })? {
            self.awaited = id;
        }
        Ok(())
    }

    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }
}

fn refusal(filter: &str) -> Reason {
    let levels = || filter.split('/');
    let misplaced = |level: &str| level.len() > 1 && level.contains(['+', '#']);
    if levels().any(misplaced) || filter.contains("#/") {
        Reason::TopicFilterInvalid
    } else if filter.starts_with("$share/") {
        Reason::SharedSubscriptionsNotSupported
    } else if filter.contains(['+', '#']) {
        Reason::WildcardSubscriptionsNotSupported
    } else {
        Reason::NotAuthorized
    }
}
