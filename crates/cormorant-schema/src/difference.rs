//! How a table in the database differs from what a model says, in words.

use crate::Table;

/// The differences between the table a model describes and the one a database holds, one line each; empty when a
/// program written for the model can use the table.
///
/// `same_type` says whether two columns' types are stored alike, which depends on the backend.
/// Names of constraints and the order of columns do not matter: statements name every column.
pub fn differences(
    wanted: &Table,
    found: &Table,
    same_type: impl Fn(&crate::Column, &crate::Column) -> bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    for column in &wanted.columns {
        match found.columns.iter().find(|other| other.name == column.name) {
            None => lines.push(format!("column {} is missing", column.name)),
            Some(other) => {
                if !same_type(column, other) {
                    lines.push(format!("column {} is {}, the model says {}", column.name, other.ty, column.ty));
                }
                if column.null != other.null {
                    lines.push(format!(
                        "column {} is {}, the model says {}",
                        column.name,
                        null(other.null),
                        null(column.null)
                    ));
                }
            }
        }
    }
    for column in &found.columns {
        if !column.null
            && column.default.is_none()
            && !column.generated
            && !wanted.columns.iter().any(|c| c.name == column.name)
        {
            lines.push(format!("column {} is NOT NULL without a default, and the model does not have it", column.name));
        }
    }
    if wanted.primary_key.columns != found.primary_key.columns {
        let list = |table: &Table| table.primary_key.columns.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(", ");
        lines.push(format!("the primary key is ({}), the model says ({})", list(found), list(wanted)));
    }
    lines
}

fn null(null: bool) -> &'static str {
    if null { "NULL" } else { "NOT NULL" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, ColumnDef, ColumnType, Ident, TableDef};

    static USERS: TableDef = TableDef {
        model: "User",
        path: "User",
        schema: None,
        name: "users",
        columns: &[
            ColumnDef::new("id", "id", ColumnType::I64, false).key(true),
            ColumnDef::new("name", "name", ColumnType::Text { max_length: None }, false),
        ],
        key: &[0],
        relations: &[],
        indexes: &[],
        checks: &[],
        strict: false,
        autoincrement: false,
    };

    fn found_differs(change: impl FnOnce(&mut Table)) -> Vec<String> {
        let wanted = Table::of(&USERS).unwrap();
        let mut found = wanted.clone();
        change(&mut found);
        differences(&wanted, &found, |a, b| a.ty == b.ty)
    }

    #[test]
    fn a_table_that_can_be_used_has_no_differences() {
        assert!(found_differs(|_| {}).is_empty());
        assert!(found_differs(|found| found.columns.reverse()).is_empty(), "every statement names its columns");
        let more = |null, default| {
            found_differs(move |found| {
                let name = Ident::new("more").unwrap();
                found.columns.push(Column { name, ty: ColumnType::I64, null, default, generated: false });
            })
        };
        assert!(more(true, None).is_empty());
        assert!(more(false, Some(crate::Default::Bool(true))).is_empty());
        assert_eq!(more(false, None), ["column more is NOT NULL without a default, and the model does not have it"]);
    }

    #[test]
    fn each_difference_is_a_line() {
        assert_eq!(found_differs(|found| drop(found.columns.pop())), ["column name is missing"]);
        let other = found_differs(|found| {
            found.columns[1].ty = ColumnType::I16;
            found.columns[1].null = true;
            found.primary_key.columns.clear();
        });
        assert_eq!(
            other,
            [
                "column name is smallint, the model says text",
                "column name is NULL, the model says NOT NULL",
                "the primary key is (), the model says (id)",
            ]
        );
    }
}
