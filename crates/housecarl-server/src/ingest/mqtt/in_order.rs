//! What is under way side by side and answered in order.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Futures that go on side by side and are done in order.
///
/// They are few, and many become ready at once, when a group has reached the disk. So each is polled
/// whenever one of them wakes the task, and nothing has to be kept of which one it was.
pub(super) struct InOrder<T>(VecDeque<UnderWay<T>>);

enum UnderWay<T> {
    Waiting(Pin<Box<dyn Future<Output = T> + Send>>),
    Done(T),
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> InOrder<T> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops all of them.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds one, which is begun by the next poll.
    pub(super) fn push(&mut self, future: impl Future<Output = T> + Send + 'static) {
        self.0.push_back(UnderWay::Waiting(Box::pin(future)));
    }

    /// Ready when the first is done. Where there is none it waits.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        for one in &mut self.0 {
            if let UnderWay::Waiting(future) = one
                && let Poll::Ready(output) = future.as_mut().poll(cx)
            {
                *one = UnderWay::Done(output);
            }
        }
        self.take_done().map_or(Poll::Pending, Poll::Ready)
    }

    /// The first, if the last poll has found it done.
    pub(super) fn take_done(&mut self) -> Option<T> {
        match self.0.pop_front()? {
            UnderWay::Done(output) => Some(output),
            waiting @ UnderWay::Waiting(_) => {
                self.0.push_front(waiting);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use std::future::poll_fn;

    use tokio::sync::{mpsc, oneshot};

    use super::*;

    #[tokio::test]
    async fn all_go_on_side_by_side_and_are_done_in_order() {
        let mut in_order = InOrder::default();
        let (begin, mut begun) = mpsc::unbounded_channel();
        let mut ends = Vec::new();
        for number in 0..4 {
            let (end, ended) = oneshot::channel::<()>();
            ends.push(end);
            let begin = begin.clone();
            in_order.push(async move {
                begin.send(number).unwrap();
                ended.await.unwrap();
                number
            });
        }
        let is_ready = async |in_order: &mut InOrder<i32>| {
            poll_fn(|cx| Poll::Ready(in_order.poll_next(cx).is_ready())).await
        };
        assert!(!is_ready(&mut in_order).await);
        for number in 0..4 {
            assert_eq!(begun.recv().await, Some(number));
        }
        // The last two are done first, and wait for the others.
        ends.drain(2..).for_each(|end| end.send(()).unwrap());
        assert!(!is_ready(&mut in_order).await);
        assert_eq!((in_order.take_done(), in_order.len()), (None, 4));
        let end = ends.remove(0);
        let first = poll_fn(|cx| in_order.poll_next(cx));
        let (first, ()) = tokio::join!(first, async {
            tokio::task::yield_now().await;
            end.send(()).unwrap();
        });
        assert_eq!((first, in_order.take_done()), (0, None));
        ends.remove(0).send(()).unwrap();
        assert_eq!(poll_fn(|cx| in_order.poll_next(cx)).await, 1);
        assert_eq!([(); 3].map(|()| in_order.take_done()), [Some(2), Some(3), None]);
        assert!(in_order.is_empty());
    }
}
