//! The same work for each of many things, on all processors. The caller
//! passes the work as a function.

use std::{
    num::NonZero,
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

/// Things that one thread works on before it hands the results on. A thread is at most two
/// such batches ahead, which bounds what is held.
const BATCH: usize = 32;

/// Works on each thing, on as many threads as there are processors, and hands the results
/// on one by one in the order of the things. An error that `take` gives ends it.
pub(crate) fn in_order<T: Sync, R: Send, E>(
    things: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(&T, R) -> Result<(), E>,
) -> Result<(), E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let work = &work;
    thread::scope(|scope| {
        // The batches go round: the first to the first thread, the second to the second.
        let workers: Vec<Receiver<Vec<R>>> = (0..threads)
            .map(|first| {
                let (sender, receiver) = sync_channel(1);
                scope.spawn(move || {
                    for batch in things.chunks(BATCH).skip(first).step_by(threads) {
                        if sender.send(batch.iter().map(work).collect()).is_err() {
                            return; // nobody takes any more
                        }
                    }
                });
                receiver
            })
            .collect();
        for (batch, worker) in things.chunks(BATCH).zip(workers.iter().cycle()) {
            // A worker that panicked hands on no more, and the scope ends in its panic.
            let Ok(results) = worker.recv() else { break };
            for (thing, result) in batch.iter().zip(results) {
                take(thing, result)?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn every_result_comes_once_and_in_order() {
        for many in [0, 1, 2, 31, 33, 1_000] {
            let things: Vec<usize> = (0..many).collect();
            let mut squares = Vec::new();
            let done: Result<(), ()> = in_order(
                &things,
                |thing| thing * thing,
                |thing, square| {
                    squares.push((*thing, square));
                    Ok(())
                },
            );
            assert_eq!(done, Ok(()));
            let wanted: Vec<_> = things.iter().map(|thing| (*thing, thing * thing)).collect();
            assert_eq!(squares, wanted);
        }
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_is_not_swallowed() {
        let things: Vec<usize> = (0..1_000).collect();
        let work = |thing: &usize| assert!(*thing < 500, "too much");
        let _: Result<(), ()> = in_order(&things, work, |_, ()| Ok(()));
    }

    #[test]
    fn an_error_ends_it() {
        let mut taken = 0;
        let done = in_order(
            &[1, 2, 3],
            |thing| *thing,
            |_, result| {
                taken += 1;
                if result == 2 { Err("two") } else { Ok(()) }
            },
        );
        assert_eq!((done, taken), (Err("two"), 2));
    }
}
