//! Putting things in order, by one sort for all of them. The standard library's is
//! compiled anew for each type and each comparison, five kilobytes a time; here it sorts
//! positions, once, and the things are moved to where they belong. What the order is
//! stands with the caller.

use std::cmp::Ordering;

/// Stable sorting of a slice, like the standard library's methods of nearly these names.
pub(crate) trait InOrder<T> {
    /// Smallest first.
    fn order(&mut self)
    where
        T: Ord;

    /// As `compare` says.
    fn order_by(&mut self, compare: impl Fn(&T, &T) -> Ordering);

    /// Smallest key first.
    fn order_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K);
}

impl<T> InOrder<T> for [T] {
    fn order(&mut self)
    where
        T: Ord,
    {
        self.order_by(T::cmp);
    }

    fn order_by(&mut self, compare: impl Fn(&T, &T) -> Ordering) {
        let from = sources(self.len(), &|a, b| compare(&self[a], &self[b]));
        arrange(from, &mut |a, b| self.swap(a, b));
    }

    fn order_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        self.order_by(|a, b| key(a).cmp(&key(b)));
    }
}

/// For each place of the ordered slice, the place that its thing has now.
fn sources(length: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut from: Vec<usize> = (0..length).collect();
    #[expect(clippy::disallowed_methods, reason = "this is the one")]
    from.sort_by(|a, b| compare(*a, *b));
    from
}

/// Moves things so that each place has the one that stood at its source.
fn arrange(mut from: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..from.len() {
        let mut at = start;
        // Round the circle of places that trade things, until it closes.
        while from[at] != start {
            let source = from[at];
            swap(at, source);
            from[at] = at;
            at = source;
        }
        from[at] = at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::InOrder;

    proptest! {
        #[test]
        #[expect(clippy::disallowed_methods, reason = "what it is compared with")]
        fn the_order_is_that_of_the_standard_library(
            things in proptest::collection::vec((any::<u8>(), any::<u16>()), 0..300)
        ) {
            let mut wanted = things.clone();
            wanted.sort_by_key(|(key, _)| key % 16);
            let mut ordered = things.clone();
            ordered.order_by_key(|(key, _)| key % 16);
            prop_assert_eq!(&ordered, &wanted, "by key, and things alike stay as they stood");

            wanted.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
            ordered.order_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
            prop_assert_eq!(&ordered, &wanted, "by comparison");

            wanted.sort();
            ordered.order();
            prop_assert_eq!(&ordered, &wanted, "by itself");
        }
    }
}
