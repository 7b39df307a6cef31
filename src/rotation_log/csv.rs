//! Log events in a CSV file: the console's export and that of Logs Insights.

use std::{
    cell::Cell,
    io::{self, BufRead, Read},
    rc::Rc,
};

use ::csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::{
    Reader,
    rows::{MESSAGE, Rows, STREAM, TIMESTAMP},
};

/// Bytes of one record. An event of CloudWatch Logs has 1 MiB at most, and quotes are
/// doubled: what is longer has a quote that was never closed.
const RECORD_BYTES: usize = 4 << 20;
/// What may stand between two cells.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// What separates the cells, where the text's first line names the columns of a log:
/// a message, and a time or a stream.
pub(super) fn delimiter_of_header(start: &[u8]) -> Option<u8> {
    let line = start.split(|byte| *byte == b'\n').next()?.trim_ascii_end();
    DELIMITERS.into_iter().find(|&delimiter| {
        let mut reader =
            ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line);
        let Some(Ok(names)) = reader.records().next() else { return false };
        let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.trim()));
        has(&MESSAGE) && (has(&TIMESTAMP) || has(&STREAM)) || names == vec!["@message"]
    })
}

/// Reads a table, its first line included.
///
/// # Errors
/// The input cannot be read, or a record is longer than any event.
pub(super) fn read(input: impl BufRead, delimiter: u8, reader: &mut Reader) -> io::Result<()> {
    let left = Rc::new(Cell::new(RECORD_BYTES));
    let limited = Limited { input, left: Rc::clone(&left) };
    let mut table = ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(limited);
    let columns = table.headers().map_err(io_error)?.clone();
    let (mut rows, mut record) = (Rows::default(), ::csv::ByteRecord::new());
    loop {
        left.set(RECORD_BYTES);
        if !table.read_byte_record(&mut record).map_err(io_error)? {
            break;
        }
        let record = StringRecord::from_byte_record_lossy(record.clone());
        rows.push_row(reader, |name| {
            let at = columns.iter().position(|column| column.trim() == name)?;
            // A row that is too short is a message alone.
            record.get(at.min(record.len().saturating_sub(1)))
        });
    }
    rows.hand_over(reader);
    Ok(())
}

fn io_error(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}")),
    }
}

/// An input of which only so many bytes may be read until more are granted.
struct Limited<R> {
    input: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let left = self.left.get().checked_sub(read).ok_or_else(|| {
            let what = "a record of the CSV is longer than any log event: a quote is not closed";
            io::Error::new(io::ErrorKind::InvalidData, what)
        })?;
        self.left.set(left);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation_log::Options;

    #[test]
    fn a_header_names_a_message_and_more() {
        for (header, delimiter) in [
            ("@timestamp,@message\r\n", b','),
            ("timestamp;message", b';'),
            ("@message\t@logStream\t@timestamp", b'\t'),
            ("@message", b','),
        ] {
            assert_eq!(delimiter_of_header(header.as_bytes()), Some(delimiter), "{header}");
        }
        for other in ["message", "START RequestId: x", "the message, at this timestamp", ""] {
            assert_eq!(delimiter_of_header(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_is_an_error_and_not_memory() {
        let start = b"timestamp,message\n1795960127082,\"".as_slice();
        let input = io::BufReader::new(start.chain(io::repeat(b'x')));
        let error = read(input, b',', &mut Reader::new(Options::default())).expect_err("too long");
        assert!(error.to_string().contains("quote is not closed"), "{error}");
    }
}
