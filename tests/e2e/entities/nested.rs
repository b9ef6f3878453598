//! One level below many rows in one statement, for every cardinality.

use holdfast_schema::{
    query::{Comparator, Direction, Filter, Nulls},
    value::{Value, ValueType},
};

use super::{Desk, Row, below, by, list, only, text};

use ValueType::{Decimal, Int, Text};

fn keys(names: &[&str]) -> Vec<Row> {
    names.iter().map(|name| vec![text(*name)]).collect()
}

#[tokio::test]
async fn to_many_is_cut_per_parent() {
    let desk = Desk::open().await;
    let mut query = below("account", "contracts", keys(&["a31", "a02", "a03", "a05", "none"]), list("contract", &["value"]));
    query.filter = Some(Filter::IsNull { field: "signed_at".to_owned(), is_null: false });
    query.order_by = vec![by("value", Direction::Descending, Some(Nulls::First))];
    query.page.limit = 1;
    let sql = "select p, k, d, d as o from (\
                 select account_id as p, contract_id as k, value as d, \
                        row_number() over (partition by account_id order by value desc nulls first, contract_id) as n \
                 from crm.contract where account_id in ('a02', 'a03', 'a05', 'a31') and signed_at is not null) x \
               where n <= 2 order by p, n";
    let types = [Text, Text, Decimal, Decimal];
    let rows = desk.ask(&query).await;
    assert_eq!(rows, desk.by_hand(sql, &types).await);
    assert!(!rows.is_empty());
    query.page.offset = 1;
    let sql = "select p, k, d, d as o from (\
                 select account_id as p, contract_id as k, value as d, \
                        row_number() over (partition by account_id order by value desc nulls first, contract_id) as n \
                 from crm.contract where account_id in ('a02', 'a03', 'a05', 'a31') and signed_at is not null) x \
               where n in (2, 3) order by p, n";
    assert_eq!(desk.ask(&query).await, desk.by_hand(sql, &types).await);
}

#[tokio::test]
async fn pages_of_each_parent_join_to_its_whole_list() {
    let desk = Desk::open().await;
    let accounts = desk.ask(&list("account", &[])).await;
    let mut query = below("account", "contracts", accounts.clone(), list("contract", &[]));
    query.order_by = vec![by("value", Direction::Ascending, None)];
    let whole = desk.ask(&query).await;
    for account in accounts {
        let expected: Vec<Row> = whole.iter().filter(|row| row[0] == account[0]).cloned().collect();
        let mut found: Vec<Row> = Vec::new();
        loop {
            let mut page = below("account", "contracts", vec![account.clone()], query.clone());
            page.page.limit = 1;
            page.page.after = found.last().map(|row| vec![row[2].clone(), row[1].clone()]);
            let rows = desk.ask(&page).await;
            found.extend(rows.first().cloned());
            if rows.len() < 2 {
                break;
            }
        }
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn many_to_one_gives_each_parent_its_row() {
    let desk = Desk::open().await;
    let contracts = desk.ask(&list("contract", &[])).await;
    let sql = "select c.contract_id, a.account_id, a.name from crm.contract c join crm.account a on a.account_id = c.account_id \
               order by c.contract_id";
    let query = below("contract", "account", contracts, list("account", &["name"]));
    assert_eq!(desk.ask(&query).await, desk.by_hand(sql, &[Text, Text, Text]).await);
    let sql = "select k.contract_id, k.line, c.contract_id as k, c.value from crm.component k \
               join crm.contract c on c.contract_id = k.contract_id order by k.contract_id, k.line";
    let components = desk.ask(&list("component", &[])).await;
    let query = below("component", "contract", components, list("contract", &["value"]));
    assert_eq!(desk.ask(&query).await, desk.by_hand(sql, &[Text, Int, Text, Decimal]).await);
}

#[tokio::test]
async fn self_relationships_go_up_and_down() {
    let desk = Desk::open().await;
    let accounts = desk.ask(&list("account", &[])).await;
    let up = below("account", "parent", accounts.clone(), list("account", &[]));
    let sql = "select account_id as p, parent_id as k from crm.account where parent_id is not null order by account_id";
    assert_eq!(desk.ask(&up).await, desk.by_hand(sql, &[Text, Text]).await);
    let down = below("account", "subsidiaries", accounts, list("account", &["parent"]));
    let sql = "select parent_id as p, account_id as k, parent_id as d from crm.account where parent_id is not null \
               order by parent_id, account_id";
    assert_eq!(desk.ask(&down).await, desk.by_hand(sql, &[Text, Text, Text]).await);
}

#[tokio::test]
async fn a_bridge_gives_each_row_once_however_many_roles_it_holds() {
    let desk = Desk::open().await;
    let stakeholders = desk.ask(&list("stakeholder", &[])).await;
    let query = below("stakeholder", "components", stakeholders, list("component", &["name"]));
    let sql = "select r.stakeholder_id, k.contract_id, k.line, max(k.name) from crm.component k \
               join crm.responsibility r on r.contract_id = k.contract_id and r.line = k.line \
               group by r.stakeholder_id, k.contract_id, k.line order by r.stakeholder_id, k.contract_id, k.line";
    let rows = desk.ask(&query).await;
    assert_eq!(rows, desk.by_hand(sql, &[Text, Text, Int, Text]).await);

    let count = |row: &Row| match row[1] {
        Value::Int(count) => count,
        _ => unreachable!("a count is a whole number"),
    };
    assert_eq!(desk.count(&query).await.iter().map(count).sum::<i64>(), rows.len() as i64);

    let components: Vec<Row> = desk.ask(&list("component", &[])).await;
    let back = below("component", "stakeholders", components, list("stakeholder", &[]));
    let sql =
        "select distinct contract_id, line, stakeholder_id from crm.responsibility order by contract_id, line, stakeholder_id";
    assert_eq!(desk.ask(&back).await, desk.by_hand(sql, &[Text, Int, Text]).await);
}

#[tokio::test]
async fn counts_per_parent_leave_out_parents_without_rows() {
    let desk = Desk::open().await;
    let filter = Filter::Compare { field: "value".to_owned(), operator: Comparator::Greater, value: Value::Int(1000) };
    let query = below("account", "contracts", keys(&["a01", "a02", "a03", "a04", "a05"]), only(list("contract", &[]), filter));
    let sql = "select account_id, count(*) from crm.contract where value > 1000 and account_id between 'a01' and 'a05' \
               group by account_id order by account_id";
    assert_eq!(desk.count(&query).await, desk.by_hand(sql, &[Text, Int]).await);
}

#[tokio::test]
async fn no_parents_have_no_rows() {
    let desk = Desk::open().await;
    for (parent, relationship, entity) in
        [("account", "contracts", "contract"), ("contract", "account", "account"), ("component", "stakeholders", "stakeholder")]
    {
        assert!(desk.ask(&below(parent, relationship, Vec::new(), list(entity, &[]))).await.is_empty());
    }
}
