//! How far a survey is, for standard error: people see a line every other second, logs one every fifty metrics.

use std::{
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

/// Metrics between two lines where nobody looks on.
const EVERY: usize = 50;

/// Time between two lines on a terminal.
const PAUSE: Duration = Duration::from_secs(2);

/// A count on its way to its end.
pub(super) struct Progress {
    total: usize,
    done: usize,
    /// When the last line was written, on a terminal.
    last: Option<Instant>,
}

impl Progress {
    pub(super) fn new(total: usize) -> Self {
        Self { total, done: 0, last: io::stderr().is_terminal().then(Instant::now) }
    }

    /// One more is done; the line to write, when it is time for one. The end needs none: the answer follows.
    pub(super) fn step(&mut self, now: Instant) -> Option<String> {
        self.done += 1;
        let is_due = match &mut self.last {
            Some(last) if now.saturating_duration_since(*last) >= PAUSE => {
                *last = now;
                true
            }
            Some(_) => false,
            None => self.done.is_multiple_of(EVERY),
        };
        (is_due && self.done < self.total).then(|| format!("{} of {} metrics asked\n", self.done, self.total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_gets_a_line_every_fifty_and_none_at_the_end() {
        let mut progress = Progress { total: 100, done: 0, last: None };
        let now = Instant::now();
        let lines: Vec<(usize, String)> = (1..=100).filter_map(|n| Some((n, progress.step(now)?))).collect();
        assert_eq!(lines, [(50, "50 of 100 metrics asked\n".to_owned())]);
    }

    #[test]
    fn a_terminal_gets_a_line_when_time_has_passed() {
        let began = Instant::now();
        let mut progress = Progress { total: 9, done: 0, last: Some(began) };
        assert_eq!(progress.step(began + Duration::from_millis(1_999)), None);
        assert_eq!(progress.step(began + Duration::from_secs(2)).as_deref(), Some("2 of 9 metrics asked\n"));
        assert_eq!(progress.step(began + Duration::from_secs(3)), None);
        assert_eq!(progress.step(began + Duration::from_secs(4)).as_deref(), Some("4 of 9 metrics asked\n"));
    }
}
