//! `_migrations(id, filename, applied_at, checksum)`: the table that many scripts of one's own keep. Which digest its checksums are
//! is learnt from its rows; SHA-256 where there are none yet.

use crate::model::{Fault, Value};
use crate::primitives::migrate::version::Version;
use crate::system::{hex, hex_sha384, hex_sha512};

use super::{Ask, Column, Entry, Ledger, Row, Write};

pub(super) const TABLE: &str = "_migrations";

#[derive(Clone, Copy)]
enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

pub(super) struct Listed {
    digest: Digest,
    /// `id`, where a text is wanted; a number is given by the table itself.
    id: bool,
    applied_at: Option<Moment>,
}

/// How moments are written. `None` where the table does it itself.
#[derive(Clone, Copy)]
enum Moment {
    Text,
    Seconds,
    Milliseconds,
}

impl Listed {
    pub(super) fn of(ask: &Ask<'_>, columns: &[Column]) -> Result<Box<dyn Ledger>, Fault> {
        let found =
            ask.rows("SELECT max(length(checksum)), min(length(checksum)), max(applied_at) FROM _migrations", &[])?;
        let row = found.rows.first().cloned().unwrap_or_default();
        let digest = match (row.first(), row.get(1)) {
            (None | Some(Value::Null), _) | (Some(Value::Int(64)), Some(Value::Int(64))) => Digest::Sha256,
            (Some(Value::Int(96)), Some(Value::Int(96))) => Digest::Sha384,
            (Some(Value::Int(128)), Some(Value::Int(128))) => Digest::Sha512,
            _ => {
                let hint =
                    "SHA-256, SHA-384 and SHA-512 in hexadecimal digits are known; carry on with the tool that made it";
                return Err(ask.odd(TABLE, "has checksums of a kind that is not known", hint));
            }
        };
        let column = |name: &str| columns.iter().find(|column| column.name == name);
        let is_number = |kind: &str| kind.contains("INT") || kind.contains("REAL") || kind.contains("NUM");
        let id = column("id").is_some_and(|id| !is_number(&id.kind) && !id.has_default);
        let applied_at = column("applied_at").filter(|at| !at.has_default).map(|at| match row.get(2) {
            Some(Value::Int(moment)) if *moment > 100_000_000_000 => Moment::Milliseconds,
            Some(Value::Int(_) | Value::Float(_)) => Moment::Seconds,
            None | Some(Value::Null) if is_number(&at.kind) => Moment::Seconds,
            _ => Moment::Text,
        });
        Ok(Box::new(Self { digest, id, applied_at }))
    }
}

impl Ledger for Listed {
    fn table(&self) -> &'static str {
        TABLE
    }

    fn entries(&self, ask: &Ask<'_>) -> Result<Vec<Entry>, Fault> {
        let rows = ask.rows("SELECT filename, checksum FROM _migrations", &[])?;
        let entry = |row: &Vec<Value>| {
            let file = row[0].to_string();
            let digits: String = file.chars().take_while(char::is_ascii_digit).collect();
            let version = Version::parse(&digits).ok_or_else(|| {
                let why = format!("has the file `{file}`, which does not begin with a version");
                ask.odd(TABLE, &why, "rename it there and in the directory of migrations")
            })?;
            let checksum = (row[1] != Value::Null).then(|| row[1].to_string().to_ascii_lowercase());
            Ok(Entry { version, checksum, key: None })
        };
        rows.rows.iter().map(entry).collect()
    }

    fn checksum(&self, bytes: &[u8]) -> Option<String> {
        Some(match self.digest {
            Digest::Sha256 => hex(bytes),
            Digest::Sha384 => hex_sha384(bytes),
            Digest::Sha512 => hex_sha512(bytes),
        })
    }

    fn insert(&self, row: &Row<'_>) -> Vec<Write> {
        let up = &row.migration.up;
        let mut columns = vec!["filename", "checksum"];
        let mut values = vec![Value::from(up.name.as_str()), self.checksum(&up.bytes).map_or(Value::Null, Value::from)];
        if let Some(moment) = self.applied_at {
            columns.push("applied_at");
            values.push(match moment {
                Moment::Text => Value::from(row.at.to_string()),
                Moment::Seconds => Value::Int(row.at.as_second()),
                Moment::Milliseconds => Value::Int(row.at.as_millisecond()),
            });
        }
        if self.id {
            columns.push("id");
            values.push(Value::from(row.migration.version.text()));
        }
        let marks = vec!["?"; columns.len()].join(", ");
        vec![(format!("INSERT INTO _migrations ({}) VALUES ({marks})", columns.join(", ")), values)]
    }

    fn delete(&self, version: &Version, _: Option<&Version>) -> Vec<Write> {
        // The digits at the beginning of the name, without leading zeros: `CAST` stops at the first character that is none.
        let sql = "DELETE FROM _migrations WHERE CAST(filename AS INTEGER) = CAST(? AS INTEGER)";
        vec![(sql.to_owned(), vec![Value::from(version.text())])]
    }
}
