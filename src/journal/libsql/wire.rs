//! The messages of Hrana 3, as far as a journal needs them.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use libsql::Value;
use serde::{Deserialize, Serialize};

use super::remote::Answer;

/// With or without padding: servers differ.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// Requests of one stream.
#[derive(Serialize)]
pub(super) struct Pipeline {
    /// What the server gave with its last answer; none at the beginning.
    pub(super) baton: Option<String>,
    pub(super) requests: Vec<Request>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Request {
    /// One statement.
    Execute { stmt: Stmt },
    /// Several, without parameters.
    Sequence { sql: String },
    /// The end of the stream.
    Close,
}

#[derive(Serialize)]
pub(super) struct Stmt {
    sql: String,
    args: Vec<Cell>,
    want_rows: bool,
}

impl Stmt {
    pub(super) fn new(sql: &str, values: &[Value]) -> Self {
        Self { sql: sql.to_owned(), args: values.iter().map(Cell::from).collect(), want_rows: true }
    }
}

/// A value. Integers are texts: not every JSON parser keeps 64 bits.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Cell {
    Null,
    Integer { value: String },
    Float { value: f64 },
    Text { value: String },
    Blob { base64: String },
}

impl From<&Value> for Cell {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Cell::Null,
            Value::Integer(number) => Cell::Integer { value: number.to_string() },
            Value::Real(value) => Cell::Float { value: *value },
            Value::Text(text) => Cell::Text { value: text.clone() },
            Value::Blob(bytes) => Cell::Blob { base64: BASE64.encode(bytes) },
        }
    }
}

impl Cell {
    fn value(self) -> Result<Value, Refused> {
        let wrong = |what: &str| Refused { message: format!("its answer has {what}"), code: None };
        Ok(match self {
            Cell::Null => Value::Null,
            Cell::Integer { value } => Value::Integer(value.parse().map_err(|_| wrong("a number that is none"))?),
            Cell::Float { value } => Value::Real(value),
            Cell::Text { value } => Value::Text(value),
            Cell::Blob { base64 } => Value::Blob(BASE64.decode(base64).map_err(|_| wrong("bytes that are none"))?),
        })
    }
}

/// The answer to a [`Pipeline`].
#[derive(Deserialize)]
pub(super) struct Answered {
    /// To be given with the next requests of this stream; none when it is over.
    #[serde(default)]
    pub(super) baton: Option<String>,
    /// Where they are to go, if not where these went.
    #[serde(default)]
    pub(super) base_url: Option<String>,
    pub(super) results: Vec<Outcome>,
}

/// What came of one request.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Outcome {
    Ok { response: Response },
    Error { error: Refused },
}

#[derive(Deserialize)]
pub(super) struct Response {
    #[serde(default)]
    result: Option<Rows>,
}

#[derive(Deserialize)]
struct Rows {
    #[serde(default)]
    cols: Vec<Column>,
    #[serde(default)]
    rows: Vec<Vec<Cell>>,
}

#[derive(Deserialize)]
struct Column {
    #[serde(default)]
    name: Option<String>,
}

/// Why a statement was refused.
#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    pub(super) message: String,
    #[serde(default)]
    pub(super) code: Option<String>,
}

impl Outcome {
    /// What a request brought; nothing where it brings no rows.
    pub(super) fn answer(self) -> Result<Answer, Refused> {
        let result = match self {
            Outcome::Ok { response } => response.result,
            Outcome::Error { error } => return Err(error),
        };
        let Some(Rows { cols, rows }) = result else { return Ok(Answer::default()) };
        let columns = cols.into_iter().map(|column| column.name.unwrap_or_default()).collect();
        let row = |row: Vec<Cell>| row.into_iter().map(Cell::value).collect::<Result<Vec<_>, _>>();
        Ok(Answer { columns, rows: rows.into_iter().map(row).collect::<Result<_, _>>()? })
    }
}
