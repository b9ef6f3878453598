//! The ways in which a number over several tables goes wrong, each by name, against SQL written by hand.

use holdfast_schema::source::SourceMap;
use holdfast_server::warehouse::table::Table;
use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};

const SHOP: &str = include_str!("hazards/shop.yaml");

fn shop() -> SourceMap {
    definitions(SHOP)
}

#[tokio::test]
async fn dump() {
    let desk = Desk::open(shop(), &tables()).await;
    println!("{}", desk.postgres.api().sdl());
}

/// Five accounts, one without segment and rows anywhere, one with sales and no tickets, one with tickets and no sales.
fn tables() -> Vec<Table> {
    vec![
        table("region", "region_id text, name text", "N North\n S South"),
        table("sector", "sector_id text, title text", "b Banking\n r Retail"),
        table(
            "account_sector",
            "account_id text, sector_id text, share decimal",
            "a1 b 0.75
             a1 r 0.25
             a2 r 1
             a3 b 0.5
             a3 r 0.5",
        ),
        table(
            "stakeholder",
            "stakeholder_id text, account_id text, role text",
            "p1 a1 champion
             p2 a1 champion
             p3 a1 sponsor
             p4 a2 user
             p5 a5 user",
        ),
        table(
            "account",
            "account_id text, name text, segment text, parent_id text, home_region_id text, billing_region_id text, credit_limit decimal",
            "a1 Acme enterprise -  N S 1000
             a2 Beta smb        a1 N N 200
             a3 Cora smb        a1 S N 300
             a4 Dorn -          a2 S S 400
             a5 Eder enterprise -  - - 500",
        ),
        table(
            "sale",
            "sale_id int, account_id text, sold_at timestamp, channel text, amount decimal, buyer text",
            "1  a1 2023-02-27T10:00:00Z online  40     ann
             2  a1 2024-02-28T23:30:00Z online  10     ann
             3  a1 2024-02-29T22:59:59Z shop    20.50  bob
             4  a1 2024-02-29T23:00:00Z shop    30     bob
             5  a2 2024-03-30T22:30:00Z online  5      cid
             6  a2 2024-03-30T23:30:00Z online  6      cid
             7  a2 2024-03-31T21:59:59Z online  7      dan
             8  a2 2024-03-31T22:00:00Z shop    8      dan
             9  a2 2024-10-27T00:30:00Z shop    9      cid
             10 a2 2024-10-27T01:30:00Z shop    11     ann
             11 a3 2024-10-27T22:59:59Z -       12     eve
             12 a3 2024-10-27T23:00:00Z -       13.25  eve
             13 a4 2024-12-31T23:30:00Z online  100    fay
             14 a4 2025-01-15T08:00:00Z online  -      fay
             15 -  2024-05-05T08:00:00Z shop    1000   gus",
        ),
        table(
            "ticket",
            "ticket_id int, account_id text, day date, hours decimal",
            "1 a1 2024-02-29 2
             2 a1 2024-03-01 1.5
             3 a2 2024-03-31 0
             4 a5 2024-03-31 4
             5 a5 2024-07-01 -
             6 -  2024-10-27 8",
        ),
        table(
            "seat_month",
            "account_id text, month date, licensed decimal, used decimal",
            "a1 2024-01-31 10 4
             a1 2024-02-29 12 5
             a1 2024-03-31 14 6
             a2 2024-01-31 5  1
             a2 2024-02-29 5  2
             a3 2024-03-31 0  0
             a5 2024-10-31 7  -",
        ),
    ]
}
