//! What is sold, planned, done and conceded.

use holdfast_warehouse::table::{
    ColumnType::{Date, Text},
    Table,
};

use super::{MONEY, QUANTITY, table};

pub(super) fn tables() -> Vec<Table> {
    vec![
        table(
            "purchase_event",
            &[
                ("purchase_id", Text),
                ("account_id", Text),
                ("product_id", Text),
                ("purchased_on", Date),
                ("type", Text),
                ("channel", Text),
                ("amount", MONEY),
            ],
        )
        .primary_key(&["purchase_id"])
        .foreign_key(&["product_id"], "product", &["product_id"]),
        table(
            "expansion_opportunity",
            &[
                ("opportunity_id", Text),
                ("account_id", Text),
                ("org_unit_id", Text),
                ("use_case_id", Text),
                ("source_play_id", Text),
                ("type", Text),
                ("stage", Text),
                ("amount", MONEY),
                ("expected_close", Date),
            ],
        )
        .primary_key(&["opportunity_id"])
        .foreign_key(&["org_unit_id"], "org_unit", &["org_unit_id"])
        .foreign_key(&["use_case_id"], "use_case", &["use_case_id"])
        .foreign_key(&["source_play_id"], "playbook", &["play_id"]),
        table(
            "account_plan",
            &[
                ("plan_id", Text),
                ("valid_from", Date),
                ("valid_to", Date),
                ("account_id", Text),
                ("usage_baseline", QUANTITY),
                ("strategy", Text),
                ("last_reviewed_on", Date),
            ],
        )
        .primary_key(&["plan_id", "valid_from"]),
        table(
            "plan_target",
            &[("target_id", Text), ("plan_id", Text), ("metric", Text), ("target_value", QUANTITY), ("target_date", Date)],
        )
        .primary_key(&["target_id"]),
        table("plan_risk", &[("risk_id", Text), ("plan_id", Text), ("risk", Text), ("mitigation", Text), ("severity", Text)])
            .primary_key(&["risk_id"]),
        table(
            "play_run",
            &[
                ("run_id", Text),
                ("account_id", Text),
                ("play_id", Text),
                ("trigger_rule", Text),
                ("started_on", Date),
                ("ended_on", Date),
                ("outcome", Text),
                ("finding", Text),
            ],
        )
        .primary_key(&["run_id"])
        .foreign_key(&["play_id"], "playbook", &["play_id"]),
        table(
            "concession",
            &[
                ("concession_id", Text),
                ("account_id", Text),
                ("type", Text),
                ("recurrence", Text),
                ("cost_centre", Text),
                ("list_value", MONEY),
                ("charged_value", MONEY),
                ("granted_from", Date),
                ("granted_to", Date),
            ],
        )
        .primary_key(&["concession_id"]),
    ]
}
