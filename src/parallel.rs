//! The same work for each of many things, on all processors. What the work is, is the
//! caller's business.

use std::{num::NonZero, panic::resume_unwind, thread};

/// Things that one thread works on before the results are handed on. Bounds what is held.
const BATCH: usize = 32;

/// Works on each thing, on as many threads as there are processors, and hands the results
/// on one by one in the order of the things. An error that `take` gives ends it.
pub(crate) fn in_order<T: Sync, R: Send, E>(
    things: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(&T, R) -> Result<(), E>,
) -> Result<(), E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    for batch in things.chunks(BATCH * threads) {
        let results = thread::scope(|scope| {
            let parts: Vec<_> = batch
                .chunks(batch.len().div_ceil(threads))
                .map(|part| scope.spawn(|| part.iter().map(&work).collect::<Vec<R>>()))
                .collect();
            let joined = parts.into_iter().map(|part| part.join());
            joined.flat_map(|part| part.unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        let results: Vec<R> = results;
        for (thing, result) in batch.iter().zip(results) {
            take(thing, result)?;
        }
    }
    Ok(())
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
