//! A shuffled order of many points in constant memory.

/// How many times the halves are mixed; four rounds make a Feistel network with random rounds a
/// pseudorandom permutation (Luby and Rackoff, 1988).
const ROUNDS: usize = 4;

/// A permutation of `0..n` that depends on a seed, computed element by element.
///
/// It is a Feistel network on the smallest power of two that holds `n`, walked until the result is
/// below `n`: fewer than two rounds of the network on average, whatever `n`.
#[derive(Clone, Debug)]
pub(crate) struct Permutation {
    n: u64,
    /// Bits of the lower half.
    low_bits: u32,
    low_mask: u64,
    high_mask: u64,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The permutation of `0..n` with that seed.
    pub(crate) fn new(n: u64, seed: u64) -> Self {
        let bits = u64::BITS - n.saturating_sub(1).leading_zeros();
        let low_bits = bits / 2;
        let mut state = seed;
        Self {
            n,
            low_bits,
            low_mask: (1 << low_bits) - 1,
            high_mask: (1 << (bits - low_bits)) - 1,
            keys: std::array::from_fn(|_| {
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                mix(state)
            }),
        }
    }

    /// The element at place `i`; `i` itself if it is not below `n`.
    pub(crate) fn get(&self, i: u64) -> u64 {
        if i >= self.n {
            return i;
        }
        let mut x = i;
        // Ends, since the cycle of the network on which `i` lies comes back to `i`.
        loop {
            x = self.network(x);
            if x < self.n {
                return x;
            }
        }
    }

    /// The network, a permutation of the power of two: each round changes one half by what the
    /// other holds, which can be undone.
    fn network(&self, x: u64) -> u64 {
        let (mut high, mut low) = (x >> self.low_bits, x & self.low_mask);
        for keys in self.keys.as_chunks::<2>().0 {
            high ^= mix(low ^ keys[0]) & self.high_mask;
            low ^= mix(high ^ keys[1]) & self.low_mask;
        }
        (high << self.low_bits) | low
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014, in Vigna's version).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(n: u64, seed: u64) -> Vec<u64> {
        let permutation = Permutation::new(n, seed);
        (0..n).map(|i| permutation.get(i)).collect()
    }

    #[test]
    fn it_is_the_same_everywhere() {
        assert_eq!(all(10, 123), [1, 5, 2, 0, 6, 9, 7, 3, 4, 8]);
        assert_eq!(all(10, 0), [8, 0, 6, 7, 2, 3, 1, 9, 4, 5]);
    }

    #[test]
    fn every_element_occurs_once_for_every_length() {
        let mut seen = Vec::new();
        for n in 0..5000 {
            seen.clear();
            seen.resize(n as usize, false);
            for x in all(n, n ^ 123) {
                assert!(
                    !std::mem::replace(&mut seen[x as usize], true),
                    "{x} of {n}"
                );
            }
        }
    }

    #[test]
    fn every_order_of_four_points_comes_up() {
        let mut counts = std::collections::HashMap::new();
        for seed in 0..24_000 {
            *counts.entry(all(4, seed)).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(
            counts.values().all(|count| (250..4000).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn a_point_may_come_at_any_place() {
        for n in [2_usize, 5, 10, 50] {
            let mut counts = vec![0; n];
            for seed in 0..1000 * n as u64 {
                counts[Permutation::new(n as u64, seed).get(0) as usize] += 1;
            }
            assert!(
                counts.iter().all(|count| (850..1150).contains(count)),
                "{counts:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_element_occurs_once(n in 0..5000_u64, seed in any::<u64>()) {
            let mut sorted = all(n, seed);
            sorted.sort_unstable();
            prop_assert!(sorted.into_iter().eq(0..n));
        }

        #[test]
        fn another_seed_gives_another_order(n in 30..5000_u64, seeds in any::<(u64, u64)>()) {
            prop_assume!(seeds.0 != seeds.1);
            prop_assert_ne!(all(n, seeds.0), all(n, seeds.1));
        }

        #[test]
        fn large_orders_stay_in_range(n in any::<u64>(), i in any::<u64>(), seed in any::<u64>()) {
            let permutation = Permutation::new(n, seed);
            prop_assert_eq!(permutation.get(i) < n, i < n);
            if n > 1 && i < n - 1 {
                prop_assert_ne!(permutation.get(i), permutation.get(i + 1));
            }
        }
    }
}
