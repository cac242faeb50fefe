//! One error type: a kind to match on, and a message that says what to do.

use std::fmt;

/// A result whose error is Cormorant's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with the database, a statement or a value.
///
/// Match on [`kind`](Error::kind) or ask a predicate such as [`is_unique`](Error::is_unique); where they are known,
/// [`model`](Error::model), [`field`](Error::field) and [`constraint`](Error::constraint) say where.
/// The message never holds a value that a user stored: lengths and numbers of fields that are not secret at most.
///
/// `Error` converts from no other type: one such conversion would leave the compiler unable to infer the error
/// of `?` inside a transaction. [`Error::other`] carries an error of your own.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    model: Option<String>,
    field: Option<String>,
    constraint: Option<String>,
    code: Option<String>,
    faults: Vec<Fault>,
    parameter: Option<usize>,
    columns: Vec<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL or an option is not understood.
    Configuration,
    /// The connection could not be made, or was lost.
    ConnectionLost,
    /// COMMIT was sent and no answer came: the transaction may have been committed or not.
    CommitUnknown,
    /// The transaction was to be rolled back, but a statement in it had committed it, as CREATE TABLE does on MySQL and
    /// MariaDB: look at what it left.
    NotRolledBack,
    /// No connection became free in time.
    PoolTimeout,
    /// Another transaction was in the way; running the whole transaction again may succeed.
    Retryable(Conflict),
    /// A lock was not granted in time.
    LockTimeout,
    /// The statement took too long, or was cancelled.
    StatementTimeout,
    /// A value that must be unique is there already.
    Unique,
    /// A row that is pointed at is missing, or a row is still pointed at.
    ForeignKey,
    /// NULL in a column that allows none.
    NotNull,
    /// A check refused the row.
    Check,
    /// The row changed or vanished since it was read.
    Stale,
    /// What the database gave is not what the field's type holds.
    Decode,
    /// The value cannot be stored exactly.
    Encode,
    /// A number or a length is out of range.
    OutOfRange,
    /// The database lacks a table or column that the model has, or has it otherwise.
    SchemaMismatch,
    /// The database or the transaction is read-only.
    ReadOnly,
    /// The disk is full.
    DiskFull,
    /// The database file is damaged, or is no database.
    Corrupt,
    /// A statement holds more than the database takes.
    LimitExceeded,
    /// A name that cannot be written into SQL.
    InvalidIdentifier,
    /// The plan of a prepared statement no longer fits the schema.
    PreparedPlanChanged,
    /// The transaction failed before; it can only be rolled back.
    TransactionPoisoned,
    /// The transaction waits for a scope inside it to end.
    TransactionSuspended,
    /// Fields are invalid: nothing was sent.
    Validation,
    /// A relation was read that was not loaded.
    NotLoaded,
    /// No row where one was asked for.
    NotFound,
    /// Several rows where one was asked for.
    MultipleRows,
    /// The backend, or this build of the library, cannot do it.
    Unsupported,
    /// The call cannot work from where it was made.
    Misuse,
    /// Any other error of the database.
    Database,
    /// An error of the program's own: see [`Error::other`].
    Other,
}

/// What stood in the way of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Conflict {
    /// The transactions cannot be put in an order.
    Serialization,
    /// Each waited for the other.
    Deadlock,
    /// The database is being written by another process.
    Busy,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field's name in Rust.
    pub field: String,
    /// What is wrong, and the rule.
    pub message: String,
}

