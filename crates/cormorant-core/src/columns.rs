//! A set of columns, by position.

/// A set of a table's columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns([u64; 4]);

impl Columns {
    /// No column.
    pub const fn none() -> Self {
        Self([0; 4])
    }

    /// So many columns, from the first.
    pub(crate) const fn first(count: usize) -> Self {
        let count = if count < 256 { count as u32 } else { 256 };
        Self([filled(count, 0), filled(count, 64), filled(count, 128), filled(count, 192)])
    }

    /// Adds a column. A position from 256 on is passed over: no model has it.
    #[inline]
    pub fn add(&mut self, column: u16) {
        if let Some(word) = self.0.get_mut(usize::from(column / 64)) {
            *word |= 1 << (column % 64);
        }
    }

    /// Adds columns.
    pub(crate) fn extend(&mut self, columns: &[u16]) {
        columns.iter().for_each(|column| self.add(*column));
    }

    /// Whether a column is in the set.
    #[inline]
    pub fn contains(&self, column: u16) -> bool {
        self.0.get(usize::from(column / 64)).is_some_and(|word| word >> (column % 64) & 1 == 1)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// The columns, in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + use<> {
        let mut words = self.0;
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                let word = words.get_mut(at)?;
                if *word != 0 {
                    let bit = word.trailing_zeros() as usize;
                    // Takes the lowest bit away.
                    *word &= *word - 1;
                    return Some((at * 64 + bit) as u16);
                }
                at += 1;
            }
        })
    }
}

/// The word of the columns from `start` on, with those below `count` in it.
const fn filled(count: u32, start: u32) -> u64 {
    match count.saturating_sub(start) {
        0 => 0,
        more @ 1..64 => (1 << more) - 1,
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_in_order() {
        let mut columns = Columns::none();
        for column in [255, 0, 64, 63, 7, 256, 999] {
            columns.add(column);
        }
        assert_eq!(columns.iter().collect::<Vec<_>>(), [0, 7, 63, 64, 255]);
        assert_eq!(Columns::none().iter().next(), None);
    }

    #[test]
    fn the_first_columns_are_those_below() {
        for count in [0, 1, 5, 63, 64, 65, 128, 200, 256] {
            assert!(Columns::first(count).iter().eq(0..count as u16), "{count}");
        }
        assert_eq!(Columns::first(999), Columns::first(256));
    }
}
