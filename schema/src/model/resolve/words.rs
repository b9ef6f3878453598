//! Small words of the language in, typed settings out: options, columns, steps, durations, labels.

use super::index::did_you_mean;
use crate::{
    definition::Text,
    diagnostic::{Diagnostic, Diagnostics},
    model::entity::ColumnName,
    time::{Grain, Step},
    value::ValueType,
};

/// The meaning of a word out of a short list; reports any other word.
pub(in crate::model) fn one_of<T: Copy>(what: &str, text: &Text, options: &[(&str, T)], out: &mut Diagnostics) -> Option<T> {
    if let Some((_, value)) = options.iter().find(|(word, _)| *word == text.value) {
        return Some(*value);
    }
    let words: Vec<&str> = options.iter().map(|(word, _)| *word).collect();
    let mut diagnostic = Diagnostic::error("M006", text.span, format!("`{}` is not {} {what}", text.value, article(what)))
        .label(format!("expected one of: {}", words.join(", ")));
    let meant = other_word(&text.value).filter(|meant| words.contains(meant));
    if let Some(question) = meant.map(|meant| format!("did you mean `{meant}`?")).or_else(|| did_you_mean(&text.value, words)) {
        diagnostic = diagnostic.help(question);
    }
    out.push(diagnostic);
    None
}

/// The indefinite article of a noun of ours.
fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }
}

/// The word of this language for what others call so. Spelling would suggest `median` for `mean`.
fn other_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "mean" | "average" => "avg",
        "total" => "sum",
        "minimum" => "min",
        "maximum" => "max",
        "text" | "varchar" => "string",
        "integer" | "bigint" => "int",
        "number" | "numeric" | "float" | "double" => "decimal",
        "boolean" => "bool",
        "datetime" => "timestamp",
        _ => return None,
    })
}

/// The type of that name.
pub(in crate::model) fn value_type(text: &Text, out: &mut Diagnostics) -> Option<ValueType> {
    const TYPES: [ValueType; 6] =
        [ValueType::Text, ValueType::Int, ValueType::Decimal, ValueType::Bool, ValueType::Date, ValueType::Timestamp];
    one_of("type", text, &TYPES.map(|value_type| (value_type.name(), value_type)), out)
}

/// The grain of that name.
pub(in crate::model) fn grain(text: &Text, out: &mut Diagnostics) -> Option<Grain> {
    one_of("grain", text, &Grain::ALL.map(|grain| (grain.name(), grain)), out)
}

/// A physical column. Reports a name that no warehouse has, and goes on with it.
pub(in crate::model) fn column(text: &Text, out: &mut Diagnostics) -> ColumnName {
    physical_name("column", &text.value, text, out);
    ColumnName::new(&text.value)
}

/// Checks a name of the warehouse: quoted when used, so any text goes, up to the 63 bytes PostgreSQL keeps.
pub(in crate::model) fn physical_name(what: &str, name: &str, text: &Text, out: &mut Diagnostics) {
    let fault = if name.is_empty() {
        "is empty"
    } else if name.contains('\0') {
        "holds a NUL character"
    } else if name.len() > 63 {
        "is longer than the 63 bytes a warehouse keeps of a name"
    } else {
        return;
    };
    out.push(Diagnostic::error("M004", text.span, format!("this {what} name {fault}")));
}

/// `12 months`, `90 days`, `1 year`, `2 quarters`, `1 week`.
pub(in crate::model) fn step(text: &Text, out: &mut Diagnostics) -> Option<Step> {
    let parsed = text.value.split_once(' ').and_then(|(number, unit)| {
        let number: i32 = number.parse().ok().filter(|number| (1..=10_000).contains(number))?;
        match unit.trim() {
            "day" | "days" => Some(Step::days(number)),
            "week" | "weeks" => Some(Step::days(7 * number)),
            "month" | "months" => Some(Step::months(number)),
            "quarter" | "quarters" => Some(Step::months(3 * number)),
            "year" | "years" => Some(Step::months(12 * number)),
            _ => None,
        }
    });
    if parsed.is_none() {
        out.push(
            Diagnostic::error("M007", text.span, format!("`{}` is not a length of time", text.value))
                .label("expected a number and a unit")
                .help("write for example `12 months`, `90 days`, `1 year`"),
        );
    }
    parsed
}

/// `30s`, `5m`, `1h`, `1d` in seconds.
pub(in crate::model) fn seconds(text: &Text, out: &mut Diagnostics) -> Option<u64> {
    let digits = text.value.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &text.value[digits.len()..] {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(86_400),
        _ => None,
    };
    let parsed = factor.and_then(|factor| digits.parse::<u64>().ok()?.checked_mul(factor));
    if parsed.is_none() {
        out.push(
            Diagnostic::error("M007", text.span, format!("`{}` is not a duration", text.value))
                .label("expected a number with s, m, h or d")
                .help("write for example `30s`, `5m`, `1h`, `1d`"),
        );
    }
    parsed
}

/// What people call something without a label: the name in words.
pub(in crate::model) fn label(label: Option<&Text>, name: &str) -> String {
    if let Some(label) = label {
        return label.value.clone();
    }
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The text of an optional setting.
pub(in crate::model) fn owned(text: Option<&Text>) -> Option<String> {
    text.map(|text| text.value.clone())
}

/// The texts of a list.
pub(in crate::model) fn all(texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| text.value.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span, Spanned};

    fn text(value: &str) -> Text {
        Spanned::new(value.to_owned(), Span { file: FileId(0), start: 0, end: 1 })
    }

    #[test]
    fn lengths_of_time_keep_months_apart_from_days() {
        for (written, expected) in [
            ("12 months", Step::months(12)),
            ("1 year", Step::months(12)),
            ("2 weeks", Step::days(14)),
            ("90 days", Step::days(90)),
        ] {
            assert_eq!(step(&text(written), &mut Diagnostics::default()), Some(expected), "{written}");
        }
        for written in ["12", "months", "0 days", "-1 month", "1.5 years", "3 fortnights", "99999999999 days"] {
            let mut out = Diagnostics::default();
            assert_eq!(step(&text(written), &mut out), None, "{written}");
            assert!(out.has_errors());
        }
    }

    #[test]
    fn durations_do_not_overflow() {
        assert_eq!(seconds(&text("5m"), &mut Diagnostics::default()), Some(300));
        for written in ["5", "m", "5 minutes", "18446744073709551615d", ""] {
            assert_eq!(seconds(&text(written), &mut Diagnostics::default()), None, "{written}");
        }
    }

    #[test]
    fn a_missing_label_is_the_name_in_words() {
        assert_eq!(label(None, "contraction_rate"), "Contraction rate");
        assert_eq!(label(None, ""), "");
    }

    #[test]
    fn physical_names_are_any_text_a_warehouse_can_keep() {
        for (name, fine) in [("Order Id", true), ("größe", true), ("", false), ("a\0b", false), (&"x".repeat(64), false)] {
            let mut out = Diagnostics::default();
            column(&text(name), &mut out);
            assert_eq!(out.is_empty(), fine, "{name}");
        }
    }
}
