//! UTF-16 → UTF-8: what Windows PowerShell writes where a command's output is sent to a
//! file.

use std::io::{self, BufRead, Read};

/// Bytes that are decoded at once.
const CHUNK: usize = 16 * 1024;

/// The order of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// The order that a byte order mark tells, where the text begins with one.
pub(super) fn order_of(start: &[u8]) -> Option<Order> {
    match start {
        [0xff, 0xfe, ..] => Some(Order::Little),
        [0xfe, 0xff, ..] => Some(Order::Big),
        _ => None,
    }
}

/// A text in UTF-16, read as UTF-8. What is no UTF-16 becomes U+FFFD.
pub(super) struct Decoder<R> {
    input: R,
    order: Order,
    /// The first half of a pair that the next chunk completes.
    units: Vec<u16>,
    out: Vec<u8>,
    at: usize,
}

impl<R: BufRead> Decoder<R> {
    pub(super) fn new(input: R, order: Order) -> Self {
        Self { input, order, units: Vec::new(), out: Vec::new(), at: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.input.by_ref().take(CHUNK as u64).read_to_end(&mut bytes)?;
        let last = bytes.len() < CHUNK;
        self.units.extend(bytes.chunks_exact(2).map(|pair| match self.order {
            Order::Little => u16::from_le_bytes([pair[0], pair[1]]),
            Order::Big => u16::from_be_bytes([pair[0], pair[1]]),
        }));
        let is_first_half = |unit: &u16| (0xd800..0xdc00).contains(unit);
        let kept = self.units.pop_if(|unit| !last && is_first_half(unit));
        self.out.clear();
        self.at = 0;
        for character in char::decode_utf16(self.units.drain(..)) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.units.extend(kept);
        Ok(())
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Decoder<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.out.len() {
            self.refill()?;
        }
        Ok(&self.out[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.out.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_and_pairs_over_a_chunk_are_read() {
        let text = format!("{}\u{1f600} é\r\n", "x".repeat(CHUNK / 2 - 1));
        for order in [Order::Little, Order::Big] {
            let bytes: Vec<u8> = text
                .encode_utf16()
                .flat_map(|unit| match order {
                    Order::Little => unit.to_le_bytes(),
                    Order::Big => unit.to_be_bytes(),
                })
                .collect();
            let mut decoded = String::new();
            Decoder::new(bytes.as_slice(), order).read_to_string(&mut decoded).expect("memory");
            assert_eq!(decoded, text, "{order:?}");
        }
    }
}
