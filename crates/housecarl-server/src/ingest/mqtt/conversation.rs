//! A connection after it is known whose it is.
//!
//! One task does all of it. Messages are taken as they come and wait at the gateway side by side; their
//! acknowledgements go out in the order the messages came in. Where there is no more room, or somebody
//! does not read what is sent to them, the connection is not read from, and that is all the backpressure
//! there is.

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::connected::{Held, Seat};
use super::in_order::InOrder;
use super::link::{Link, Moved};
use super::login::Guest;
use super::policy::PolicyFeed;
use super::wire::{self, Ack, Packet, Publish, Reason, Version, Writer};
use super::{House, closed};
use crate::ingest::{Admission, Gateway};

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The device said goodbye.
    Goodbye,
    /// The device is gone, or said that its will is to be published.
    Gone,
    /// The credential is none any more: nothing of it is taken from here on.
    Revoked,
    /// A message was put off, and so is everything after it.
    PutOff(Reason),
    /// Something else that the device is told.
    Because(Reason),
}

/// What became of one message.
struct Outcome {
    id: Option<u16>,
    bytes: usize,
    admission: Admission,
}

struct Conversation<'h, G: Gateway> {
    house: &'h House<G>,
    device: Arc<G::Device>,
    version: Version,
    writer: Writer,
    policy: PolicyFeed,
    seat: Held,
    in_flight: InOrder<Outcome>,
    in_flight_bytes: usize,
}

/// Serves a device until one side ends it.
pub(super) async fn converse<G: Gateway>(
    house: &House<G>,
    mut link: Link,
    guest: Guest<G::Device>,
    is_closing: watch::Receiver<bool>,
) {
    let Guest { device, version, writer, seat, subscription, will, silence_seconds_max } = guest;
    let Seat { held, mut lost } = seat;
    let gateway = &*house.gateway;
    let policy = PolicyFeed::new(gateway.name(&device), gateway.policy(&device), subscription);
    let mut conversation = Conversation {
        house,
        device: Arc::clone(&device),
        version,
        writer,
        policy,
        seat: held,
        in_flight: InOrder::default(),
        in_flight_bytes: 0,
    };
    let interrupted = async {
        tokio::select! {
            () = gateway.revoked(&device) => End::Revoked,
            _ = &mut lost => End::Because(Reason::SessionTakenOver),
            () = closed(is_closing) => End::Because(Reason::ServerShuttingDown),
        }
    };
    let silence = Duration::from_secs(silence_seconds_max);
    let end = conversation.until_end(&mut link, silence, pin!(interrupted)).await;
    conversation.leave(link, end, will).await;
}

