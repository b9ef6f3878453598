//! The ages at which cohorts are looked at: as an author writes them, and as whole months.

use crate::time::Grain;

/// Ages one question may name at most.
const MOST: u32 = 240;

/// The oldest age, in months.
const OLDEST: u32 = 1_200;

/// How far ages go when nobody says: two years, in months.
const USUAL: u32 = 24;

/// Every `step`-th age from `from` to `up_to`, counted in units of a grain from the period in which a member began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ages {
    grain: Grain,
    step: u32,
    from: u32,
    up_to: u32,
}

impl Ages {
    /// The grains ages are counted in: whole calendar months, and what is made of them.
    pub const GRAINS: [Grain; 3] = [Grain::Month, Grain::Quarter, Grain::Year];

    /// Ages of a grain. Left out, `from` is the first step and `up_to` two years.
    ///
    /// # Errors
    /// Says what cannot be: another grain, no step, a beginning between two steps, an end before it, or too many ages.
    pub fn new(grain: Grain, step: u32, from: Option<u32>, up_to: Option<u32>) -> Result<Self, String> {
        let unit = months_of(grain).ok_or_else(|| {
            let names = Self::GRAINS.map(Grain::name).join(", ");
            format!("ages are counted by one of: {names}; found `{}`", grain.name())
        })?;
        if step == 0 {
            return Err("the step from age to age is 1 or more".to_owned());
        }
        let from = from.unwrap_or(step);
        let up_to = up_to.unwrap_or_else(|| from.max(USUAL / unit));
        if !from.is_multiple_of(step) {
            return Err(format!("ages begin at a whole number of steps: {from} is no multiple of {step}"));
        }
        if from > up_to {
            return Err(format!("ages from {from} up to {up_to} are none"));
        }
        if up_to.checked_mul(unit).is_none_or(|months| months > OLDEST) || (up_to - from) / step >= MOST {
            return Err(format!("at most {MOST} ages, none above {} years, can be asked for", OLDEST / 12));
        }
        Ok(Self { grain, step, from, up_to })
    }

    /// Reads `month`, `6 months`, `6 months 12..24`: what stands between the parentheses of `age(…)`.
    ///
    /// # Errors
    /// Says what was expected, or as [`Ages::new`].
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` does not say which ages; write `month`, `6 months` or `6 months 12..24`");
        let words: Vec<&str> = text.split_whitespace().collect();
        let (step, words) = match words.first().and_then(|word| word.parse::<u32>().ok()) {
            Some(step) => (step, &words[1..]),
            None => (1, words.as_slice()),
        };
        let grain = |word: &str| Grain::from_name(word).or_else(|| Grain::from_name(word.strip_suffix('s')?));
        let (unit, range) = match words {
            [unit] => (unit, None),
            [unit, range] => (unit, Some(range)),
            _ => return Err(wrong()),
        };
        let grain = grain(unit).ok_or_else(wrong)?;
        let number = |text: &str| if text.is_empty() { Ok(None) } else { text.parse::<u32>().map(Some).map_err(|_| wrong()) };
        let (from, up_to) = match range.map(|range| range.split_once("..").ok_or_else(wrong)).transpose()? {
            Some((from, up_to)) => (number(from)?, number(up_to)?),
            None => (None, None),
        };
        Self::new(grain, step, from, up_to)
    }

    /// What an age is counted in.
    pub fn grain(self) -> Grain {
        self.grain
    }

    /// From age to age, in units of the grain.
    pub fn step(self) -> u32 {
        self.step
    }

    /// The youngest age.
    pub fn from(self) -> u32 {
        self.from
    }

    /// No age is above this.
    pub fn up_to(self) -> u32 {
        self.up_to
    }

    /// Months of one unit of age.
    pub fn unit_months(self) -> u32 {
        months_of(self.grain).expect("the grain was checked when the ages were made")
    }

    /// Months from one age to the next.
    pub fn step_months(self) -> u32 {
        self.step * self.unit_months()
    }

    /// The ages, ascending, in units of the grain.
    pub fn list(self) -> impl Iterator<Item = u32> {
        (self.from..=self.up_to).step_by(self.step as usize)
    }

    /// Whether there is one age only, so that values can be added up over everything.
    pub fn is_one(self) -> bool {
        self.list().nth(1).is_none()
    }

    /// As an author would write it.
    pub fn text(self) -> String {
        let plural = if self.step == 1 { "" } else { "s" };
        format!("{} {}{plural} {}..{}", self.step, self.grain.name(), self.from, self.up_to)
    }
}

fn months_of(grain: Grain) -> Option<u32> {
    match grain {
        Grain::Month => Some(1),
        Grain::Quarter => Some(3),
        Grain::Year => Some(12),
        Grain::Day | Grain::Week | Grain::FiscalQuarter | Grain::FiscalYear => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<u32> {
        Ages::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).list().collect()
    }

    #[test]
    fn ages_begin_with_the_first_step_and_end_after_two_years() {
        assert_eq!(read("6 months"), [6, 12, 18, 24]);
        assert_eq!(read("year"), [1, 2]);
        assert_eq!(read("quarter").len(), 8);
        assert_eq!(read("3 years"), [3]);
        assert_eq!(read("6 months 0..12"), [0, 6, 12]);
        assert_eq!(read("6 months 12..12"), [12]);
        assert_eq!(read("6 months ..30"), [6, 12, 18, 24, 30]);
    }

    #[test]
    fn what_is_no_list_of_ages_says_why() {
        for (text, why) in [
            ("", "does not say which ages"),
            ("6", "does not say which ages"),
            ("soon", "does not say which ages"),
            ("6 months 12", "does not say which ages"),
            ("6 months a..b", "does not say which ages"),
            ("weeks", "counted by one of: month, quarter, year; found `week`"),
            ("0 months", "1 or more"),
            ("6 months 7..24", "no multiple of 6"),
            ("6 months 12..6", "are none"),
            ("1 month 1..241", "at most 240 ages"),
            ("1000 years", "none above 100 years"),
        ] {
            let error = Ages::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_written_for_people_can_be_read_back() {
        for text in ["month", "6 months", "2 quarters 0..6", "year"] {
            let ages = Ages::parse(text).expect(text);
            assert_eq!(Ages::parse(&ages.text()), Ok(ages));
        }
    }
}
