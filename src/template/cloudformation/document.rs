//! A template's text as nodes with their places: YAML with short intrinsics, or JSON.
//! `intrinsics` says what a node means.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::Value;

use crate::template::TemplateError;

/// A place in the file, from 1; 0 where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// A value of the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) at: Mark,
    /// Where its key stands, if it has one.
    pub(super) key: Mark,
    pub(super) kind: Kind,
}

/// What it is. A number keeps its spelling: `16.10` is a version too.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// A file, read.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    /// What is odd about it.
    pub(super) notes: Vec<String>,
}

/// How deep values may be nested; CloudFormation's own templates stay below 20.
const DEEPEST: usize = 100;
/// How many values a file may have, aliases expanded: a template of a megabyte, which
/// is the most that CloudFormation takes, has fewer.
const MOST_NODES: usize = 400_000;

impl Node {
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, n)| n),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// A scalar as it is written.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => Some(text),
            Kind::Bool(true) => Some("true"),
            Kind::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The items of a list; a single value counts as a list of one.
    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List(list) => list,
            Kind::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// Whether both say the same, wherever they stand.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::List(own), Kind::List(others)) => {
                own.len() == others.len()
                    && own.iter().zip(others).all(|(own, other)| own.says_the_same(other))
            }
            (Kind::Map(own), Kind::Map(others)) => {
                let same = |(name, node): &(String, Self)| {
                    other.get(name).is_some_and(|other| node.says_the_same(other))
                };
                own.len() == others.len() && own.iter().all(same)
            }
            (own, other) => own == other,
        }
    }

    fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::List(list) => list.iter().map(Self::size).sum(),
            Kind::Map(entries) => entries.iter().map(|(_, node)| node.size()).sum(),
            _ => 0,
        }
    }

    fn depth(&self) -> usize {
        1 + match &self.kind {
            Kind::List(list) => list.iter().map(Self::depth).max().unwrap_or(0),
            Kind::Map(entries) => entries.iter().map(|(_, n)| n.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// Reads a template's text.
///
/// # Errors
/// Where it is neither YAML nor JSON, where it is cut off, too deep or too large, and
/// where it holds several documents.
pub(super) fn read(text: &str) -> Result<Document, TemplateError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let error = match read_yaml(text) {
        Ok(document) => return Ok(document),
        Err(Refusal::Kind(error)) => return Err(error),
        Err(Refusal::Scan { at, what }) if what.contains(TOO_FAR_LEFT) => {
            match read_indented(text, at.line) {
                Some(document) => return Ok(document),
                None => syntax(at, &what),
            }
        }
        Err(Refusal::Scan { at, what }) => syntax(at, &what),
    };
    // JSON has a few spellings that YAML lacks.
    match serde_json::from_str::<Value>(text) {
        Ok(value) => Ok(Document { root: of_json(value), notes: Vec::new() }),
        Err(_) => Err(error),
    }
}

/// What the parser says of a line inside brackets that stands no further right than the
/// key before them. YAML 1.2 forbids it, YAML 1.1 as CloudFormation reads it does not,
/// and a closing bracket often stands there.
const TOO_FAR_LEFT: &str = "invalid indentation";
/// How often a file is read again with one more line moved.
const MOST_MOVES: usize = 60;

/// Reads the text with the lines moved to the right that stand too far left: those with
/// closing brackets alone at once, others one after the other.
fn read_indented(text: &str, first: u32) -> Option<Document> {
    let closes = |line: &str| {
        let plain = line.trim();
        !plain.is_empty() && plain.chars().all(|c| matches!(c, ']' | '}' | ','))
    };
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| if closes(line) { format!("{FURTHER_RIGHT}{line}") } else { line.to_owned() })
        .collect();
    let mut moved = first;
    for _ in 0..MOST_MOVES {
        match read_yaml(&lines.join("\n")) {
            Ok(document) => return Some(document),
            Err(Refusal::Scan { at, what }) if what.contains(TOO_FAR_LEFT) && at.line >= moved => {
                let line = lines.get_mut(usize::try_from(at.line).ok()?.checked_sub(1)?)?;
                if line.starts_with(FURTHER_RIGHT) {
                    return None;
                }
                line.insert_str(0, FURTHER_RIGHT);
                moved = at.line;
            }
            Err(_) => return None,
        }
    }
    None
}

const FURTHER_RIGHT: &str = "                                                            ";

/// Why a text is no document.
enum Refusal {
    /// The parser stopped.
    Scan { at: Mark, what: String },
    /// Anything else.
    Kind(TemplateError),
}

impl From<TemplateError> for Refusal {
    fn from(error: TemplateError) -> Self {
        Self::Kind(error)
    }
}

fn of_json(value: Value) -> Node {
    let kind = match value {
        Value::Null => Kind::Null,
        Value::Bool(bool) => Kind::Bool(bool),
        Value::Number(number) => Kind::Number(number.to_string()),
        Value::String(text) => Kind::Text(text),
        Value::Array(list) => Kind::List(list.into_iter().map(of_json).collect()),
        Value::Object(object) => {
            Kind::Map(object.into_iter().map(|(key, value)| (key, of_json(value))).collect())
        }
    };
    Node { at: Mark::default(), key: Mark::default(), kind }
}

/// A list or a map that is being read.
struct Open {
    node: Node,
    /// The key whose value comes next.
    key: Option<Key>,
    anchor: usize,
    tag: Option<String>,
}

struct Key {
    name: String,
    at: Mark,
    /// The name below it: of `!ImportValue Fn::Sub: x` in one line the tag is the key's.
    below: Option<String>,
}

struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    notes: Vec<String>,
}

