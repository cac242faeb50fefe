//! The cases, as data. `cargo xtask bench` compiles this file as well, to know their names.

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Every row of one table, as structs. (From Diesel's own benchmarks.)
    TrivialQuery,
    /// Users with hair of one colour, each beside a post that there may be: a filter and a left join. Half of the
    /// rows meet the condition, and none has a post. (From Diesel's own benchmarks.)
    MediumComplexQuery,
    /// New rows that a program holds as structs, with the keys that the database generates read back.
    Insert,
    /// The row with one key.
    PointLookup,
    /// One field of a loaded row gets another value and is written.
    Update,
    /// One field of a loaded row gets the value it had, and the row is saved: there is nothing to write.
    SaveUnchanged,
    /// Point lookups that are all started before any is waited for, with one connection to the database.
    LookupsOnConnection,
    /// The same with several connections.
    LookupsOnPool,
    /// Users, each with their ten posts.
    HasMany,
    /// Users, each with their ten posts, each of these with its ten comments. (From Diesel's own benchmarks.)
    ThreeLevels,
    /// New users with ten new posts each, written as one unit of work.
    CommitGraph,
    /// Users that were loaded; a field of each gets a value of its own, and what changed is written as one unit of work.
    CommitChanges,
    /// Users and their ten posts each, known to the program, are deleted as one unit of work.
    DeleteGraph,
}

impl Case {
    pub const ALL: [Self; 13] = [
        Self::TrivialQuery,
        Self::MediumComplexQuery,
        Self::Insert,
        Self::PointLookup,
        Self::Update,
        Self::SaveUnchanged,
        Self::LookupsOnConnection,
        Self::LookupsOnPool,
        Self::HasMany,
        Self::ThreeLevels,
        Self::CommitGraph,
        Self::CommitChanges,
        Self::DeleteGraph,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::TrivialQuery => "trivial_query",
            Self::MediumComplexQuery => "medium_complex_query",
            Self::Insert => "insert",
            Self::PointLookup => "point_lookup",
            Self::Update => "update",
            Self::SaveUnchanged => "save_unchanged",
            Self::LookupsOnConnection => "lookups_on_connection",
            Self::LookupsOnPool => "lookups_on_pool",
            Self::HasMany => "has_many",
            Self::ThreeLevels => "three_levels",
            Self::CommitGraph => "commit_graph",
            Self::CommitChanges => "commit_changes",
            Self::DeleteGraph => "delete_graph",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// How many rows one operation reads or writes, where rows have others of their own without those; each number is
    /// a measurement of its own.
    pub fn rows(self) -> &'static [usize] {
        match self {
            Self::TrivialQuery | Self::MediumComplexQuery => &[1, 10, 100, 1_000, 10_000],
            Self::Insert => &[1, 10, 25, 50, 100, 1_000, 100_000],
            Self::PointLookup | Self::Update | Self::SaveUnchanged => &[1],
            Self::LookupsOnConnection | Self::LookupsOnPool => &[32],
            Self::HasMany => &[100, 1_000],
            Self::ThreeLevels => &[100],
            Self::CommitGraph | Self::CommitChanges | Self::DeleteGraph => &[1_000],
        }
    }

    /// Whether related rows are loaded.
    pub fn is_relations(self) -> bool {
        matches!(self, Self::HasMany | Self::ThreeLevels)
    }

    /// Whether changes to many objects are written together.
    pub fn is_unit_of_work(self) -> bool {
        matches!(self, Self::CommitGraph | Self::CommitChanges | Self::DeleteGraph)
    }
}
