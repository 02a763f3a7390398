//! Seeds that must pass. A seed that ever failed is added to `REGRESSIONS`.
#![expect(
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failed simulation is a failed test"
)]

use loggia_sim::World;

const POLICY: &str = include_str!("../../../../policies/gen-ai.yaml");
const STEPS: usize = 60;

fn run(seed: u64) {
    let mut world = World::new(seed, POLICY).unwrap_or_else(|why| panic!("seed {seed}: {}", why.0));
    let mut trail = Vec::new();
    for _ in 0..STEPS {
        match world.step() {
            Ok(name) => trail.push(name),
            Err(why) => panic!("seed {seed} after {trail:?}: {}", why.0),
        }
    }
    if let Err(why) = world.finish() {
        panic!("seed {seed} at the end of {trail:?}: {}", why.0);
    }
}

#[test]
fn seeds_1_to_4() {
    (1..=4).for_each(run);
}

#[test]
fn seeds_5_to_8() {
    (5..=8).for_each(run);
}

/// One more seed, or the one that `LOGGIA_SIM_SEED` names (as `cargo xtask sim --seed N` sets it).
#[test]
fn the_named_seed() {
    let named = std::env::var("LOGGIA_SIM_SEED").ok().and_then(|text| text.parse().ok());
    run(named.unwrap_or(4711));
}
