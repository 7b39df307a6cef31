//! The source lines of a traceback: they quote the function's code, so nothing in them was
//! printed as a value.

use std::sync::LazyLock;

use regex::Regex;

static FRAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^\s*File "[^"]+", line \d+\b"#).expect("a constant pattern"));

/// Removes source lines from the lines of one invocation, in their order: a traceback may
/// be one record or a record for each of its lines.
#[derive(Debug, Default)]
pub(super) struct SourceLines {
    /// The indentation of the frame whose source lines follow.
    frame: Option<usize>,
}

impl SourceLines {
    /// The text of the next record without source lines.
    pub(super) fn remove(&mut self, text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        let mut kept = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let marked = lines.get(index + 1).is_some_and(|next| is_marker(next));
            if !self.is_source(line) && !marked {
                kept.push(*line);
            }
        }
        kept.join("\n")
    }

    fn is_source(&mut self, line: &str) -> bool {
        let indent = line.len() - line.trim_start().len();
        if FRAME.is_match(line) {
            self.frame = Some(indent);
            return false;
        }
        match self.frame {
            // An export that trims its lines: the one after a frame is the source.
            Some(0) => {
                self.frame = None;
                true
            }
            // Newer versions of Python quote a statement of several lines whole.
            Some(frame) if indent > frame => true,
            _ => {
                self.frame = None;
                false
            }
        }
    }
}

/// `^^^^` or `~~~^^^` below the part of a source line that failed.
fn is_marker(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.chars().all(|c| matches!(c, '^' | '~' | ' '))
}

#[cfg(test)]
mod tests {
    use super::SourceLines;

    const TRACEBACK: &str = "[ERROR] ClientError: denied
Traceback (most recent call last):
  File \"/var/task/lambda_function.py\", line 60, in lambda_handler
    create_secret(service_client, arn, token)
  File \"/var/task/lambda_function.py\", line 102, in create_secret
    passwd = service_client.get_random_password(
             ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~^
        ExcludeCharacters=characters)
ClientError: password=(redacted)";

    #[test]
    fn source_lines_go_and_messages_stay() {
        let left = SourceLines::default().remove(TRACEBACK);
        assert!(!left.contains("passwd") && !left.contains("Exclude"), "{left}");
        assert!(left.contains("line 102, in create_secret"), "{left}");
        assert!(left.ends_with("\nClientError: password=(redacted)"), "{left}");
    }

    #[test]
    fn a_record_for_each_line_is_one_traceback() {
        let mut lines = SourceLines::default();
        let left: Vec<String> = TRACEBACK.lines().map(|line| lines.remove(line)).collect();
        assert!(!left.concat().contains("passwd"), "{left:?}");
        let mut lines = SourceLines::default();
        let left: Vec<String> = TRACEBACK.lines().map(|line| lines.remove(line.trim())).collect();
        assert!(!left.concat().contains("passwd"), "{left:?}");
        assert_eq!(left.last().map(String::as_str), Some("ClientError: password=(redacted)"));
    }

    #[test]
    fn a_printed_value_stays() {
        let text = "connecting with\n    password=(redacted)";
        assert_eq!(SourceLines::default().remove(text), text);
    }
}
