//! Exchange rates: which one holds, and when none does.

use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};

const DEFINITIONS: &str = "
project: rates
version: 1
currency: EUR
exchange_rates: {entity: rate, from: code, to: base, rate: value, kind: kind, default_kind: month_end}
---
entity: rate
source: rate
key: rate_id
dimensions: {rate_id: int, code: string, base: string, kind: {values: [month_end, budget]}, value: decimal}
time: {since: {}}
---
entity: sale
source: sale
key: sale_id
time: {day: {}}
measures: {amount: {sum: amount, unit: currency}}
---
metrics: {revenue: {measure: sale.amount}}
---
view: selling
metrics: [revenue]
";

/// Of two rates of the newest day none is known to be the one that is meant; two that say the same are one.
#[tokio::test]
async fn two_different_rates_of_one_day_are_no_rate_whatever_their_order() {
    let rates = [
        "1 USD EUR month_end 0.5 2025-01-01",
        "2 USD EUR month_end 0.8 2025-02-01",
        "3 USD EUR month_end 0.2 2025-02-01",
        "4 USD EUR budget    0.4 2025-02-01",
        "5 GBP EUR month_end 1.25 2025-02-01",
        "6 GBP EUR month_end 1.25 2025-02-01",
        "7 GBP EUR month_end 9 2025-01-01",
    ];
    for backwards in [false, true] {
        let mut rates = rates.to_vec();
        if backwards {
            rates.reverse();
        }
        let tables = [
            table("rate", "rate_id int, code text, base text, kind text, value decimal, since date", &rates.join("\n")),
            table("sale", "sale_id int, day date, amount decimal", "1 2025-01-05 100"),
        ];
        let desk = Desk::open(definitions(DEFINITIONS), &tables).await;
        for (words, code, kind, day) in [
            ("currency: \"USD\"", "USD", "month_end", "2026-01-15"),
            ("currency: \"USD\", exchangeRate: \"budget\"", "USD", "budget", "2026-01-15"),
            ("currency: \"USD\", asOf: \"2025-01-31\"", "USD", "month_end", "2025-01-31"),
            ("currency: \"GBP\"", "GBP", "month_end", "2026-01-15"),
        ] {
            let by_hand = format!(
                "with held as (select * from rate where code = '{code}' and kind = '{kind}' and since <= '{day}'),
                 newest as (select distinct value from held where since = (select max(since) from held))
                 select (select sum(amount) from sale) / (select min(value) from newest having count(*) = 1)"
            );
            desk.check("selling", &format!("{{ selling(by: [], {words}) {{ rows {{ revenue }} }} }}"), &by_hand).await;
        }
        let unknown = desk.ask("{ selling(by: [], currency: \"USD\") { rows { status { revenue } } } }").await;
        assert!(unknown.json.to_string().contains("NO_RATE"), "{:#}", unknown.json);
    }
}
