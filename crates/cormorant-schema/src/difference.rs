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
