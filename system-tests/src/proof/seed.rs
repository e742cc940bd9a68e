//! Random choices that can be made again: all of a run's come from one number, which is told when the run fails. How requests
//! interleave is the machine's own, so a replay makes the same choices and may have to be repeated.

use fastrand::Rng;
use shared_claims::random;

/// What a run takes its seed from, where somebody wants one again.
pub const VARIABLE: &str = "TORTURE_SEED";

/// The seeds of a run: the one that was asked for, or one after the other from a random first.
///
/// # Panics
///
/// Where the variable holds something else than a number.
pub fn seeds() -> impl Iterator<Item = u64> {
    let first = match std::env::var(VARIABLE) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{VARIABLE} is not a number: {text}")),
        Err(_) => u64::from_be_bytes(random::bytes()),
    };
    (0..).map(move |number| first.wrapping_add(number))
}

/// The choices of one part of a run.
pub fn choices(seed: u64, part: u64) -> Rng {
    let mut rng = Rng::with_seed(seed);
    (0..=part).fold(rng.fork(), |_, _| rng.fork())
}

/// One of these, each as often as its weight says.
///
/// # Panics
///
/// Where there is none.
pub fn weighted<T: Copy>(rng: &mut Rng, choices: &[(u32, T)]) -> T {
    let total = choices.iter().map(|(weight, _)| weight).sum();
    let mut left = rng.u32(0..total);
    for (weight, choice) in choices {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return *choice,
        }
    }
    unreachable!("what is left is less than the total")
}
