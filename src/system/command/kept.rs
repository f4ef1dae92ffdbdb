//! What is kept of an output stream: its beginning and its end.

use std::collections::VecDeque;

/// The first and the last bytes of an output stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    limit: usize,
    total: u64,
}

impl Kept {
    /// Nothing yet; `limit` bytes at most, half of them from the beginning.
    pub(super) fn new(limit: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), limit, total: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (self.limit / 2).saturating_sub(self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        let most = self.limit - self.limit / 2;
        let rest = &rest[rest.len().saturating_sub(most)..];
        self.tail.extend(rest);
        self.tail.drain(..self.tail.len().saturating_sub(most));
    }

    /// How many bytes were not kept.
    pub fn left_out(&self) -> u64 {
        self.total - (self.head.len() + self.tail.len()) as u64
    }

    /// All of it; `None` when a part was left out.
    pub fn whole(&self) -> Option<Vec<u8>> {
        (self.left_out() == 0).then(|| self.head.iter().chain(&self.tail).copied().collect())
    }

    /// As text; what is no UTF-8 becomes `�`. A line says how much was left out, and where.
    pub fn text(&self) -> String {
        let mut tail: Vec<u8> = self.tail.iter().copied().collect();
        if self.left_out() == 0 {
            let mut whole = self.head.clone();
            whole.append(&mut tail);
            return String::from_utf8_lossy(&whole).into_owned();
        }
        // A character that was cut in two is left out as well.
        let head = match std::str::from_utf8(&self.head) {
            Err(error) if error.error_len().is_none() => &self.head[..error.valid_up_to()],
            _ => &self.head[..],
        };
        let begin = tail.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
        let left_out = self.total - (head.len() + tail.len() - begin) as u64;
        let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(&tail[begin..]));
        format!("{head}\n… {left_out} bytes left out …\n{tail}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(limit: usize, chunks: &[&str]) -> Kept {
        let mut kept = Kept::new(limit);
        for chunk in chunks {
            kept.push(chunk.as_bytes());
        }
        kept
    }

    #[test]
    fn up_to_the_limit_everything_is_kept() {
        let whole = kept(10, &["abc", "", "defg", "hij"]);
        assert_eq!((whole.text().as_str(), whole.left_out()), ("abcdefghij", 0));
        assert_eq!(whole.whole(), Some(b"abcdefghij".to_vec()));
        assert_eq!(kept(10, &["abcdefghij", "k"]).whole(), None);
    }

    #[test]
    fn beyond_it_the_beginning_and_the_end_are_however_it_comes() {
        let expected = "abcde\n… 11 bytes left out …\nvwxyz";
        let alphabet = "abcde0123456789#vwxyz";
        assert_eq!(kept(10, &[alphabet]).text(), expected);
        let single: Vec<String> = alphabet.chars().map(String::from).collect();
        let single: Vec<&str> = single.iter().map(String::as_str).collect();
        assert_eq!(kept(10, &single).text(), expected);
    }

    #[test]
    fn characters_are_not_cut_in_two() {
        assert_eq!(kept(6, &["aé€€€éb"]).text(), "aé\n… 9 bytes left out …\néb");
        assert_eq!(kept(8, &["ab€€€€€xy"]).text(), "ab\n… 15 bytes left out …\nxy");
    }
}
