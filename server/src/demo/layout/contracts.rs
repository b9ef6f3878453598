//! Contracts, what they are made of, what that is worth, and how they are renewed.

use holdfast_warehouse::table::{
    ColumnType::{Bool, Date, Int, Text, Timestamp},
    Table,
};

use super::{MONEY, QUANTITY, SHARE, table};

pub(super) fn tables() -> Vec<Table> {
    vec![
        table(
            "contract",
            &[
                ("contract_id", Text),
                ("account_id", Text),
                ("contract_number", Text),
                ("parent_contract_id", Text),
                ("renews_contract_id", Text),
                ("amends_contract_id", Text),
                ("order_type", Text),
                ("status", Text),
                ("signed_date", Date),
                ("start_date", Date),
                ("end_date_exclusive", Date),
                ("term_months", QUANTITY),
                ("auto_renew", Bool),
                ("notice_days", Int),
                ("co_term_group_id", Text),
                ("billing_frequency", Text),
                ("uplift_cap_pct", SHARE),
                ("currency", Text),
                ("tcv", MONEY),
                ("recorded_at", Timestamp),
            ],
        )
        .primary_key(&["contract_id"]),
        table(
            "value_component",
            &[
                ("component_id", Text),
                ("valid_from", Date),
                ("valid_to", Date),
                ("recorded_at", Timestamp),
                ("contract_id", Text),
                ("account_id", Text),
                ("product_id", Text),
                ("plan_tier_id", Text),
                ("org_unit_id", Text),
                ("geography_id", Text),
                ("replaces_component_id", Text),
                ("name", Text),
                ("charge_kind", Text),
                ("commitment_kind", Text),
                ("pricing_model", Text),
                ("pricing_metric", Text),
                ("tier_scheme", Text),
                ("contracted_quantity", QUANTITY),
                ("quantity_unit", Text),
                ("quantity_period", Text),
                ("unit_price", MONEY),
                ("list_unit_price", MONEY),
                ("discount_pct", SHARE),
                ("discount_until", Date),
                ("rollover_percent", SHARE),
                ("reallocation_allowed", Bool),
                ("seasonal_flex", Bool),
                ("smoothing_period", Text),
                ("true_up_frequency", Text),
                ("is_optional_module", Bool),
                ("opt_out_date", Date),
                ("scheduled_step_group", Text),
                ("replacement_kind", Text),
                ("go_live_date", Date),
                ("start_date", Date),
                ("end_date", Date),
                ("sizing_assumption_qty", QUANTITY),
                ("underutilization_cause", Text),
                ("cause_source", Text),
            ],
        )
        .primary_key(&["component_id", "valid_from"])
        .foreign_key(&["contract_id"], "contract", &["contract_id"])
        .foreign_key(&["product_id"], "product", &["product_id"])
        .foreign_key(&["plan_tier_id"], "plan_tier", &["plan_tier_id"])
        .foreign_key(&["org_unit_id"], "org_unit", &["org_unit_id"])
        .foreign_key(&["geography_id"], "geography", &["geography_id"]),
        table("component_allocation", &[("component_id", Text), ("org_unit_id", Text), ("geography_id", Text), ("share", SHARE)])
            .primary_key(&["component_id", "org_unit_id", "geography_id"])
            .foreign_key(&["org_unit_id"], "org_unit", &["org_unit_id"])
            .foreign_key(&["geography_id"], "geography", &["geography_id"]),
        table(
            "component_value_month",
            &[
                ("component_id", Text),
                ("month", Date),
                ("account_id", Text),
                ("mrr", MONEY),
                ("list_mrr", MONEY),
                ("contracted_value", MONEY),
                ("consumed_value", MONEY),
                ("billed_value", MONEY),
                ("contracted_qty", QUANTITY),
                ("consumed_qty", QUANTITY),
                ("quantity_unit", Text),
                ("source_type", Text),
                ("reason", Text),
                ("is_scheduled", Bool),
                ("is_complete", Bool),
                ("currency", Text),
                ("mrr_local", MONEY),
                ("fx_rate", SHARE),
                ("recorded_at", Timestamp),
            ],
        )
        .primary_key(&["component_id", "month"]),
        table("component_value_day", &[("component_id", Text), ("day", Date), ("account_id", Text), ("mrr", MONEY)])
            .primary_key(&["component_id", "day"]),
        table(
            "entitlement_entry",
            &[
                ("entry_id", Text),
                ("account_id", Text),
                ("component_id", Text),
                ("entry_date", Date),
                ("entry_type", Text),
                ("quantity", QUANTITY),
                ("value", MONEY),
                ("effective_period", Date),
                ("expires_on", Date),
            ],
        )
        .primary_key(&["entry_id"]),
        table(
            "growth_tier",
            &[
                ("component_id", Text),
                ("step", Int),
                ("trigger_metric", Text),
                ("trigger_value", QUANTITY),
                ("step_quantity", QUANTITY),
                ("step_price", MONEY),
                ("effective_from", Date),
            ],
        )
        .primary_key(&["component_id", "step"]),
        table(
            "renewal_surface",
            &[
                ("surface_id", Text),
                ("account_id", Text),
                ("contract_id", Text),
                ("kind", Text),
                ("due_date", Date),
                ("notice_date", Date),
                ("value_due", MONEY),
                ("status", Text),
                ("auto_renew", Bool),
                ("threshold_metric", Text),
                ("threshold_value", QUANTITY),
                ("recorded_at", Timestamp),
            ],
        )
        .primary_key(&["surface_id"])
        .foreign_key(&["contract_id"], "contract", &["contract_id"]),
        table("renewal_surface_component", &[("surface_id", Text), ("component_id", Text), ("value_share", SHARE)])
            .primary_key(&["surface_id", "component_id"])
            .foreign_key(&["surface_id"], "renewal_surface", &["surface_id"]),
        table(
            "renewal_event",
            &[
                ("surface_id", Text),
                ("account_id", Text),
                ("due_date", Date),
                ("value_due", MONEY),
                ("value_renewed", MONEY),
                ("outcome", Text),
                ("decided_at", Date),
                ("closed_date", Date),
                ("forecast_value", MONEY),
                ("forecast_category", Text),
                ("likelihood", SHARE),
                ("csm_call", Text),
                ("rule_call", Text),
                ("delay_days", Int),
                ("recorded_at", Timestamp),
            ],
        )
        .primary_key(&["surface_id"])
        .foreign_key(&["surface_id"], "renewal_surface", &["surface_id"]),
    ]
}
