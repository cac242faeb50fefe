//! Creating and dropping tables.

mod difference;
mod live;

use cormorant_driver::{Call, Error, ErrorKind, Result};
use cormorant_sql::schema::{Schema, Table, TableDef};
use cormorant_sql::{Kind, Token, Value, ddl};

use crate::executor::{Target, Work, no_rows, statement};
use crate::query::class_of;
use crate::{Database, Executor as _, Transaction};

/// Creates the tables that are missing. Those that exist have to be as their models say.
pub(crate) fn create<'a>(db: &'a Database, models: &'a [&'static TableDef]) -> Work<'a, ()> {
    Box::pin(create_missing(db, models))
}

async fn create_missing(db: &Database, models: &[&'static TableDef]) -> Result<()> {
    let schema = schema_of(models)?;
    let existing = live::tables(db.target(), &schema).await?;
    let mut differences = Vec::new();
    let mut missing = Vec::new();
    for table in &schema.tables {
        match existing.iter().find(|live| live.is(table, db.dialect())) {
            None => missing.push(table),
            Some(live) => differences.extend(difference::differences(live, table, db.dialect())),
        }
    }
    if !differences.is_empty() {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!(
                "the database has tables that are not as the models say:\n  {}\nnothing was created: change the models, or the tables by a migration",
                differences.join("\n  ")
            ),
        ));
    }
    let steps: Vec<Step> = creation(&missing, db)?.into_iter().map(Step::Text).collect();
    run_all(db, &steps).await
}

/// Drops the tables that exist, those that point at others first.
pub(crate) fn drop<'a>(db: &'a Database, models: &'a [&'static TableDef]) -> Work<'a, ()> {
    Box::pin(drop_present(db, models))
}

async fn drop_present(db: &Database, models: &[&'static TableDef]) -> Result<()> {
    let schema = schema_of(models)?;
    let dialect = db.dialect();
    let existing = live::tables(db.target(), &schema).await?;
    let present: Vec<&Table> =
        schema.tables.iter().rev().filter(|table| existing.iter().any(|live| live.is(table, dialect))).collect();
    let mut steps = Vec::new();
    for (n, table) in present.iter().enumerate() {
        // In a cycle a table is still pointed at when it is dropped: its foreign keys go first, or what they hold.
        if dialect.adds_foreign_keys() {
            for other in present.get(n + 1..).unwrap_or_default() {
                let keys = other.foreign_keys.iter().filter(|key| key.target == table.name);
                steps.extend(keys.map(|key| Step::Text(ddl::drop_foreign_key(other, key, dialect))));
            }
        } else {
            for other in present.get(n..).unwrap_or_default() {
                steps.extend(
                    models
                        .iter()
                        .filter(|model| model.name == other.name.as_str())
                        .flat_map(|model| pointing(model, table)),
                );
            }
        }
    }
    steps.extend(present.iter().map(|table| Step::Text(ddl::drop_table(table, dialect))));
    run_all(db, &steps).await
}

/// The nullable foreign keys of a model that point at a table, to be set to NULL.
fn pointing(model: &'static TableDef, table: &Table) -> impl Iterator<Item = Step> {
    let relations = model.relations.iter().filter(|relation| (relation.target)().name == table.name.as_str());
    let columns = relations.flat_map(|relation| relation.columns);
    let nullable = columns.filter(|column| model.any_null(&[**column]));
    nullable.map(move |column| Step::Clear(model, *column))
}

fn schema_of(models: &[&'static TableDef]) -> Result<Schema> {
    Schema::of(models.iter().copied()).map_err(|invalid| Error::new(ErrorKind::InvalidIdentifier, invalid.to_string()))
}

/// The statements that create some tables: a foreign key into a cycle is added once both tables are there.
fn creation(tables: &[&Table], db: &Database) -> Result<Vec<String>> {
    let dialect = db.dialect();
    let mut statements = Vec::new();
    let mut later = Vec::new();
    for (n, table) in tables.iter().enumerate() {
        let mut table = Table::clone(table);
        if dialect.adds_foreign_keys() {
            let not_yet = tables.get(n + 1..).unwrap_or_default();
            let (now, then): (Vec<_>, Vec<_>) = std::mem::take(&mut table.foreign_keys).into_iter().partition(|key| {
                !not_yet.iter().any(|other| other.name == key.target && other.schema == key.target_schema)
            });
            table.foreign_keys = now;
            later.extend(then.iter().map(|key| ddl::add_foreign_key(&table, key, dialect)));
        }
        statements.extend(
            ddl::create_table(&table, dialect).map_err(|fault| Error::from_sql(fault).with_model(&table.model))?,
        );
    }
    statements.extend(later);
    Ok(statements)
}

/// One step of creating or dropping.
enum Step {
    Text(String),
    /// A column becomes NULL in every row.
    Clear(&'static TableDef, u16),
}

impl Step {
    async fn run(&self, target: Target<'_>) -> Result<()> {
        match self {
            Self::Text(sql) => target.call(&Call::text(sql), &mut no_rows).await,
            Self::Clear(table, column) => {
                let tokens = [Token::Bind(class_of(table, *column)), Token::Set(*column)];
                target.run(&statement(Kind::Update, table, &tokens), &[Value::Null], &mut no_rows).await
            }
        }?;
        Ok(())
    }
}

/// Runs steps in one transaction, where the database takes DDL into it.
async fn run_all(db: &Database, steps: &[Step]) -> Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    if !db.dialect().transactional_ddl() {
        for step in steps {
            step.run(db.target()).await?;
        }
        return Ok(());
    }
    let transaction: Transaction = db.begin().await?;
    for step in steps {
        if let Err(error) = step.run(Target::Transaction(&transaction)).await {
            let _ = transaction.rollback().await;
            return Err(error);
        }
    }
    transaction.commit().await
}