impl<G: Gateway> Conversation<'_, G> {
    async fn until_end(
        &mut self,
        link: &mut Link,
        silence: Duration,
        mut interrupted: Pin<&mut impl Future<Output = End>>,
    ) -> End {
        let mut heard = Instant::now();
        let mut alarm = pin!(sleep_until(heard + silence));
        loop {
            if let Err(end) = self.take_what_is_there(link) {
                return end;
            }
            let room = if self.has_room() { usize::MAX } else { 0 };
            tokio::select! {
                biased;
                end = &mut interrupted => return end,
                outcome = poll_fn(|cx| self.in_flight.poll_next(cx)), if !self.in_flight.is_empty() => {
                    if let Err(end) = self.settle_all(outcome) {
                        return end;
                    }
                }
                moved = link.moved(&mut self.writer.out, room) => match moved {
                    Ok(Moved::Out) => {}
                    Ok(Moved::In) => heard = Instant::now(),
                    Ok(Moved::Ended) | Err(_) => return End::Gone,
                },
                () = self.policy.changed(), if self.policy.is_waiting() => {}
                () = &mut alarm => {
                    // While it is us who do not read, the device's silence says nothing.
                    if room == 0 && self.writer.out.is_empty() {
                        heard = Instant::now();
                    }
                    if heard.elapsed() >= silence {
                        return End::Because(Reason::KeepAliveTimeout);
                    }
                    alarm.as_mut().reset(heard + silence);
                }
            }
        }
    }

    /// Whether another message may be taken.
    fn has_room(&self) -> bool {
        let limits = &self.house.limits;
        self.in_flight.len() < usize::from(limits.in_flight_max)
            && self.in_flight_bytes < limits.in_flight_bytes_max
            && self.writer.out.len() < limits.unsent_bytes_max
    }

    fn take_what_is_there(&mut self, link: &mut Link) -> Result<(), End> {
        let limits = &self.house.limits;
        while self.has_room() {
            let (publish_max, other_max) = (limits.publish_bytes_max(), limits.packet_bytes_max);
            let packet = wire::packet(&mut link.input, self.version, publish_max, other_max);
            let Some(packet) = packet.map_err(End::Because)? else { break };
            self.take(packet)?;
        }
        link.rest();
        self.policy.write_due(&mut self.writer).map_err(End::Because)
    }

    fn take(&mut self, packet: Packet) -> Result<(), End> {
        match packet {
            Packet::Publish(publish) => {
                self.in_flight_bytes += bytes_of(&publish);
                self.in_flight.push(self.admit(publish));
                Ok(())
            }
            Packet::Puback(id) => {
                self.policy.acknowledge(id);
                Ok(())
            }
            Packet::Subscribe { id, filters } => {
                let granted: Vec<_> = filters.iter().map(|filter| self.policy.subscribe(filter)).collect();
                self.seat.remember(self.policy.subscription());
                self.writer.suback(id, &granted).map_err(End::Because)?;
                // Before the next packet, which may be another subscription.
                self.policy.write_due(&mut self.writer).map_err(End::Because)
            }
            Packet::Unsubscribe { id, filters } => {
                let existed: Vec<_> = filters.iter().map(|filter| self.policy.unsubscribe(filter)).collect();
                self.seat.remember(self.policy.subscription());
                self.writer.unsuback(id, &existed).map_err(End::Because)
            }
            Packet::Pingreq => self.writer.pingresp().map_err(End::Because),
            Packet::Disconnect { publishes_will, session_seconds } => {
                if let Some(seconds) = session_seconds {
                    self.seat.keep_for(seconds.min(self.house.limits.session_seconds_max));
                }
                Err(if publishes_will { End::Gone } else { End::Goodbye })
            }
        }
    }

    fn admit(&self, publish: Publish) -> impl Future<Output = Outcome> + Send + use<G> {
        let (gateway, device) = (Arc::clone(&self.house.gateway), Arc::clone(&self.device));
        async move {
            let (id, bytes) = (publish.id, bytes_of(&publish));
            let admission = gateway.admit(&device, &publish.topic, publish.message).await;
            Outcome { id, bytes, admission }
        }
    }

    /// Answers a message and those behind it that are done as well: what is written together
    /// is sent together.
    fn settle_all(&mut self, first: Outcome) -> Result<(), End> {
        let mut next = Some(first);
        while let Some(outcome) = next {
            self.settle(&outcome)?;
            next = self.in_flight.take_done();
        }
        Ok(())
    }

    /// Counts an outcome and answers it. Behind a message that was put off nothing is answered: a device
    /// that sends again from the first unanswered one keeps its order.
    fn settle(&mut self, outcome: &Outcome) -> Result<(), End> {
        self.house.counters.count_message(outcome.admission);
        self.in_flight_bytes = self.in_flight_bytes.saturating_sub(outcome.bytes);
        let Some(id) = outcome.id else { return Ok(()) };
        let ack = match outcome.admission {
            Admission::Kept => Ack::Success,
            Admission::NothingKept | Admission::Undeclared => Ack::NothingKept,
            Admission::NotThisDevices => Ack::NotAuthorized,
            Admission::NotAsDeclared => Ack::PayloadFormatInvalid,
            Admission::OverQuota => return Err(End::PutOff(Reason::QuotaExceeded)),
            Admission::Unavailable => return Err(End::PutOff(Reason::ServerBusy)),
        };
        self.writer.puback(id, ack).map_err(End::Because)
    }

    /// Finishes what was taken, publishes the will where that is due, and says why it is over.
    async fn leave(mut self, mut link: Link, end: End, will: Option<Publish>) {
        let limits = &self.house.limits;
        let mut end = end;
        if !matches!(end, End::Revoked | End::PutOff(_)) {
            let finished = async {
                while !self.in_flight.is_empty() {
                    let outcome = poll_fn(|cx| self.in_flight.poll_next(cx)).await;
                    if let Err(why) = self.settle(&outcome) {
                        end = why;
                        break;
                    }
                }
            };
            // What is not done by then was not answered, and comes again.
            let _ = timeout(limits.leave_time, finished).await;
        }
        // Nobody asks for these any more, and what they hold others may be waiting for.
        self.in_flight.clear();
        let will = will.filter(|_| !matches!(end, End::Goodbye | End::Revoked));
        if let Some(will) = will {
            let admitted = timeout(limits.leave_time, self.admit(will)).await;
            if let Ok(outcome) = admitted {
                self.house.counters.count_message(outcome.admission);
            }
        }
        let reason = match end {
            End::Goodbye | End::Gone => None,
            End::Revoked => Some(Reason::AdministrativeAction),
            End::PutOff(reason) => {
                let rested = async {
                    let _ = link.send(&mut self.writer.out).await;
                    pending::<()>().await;
                };
                let _ = timeout(limits.put_off_time, rested).await;
                Some(reason)
            }
            End::Because(reason) => Some(reason),
        };
        if let Some(reason) = reason {
            // A packet that cannot be written is not missed any more.
            let _ = self.writer.disconnect(reason);
        }
        link.part(self.writer.out, limits.parting_time).await;
    }
}

fn bytes_of(publish: &Publish) -> usize {
    publish.topic.len() + publish.message.payload.len()
}
