use super::*;
use crate::source::FileId;

fn read(text: &str) -> Result<String, Box<Diagnostic>> {
    let span = Span { file: FileId(0), start: 100, end: 100 + text.len() as u32 };
    let mut diagnostics = Diagnostics::default();
    match parse(&Spanned::new(text.to_owned(), span), &mut diagnostics) {
        Some(expr) => Ok(expr.to_string()),
        None => Err(Box::new(diagnostics.sorted()[0].clone())),
    }
}

fn shape(text: &str) -> String {
    read(text).unwrap_or_else(|error| panic!("{text}: {}", error.message))
}

#[test]
fn operators_bind_as_in_sql() {
    assert_eq!(shape("a or b and not c = 1 + 2 * 3"), "a or b and not c = 1 + 2 * 3");
    assert_eq!(shape("((a or b)) and c"), "(a or b) and c");
    assert_eq!(shape("a - (b - c)"), "a - (b - c)");
    assert_eq!(shape("(a - b) - c"), "a - b - c");
    assert_eq!(shape("-a * b"), "-a * b");
    assert_eq!(shape("not (not a)"), "not not a");
}

#[test]
fn keywords_may_be_shouted_and_names_keep_their_case() {
    assert_eq!(
        shape("CASE WHEN Segment IN ('a','b') THEN 1 ELSE NULL END"),
        "case when Segment in ('a', 'b') then 1 else null end"
    );
}

#[test]
fn between_includes_both_ends() {
    assert_eq!(shape("x between 1 and 2 and y"), "x >= 1 and x <= 2 and y");
    assert_eq!(shape("x not between 1 and 2"), "not (x >= 1 and x <= 2)");
}

#[test]
fn a_claim_is_a_list() {
    assert_eq!(shape("region in claims.regions"), "region in (claims.regions)");
    assert_eq!(shape("region not in ('emea')"), "region not in ('emea')");
}

#[test]
fn numbers_have_one_spelling() {
    assert_eq!(shape("0.70 + 1.0 + -5 + 00012 + .5"), "0.7 + 1.0 + -5 + 12 + 0.5");
    assert_eq!(shape("9223372036854775808"), "9223372036854775808.0");
    assert_eq!(shape("-9223372036854775808"), "-9223372036854775808");
}

#[test]
fn dates_are_checked_where_they_are_written() {
    assert_eq!(shape("day >= date '2025-01-31'"), "day >= date '2025-01-31'");
    assert_eq!(shape("date > 1"), "date > 1");
    assert_eq!(read("day >= date '2025-02-30'").expect_err("no such day").code, "E009");
}

#[test]
fn each_mistake_has_its_code_and_place() {
    for (text, code, at) in [
        ("a = ", "E004", 4..4),
        ("a b", "E004", 2..3),
        ("(a", "E004", 2..2),
        ("a ? b", "E001", 2..3),
        ("'open", "E002", 0..5),
        ("1.2.3", "E003", 0..5),
        ("coalesc(a, b)", "E005", 0..7),
        ("sum(a)", "E005", 0..3),
        ("abs(a, b)", "E006", 0..9),
        ("a < b < c", "E008", 6..7),
        ("case a end", "E004", 5..6),
        ("a in ()", "E004", 6..7),
        ("a = not b", "E004", 4..7),
        ("", "E010", 0..0),
        ("a.", "E004", 2..2),
    ] {
        let error = read(text).expect_err(text);
        let span = error.primary.expect("it has a place").span;
        assert_eq!((error.code, span.start - 100..span.end - 100), (code, at), "{text}");
    }
}

#[test]
fn functions_are_suggested() {
    assert_eq!(read("coalesc(a, b)").expect_err("unknown").help, ["did you mean `coalesce`?"]);
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!("{}a{}", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(read(&deep).expect_err("too deep").code, "E007");
    let deep = format!("{}a{}", "(".repeat(100), ")".repeat(100));
    assert_eq!(read(&deep).expect_err("too deep").code, "E007");
    let long = vec!["a"; 5000].join(" + ");
    assert_eq!(read(&long).expect_err("too long").code, "E007");
    let minus = "-".repeat(1000) + "a";
    assert_eq!(read(&minus).expect_err("too deep").code, "E007");
}

#[test]
fn a_scalar_whose_text_was_folded_is_marked_whole() {
    let span = Span { file: FileId(0), start: 10, end: 40 };
    let mut diagnostics = Diagnostics::default();
    assert_eq!(parse(&Spanned::new("a b".to_owned(), span), &mut diagnostics), None);
    assert_eq!(diagnostics.sorted()[0].primary.as_ref().map(|label| label.span), Some(span));
}
