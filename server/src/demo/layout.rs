//! The demo's tables without rows: names, columns, keys.

use holdfast_warehouse::table::{
    ColumnType::{self, Bool, Date, Decimal, Int, Text, Timestamp},
    Table,
};

const MONEY: ColumnType = Decimal { scale: 2 };
const QUANTITY: ColumnType = Decimal { scale: 2 };
const SHARE: ColumnType = Decimal { scale: 6 };

/// Every table of the demo, empty, parents before children.
pub fn layout() -> Vec<Table> {
    let mut tables = catalogue();
    tables.extend(customers());
    tables.extend(contracts());
    tables.extend(people());
    tables.extend(adoption());
    tables.extend(actions());
    tables
}

fn catalogue() -> Vec<Table> {
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

fn customers() -> Vec<Table> {
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

fn contracts() -> Vec<Table> {
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

fn people() -> Vec<Table> {
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

fn adoption() -> Vec<Table> {
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

fn actions() -> Vec<Table> {
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

fn table(name: &str, columns: &[(&str, ColumnType)]) -> Table {
    Table::new(None, name, columns)
}
