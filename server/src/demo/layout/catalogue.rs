//! What the customers have in common: days, rates, segments, places, products and their features, people of ours, playbooks.

use holdfast_warehouse::table::{
    ColumnType::{Bool, Date, Int, Text},
    Table,
};

use super::{MONEY, SHARE, table};

pub(super) fn tables() -> Vec<Table> {
    vec![
        table(
            "calendar",
            &[("day", Date), ("iso_week", Text), ("fiscal_period", Text), ("is_business_day", Bool), ("days_in_month", Int)],
        )
        .primary_key(&["day"]),
        table(
            "fx_rate",
            &[("rate_date", Date), ("from_currency", Text), ("to_currency", Text), ("rate_type", Text), ("rate", SHARE)],
        )
        .primary_key(&["rate_date", "from_currency", "to_currency", "rate_type"]),
        table(
            "segment_definition",
            &[
                ("segment_id", Text),
                ("basis", Text),
                ("lower_edge", MONEY),
                ("upper_edge", MONEY),
                ("lower_inclusive", Bool),
                ("upper_inclusive", Bool),
                ("valid_from", Date),
            ],
        )
        .primary_key(&["segment_id"]),
        table("geography", &[("geography_id", Text), ("name", Text), ("world_region", Text), ("country_code", Text)])
            .primary_key(&["geography_id"]),
        table("product_line", &[("product_line_id", Text), ("name", Text)]).primary_key(&["product_line_id"]),
        table("product", &[("product_id", Text), ("product_line_id", Text), ("name", Text)])
            .primary_key(&["product_id"])
            .foreign_key(&["product_line_id"], "product_line", &["product_line_id"]),
        table(
            "plan_tier",
            &[
                ("plan_tier_id", Text),
                ("product_id", Text),
                ("name", Text),
                ("rank", Int),
                ("list_price", MONEY),
                ("price_unit", Text),
                ("currency", Text),
                ("valid_from", Date),
            ],
        )
        .primary_key(&["plan_tier_id"])
        .foreign_key(&["product_id"], "product", &["product_id"]),
        table(
            "feature",
            &[
                ("feature_id", Text),
                ("product_id", Text),
                ("min_tier_id", Text),
                ("name", Text),
                ("is_core", Bool),
                ("is_premium", Bool),
                ("is_ai", Bool),
            ],
        )
        .primary_key(&["feature_id"])
        .foreign_key(&["product_id"], "product", &["product_id"]),
        table("use_case", &[("use_case_id", Text), ("name", Text), ("typical_department", Text), ("industries", Text)])
            .primary_key(&["use_case_id"]),
        table("team_member", &[("member_id", Text), ("name", Text), ("function", Text)]).primary_key(&["member_id"]),
        table("peer_group", &[("peer_group_id", Text), ("name", Text), ("min_size", Int)]).primary_key(&["peer_group_id"]),
        table(
            "playbook",
            &[
                ("play_id", Text),
                ("name", Text),
                ("lever", Text),
                ("target_rule", Text),
                ("tactic", Text),
                ("expected_metric", Text),
                ("expected_effect", SHARE),
                ("effect_unit", Text),
                ("source", Text),
            ],
        )
        .primary_key(&["play_id"]),
    ]
}
