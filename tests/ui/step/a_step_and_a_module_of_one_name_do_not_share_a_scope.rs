use xp::prelude::*;

mod train {
    use super::step;

    #[step]
    pub(crate) fn train() {}
}

use train::train;

fn main() {
    train();
}
