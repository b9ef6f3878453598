//! How statements are read: as PostgreSQL reads them, without what makes the engine's parser try several ways where we write only one.
//!
//! The parser tries an argument of a function as `name => value`, with any expression as the name, before it takes the argument for
//! what it is. It so reads everything in an argument twice, what is in an argument within four times, and so on. It also tries every
//! column as the name of a type before text, as in `date '2026-01-01'`.

use std::any::{Any as _, TypeId};

use datafusion::sql::sqlparser::{
    ast::{Expr, Ident},
    dialect::{Dialect, PostgreSqlDialect, Precedence},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Token, Word},
};

/// PostgreSQL's language as far as selects go.
#[derive(Debug)]
pub(super) struct Selects;

/// The language that is meant.
const POSTGRES: PostgreSqlDialect = PostgreSqlDialect {};

macro_rules! like_postgres {
    ($($name:ident),* $(,)?) => { $(fn $name(&self) -> bool { POSTGRES.$name() })* };
}

impl Dialect for Selects {
    fn dialect(&self) -> TypeId {
        POSTGRES.type_id()
    }

    /// Only names are names of arguments.
    fn supports_named_fn_args_with_expr_name(&self) -> bool {
        false
    }

    /// `"table"."column"` is a column.
    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        let quoted = |nth: usize| match &parser.peek_nth_token_ref(nth).token {
            Token::Word(word @ Word { quote_style: Some('"'), .. }) => Some(word),
            _ => None,
        };
        let (table, column) = (quoted(0)?, quoted(2)?);
        let is_column = parser.peek_nth_token_ref(1).token == Token::Period
            && match &parser.peek_nth_token_ref(3).token {
                Token::Period | Token::LParen | Token::LBracket => false,
                Token::Word(word) => word.keyword != Keyword::COLLATE,
                _ => true,
            };
        let names = [table, column].map(|word| Ident::with_quote('"', &word.value));
        if !is_column {
            return None;
        }
        (0..3).for_each(|_| parser.advance_token());
        Some(Ok(Expr::CompoundIdentifier(names.into())))
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        POSTGRES.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        POSTGRES.is_delimited_identifier_start(character)
    }

    fn is_identifier_start(&self, character: char) -> bool {
        POSTGRES.is_identifier_start(character)
    }

    fn is_identifier_part(&self, character: char) -> bool {
        POSTGRES.is_identifier_part(character)
    }

    fn is_custom_operator_part(&self, character: char) -> bool {
        POSTGRES.is_custom_operator_part(character)
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        POSTGRES.is_reserved_for_identifier(keyword)
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        POSTGRES.get_next_precedence(parser)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        POSTGRES.prec_value(precedence)
    }

    like_postgres!(
        supports_unicode_string_literal,
        supports_filter_during_aggregation,
        supports_group_by_expr,
        allow_extract_custom,
        allow_extract_single_quotes,
        supports_factorial_operator,
        supports_bitwise_shift_operators,
        supports_named_fn_args_with_colon_operator,
        supports_empty_projections,
        supports_nested_comments,
        supports_string_escape_constant,
        supports_numeric_literal_underscores,
        supports_array_typedef_with_brackets,
        supports_geometric_types,
        supports_notnull_operator,
        supports_interval_options,
        supports_select_wildcard_with_alias,
        supports_comma_separated_trim,
        supports_xml_expressions,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways of reading give the same tree.
    #[test]
    fn statements_are_read_as_in_postgresql() {
        for sql in [
            r#"select "t0"."a", "t0"."b"::date as "c", "t0"."d" collate "C", "s"."t"."u", "f"."g"(1) from "s"."t" as "t0""#,
            r#"with "x" as (select 1 as "a") select coalesce(round(abs("x"."a" + -1), 2), 0) from "x" where not ("x"."a" = 1 or "x"."a" is null)"#,
            r#"select cast(date '2026-01-01' + interval '1 months' as date), date_trunc('month', "t"."d") from t order by "t"."d" desc nulls last"#,
            r#"select case when ("t"."a" <> 'it''s') then 1 else null end, count(distinct "t"."b"), count(*) filter (where "t"."c") from t group by 1"#,
            r#"select row_number() over (partition by "t"."a" order by "t"."b") from t where "t"."a" in (1, 2) and "t"."b" between 1 and 2"#,
            r#"select extract(year from "t"."d"), e'\n', x'1f', "t"."a"[1], "t"."j" ->> 'k', a.b, "a".b, a."b" from t"#,
            r#"select f("a"."b", (select max("c"."d") from c where exists (select 1 from "e" where "e"."f" = "c"."d"))), "a"."b" || 'x' from "a""#,
        ] {
            let read = Parser::parse_sql(&Selects, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert_eq!(Ok(read), Parser::parse_sql(&POSTGRES, sql), "{sql}");
        }
    }

    #[test]
    fn nested_arguments_are_read_once() {
        // Each level read twice would take for ever.
        let sql = format!("select {}1{}", "coalesce(".repeat(40), ")".repeat(40));
        let read = move || Parser::parse_sql(&Selects, &sql).is_ok();
        let thread = std::thread::Builder::new().stack_size(crate::embedded::STACK_BYTES).spawn(read);
        assert!(thread.expect("there are threads").join().expect("the stack is large enough"));
    }
}