fn syntax(at: Mark, what: &str) -> TemplateError {
    TemplateError::Syntax(format!(
        "line {}, column {}: {what}. A template is one document of YAML or JSON",
        at.line, at.column
    ))
}

fn read_yaml(text: &str) -> Result<Document, Refusal> {
    let mut reader = Reader {
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        nodes: 0,
        notes: Vec::new(),
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = Mark {
                line: number(error.marker().line()),
                column: number(error.marker().col() + 1),
            };
            Refusal::Scan { at, what: error.info().to_owned() }
        })?;
        reader.take(event, span)?;
    }
    let root = reader.root.ok_or_else(|| {
        TemplateError::WrongKind("the file is empty: it holds no template".to_owned())
    })?;
    Ok(Document { root, notes: reader.notes })
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl Reader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), TemplateError> {
        let at = Mark { line: number(span.start.line()), column: number(span.start.col() + 1) };
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err(TemplateError::WrongKind(
                "the file holds several YAML documents, and a template is one: give each its own \
                 file"
                    .to_owned(),
            )),
            Event::Scalar(text, style, anchor, tag) => {
                let node = scalar(&text, style, tag.as_deref(), at);
                self.add(node, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open_one(Kind::List(Vec::new()), anchor, tag.as_deref(), at)
            }
            Event::MappingStart(anchor, tag) => {
                self.open_one(Kind::Map(Vec::new()), anchor, tag.as_deref(), at)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { node, anchor, tag, .. }) => {
                    let at = node.at;
                    self.add(tagged(node, tag.as_deref(), at), anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(syntax(at, "an alias stands inside of what it names"));
                };
                self.nodes += node.size();
                if self.open.len() + node.depth() > DEEPEST {
                    return Err(too_deep(at));
                }
                self.add(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn open_one(
        &mut self,
        kind: Kind,
        anchor: usize,
        tag: Option<&Tag>,
        at: Mark,
    ) -> Result<(), TemplateError> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep(at));
        }
        let tag = tag.and_then(short_tag);
        self.open.push(Open {
            node: Node { at, key: Mark::default(), kind },
            key: None,
            anchor,
            tag,
        });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), TemplateError> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(syntax(
                node.at,
                "the file has too many values, or its aliases expand to too many",
            ));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        match &mut open.node.kind {
            Kind::List(list) => list.push(node),
            Kind::Map(entries) => match open.key.take() {
                None => open.key = Some(key_of(&node)?),
                Some(Key { name, at, below }) => {
                    let node = match below {
                        Some(below) => {
                            Node { at: node.at, key: at, kind: Kind::Map(vec![(below, node)]) }
                        }
                        None => Node { key: at, ..node },
                    };
                    if name == "<<" {
                        merge(entries, node);
                    } else if let Some((_, earlier)) =
                        entries.iter_mut().find(|(key, _)| *key == name)
                    {
                        self.notes.push(format!(
                            "line {}: {name} stands twice in one map; the last one was taken",
                            at.line
                        ));
                        *earlier = node;
                    } else {
                        entries.push((name, node));
                    }
                }
            },
            _ => {}
        }
        Ok(())
    }
}

