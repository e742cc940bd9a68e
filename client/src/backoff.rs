//! How long to leave a server alone that cannot be asked: twice as long after each failure, and never shorter than it wishes.
//! Says nothing about who is signed in; trouble of this kind signs nobody out.

use std::time::Duration;

/// The first pause, and the longest one that we choose ourselves.
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after this many failures in a row. `chance`, from 0 to 1, spreads out the clients that all saw the same failure.
pub(crate) fn pause(failures: u32, chance: f64, retry_after: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    let own = doubled.min(LONGEST).mul_f64(0.5 + chance / 2.0);
    own.max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(failures: u32, chance: f64) -> u128 {
        pause(failures, chance, None).as_millis()
    }

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        assert_eq!([1, 2, 3, 4].map(|failures| milliseconds(failures, 1.0)), [250, 500, 1_000, 2_000]);
        assert_eq!([8, 100, u32::MAX].map(|failures| milliseconds(failures, 1.0)), [30_000; 3]);
    }

    #[test]
    fn chance_shortens_them_by_half_at_most() {
        assert_eq!(milliseconds(3, 0.0), 500);
        assert_eq!(milliseconds(3, 0.5), 750);
    }

    #[test]
    fn what_the_server_asks_for_is_the_least() {
        let asked = Some(Duration::from_secs(7));
        assert_eq!(pause(1, 0.3, asked), Duration::from_secs(7));
        assert_eq!(pause(100, 1.0, asked), Duration::from_secs(30));
    }
}
