//! Random numbers that are the same on every machine, in every order of execution.

use std::convert::Infallible;

use rand_chacha::ChaCha8Rng;
use rand_core::{SeedableRng, TryRng};

use crate::identity::{InputsHash, tag, write_natural, write_sized, write_text};

/// A generator of random numbers whose stream is part of its contract.
///
/// `run.rng("label")` gives one that depends on the root seed, the inputs of the run and the label
/// only; [`Rng::seeded`] one that depends on a seed and a label. Streams with different labels are
/// independent of each other. It implements the traits of `rand_core` 0.10, hence everything that
/// `rand` 0.10 offers works on it; the methods here need no further crate and never change their
/// results.
///
/// The bits are the key stream of ChaCha with 8 rounds, a counter of 64 bits and a nonce of zero,
/// in little-endian words of 32 bits; 64 bits are two words, the lower first. The key is BLAKE3 of
/// these values in the canonical form of [`identity`](crate::identity), one after the other:
///
/// - for a run: the text `xp rng 1`, the root seed, the 32 bytes of the [`InputsHash`], the label;
/// - with a seed: the text `xp rng seeded 1`, the seed, the label.
///
/// It is not meant for secrets.
///
/// ```
/// let mut rng = xp::Rng::seeded(7, "split");
/// let mut rows: Vec<usize> = (0..150).collect();
/// rng.shuffle(&mut rows);
/// let (test, training) = rows.split_at(45);
/// # assert_eq!((test.len(), training.len()), (45, 105));
/// ```
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The generator of a seed and a label, for steps that take a seed as an input.
    pub fn seeded(seed: u64, label: &str) -> Self {
        Self::keyed("xp rng seeded 1", |key| {
            write_natural(seed.into(), key);
            write_text(label, key);
        })
    }

    /// The generator of the run with these inputs.
    pub(crate) fn for_run(root_seed: u64, inputs: &InputsHash, label: &str) -> Self {
        Self::keyed("xp rng 1", |key| {
            write_natural(root_seed.into(), key);
            write_sized(tag::BYTES, inputs.as_bytes(), key);
            write_text(label, key);
        })
    }

    fn keyed(domain: &str, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut key = Vec::with_capacity(128);
        write_text(domain, &mut key);
        write(&mut key);
        Self(ChaCha8Rng::from_seed(*blake3::hash(&key).as_bytes()))
    }

    /// The next 64 bits of the stream, as an integer.
    pub fn next_u64(&mut self) -> u64 {
        let Ok(bits) = self.0.try_next_u64();
        bits
    }

    /// A number of [0, 1): the upper 53 of the next 64 bits, as a multiple of 2⁻⁵³.
    pub fn f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An integer of `0..n`, each as likely as the others.
    ///
    /// It is the upper half of the 128-bit product of `n` and the next 64 bits; bits whose lower
    /// half is below 2⁶⁴ mod `n` are passed over (Lemire, *Fast random integer generation in an
    /// interval*, 2019).
    ///
    /// # Panics
    ///
    /// If `n` is 0: there is no such integer.
    #[track_caller]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "no integer is below 0");
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            let lower = product as u64;
            // 2⁶⁴ mod n is below n: mostly there is no need to divide.
            if lower >= n || lower >= n.wrapping_neg() % n {
                return (product >> 64) as u64;
            }
        }
    }

    /// Brings the items into a random order, each order as likely as the others: from the last to
    /// the second, every item changes places with one that [`below`](Rng::below) picks among those
    /// up to itself (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::RngExt;
    use rand::seq::SliceRandom;

    use super::Rng;
    use crate::identity::{Inputs, InputsHash};

    fn words(mut rng: Rng) -> [u64; 4] {
        std::array::from_fn(|_| rng.next_u64())
    }

    #[test]
    fn the_stream_of_a_seed_is_as_specified() {
        let rng = Rng::seeded(7, "split");
        assert_eq!(
            words(rng.clone()),
            [
                0xc8a7_59f7_7ce6_9e63,
                0x7a5b_fb93_81af_dc57,
                0x27d5_cd9f_b8df_9800,
                0xbfbb_886b_7896_0362,
            ]
        );
        assert_eq!(rng.clone().f64(), 0.783_803_580_209_588_1);

        let mut ints = rng.clone();
        let below_10: Vec<_> = (0..8).map(|_| ints.below(10)).collect();
        assert_eq!(below_10, [7, 4, 1, 7, 5, 2, 6, 8]);
        // Of a range just above 2⁶³ nearly every other word is passed over.
        let mut ints = rng.clone();
        assert_eq!(ints.below((1 << 63) + 1), 4_408_458_653_231_214_123);
        assert_eq!(ints.below((1 << 63) + 1), 6_907_893_138_527_551_921);

        let mut items: Vec<_> = (0..10).collect();
        rng.clone().shuffle(&mut items);
        assert_eq!(items, [8, 0, 6, 2, 9, 3, 5, 1, 4, 7]);
    }

    #[test]
    fn the_stream_of_a_run_is_as_specified() {
        let mut inputs = Inputs::default();
        inputs.push("k", &3).unwrap();
        inputs.push("test_ratio", &0.3).unwrap();
        inputs.push("seed", &0).unwrap();
        assert_eq!(
            words(Rng::for_run(123, &inputs.hash(), "noise")),
            [
                0x6ac3_c6ce_e4f1_c198,
                0x6cd9_ebe1_dfe8_9960,
                0x8364_a002_6737_9449,
                0xfed3_952b_4a9a_8073,
            ]
        );
    }

    #[test]
    fn words_of_32_bits_and_bytes_are_of_the_same_stream() {
        let rng = Rng::seeded(7, "split");
        let expected = words(rng.clone()).map(u64::to_le_bytes).concat();
        let mut bytes = [0; 32];
        rand_core::Rng::fill_bytes(&mut rng.clone(), &mut bytes);
        assert_eq!(bytes, *expected);
        assert_eq!(rand_core::Rng::next_u32(&mut rng.clone()), 0x7ce6_9e63);
        assert_eq!(
            rand_core::Rng::next_u64(&mut rng.clone()),
            rng.clone().next_u64()
        );
    }

    #[test]
    fn the_rand_crate_works_on_it() {
        let mut rng = Rng::seeded(7, "split");
        let x: f64 = rng.random();
        assert!((0.0..1.0).contains(&x));
        assert!((3..5).contains(&rng.random_range(3..5)));
        let mut items = [1, 2, 3];
        items.shuffle(&mut rng);
        items.sort_unstable();
        assert_eq!(items, [1, 2, 3]);
    }

    #[test]
    fn it_can_be_sent_to_another_thread() {
        fn assert_send<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
        assert_send::<Rng>();
    }

    #[test]
    #[should_panic(expected = "no integer is below 0")]
    fn nothing_is_below_0() {
        Rng::seeded(0, "").below(0);
    }

    #[test]
    fn every_order_of_four_items_comes_up_as_often() {
        let mut rng = Rng::seeded(1, "orders");
        let mut counts = std::collections::HashMap::new();
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            rng.shuffle(&mut items);
            *counts.entry(items).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        // 1,000 are expected of each, with a standard deviation of 31.
        assert!(
            counts.values().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    proptest! {
        #[test]
        fn the_stream_depends_on_root_seed_inputs_and_label(
            seeds in any::<(u64, u64)>(),
            inputs in any::<([u8; 32], [u8; 32])>(),
            labels in any::<(String, String)>(),
        ) {
            let stream = |seed, inputs, label: &str| {
                words(Rng::for_run(seed, &InputsHash::from_bytes(inputs), label))
            };
            let base = stream(seeds.0, inputs.0, &labels.0);
            prop_assert_eq!(stream(seeds.0, inputs.0, &labels.0), base);
            prop_assert_eq!(stream(seeds.1, inputs.0, &labels.0) == base, seeds.0 == seeds.1);
            prop_assert_eq!(stream(seeds.0, inputs.1, &labels.0) == base, inputs.0 == inputs.1);
            prop_assert_eq!(stream(seeds.0, inputs.0, &labels.1) == base, labels.0 == labels.1);
            prop_assert_ne!(words(Rng::seeded(seeds.0, &labels.0)), base);
        }

        #[test]
        fn a_seeded_stream_depends_on_seed_and_label(
            seeds in any::<(u64, u64)>(),
            labels in any::<(String, String)>(),
        ) {
            let base = words(Rng::seeded(seeds.0, &labels.0));
            prop_assert_eq!(words(Rng::seeded(seeds.1, &labels.0)) == base, seeds.0 == seeds.1);
            prop_assert_eq!(words(Rng::seeded(seeds.0, &labels.1)) == base, labels.0 == labels.1);
        }

        #[test]
        fn numbers_are_in_their_range(seed in any::<u64>(), n in 1..=u64::MAX, small in 1..10_u64) {
            let mut rng = Rng::seeded(seed, "range");
            for _ in 0..20 {
                prop_assert!(rng.below(n) < n);
                prop_assert!(rng.below(small) < small);
                prop_assert!((0.0..1.0).contains(&rng.f64()));
            }
        }

        #[test]
        fn a_shuffle_keeps_the_items(seed in any::<u64>(), items in any::<Vec<u8>>()) {
            let mut shuffled = items.clone();
            Rng::seeded(seed, "shuffle").shuffle(&mut shuffled);
            let sorted = |mut items: Vec<u8>| { items.sort_unstable(); items };
            prop_assert_eq!(sorted(shuffled), sorted(items));
        }
    }
}
