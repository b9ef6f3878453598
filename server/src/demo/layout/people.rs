//! People on the side of the customer, what passes between them and us, and what is made of it.

use holdfast_warehouse::table::{
    ColumnType::{Bool, Date, Int, Text, Timestamp},
    Table,
};

use super::{QUANTITY, table};

pub(super) fn tables() -> Vec<Table> {
    vec![
        table(
            "stakeholder",
            &[
                ("stakeholder_id", Text),
                ("valid_from", Date),
                ("valid_to", Date),
                ("recorded_at", Timestamp),
                ("account_id", Text),
                ("org_unit_id", Text),
                ("person_id", Text),
                ("name", Text),
                ("title", Text),
                ("role", Text),
                ("is_primary_role", Bool),
                ("influence", Int),
                ("required_for_renewal", Bool),
                ("is_executive", Bool),
                ("active", Bool),
                ("left_date", Date),
                ("expected_touch_days", Int),
            ],
        )
        .primary_key(&["stakeholder_id", "valid_from"])
        .foreign_key(&["org_unit_id"], "org_unit", &["org_unit_id"]),
        table(
            "engagement",
            &[
                ("engagement_id", Text),
                ("account_id", Text),
                ("occurred_on", Date),
                ("type", Text),
                ("direction", Text),
                ("duration_minutes", Int),
                ("subject", Text),
            ],
        )
        .primary_key(&["engagement_id"]),
        table(
            "engagement_participant",
            &[
                ("engagement_id", Text),
                ("stakeholder_id", Text),
                ("account_id", Text),
                ("occurred_on", Date),
                ("role", Text),
                ("direction", Text),
                ("is_executive", Bool),
                ("influence", Int),
            ],
        )
        .primary_key(&["engagement_id", "stakeholder_id"])
        .foreign_key(&["engagement_id"], "engagement", &["engagement_id"]),
        table(
            "perceived_value_obs",
            &[
                ("observation_id", Text),
                ("stakeholder_id", Text),
                ("account_id", Text),
                ("observed_on", Date),
                ("value_score", QUANTITY),
                ("source", Text),
            ],
        )
        .primary_key(&["observation_id"]),
        table(
            "support_ticket",
            &[
                ("ticket_id", Text),
                ("account_id", Text),
                ("product_id", Text),
                ("org_unit_id", Text),
                ("opened_on", Date),
                ("closed_on", Date),
                ("severity", Text),
                ("category", Text),
                ("is_duplicate", Bool),
                ("csat", Int),
            ],
        )
        .primary_key(&["ticket_id"])
        .foreign_key(&["product_id"], "product", &["product_id"])
        .foreign_key(&["org_unit_id"], "org_unit", &["org_unit_id"]),
        table(
            "signal_event",
            &[
                ("signal_id", Text),
                ("account_id", Text),
                ("stakeholder_id", Text),
                ("occurred_on", Date),
                ("type", Text),
                ("source", Text),
            ],
        )
        .primary_key(&["signal_id"]),
        table(
            "review",
            &[
                ("review_id", Text),
                ("account_id", Text),
                ("stakeholder_id", Text),
                ("given_on", Date),
                ("kind", Text),
                ("score", QUANTITY),
                ("scale_max", Int),
            ],
        )
        .primary_key(&["review_id"]),
    ]
}
