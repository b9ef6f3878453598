//! Accounts, their parts, and whom they are compared with.

use holdfast_warehouse::table::{
    ColumnType::{Bool, Date, Int, Text, Timestamp},
    Table,
};

use super::table;

pub(super) fn tables() -> Vec<Table> {
    vec![
        table(
            "account",
            &[
                ("account_id", Text),
                ("valid_from", Date),
                ("valid_to", Date),
                ("recorded_at", Timestamp),
                ("name", Text),
                ("parent_account_id", Text),
                ("segment", Text),
                ("industry", Text),
                ("region", Text),
                ("country", Text),
                ("employee_band", Text),
                ("tenure_band", Text),
                ("lifecycle_stage", Text),
                ("customer_status", Text),
                ("owner_name", Text),
                ("pod", Text),
                ("billing_currency", Text),
                ("reference_customer", Bool),
                ("first_active_date", Date),
            ],
        )
        .primary_key(&["account_id", "valid_from"]),
        table(
            "account_team",
            &[
                ("account_id", Text),
                ("member_id", Text),
                ("function", Text),
                ("pod_id", Text),
                ("valid_from", Date),
                ("valid_to", Date),
            ],
        )
        .primary_key(&["account_id", "member_id", "function", "valid_from"])
        .foreign_key(&["member_id"], "team_member", &["member_id"]),
        table("peer_group_member", &[("peer_group_id", Text), ("account_id", Text)])
            .primary_key(&["peer_group_id", "account_id"])
            .foreign_key(&["peer_group_id"], "peer_group", &["peer_group_id"]),
        table(
            "org_unit",
            &[("org_unit_id", Text), ("account_id", Text), ("parent_org_unit_id", Text), ("name", Text), ("department", Text)],
        )
        .primary_key(&["org_unit_id"]),
        table("user_group", &[("user_group_id", Text), ("account_id", Text), ("name", Text), ("users", Int)])
            .primary_key(&["user_group_id"]),
    ]
}
