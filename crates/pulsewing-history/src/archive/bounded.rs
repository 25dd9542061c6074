//! Reading with a limit.

use std::{
    cell::Cell,
    io::{self, Read, Seek, SeekFrom},
    rc::Rc,
};

use super::FileError;

/// A reader that returns an error when its budget is used up. Several readers may share a budget.
pub(super) struct Bounded<R> {
    inner: R,
    left: Rc<Cell<u64>>,
    beyond: Box<dyn Fn() -> FileError>,
}

impl<R> Bounded<R> {
    pub(super) fn new(
        inner: R,
        left: Rc<Cell<u64>>,
        beyond: impl Fn() -> FileError + 'static,
    ) -> Self {
        Self {
            inner,
            left,
            beyond: Box::new(beyond),
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.get().checked_sub(count as u64) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other((self.beyond)())),
        }
        Ok(count)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_ends_where_its_budget_does() {
        let budget = Rc::new(Cell::new(10));
        let mut bounded = Bounded::new(&[0; 11][..], budget, || FileError::Bomb);
        let mut buffer = [0; 6];
        assert_eq!(bounded.read(&mut buffer).unwrap(), 6);
        let error = bounded.read(&mut buffer).unwrap_err();
        assert!(error.to_string().contains("200 times"), "{error}");
    }
}
