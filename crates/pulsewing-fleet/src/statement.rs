//! A statement with its parameters, as a value: it can be repeated, and shows none of them.

use std::{error::Error, fmt};

use bytes::BytesMut;
use jiff::civil::Date;
use tokio_postgres::types::{IsNull, ToSql, Type};

/// A statement of the program's own text, and its parameters.
///
/// It is sent with its types, without being prepared: one round trip, and nothing of it stays with a
/// connection, so that a pooler between us and the server may give each transaction another one.
pub(crate) struct Statement<'a> {
    pub(crate) sql: &'static str,
    params: Vec<(Hidden<'a>, Type)>,
}

impl<'a> Statement<'a> {
    pub(crate) const fn new(sql: &'static str) -> Self {
        Self {
            sql,
            params: Vec::new(),
        }
    }

    /// Adds the next parameter, `$1` first.
    pub(crate) fn with<T: Typed>(mut self, value: &'a T) -> Self {
        self.params.push((Hidden(value), T::TYPE));
        self
    }

    pub(crate) fn params(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        let params = self.params.iter();
        params
            .map(|(value, ty)| (value as &(dyn ToSql + Sync), ty.clone()))
            .collect()
    }
}

/// A type whose values can be parameters.
pub(crate) trait Typed: ToSql + Sync {
    const TYPE: Type;
}

impl Typed for bool {
    const TYPE: Type = Type::BOOL;
}
impl Typed for i16 {
    const TYPE: Type = Type::INT2;
}
impl Typed for i32 {
    const TYPE: Type = Type::INT4;
}
impl Typed for i64 {
    const TYPE: Type = Type::INT8;
}
impl Typed for f64 {
    const TYPE: Type = Type::FLOAT8;
}
impl Typed for &str {
    const TYPE: Type = Type::TEXT;
}
impl Typed for String {
    const TYPE: Type = Type::TEXT;
}
impl Typed for &[u8] {
    const TYPE: Type = Type::BYTEA;
}
impl Typed for Vec<u8> {
    const TYPE: Type = Type::BYTEA;
}
impl Typed for Vec<String> {
    const TYPE: Type = Type::TEXT_ARRAY;
}
impl Typed for Date {
    const TYPE: Type = Type::DATE;
}
impl Typed for Vec<Date> {
    const TYPE: Type = Type::DATE_ARRAY;
}
impl Typed for Vec<i32> {
    const TYPE: Type = Type::INT4_ARRAY;
}
impl Typed for Vec<Option<i32>> {
    const TYPE: Type = Type::INT4_ARRAY;
}
impl Typed for Vec<i64> {
    const TYPE: Type = Type::INT8_ARRAY;
}
impl Typed for Vec<&str> {
    const TYPE: Type = Type::TEXT_ARRAY;
}
impl Typed for Vec<&[u8]> {
    const TYPE: Type = Type::BYTEA_ARRAY;
}
impl<T: Typed> Typed for Option<T> {
    const TYPE: Type = T::TYPE;
}

/// A parameter. The driver's log prints parameters with `Debug`, and this one does not tell.
struct Hidden<'a>(&'a (dyn ToSql + Sync));

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

impl ToSql for Hidden<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql_checked(ty, out)
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql_checked(ty, out)
    }

    fn accepts(_: &Type) -> bool {
        // Only the value knows; `to_sql` asks it.
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_sent_and_not_shown() {
        let (number, text) = (70_001_i64, "a secret");
        let statement = Statement::new("select $1, $2").with(&number).with(&text);
        let params = statement.params();
        assert_eq!(format!("{params:?}"), "[(_, Int8), (_, Text)]");
        let mut sent = BytesMut::new();
        for (value, ty) in params {
            value.to_sql_checked(&ty, &mut sent).unwrap();
        }
        assert_eq!(&sent[..], b"\0\0\0\0\0\x01\x11\x71a secret");
    }
}
