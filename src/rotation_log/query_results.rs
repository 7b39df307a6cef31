//! Log events in what the AWS CLI prints of `get-query-results` as text: a line for each field
//! of a row.

use std::io::{self, BufRead};

use super::{Reader, columns, lines::read_line, reader::EVENT_BYTES, rows::Rows};

/// The label of a row of `get-query-results` as text.
const RESULT_LABEL: &str = "RESULTS\t";

/// Whether the text begins as the rows of `get-query-results` do.
pub(super) fn begins(start: &[u8]) -> bool {
    let start = &start[..start.len().min(4096)];
    start.split(|byte| *byte == b'\n').take(3).any(|line| {
        let line = line.strip_prefix(RESULT_LABEL.as_bytes()).unwrap_or(line);
        [b"@timestamp\t".as_slice(), b"@message\t", b"@ptr\t", b"@logStream\t", b"@log\t"]
            .iter()
            .any(|field| line.starts_with(field))
    })
}

/// Whether the text is a table of `get-query-results`, which has no rows of its own.
pub(super) fn is_table(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    let mut lines = text.lines();
    lines.next().is_some_and(columns::is_border)
        && lines.take(40).any(|line| {
            line.starts_with('|')
                && ["@message ", "@timestamp "]
                    .iter()
                    .any(|field| line.trim_start_matches(['|', ' ']).starts_with(field))
        })
}

/// Reads the rows of `get-query-results` as text: a line for each field, of which the
/// message may have several.
///
/// # Errors
/// The input cannot be read.
pub(super) fn read(input: &mut impl BufRead, reader: &mut Reader) -> io::Result<()> {
    let mut rows = Rows::default();
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut line = Vec::new();
    while read_line(input, &mut line)? {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches('\r');
        let unlabelled = text.strip_prefix(RESULT_LABEL).unwrap_or(text);
        match unlabelled.split_once('\t').filter(|(name, _)| is_field(name)) {
            Some((name, value)) => {
                if fields.iter().any(|(known, _)| known == name) {
                    push(&mut rows, reader, &mut fields);
                }
                fields.push((name.to_owned(), value.to_owned()));
            }
            None => {
                if let Some((_, value)) =
                    fields.last_mut().filter(|(_, value)| value.len() < EVENT_BYTES)
                {
                    value.push('\n');
                    value.push_str(text);
                }
            }
        }
    }
    push(&mut rows, reader, &mut fields);
    rows.hand_over(reader);
    Ok(())
}

fn is_field(name: &str) -> bool {
    name.strip_prefix('@').is_some_and(|rest| {
        !rest.is_empty() && rest.len() < 64 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn push(rows: &mut Rows, reader: &mut Reader, fields: &mut Vec<(String, String)>) {
    rows.push_row(reader, |wanted| {
        fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    });
    fields.clear();
}