impl Error {
    /// An error of a kind, with its message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            model: None,
            field: None,
            constraint: None,
            code: None,
            faults: Vec::new(),
            parameter: None,
            columns: Vec::new(),
            source: None,
        }))
    }

    /// An error of the program's own, carried through code that returns [`Error`]: a transaction's closure.
    ///
    /// ```
    /// # use cormorant_driver::Error;
    /// let error = Error::other("the shop is closed");
    /// assert_eq!(error.to_string(), "the shop is closed");
    /// ```
    pub fn other(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        let mut error = Self::new(ErrorKind::Other, source.to_string());
        error.0.source = Some(source);
        error
    }

    /// Faults of fields, all of them.
    pub fn validation(model: &str, faults: Vec<Fault>) -> Self {
        let mut error = Self::new(ErrorKind::Validation, String::new());
        error.0.faults = faults;
        error.with_model(model)
    }

    /// A statement that cannot be written.
    pub fn from_sql(fault: cormorant_sql::Fault) -> Self {
        use cormorant_sql::Fault as F;
        let kind = match fault {
            F::Name(_) => ErrorKind::InvalidIdentifier,
            F::TooMuch { .. } => ErrorKind::LimitExceeded,
            _ => ErrorKind::Unsupported,
        };
        Self::new(kind, fault.to_string())
    }

    /// Says which model it was about, unless that is known.
    #[must_use]
    pub fn with_model(mut self, model: &str) -> Self {
        self.0.model.get_or_insert_with(|| model.to_owned());
        self
    }

    /// Says which field it was about, unless that is known.
    #[must_use]
    pub fn with_field(mut self, field: &str) -> Self {
        self.0.field.get_or_insert_with(|| field.to_owned());
        self
    }

    /// Says which constraint it was about, unless that is known.
    #[must_use]
    pub fn with_constraint(mut self, constraint: &str) -> Self {
        self.0.constraint.get_or_insert_with(|| constraint.to_owned());
        self
    }

    /// Says which columns a constraint was about.
    #[must_use]
    pub fn with_columns(mut self, columns: Vec<String>) -> Self {
        self.0.columns = columns;
        self
    }

    /// Says the database's own code: an SQLSTATE, or SQLite's extended result code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Says which parameter it was about, counted from 0.
    #[must_use]
    pub fn with_parameter(mut self, parameter: usize) -> Self {
        self.0.parameter = Some(parameter);
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The model, where it is known.
    pub fn model(&self) -> Option<&str> {
        self.0.model.as_deref()
    }

    /// The field's name in Rust, where it is known.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The constraint's name, where it is known.
    pub fn constraint(&self) -> Option<&str> {
        self.0.constraint.as_deref()
    }

    /// The database's columns that a constraint is about, where the database says so.
    pub fn columns(&self) -> &[String] {
        &self.0.columns
    }

    /// The parameter that cannot be stored, counted from 0.
    pub fn parameter(&self) -> Option<usize> {
        self.0.parameter
    }

    /// The database's own code: an SQLSTATE, or SQLite's extended result code.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What is wrong with which field, of a validation.
    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// Fields were invalid; nothing was sent.
    pub fn is_validation(&self) -> bool {
        self.kind() == ErrorKind::Validation
    }

    /// The row changed or vanished since it was read.
    pub fn is_stale(&self) -> bool {
        self.kind() == ErrorKind::Stale
    }

    /// A value that must be unique is there already.
    pub fn is_unique(&self) -> bool {
        self.kind() == ErrorKind::Unique
    }

    /// A row that is pointed at is missing, or a row is still pointed at.
    pub fn is_foreign_key(&self) -> bool {
        self.kind() == ErrorKind::ForeignKey
    }

    /// NULL in a column that allows none.
    pub fn is_not_null(&self) -> bool {
        self.kind() == ErrorKind::NotNull
    }

    /// A check refused the row.
    pub fn is_check(&self) -> bool {
        self.kind() == ErrorKind::Check
    }

    /// No row where one was asked for.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Running the whole transaction again may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::Retryable(_))
    }

    /// The connection could not be made, or was lost.
    pub fn is_connection_lost(&self) -> bool {
        matches!(self.kind(), ErrorKind::ConnectionLost | ErrorKind::CommitUnknown)
    }

    /// COMMIT was sent and no answer came.
    pub fn is_commit_unknown(&self) -> bool {
        self.kind() == ErrorKind::CommitUnknown
    }

    /// The database or the transaction is read-only.
    pub fn is_read_only(&self) -> bool {
        self.kind() == ErrorKind::ReadOnly
    }

    /// The error given to [`Error::other`], if it is of this type.
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        self.0.source.as_deref().and_then(|source| source.downcast_ref())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, model, field, constraint, faults, .. } = &*self.0;
        if *kind == ErrorKind::Validation {
            write!(f, "{} is invalid:", model.as_deref().unwrap_or("the value"))?;
            return faults.iter().try_for_each(|fault| write!(f, "\n  {}: {}", fault.field, fault.message));
        }
        match (model, field) {
            (Some(model), Some(field)) => write!(f, "{model}.{field}: ")?,
            (Some(model), None) => write!(f, "{model}: ")?,
            (None, Some(field)) => write!(f, "{field}: ")?,
            (None, None) => {}
        }
        f.write_str(message)?;
        match constraint {
            Some(constraint) => write!(f, " (constraint {constraint})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("message", &self.to_string());
        if let Some(code) = &self.0.code {
            debug.field("code", code);
        }
        debug.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().and_then(|source| source.source())
    }
}
