//! The tables that the tests ask for rows.

use cormorant_sql::schema::{CheckDef, ColumnDef, ColumnType, DefaultDef, IndexDef, OnDelete, RelationDef, TableDef};

const PLAIN: TableDef = TableDef {
    model: "",
    path: "",
    singular: "",
    schema: None,
    name: "",
    columns: &[],
    key: &[0],
    relations: &[],
    many: || &[],
    links: &[],
    indexes: &[],
    checks: &[],
    strict: false,
    autoincrement: false,
};

const fn id() -> ColumnDef {
    ColumnDef::new("id", "id", ColumnType::I64, false).key(true)
}

const fn text(name: &'static str, null: bool) -> ColumnDef {
    ColumnDef::new(name, name, ColumnType::Text { max_length: None }, null)
}

pub(crate) const NAME: u16 = 1;
pub(crate) const EMAIL: u16 = 2;
pub(crate) const AGE: u16 = 3;
pub(crate) const ACTIVE: u16 = 4;
pub(crate) const MANAGER_ID: u16 = 5;
/// `manager`, who may be missing.
pub(crate) const MANAGER: u8 = 0;

pub(crate) static USERS: TableDef = TableDef {
    model: "User",
    name: "users",
    columns: &[
        id(),
        text("name", false).max_length(24).unique(),
        text("email", true),
        ColumnDef::new("age", "age", ColumnType::I32, true),
        ColumnDef::new("active", "active", ColumnType::Bool, false).default(DefaultDef::Bool(true)),
        ColumnDef::new("manager", "manager_id", ColumnType::I64, true).index(),
    ],
    relations: &[RelationDef {
        model: "",
        field: "manager",
        columns: &[MANAGER_ID],
        target: || &USERS,
        target_path: "",
        on_delete: OnDelete::SetNull,
        on_update: None,
    }],
    checks: &[CheckDef { name: "grown", sql: "age >= 18" }],
    ..PLAIN
};

pub(crate) const TITLE: u16 = 1;
pub(crate) const AUTHOR_ID: u16 = 2;
pub(crate) const EDITOR_ID: u16 = 3;
pub(crate) const SCORE: u16 = 4;
/// `author`, who is always there.
pub(crate) const AUTHOR: u8 = 0;
/// `editor`, who may be missing.
pub(crate) const EDITOR: u8 = 1;

pub(crate) static POSTS: TableDef = TableDef {
    model: "Post",
    name: "posts",
    columns: &[
        id(),
        text("title", false).indexable(),
        ColumnDef::new("author", "author_id", ColumnType::I64, false).index(),
        ColumnDef::new("editor", "editor_id", ColumnType::I64, true),
        ColumnDef::new("score", "score", ColumnType::F64, false),
    ],
    relations: &[
        RelationDef {
            model: "",
            field: "author",
            columns: &[AUTHOR_ID],
            target: || &USERS,
            target_path: "",
            on_delete: OnDelete::Cascade,
            on_update: None,
        },
        RelationDef {
            model: "",
            field: "editor",
            columns: &[EDITOR_ID],
            target: || &USERS,
            target_path: "",
            on_delete: OnDelete::SetNull,
            on_update: None,
        },
    ],
    many: || &[],
    links: &[],
    indexes: &[IndexDef { name: Some("ix_posts_title"), columns: &[TITLE, 0], unique: false }],
    ..PLAIN
};

pub(crate) const PRICE: u16 = 1;
pub(crate) const WEIGHT: u16 = 2;
pub(crate) const QUANTITY: u16 = 3;

pub(crate) static ITEMS: TableDef = TableDef {
    model: "Item",
    name: "items",
    columns: &[
        id(),
        ColumnDef::new("price", "price", ColumnType::Decimal { precision: 7, scale: 2 }, false),
        ColumnDef::new("weight", "weight", ColumnType::Decimal { precision: 6, scale: 3 }, true),
        ColumnDef::new("quantity", "quantity", ColumnType::I32, false),
    ],
    ..PLAIN
};

pub(crate) const NOTE: u16 = 2;
/// `post`, which a link always has.
pub(crate) const POST: u8 = 0;

pub(crate) static LINKS: TableDef = TableDef {
    model: "Link",
    name: "links",
    columns: &[
        ColumnDef::new("post", "post_id", ColumnType::I64, false).key(false),
        ColumnDef::new("user", "user_id", ColumnType::I64, false).key(false),
        text("note", true),
    ],
    key: &[0, 1],
    relations: &[
        RelationDef {
            model: "",
            field: "post",
            columns: &[0],
            target: || &POSTS,
            target_path: "",
            on_delete: OnDelete::Cascade,
            on_update: None,
        },
        RelationDef {
            model: "",
            field: "user",
            columns: &[1],
            target: || &USERS,
            target_path: "",
            on_delete: OnDelete::Restrict,
            on_update: None,
        },
    ],
    ..PLAIN
};

pub(crate) const LINK_POST: u16 = 1;
pub(crate) const LINK_USER: u16 = 2;
pub(crate) const REPLY: u16 = 3;
/// `link`, which a remark always has, and `reply`, which it may have: keys of two columns.
pub(crate) const LINK: u8 = 0;
pub(crate) const REPLIED: u8 = 1;

pub(crate) static REMARKS: TableDef = TableDef {
    model: "Remark",
    name: "remarks",
    columns: &[
        id(),
        ColumnDef::new("link", "link_post", ColumnType::I64, false),
        ColumnDef::new("link", "link_user", ColumnType::I64, false),
        ColumnDef::new("reply", "reply_post", ColumnType::I64, true),
        ColumnDef::new("reply", "reply_user", ColumnType::I64, true),
        text("text", false),
    ],
    relations: &[to_link("link", &[1, 2]), to_link("reply", &[REPLY, 4])],
    indexes: &[IndexDef { name: None, columns: &[1, 2], unique: false }],
    ..PLAIN
};

const fn to_link(field: &'static str, columns: &'static [u16]) -> RelationDef {
    RelationDef {
        model: "Remark",
        field,
        columns,
        target: || &LINKS,
        target_path: "",
        on_delete: OnDelete::Restrict,
        on_update: None,
    }
}

pub(crate) const DAY: u16 = 1;
pub(crate) const CLOCK: u16 = 2;
pub(crate) const PLANNED: u16 = 3;
pub(crate) const STAMP: u16 = 4;
pub(crate) const TOKEN: u16 = 5;
pub(crate) const DATA: u16 = 6;

pub(crate) static EVENTS: TableDef = TableDef {
    model: "Event",
    name: "events",
    columns: &[
        id(),
        ColumnDef::new("day", "day", ColumnType::Date, false),
        ColumnDef::new("clock", "clock", ColumnType::Time, false),
        ColumnDef::new("planned", "planned", ColumnType::DateTime, false),
        ColumnDef::new("stamp", "stamp", ColumnType::Timestamp, false),
        ColumnDef::new("token", "token", ColumnType::Uuid, false),
        ColumnDef::new("data", "data", ColumnType::Bytes, false),
    ],
    ..PLAIN
};

pub(crate) static ALL: &[&TableDef] = &[&USERS, &POSTS, &ITEMS, &LINKS, &REMARKS, &EVENTS];
