//! The server's description of its tables.

use std::collections::HashMap;

use holdfast_schema::{
    sql::{OutputColumn, SqlText, Statement},
    value::{CellRef, RowSet, ValueType},
};

use crate::{CatalogueColumn, ColumnReference};

/// The shortest question.
pub(super) fn ping() -> Statement {
    statement("select 1", &[("one", ValueType::Int)])
}

/// Columns of tables that may be read.
pub(super) fn columns() -> Statement {
    statement(
        "select n.nspname::text, c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), \
           case when t.typtype = 'e' then 'text' else coalesce(base.typname, t.typname)::text end, not a.attnotnull, k.position::bigint \
         from pg_catalog.pg_class c \
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
         join pg_catalog.pg_type t on t.oid = a.atttypid \
         left join pg_catalog.pg_type base on t.typtype = 'd' and base.oid = t.typbasetype \
         left join (select i.indrelid, u.attnum, u.position from pg_catalog.pg_index i, \
             unnest(i.indkey::int[]) with ordinality u(attnum, position) \
             where i.indisprimary and u.position <= i.indnkeyatts) k \
           on k.indrelid = c.oid and k.attnum = a.attnum \
         where c.relkind in ('r', 'v', 'm', 'p', 'f') and n.nspname not in ('pg_catalog', 'information_schema') \
           and n.nspname not like 'pg\\_toast%' and n.nspname not like 'pg\\_temp%' \
           and has_table_privilege(c.oid, 'select') \
         order by 1, 2, a.attnum",
        &[
            ("schema", ValueType::Text),
            ("table", ValueType::Text),
            ("column", ValueType::Text),
            ("type", ValueType::Text),
            ("base", ValueType::Text),
            ("nullable", ValueType::Bool),
            ("key_position", ValueType::Int),
        ],
    )
}

/// Foreign keys, one row per pair of columns.
pub(super) fn foreign_keys() -> Statement {
    statement(
        "select n.nspname::text, c.relname::text, a.attname::text, k.conname::text, \
           fn.nspname::text, fc.relname::text, fa.attname::text \
         from pg_catalog.pg_constraint k \
         join lateral unnest(k.conkey, k.confkey) with ordinality u(own, other, position) on true \
         join pg_catalog.pg_class c on c.oid = k.conrelid \
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = u.own \
         join pg_catalog.pg_class fc on fc.oid = k.confrelid \
         join pg_catalog.pg_namespace fn on fn.oid = fc.relnamespace \
         join pg_catalog.pg_attribute fa on fa.attrelid = fc.oid and fa.attnum = u.other \
         where k.contype = 'f' order by 1, 2, 4, u.position",
        &[
            ("schema", ValueType::Text),
            ("table", ValueType::Text),
            ("column", ValueType::Text),
            ("constraint", ValueType::Text),
            ("other_schema", ValueType::Text),
            ("other_table", ValueType::Text),
            ("other_column", ValueType::Text),
        ],
    )
}

fn statement(text: &'static str, columns: &[(&str, ValueType)]) -> Statement {
    Statement {
        sql: SqlText::fixed(text),
        params: Vec::new(),
        columns: columns.iter().map(|&(name, value_type)| OutputColumn { name: name.to_owned(), value_type }).collect(),
        is_lookup: false,
    }
}

/// Puts both answers together.
pub(super) fn read(columns: &RowSet, foreign_keys: &RowSet) -> Vec<CatalogueColumn> {
    let mut references: HashMap<[String; 3], Vec<ColumnReference>> = HashMap::new();
    for row in 0..foreign_keys.row_count() {
        let cell = |column| text(foreign_keys, row, column);
        references.entry([cell(0), cell(1), cell(2)]).or_default().push(ColumnReference {
            constraint: cell(3),
            schema: cell(4),
            table: cell(5),
            column: cell(6),
        });
    }
    let read_column = |row| {
        let cell = |column| text(columns, row, column);
        CatalogueColumn {
            schema: cell(0),
            table: cell(1),
            column: cell(2),
            type_name: cell(3),
            value_type: value_type(&cell(4)),
            nullable: columns.cell(row, 5) == CellRef::Bool(true),
            key_position: match columns.cell(row, 6) {
                CellRef::Int(position) => u16::try_from(position).ok(),
                _ => None,
            },
            references: references.remove(&[cell(0), cell(1), cell(2)]).unwrap_or_default(),
        }
    };
    (0..columns.row_count()).map(read_column).collect()
}

fn text(rows: &RowSet, row: usize, column: usize) -> String {
    match rows.cell(row, column) {
        CellRef::Text(text) => text.to_owned(),
        _ => String::new(),
    }
}

/// Our type for a type of the server.
fn value_type(base: &str) -> Option<ValueType> {
    match base {
        "bool" => Some(ValueType::Bool),
        "int2" | "int4" | "int8" => Some(ValueType::Int),
        "numeric" | "float4" | "float8" => Some(ValueType::Decimal),
        "text" | "varchar" | "bpchar" | "name" | "char" | "uuid" | "citext" => Some(ValueType::Text),
        "date" => Some(ValueType::Date),
        "timestamp" | "timestamptz" => Some(ValueType::Timestamp),
        _ => None,
    }
}
