//! M048: a display format is a kind and a number of digits.

use super::Draft;
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    suggest,
};

const KINDS: [&str; 3] = ["percent", "currency", "number"];

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    for (_, metric) in draft.index.metrics.iter() {
        let Some(format) = metric.format.as_ref().filter(|format| !is_format(&format.value)) else { continue };
        let mut diagnostic = Diagnostic::error("M048", format.span, format!("`{}` is not a format", format.value))
            .label("expected `percent(1)`, `currency(0)` or `number(2)`");
        let kind = format.value.split('(').next().unwrap_or_default();
        if let Some(best) = suggest::nearest(kind, KINDS).first() {
            diagnostic = diagnostic.help(format!("did you mean `{best}(1)`?"));
        }
        out.push(diagnostic);
    }
}

fn is_format(text: &str) -> bool {
    match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        Some((kind, digits)) => KINDS.contains(&kind) && digits.parse::<u8>().is_ok_and(|digits| digits <= 16),
        None => KINDS.contains(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_a_kind_and_digits() {
        for (text, fine) in
            [("percent(1)", true), ("currency", true), ("percent()", false), ("percent(99)", false), ("pct(1)", false)]
        {
            assert_eq!(is_format(text), fine, "{text}");
        }
    }
}
