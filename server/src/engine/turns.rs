//! So many turns at once, given to those who wait caller by caller: how much one caller asks for does not decide how long another
//! waits.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// The turns.
#[derive(Clone)]
pub(super) struct Turns(Arc<Mutex<State>>);

struct State {
    free: usize,
    /// Callers of whom somebody waits, the next one first.
    order: VecDeque<Arc<str>>,
    waiting: HashMap<Arc<str>, VecDeque<Waiter>>,
    /// The number of the newest waiter.
    last: u64,
}

struct Waiter {
    number: u64,
    turn: oneshot::Sender<Turn>,
}

/// The right to do something, until it is dropped.
pub(super) struct Turn {
    /// Where it goes back to; nowhere once it has been given back.
    turns: Option<Turns>,
}

impl Turns {
    /// So many at once.
    pub(super) fn new(count: usize) -> Self {
        Self(Arc::new(Mutex::new(State { free: count, order: VecDeque::new(), waiting: HashMap::new(), last: 0 })))
    }

    /// A turn, if one is free and nobody waits.
    pub(super) fn try_take(&self) -> Option<Turn> {
        let mut state = self.lock();
        // As long as somebody waits none is free: what comes back is handed on.
        state.free = state.free.checked_sub(1)?;
        Some(self.turn())
    }

    /// Waits for a turn of a caller. Whoever stops waiting leaves nothing behind.
    pub(super) async fn take(&self, caller: &Arc<str>) -> Turn {
        let (waits, turn) = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return self.turn();
            }
            let (sender, turn) = oneshot::channel();
            state.last += 1;
            let number = state.last;
            match state.waiting.entry(Arc::clone(caller)) {
                Entry::Occupied(mut entry) => entry.get_mut().push_back(Waiter { number, turn: sender }),
                Entry::Vacant(entry) => {
                    entry.insert(VecDeque::from([Waiter { number, turn: sender }]));
                    state.order.push_back(Arc::clone(caller));
                }
            }
            (Waits { turns: self, caller, number }, turn)
        };
        let turn = turn.await.expect("a waiter is dropped only with its place, or after it was sent to");
        drop(waits);
        turn
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.order.is_empty() && state.waiting.is_empty()
    }

    fn turn(&self) -> Turn {
        Turn { turns: Some(self.clone()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The longest waiting of the caller whose turn it is; the caller goes to the end.
    fn next(&mut self) -> Option<Waiter> {
        let caller = self.order.pop_front()?;
        let waiters = self.waiting.get_mut(&caller)?;
        let waiter = waiters.pop_front();
        if waiters.is_empty() {
            self.waiting.remove(&caller);
        } else {
            self.order.push_back(caller);
        }
        waiter
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = self.turns.take();
        while let Some(back) = turns {
            let next = {
                let mut state = back.lock();
                let next = state.next();
                state.free += usize::from(next.is_none());
                next
            };
            // Whoever stopped waiting at this moment is passed over.
            turns = next.and_then(|next| next.turn.send(Turn { turns: Some(back) }).err()).and_then(|mut turn| turn.turns.take());
        }
    }
}

/// A place among those who wait.
struct Waits<'a> {
    turns: &'a Turns,
    caller: &'a Arc<str>,
    number: u64,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        let Some(waiters) = state.waiting.get_mut(self.caller) else { return };
        waiters.retain(|waiter| waiter.number != self.number);
        if waiters.is_empty() {
            state.waiting.remove(self.caller);
            state.order.retain(|caller| caller != self.caller);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn no_turn_is_lost_however_waiting_ends() {
        let (turns, caller): (_, Arc<str>) = (Turns::new(1), Arc::from("a"));
        for _ in 0..100 {
            let held = turns.try_take().expect("it is free");
            assert!(turns.try_take().is_none());
            // One gives up while it waits, one after it was given the turn and before it looked, and one gets it.
            let mut gives_up = turns.take(&caller).boxed();
            let mut too_late = turns.take(&caller).boxed();
            let mut waits = turns.take(&caller).boxed();
            for waiter in [&mut gives_up, &mut too_late, &mut waits] {
                assert!(waiter.as_mut().now_or_never().is_none());
            }
            drop(gives_up);
            drop(held);
            assert!(turns.try_take().is_none(), "it belongs to somebody already");
            drop(too_late);
            let turn = timeout(Duration::from_secs(1), waits).await.expect("it gets the turn");
            drop(turn);
            assert!(turns.is_empty());
        }
    }
}
