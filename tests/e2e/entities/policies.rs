//! What a restricted caller gets: fewer rows, the same on every way to them.

use holdfast_schema::value::{Value, ValueType};

use super::{Desk, Row, below, claims, list, text};

use ValueType::Text;

async fn restricted(regions: &[&str]) -> Desk {
    let mut desk = Desk::open().await;
    desk.caller = claims("regions", regions.iter().map(|region| text(*region)).collect());
    desk.caller.roles = vec!["csm".to_owned()];
    desk
}

#[tokio::test]
async fn rows_and_what_belongs_to_them_are_there_for_their_region_only() {
    let desk = restricted(&["emea"]).await;
    let sql = "select account_id, cast(null as text), region from crm.account where region = 'emea' order by account_id";
    let accounts = desk.ask(&list("account", &["name", "region"])).await;
    assert_eq!(accounts.len(), desk.by_hand(sql, &[Text, Text, Text]).await.len());
    assert!(accounts.iter().all(|row| row[1] == Value::Null && row[2] == text("emea")));

    let sql = "select c.contract_id from crm.contract c join crm.account a on a.account_id = c.account_id \
               where a.region = 'emea' order by c.contract_id";
    assert_eq!(desk.ask(&list("contract", &[])).await, desk.by_hand(sql, &[Text]).await);
    let counted = desk.count(&list("contract", &[])).await;
    assert_eq!(counted, [[Value::Int(desk.by_hand(sql, &[Text]).await.len() as i64)]]);
}

#[tokio::test]
async fn keys_that_somebody_made_up_lead_nowhere() {
    let open = Desk::open().await;
    let everyone: Vec<Row> = open.ask(&list("account", &[])).await;
    let desk = restricted(&["apac"]).await;
    let sql = "select a.account_id, c.contract_id from crm.contract c join crm.account a on a.account_id = c.account_id \
               where a.region = 'apac' order by a.account_id, c.contract_id";
    let below_all = below("account", "contracts", everyone.clone(), list("contract", &[]));
    assert_eq!(desk.ask(&below_all).await, desk.by_hand(sql, &[Text, Text]).await);

    let sql = "select a.account_id, p.account_id as p from crm.account a join crm.account p on p.account_id = a.parent_id \
               where a.region = 'apac' and p.region = 'apac' order by a.account_id";
    let parents = below("account", "parent", everyone, list("account", &[]));
    assert_eq!(desk.ask(&parents).await, desk.by_hand(sql, &[Text, Text]).await);
}

#[tokio::test]
async fn a_missing_claim_leaves_nothing() {
    let desk = restricted(&[]).await;
    assert!(desk.ask(&list("account", &[])).await.is_empty());
    assert!(desk.ask(&list("contract", &[])).await.is_empty());
}
