use xp::__private::Step;
use xp::prelude::*;

mod data {
    use super::step;

    #[step]
    fn load() {}
}

fn main() {
    data::load();
    let _ = <data::load as Step>::INFO;
}
