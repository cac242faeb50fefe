//! Which relations a query loads beside its rows.

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::{Buffer, Route};

use crate::Model;

/// What `include` takes: a path to one row (`|p| p.author()`) or to many (`|p| p.comments()`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relation of `{R}`",
    label = "expected a relation, such as `|p| p.author()`",
    note = "a column is always loaded; `include` is for related rows"
)]
pub trait Relation<R> {
    /// The model of the related rows.
    type Target: Model;

    /// Becomes what is loaded.
    #[doc(hidden)]
    #[allow(clippy::wrong_self_convention, reason = "a path is spent when it is included")]
    fn to_include(self) -> Include;
}

/// Related rows to load: the way to them, and which.
#[derive(Clone, Debug)]
pub struct Include {
    /// To one row each.
    pub(crate) route: Route,
    /// And then to many.
    pub(crate) last: Option<Step>,
}

impl Include {
    /// What a path to one row loads: every row on the way. Derived code calls it.
    pub fn to(route: Route) -> Self {
        Self { route, last: None }
    }
}

/// The relations to load of some rows.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
    /// The first relation that was included twice in different ways.
    pub(crate) conflict: Option<u8>,
}

/// One relation to load, and those behind it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The number of the relation in its model.
    pub(crate) relation: u8,
    /// Which of the related rows, and in which order.
    pub(crate) buffer: Buffer,
    /// How many at most for each row that they belong to.
    pub(crate) limit: Option<u64>,
    pub(crate) plan: Plan,
}

impl Step {
    pub(crate) fn all(relation: u8) -> Self {
        Self { relation, buffer: Buffer::default(), limit: None, plan: Plan::default() }
    }

    /// The number of the relation in its model. Derived code asks for it.
    pub fn relation(&self) -> u8 {
        self.relation
    }
}

impl Plan {
    /// Refuses a relation that is to be loaded in two ways.
    pub(crate) fn check(&self, model: &str) -> Result<()> {
        match self.conflict {
            None => Ok(()),
            Some(_) => Err(Error::new(
                ErrorKind::Misuse,
                "a relation is included twice, with other conditions: include it once, or load the second with `load`",
            )
            .with_model(model)),
        }
    }

    /// Adds relations to load. What is there already is loaded once, with all that is behind it.
    pub(crate) fn add(&mut self, include: Include) {
        let mut plan = self;
        for hop in include.route.hops().into_iter().flatten() {
            plan = &mut plan.step(Step::all(hop)).plan;
        }
        if let Some(last) = include.last {
            plan.step(last);
        }
    }

    /// The step of a relation: the one that is there, or else this one.
    fn step(&mut self, mut step: Step) -> &mut Step {
        let known = self.steps.iter().position(|other| other.relation == step.relation);
        let at = known.unwrap_or(self.steps.len());
        match self.steps.get_mut(at) {
            Some(known) => {
                if known.buffer.tokens != step.buffer.tokens
                    || known.buffer.values != step.buffer.values
                    || known.limit != step.limit
                {
                    self.conflict = Some(step.relation);
                }
                known.plan.conflict = known.plan.conflict.or(step.plan.conflict);
                for behind in std::mem::take(&mut step.plan.steps) {
                    known.plan.step(behind);
                }
            }
            None => self.steps.push(step),
        }
        #[allow(clippy::indexing_slicing, reason = "it was found there, or pushed")]
        &mut self.steps[at]
    }
}
