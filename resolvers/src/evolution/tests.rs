//! Each kind of change, with its severity.

use super::*;

const OLD: &str = "
schema { query: Query }
type Query { one(id: ID!, size: Int = 1): One two: [Two!]! any: Any named: Named old: String }
type One implements Named { name: String tint: Tint }
type Two { name: String! ones: [One] }
interface Named { name: String }
union Any = One | Two
enum Tint { RED GREEN }
enum Way { UP DOWN }
input Where { name: String way: Way tint: Tint! }
input Exactly @oneOf { a: Int b: Int }
scalar Day @specifiedBy(url: \"https://example.com/day\")
";

/// The changes when one part of the schema is replaced by another.
fn changed(part: &str, by: &str) -> Vec<String> {
    assert!(OLD.contains(part), "{part}");
    let new = OLD.replacen(part, by, 1);
    let changes = changes(OLD, &new).unwrap_or_else(|error| panic!("{error}"));
    changes.iter().map(|change| format!("{} {}: {}", change.severity, change.path, change.what)).collect()
}

#[test]
fn each_change_has_its_severity() {
    for (part, by, expected) in [
        ("old: String", "", "breaking Query.old: field is gone"),
        ("old: String", "old: String fresh: Int", "safe Query.fresh: field is new"),
        ("old: String", "old: String!", "safe Query.old: type `String` became `String!`"),
        ("two: [Two!]!", "two: [Two!]", "breaking Query.two: type `[Two!]!` became `[Two!]`"),
        ("named: Named", "named: One", "safe Query.named: type `Named` became `One`"),
        ("named: Named", "named: Two", "breaking Query.named: type `Named` became `Two`"),
        ("old: String", "old: String @deprecated", "safe Query.old: is deprecated now"),
        ("id: ID!", "id: ID", "safe Query.one(id): type `ID!` became `ID`"),
        ("size: Int = 1", "size: Int! = 1", "breaking Query.one(size): type `Int` became `Int!`"),
        ("size: Int = 1", "size: Int = 2", "dangerous Query.one(size): default `1` became `2`"),
        ("size: Int = 1", "", "breaking Query.one(size): argument is gone"),
        ("id: ID!", "id: ID! more: Int!", "breaking Query.one(more): argument is new and required"),
        ("id: ID!", "id: ID! more: Int", "safe Query.one(more): argument is new and optional"),
        ("id: ID!", "id: ID! more: Int = 1", "dangerous Query.one(more): argument is new and has a default"),
        ("One implements Named", "One", "breaking One: implementation of `Named` is gone"),
        ("type Two", "type Two implements Named", "dangerous Two: implementation of `Named` is new"),
        ("Any = One | Two", "Any = One", "breaking Any: member `Two` is gone"),
        ("Any = One ", "Any = Query | One ", "dangerous Any: member `Query` is new"),
        ("RED GREEN", "RED", "breaking Tint.GREEN: value is gone"),
        ("RED GREEN", "RED GREEN BLUE", "dangerous Tint.BLUE: value is new"),
        ("UP DOWN", "UP DOWN LEFT", "safe Way.LEFT: value is new"),
        ("way: Way", "", "breaking Where.way: input field is gone"),
        ("way: Way", "way: Way!", "breaking Where.way: type `Way` became `Way!`"),
        ("tint: Tint!", "tint: Tint", "safe Where.tint: type `Tint!` became `Tint`"),
        ("way: Way", "way: Way more: Int", "safe Where.more: input field is new and optional"),
        ("Exactly @oneOf", "Exactly", "dangerous Exactly: input takes more than one field now"),
        ("input Where { name: String way: Way tint: Tint! }", "scalar Where", "breaking Where: input became scalar"),
        ("com/day", "org/day", "dangerous Day: scalar is specified elsewhere"),
    ] {
        assert_eq!(changed(part, by), [expected], "{part} → {by}");
    }
}

#[test]
fn the_worst_comes_first_and_equal_schemas_have_no_changes() {
    assert_eq!(changed("old", "old"), [""; 0]);
    let all = changed("old: String", "fresh: Int");
    assert_eq!(all, ["breaking Query.old: field is gone", "safe Query.fresh: field is new"]);
}

#[test]
fn what_is_no_schema_is_named() {
    let error = changes("type Query {", OLD).expect_err("no schema");
    assert!(error.starts_with("the old schema is no GraphQL"), "{error}");
}
