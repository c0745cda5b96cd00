//! Points by their index: the product of axes, pairs, lists, and what is made of these. All are
//! shared by the clones of a plan.

use std::sync::Arc;

use super::PlanError;

/// The points of one part of a plan.
pub(crate) trait Points<P>: Send + Sync {
    /// How many indices there are.
    fn len(&self) -> u64;

    /// The point of an index below `len`; `None` if it is left out.
    fn get(&self, i: u64) -> Option<P>;

    /// Whether all points are known to differ, so that none needs to be remembered.
    fn distinct(&self) -> bool {
        false
    }

    /// Whether a run that is there is kept; `None` if these points are not the runs that are there.
    fn keeps(&self, point: &P) -> Option<bool> {
        let _ = point;
        None
    }

    /// Whether runs that are there may be left out.
    fn selects(&self) -> bool {
        false
    }

    /// Whether these are the runs that are there.
    fn of_runs(&self) -> bool {
        false
    }

    /// The same axes in pairs instead of their product.
    fn zip(self: Arc<Self>) -> Result<Arc<dyn Points<P>>, ZipError>;
}

/// Why points cannot be zipped.
pub(crate) enum ZipError {
    NoProduct,
    OfRuns,
    Lengths(Vec<(&'static str, usize)>),
}

/// The values of the params, a list each: what the generated plan collects.
#[doc(hidden)]
pub trait Axes<P>: Send + Sync + 'static {
    /// Name and number of values of each param, in order; of distinct values, unless `repeated`.
    fn lengths(&self, repeated: bool) -> Vec<(&'static str, usize)>;

    /// Whether different values always make different points.
    fn distinct(&self) -> bool;

    /// The point of one value of each param, given by their places among the distinct values, or
    /// among all if `repeated`.
    fn point(&self, at: &[usize], repeated: bool) -> P;
}

pub(super) struct Product<A> {
    axes: Arc<A>,
    lengths: Vec<(&'static str, usize)>,
    total: u64,
}

impl<A> Product<A> {
    pub(super) fn new<P>(experiment: &'static str, axes: A) -> Result<Self, PlanError>
    where
        A: Axes<P>,
    {
        let lengths = axes.lengths(false);
        if let Some((name, _)) = lengths.iter().find(|(_, len)| *len == 0) {
            return Err(PlanError::Empty {
                experiment,
                input: format!("the input `{name}`"),
            });
        }
        let total = lengths
            .iter()
            .try_fold(1_u64, |total, (_, len)| total.checked_mul(*len as u64))
            .ok_or(PlanError::TooLarge { experiment })?;
        Ok(Self {
            axes: Arc::new(axes),
            lengths,
            total,
        })
    }
}

impl<P, A: Axes<P>> Points<P> for Product<A> {
    fn len(&self) -> u64 {
        self.total
    }

    fn get(&self, mut i: u64) -> Option<P> {
        const FEW: usize = 16;
        let mut few = [0; FEW];
        let mut many = Vec::new();
        let at: &mut [usize] = if self.lengths.len() <= FEW {
            &mut few[..self.lengths.len()]
        } else {
            many.resize(self.lengths.len(), 0);
            &mut many
        };
        for (place, (_, len)) in at.iter_mut().zip(&self.lengths).rev() {
            let len = *len as u64;
            // A remainder by the length of a list is a place in it.
            *place = (i % len) as usize;
            i /= len;
        }
        Some(self.axes.point(at, false))
    }

    fn distinct(&self) -> bool {
        self.axes.distinct()
    }

    fn zip(self: Arc<Self>) -> Result<Arc<dyn Points<P>>, ZipError> {
        // Pairs are what was written, also where a value occurs in several of them.
        let lengths = self.axes.lengths(true);
        let several: Vec<_> = lengths
            .iter()
            .copied()
            .filter(|(_, len)| *len > 1)
            .collect();
        let len = several.first().map_or(1, |(_, len)| *len);
        if several.iter().any(|(_, other)| *other != len) {
            return Err(ZipError::Lengths(several));
        }
        Ok(Arc::new(Pairs {
            lengths,
            axes: Arc::clone(&self.axes),
            len,
        }))
    }
}

struct Pairs<A> {
    axes: Arc<A>,
    lengths: Vec<(&'static str, usize)>,
    len: usize,
}

impl<P, A: Axes<P>> Points<P> for Pairs<A> {
    fn len(&self) -> u64 {
        self.len as u64
    }

    fn get(&self, i: u64) -> Option<P> {
        let i = usize::try_from(i).ok()?;
        let at: Vec<_> = self
            .lengths
            .iter()
            .map(|(_, len)| if *len > 1 { i } else { 0 })
            .collect();
        Some(self.axes.point(&at, true))
    }

    fn zip(self: Arc<Self>) -> Result<Arc<dyn Points<P>>, ZipError> {
        Ok(self)
    }
}

pub(super) struct Listed<P>(pub(super) Vec<P>);

impl<P: Clone + Send + Sync + 'static> Points<P> for Listed<P> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn get(&self, i: u64) -> Option<P> {
        self.0.get(usize::try_from(i).ok()?).cloned()
    }

    fn zip(self: Arc<Self>) -> Result<Arc<dyn Points<P>>, ZipError> {
        Err(ZipError::NoProduct)
    }
}

/// The runs that are there, which are known when the plan is executed.
pub(super) struct OfRuns;

impl<P: 'static> Points<P> for OfRuns {
    fn len(&self) -> u64 {
        0
    }

    fn get(&self, _: u64) -> Option<P> {
        None
    }

    fn keeps(&self, _: &P) -> Option<bool> {
        Some(true)
    }

    fn of_runs(&self) -> bool {
        true
    }

    fn zip(self: Arc<Self>) -> Result<Arc<dyn Points<P>>, ZipError> {
        Err(ZipError::OfRuns)
    }
}

pub(super) struct Filter<P, F> {
    pub(super) points: Arc<dyn Points<P>>,
    pub(super) keep: F,
}

impl<P: 'static, F: Fn(&P) -> bool + Send + Sync + 'static> Points<P> for Filter<P, F> {
    fn len(&self) -> u64 {
        self.points.len()
    }

    fn get(&self, i: u64) -> Option<P> {
        self.points.get(i).filter(|point| (self.keep)(point))
    }

    fn distinct(&self) -> bool {
        self.points.distinct()
    }

    fn keeps(&self, point: &P) -> Option<bool> {
        Some(self.points.keeps(point)? && (self.keep)(point))
    }

    fn selects(&self) -> bool {
        true
    }

    fn of_runs(&self) -> bool {
        self.points.of_runs()
    }

    fn zip(self: Arc<Self>) -> Result<Arc<dyn Points<P>>, ZipError> {
        Err(ZipError::NoProduct)
    }
}

pub(super) struct Map<P, F> {
    pub(super) points: Arc<dyn Points<P>>,
    pub(super) change: F,
}

impl<P: 'static, F: Fn(P) -> P + Send + Sync + 'static> Points<P> for Map<P, F> {
    fn len(&self) -> u64 {
        self.points.len()
    }

    fn get(&self, i: u64) -> Option<P> {
        self.points.get(i).map(&self.change)
    }

    fn zip(self: Arc<Self>) -> Result<Arc<dyn Points<P>>, ZipError> {
        Err(ZipError::NoProduct)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two(Vec<u32>, Vec<char>);

    impl Axes<(u32, char)> for Two {
        fn lengths(&self, _: bool) -> Vec<(&'static str, usize)> {
            vec![("k", self.0.len()), ("c", self.1.len())]
        }

        fn distinct(&self) -> bool {
            true
        }

        fn point(&self, at: &[usize], _: bool) -> (u32, char) {
            (self.0[at[0]], self.1[at[1]])
        }
    }

    fn all(points: &dyn Points<(u32, char)>) -> Vec<(u32, char)> {
        (0..points.len()).filter_map(|i| points.get(i)).collect()
    }

    #[test]
    fn the_first_param_of_a_product_varies_slowest() {
        let product = Product::new("x", Two(vec![1, 2], vec!['a', 'b'])).unwrap();
        assert_eq!(all(&product), [(1, 'a'), (1, 'b'), (2, 'a'), (2, 'b')]);
    }

    #[test]
    fn pairs_have_one_value_of_each_and_single_values_are_repeated() {
        let zip = |a, b| Arc::new(Product::new("x", Two(a, b)).unwrap()).zip();
        assert_eq!(
            all(&*zip(vec![1, 2], vec!['a', 'b']).ok().unwrap()),
            [(1, 'a'), (2, 'b')]
        );
        assert_eq!(
            all(&*zip(vec![1, 2], vec!['a']).ok().unwrap()),
            [(1, 'a'), (2, 'a')]
        );
        assert!(zip(vec![1, 2], vec!['a', 'b', 'c']).is_err());
    }

    #[test]
    fn a_billion_points_cost_no_memory() {
        let long = || (0..40_000).collect::<Vec<u32>>();
        let chars = || (0..40_000).filter_map(char::from_u32).collect::<Vec<_>>();
        let product = Product::new("x", Two(long(), chars())).unwrap();
        assert_eq!(product.len(), 1_600_000_000);
        assert_eq!(product.get(1_599_999_999).map(|p| p.0), Some(39_999));
    }
}