/// A node as the key of what follows.
fn key_of(node: &Node) -> Result<Key, TemplateError> {
    let at = node.at;
    let named = |name: &str| Key { name: name.to_owned(), at, below: None };
    match &node.kind {
        Kind::Null => Ok(named("")),
        Kind::Map(entries) => match entries.as_slice() {
            [(tag, inner)] if inner.text().is_some() => {
                Ok(Key { below: inner.text().map(str::to_owned), ..named(tag) })
            }
            _ => Err(syntax(at, "a key is a list or a map, and must be a name")),
        },
        _ => match node.text() {
            Some(name) => Ok(named(name)),
            None => Err(syntax(at, "a key is a list or a map, and must be a name")),
        },
    }
}

fn too_deep(at: Mark) -> TemplateError {
    syntax(at, "values are nested too deep")
}

/// `<<`: what stands in the map itself wins.
fn merge(entries: &mut Vec<(String, Node)>, from: Node) {
    let sources = match from.kind {
        Kind::List(list) => list,
        _ => vec![from],
    };
    for (key, node) in sources.iter().flat_map(|source| source.entries()) {
        if !entries.iter().any(|(name, _)| name == key) {
            entries.push((key.clone(), node.clone()));
        }
    }
}

/// The name of a short intrinsic; none for the tags of YAML itself.
fn short_tag(tag: &Tag) -> Option<String> {
    (!tag.is_yaml_core_schema() && !matches!(tag.suffix.as_str(), "" | "!"))
        .then(|| tag.suffix.clone())
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Mark) -> Node {
    let as_text = style != ScalarStyle::Plain
        || tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    let kind = if as_text { Kind::Text(text.to_owned()) } else { plain(text) };
    let node = Node { at, key: Mark::default(), kind };
    tagged(node, tag.and_then(short_tag).as_deref(), at)
}

fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ if is_number(text) => Kind::Number(text.to_owned()),
        _ => Kind::Text(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.parse::<f64>().is_ok()
}

