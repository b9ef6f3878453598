//! What is used, how far it has come, and what it has brought.

use holdfast_warehouse::table::{
    ColumnType::{Bool, Date, Int, Text},
    Table,
};

use super::{MONEY, QUANTITY, SHARE, table};

pub(super) fn tables() -> Vec<Table> {
    vec![
        table(
            "usage_day",
            &[
                ("component_id", Text),
                ("metric_id", Text),
                ("user_group_id", Text),
                ("day", Date),
                ("account_id", Text),
                ("quantity", QUANTITY),
                ("quantity_unit", Text),
                ("active_users", Int),
                ("events", Int),
                ("is_complete", Bool),
            ],
        )
        .primary_key(&["component_id", "metric_id", "user_group_id", "day"])
        .foreign_key(&["user_group_id"], "user_group", &["user_group_id"]),
        table(
            "user_activity_month",
            &[("account_id", Text), ("user_id", Text), ("month", Date), ("org_unit_id", Text), ("active", Bool), ("sessions", Int)],
        )
        .primary_key(&["account_id", "user_id", "month"])
        .foreign_key(&["org_unit_id"], "org_unit", &["org_unit_id"]),
        table(
            "feature_adoption_month",
            &[
                ("account_id", Text),
                ("feature_id", Text),
                ("org_unit_id", Text),
                ("month", Date),
                ("entitled", Bool),
                ("users_using", Int),
                ("events", Int),
                ("first_used_date", Date),
            ],
        )
        .primary_key(&["account_id", "feature_id", "org_unit_id", "month"])
        .foreign_key(&["feature_id"], "feature", &["feature_id"])
        .foreign_key(&["org_unit_id"], "org_unit", &["org_unit_id"]),
        table(
            "use_case_adoption",
            &[
                ("account_id", Text),
                ("use_case_id", Text),
                ("org_unit_id", Text),
                ("status", Text),
                ("live_from", Date),
                ("valid_from", Date),
                ("valid_to", Date),
            ],
        )
        .primary_key(&["account_id", "use_case_id", "org_unit_id", "valid_from"])
        .foreign_key(&["use_case_id"], "use_case", &["use_case_id"])
        .foreign_key(&["org_unit_id"], "org_unit", &["org_unit_id"]),
        table(
            "workflow_adoption",
            &[
                ("account_id", Text),
                ("workflow", Text),
                ("month", Date),
                ("is_integrated", Bool),
                ("dependency_degree", SHARE),
                ("criticality", Int),
                ("teams_using", Int),
                ("replacement_months", QUANTITY),
                ("replacement_risk", Int),
            ],
        )
        .primary_key(&["account_id", "workflow", "month"]),
        table(
            "integration",
            &[
                ("integration_id", Text),
                ("valid_from", Date),
                ("valid_to", Date),
                ("account_id", Text),
                ("name", Text),
                ("status", Text),
                ("calls_last_month", Int),
                ("data_source", Bool),
            ],
        )
        .primary_key(&["integration_id", "valid_from"]),
        table(
            "milestone",
            &[
                ("milestone_id", Text),
                ("account_id", Text),
                ("org_unit_id", Text),
                ("use_case_id", Text),
                ("customer_owner_id", Text),
                ("vendor_owner_id", Text),
                ("name", Text),
                ("objective_category", Text),
                ("status", Text),
                ("target_value", MONEY),
                ("target_unit", Text),
                ("target_date", Date),
                ("achieved_date", Date),
            ],
        )
        .primary_key(&["milestone_id"])
        .foreign_key(&["org_unit_id"], "org_unit", &["org_unit_id"])
        .foreign_key(&["use_case_id"], "use_case", &["use_case_id"])
        .foreign_key(&["vendor_owner_id"], "team_member", &["member_id"]),
        table("milestone_progress", &[("milestone_id", Text), ("month", Date), ("percent_complete", SHARE)])
            .primary_key(&["milestone_id", "month"])
            .foreign_key(&["milestone_id"], "milestone", &["milestone_id"]),
        table(
            "value_outcome",
            &[
                ("outcome_id", Text),
                ("account_id", Text),
                ("milestone_id", Text),
                ("month", Date),
                ("category", Text),
                ("subcategory", Text),
                ("realized_value", MONEY),
                ("evidence_url", Text),
                ("verified_by", Text),
            ],
        )
        .primary_key(&["outcome_id"])
        .foreign_key(&["milestone_id"], "milestone", &["milestone_id"]),
    ]
}
