//! How often a part of a run does the same again: each part has a share of the time, so that all have their turn.

use tokio::time::Instant;

/// So many times; but where the time is over, not once more.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    most: usize,
    until: Option<Instant>,
}

impl Share {
    /// So many times, however long that takes.
    pub fn times(most: usize) -> Self {
        Self { most, until: None }
    }

    /// The same, but only the first once this moment has come.
    #[must_use]
    pub fn until(self, moment: Instant) -> Self {
        Self { until: Some(moment), ..self }
    }
}

impl IntoIterator for Share {
    type Item = usize;
    type IntoIter = Box<dyn Iterator<Item = usize>>;

    fn into_iter(self) -> Self::IntoIter {
        let is_open = move |number: &usize| *number == 0 || self.until.is_none_or(|moment| Instant::now() < moment);
        Box::new((0..self.most).take_while(is_open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_begun_is_done_once_however_late_it_is() {
        let late = Share::times(50).until(Instant::now());
        assert_eq!(late.into_iter().collect::<Vec<_>>(), [0]);
        assert_eq!(Share::times(3).into_iter().count(), 3);
    }
}