/// `!Ref X` is `{Ref: X}`, `!Sub X` is `{Fn::Sub: X}`.
fn tagged(node: Node, tag: Option<&str>, at: Mark) -> Node {
    let Some(tag) = tag else { return node };
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        _ => format!("Fn::{}", tag.trim_start_matches("Fn::")),
    };
    Node { at, key: Mark::default(), kind: Kind::Map(vec![(name, node)]) }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Mark, Node, read};

    fn root(text: &str) -> Node {
        read(text).expect(text).root
    }

    fn error(text: &str) -> String {
        read(text).expect_err("an error").to_string()
    }

    #[test]
    fn short_intrinsics_and_places_are_read() {
        let node = root("a:\n  b: !Ref X\n  c: !GetAtt [Y, Arn]\n  d: !Sub '${X}'\n");
        let b = node.get("a").and_then(|a| a.get("b")).expect("b");
        assert_eq!(b.get("Ref").and_then(Node::text), Some("X"));
        assert_eq!(b.at, Mark { line: 2, column: 6 });
        let c = node.get("a").and_then(|a| a.get("c")?.get("Fn::GetAtt")).expect("c");
        assert_eq!(c.items().len(), 2);
        let d = node.get("a").and_then(|a| a.get("d")?.get("Fn::Sub")).expect("d");
        assert_eq!(d.text(), Some("${X}"));
    }

    #[test]
    fn brackets_may_close_below_their_key() {
        let node = root("a:\n  b: [\n    1, 2\n  ]\n  c: {\n  d: 3\n  }\n  e: 4\n");
        let a = node.get("a").expect("a");
        assert_eq!(a.get("b").map(|b| b.items().len()), Some(2));
        assert_eq!(a.get("c").and_then(|c| c.get("d")?.text()), Some("3"));
        assert_eq!(a.get("e").map(|e| e.at.line), Some(8));
    }

    #[test]
    fn a_tag_before_a_key_in_one_line_is_that_of_the_pair() {
        let node = root("a: [!ImportValue Fn::Sub: '${X}', b]");
        let first = &node.get("a").expect("a").items()[0];
        let inner = first.get("Fn::ImportValue").and_then(|it| it.get("Fn::Sub"));
        assert_eq!(inner.and_then(Node::text), Some("${X}"));
        let b = root("Resources:\n  A:\n    Type: T\n");
        let a = b.get("Resources").and_then(|r| r.get("A")).expect("A");
        assert_eq!((a.key.line, a.at.line), (2, 3));
    }

    #[test]
    fn json_has_places_and_odd_json_is_read_all_the_same() {
        let node = root("{\n  \"a\": {\n    \"b\": [1, true, null, \"x\"]}}");
        let b = node.get("a").and_then(|a| a.get("b")).expect("b");
        assert_eq!((b.at.line, b.items().len()), (3, 4));
        assert_eq!(b.items()[0].kind, Kind::Number("1".into()));
        let odd = root("{\"a\": \"\\ud83d\\ude00\",\n\t\"b\":\t\"c\"}");
        assert_eq!(odd.get("a").and_then(Node::text), Some("😀"));
    }

    #[test]
    fn numbers_keep_their_spelling_and_dates_are_text() {
        let node = root("a: 16.10\nb: 2012-10-17\nc: 012345678901\nd: '1'\ne: yes\n");
        assert_eq!(node.get("a").map(|n| &n.kind), Some(&Kind::Number("16.10".into())));
        assert_eq!(node.get("b").map(|n| &n.kind), Some(&Kind::Text("2012-10-17".into())));
        assert_eq!(node.get("c").and_then(Node::text), Some("012345678901"));
        assert_eq!(node.get("d").map(|n| &n.kind), Some(&Kind::Text("1".into())));
        assert_eq!(node.get("e").and_then(Node::text), Some("yes"));
    }

    #[test]
    fn aliases_are_expanded_and_merged_within_limits() {
        let node = root("x: &x {a: 1, b: 2}\ny: *x\nz:\n  <<: *x\n  a: 3\n");
        assert_eq!(node.get("y").and_then(|y| y.get("b")?.text()), Some("2"));
        assert_eq!(node.get("z").and_then(|z| z.get("b")?.text()), Some("2"));
        assert_eq!(node.get("z").and_then(|z| z.get("a")?.text()), Some("3"));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            let all = [below.as_str(); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{all}]\n"));
        }
        assert!(error(&bomb).contains("too many"), "{}", error(&bomb));
        assert!(error("a: &a [*a]").contains("alias"));
    }

    #[test]
    fn bad_files_are_told_with_line_and_column() {
        assert!(error("a: [1, 2").starts_with("line "), "{}", error("a: [1, 2"));
        assert!(error("a: b\n---\nc: d\n").contains("several YAML documents"));
        assert!(error("").contains("empty"));
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        assert!(error(&deep).contains("deep"), "{}", error(&deep));
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        error(&deep);
        let stairs: String = (0..150).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        assert!(error(&stairs).contains("deep"));
        let twice = read("a: 1\na: 2\n").expect("readable");
        assert_eq!(twice.root.get("a").and_then(Node::text), Some("2"));
        assert!(twice.notes[0].contains("a stands twice"));
    }
}
