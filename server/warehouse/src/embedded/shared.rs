//! Named subqueries that are read more than once → tables in memory that last as long as their statement.
//!
//! The engine itself puts a named subquery in wherever it is read, and plans and computes it each time; where one that is read twice
//! reads another that is read twice, four times, and so on. PostgreSQL computes such a subquery once. So do we: a statement is
//! planned in pieces, and the rows are the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    ops::ControlFlow,
    sync::Arc,
};

use datafusion::{
    catalog::{
        CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
        SchemaProvider,
    },
    dataframe::DataFrame,
    datasource::MemTable,
    error::{DataFusionError, Result},
    execution::session_state::SessionState,
    sql::{
        parser,
        sqlparser::ast::{Cte, Query, Statement, Visit, With, helpers::attached_token::AttachedToken, visit_relations},
    },
};

use super::{bind, register};

/// Computes what a statement reads more than once, and takes it out of the statement. Gives the state that knows the tables.
pub(super) async fn compute(state: SessionState, statement: &mut parser::Statement) -> Result<SessionState> {
    let Some(query) = query_of(statement) else { return Ok(state) };
    let mut shared = read_often(query);
    let Some(with) = query.with.as_mut().filter(|with| !shared.is_empty() && !with.recursive) else { return Ok(state) };
    let (state, tables) = with_own_tables(state).await?;
    // Where a subquery hides a table, those before it mean the table.
    shared.retain(|name| !tables.table_exist(name));
    let mut others = Vec::new();
    for mut subquery in mem::take(&mut with.cte_tables) {
        if shared.contains(&name_of(&subquery)) {
            let name = name_of(&subquery);
            let read = take_read_by(&subquery.query, &mut others);
            give(&mut subquery.query, read);
            tables.register_table(name, Arc::new(rows(&state, *subquery.query).await?))?;
        } else {
            others.push(subquery);
        }
    }
    if others.is_empty() {
        query.with = None;
    } else {
        with.cte_tables = others;
    }
    Ok(state)
}

fn query_of(statement: &mut parser::Statement) -> Option<&mut Query> {
    let parser::Statement::Statement(statement) = statement else { return None };
    match statement.as_mut() {
        Statement::Query(query) => Some(query),
        _ => None,
    }
}

fn name_of(subquery: &Cte) -> String {
    subquery.alias.name.value.clone()
}

/// The subqueries at the top of a query that it reads at more than one place.
fn read_often(query: &Query) -> BTreeSet<String> {
    let Some(with) = &query.with else { return BTreeSet::new() };
    let times = times_read(query);
    let often =
        |subquery: &&Cte| subquery.alias.columns.is_empty() && times.get(&name_of(subquery)).is_some_and(|times| *times > 1);
    with.cte_tables.iter().filter(often).map(name_of).collect()
}

/// At how many places each relation without a schema is read.
fn times_read(tree: &impl Visit) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    let _: ControlFlow<()> = visit_relations(tree, |relation| {
        if let [part] = relation.0.as_slice()
            && let Some(name) = part.as_ident()
        {
            *times.entry(name.value.clone()).or_default() += 1;
        }
        ControlFlow::Continue(())
    });
    times
}

/// Takes from subqueries that are read once those that a query reads, directly or through others.
fn take_read_by(query: &Query, others: &mut Vec<Cte>) -> Vec<Cte> {
    let mut read = times_read(query);
    let mut taken = Vec::new();
    // Each reads only those before it.
    for position in (0..others.len()).rev() {
        if read.contains_key(&name_of(&others[position])) {
            let subquery = others.remove(position);
            read.extend(times_read(&subquery));
            taken.push(subquery);
        }
    }
    taken.reverse();
    taken
}

/// Names subqueries at the top of a query.
fn give(query: &mut Query, subqueries: Vec<Cte>) {
    if subqueries.is_empty() {
        return;
    }
    let with =
        query.with.get_or_insert_with(|| With { with_token: AttachedToken::empty(), recursive: false, cte_tables: Vec::new() });
    with.cte_tables.splice(0..0, subqueries);
}

/// A state with the same tables, to which others can be added without anybody else seeing them.
async fn with_own_tables(mut state: SessionState) -> Result<(SessionState, Arc<MemorySchemaProvider>)> {
    let known = state.catalog_list().catalog(register::CATALOG).ok_or_else(|| missing("catalog"))?;
    let catalog = MemoryCatalogProvider::new();
    let own = Arc::new(MemorySchemaProvider::new());
    for name in known.schema_names() {
        let schema = known.schema(&name).ok_or_else(|| missing("schema"))?;
        if name == register::DEFAULT_SCHEMA {
            for table in schema.table_names() {
                let provider = schema.table(&table).await?.ok_or_else(|| missing("table"))?;
                own.register_table(table, provider)?;
            }
            catalog.register_schema(&name, own.clone())?;
        } else {
            catalog.register_schema(&name, schema)?;
        }
    }
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(register::CATALOG.to_owned(), Arc::new(catalog));
    state.register_catalog_list(Arc::new(catalogs));
    Ok((state, own))
}

fn missing(what: &str) -> DataFusionError {
    DataFusionError::Internal(format!("the embedded warehouse lost a {what}"))
}

/// The rows of a query.
async fn rows(state: &SessionState, query: Query) -> Result<MemTable> {
    let plan = bind::plan(state, parser::Statement::Statement(Box::new(Statement::Query(Box::new(query))))).await?;
    let frame = DataFrame::new(state.clone(), plan);
    let context = Arc::new(frame.task_ctx());
    let physical = frame.create_physical_plan().await?;
    let schema = physical.schema();
    let batches = datafusion::physical_plan::collect(physical, context).await?;
    MemTable::try_new(schema, vec![batches])
}
