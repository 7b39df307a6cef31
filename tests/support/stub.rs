//! A small AWS: an HTTP server on loopback that answers by service and
//! operation, writes down what it was asked, and fails the test over a request
//! that nobody expected. It checks no signatures. Under `/package` it serves a
//! deployment package, by ranges, as the store behind Lambda does.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::support::packages::zip;

/// A request as a handler sees it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// Such as `secretsmanager:DescribeSecret`.
    pub(crate) operation: String,
    /// Path with query, percent-encoding undone.
    pub(crate) path: String,
    /// JSON, or a form with its percent-encoding undone.
    pub(crate) body: String,
    /// The access key id that signed it.
    pub(crate) key_id: String,
    /// How many requests for this operation came before.
    pub(crate) earlier: usize,
    /// Where it was sent to, as `ADDRESS:PORT`.
    pub(crate) host: String,
    /// The range of bytes that it wants, such as `0-99`.
    range: Option<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    body: String,
    /// A header besides the usual ones.
    header: Option<(&'static str, &'static str)>,
    delay: Duration,
}

impl Reply {
    /// A good answer.
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self { status: 200, body: body.into(), header: None, delay: Duration::ZERO }
    }

    /// An error of a service that speaks JSON.
    pub(crate) fn json_error(status: u16, code: &str, message: &str) -> Self {
        let body = format!(r#"{{"__type":"{code}","message":"{message}"}}"#);
        Self { status, body, header: None, delay: Duration::ZERO }
    }

    /// An error of a service that speaks XML; EC2 wraps it in its own way.
    pub(crate) fn xml_error(status: u16, code: &str, message: &str) -> Self {
        let error = format!("<Code>{code}</Code><Message>{message}</Message>");
        let body = format!(
            "<Response><Errors><Error>{error}</Error></Errors><Error>{error}</Error></Response>"
        );
        Self { status, body, header: None, delay: Duration::ZERO }
    }

    /// The same answer with a header more.
    pub(crate) fn with_header(self, name: &'static str, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// The same answer, later.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

type Handler = dyn Fn(&Ask) -> Option<Reply> + Send + Sync;

#[derive(Default)]
struct Log {
    asked: Vec<Ask>,
    unknown: Vec<Ask>,
}

struct Shared {
    handler: Box<Handler>,
    log: Mutex<Log>,
    /// Parts of packages that were served.
    parts: AtomicUsize,
    under_way: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// The server; it ends with the test's process.
pub(crate) struct Stub {
    /// Its URL.
    pub(crate) url: String,
    shared: Arc<Shared>,
}

impl Stub {
    /// Starts a server. A handler that answers `None` does not know the request.
    pub(crate) fn start(handler: impl Fn(&Ask) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            log: Mutex::default(),
            parts: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let server = Arc::clone(&server);
                // A client that goes away ends its connection, not the test.
                thread::spawn(move || server.serve(&connection).ok());
            }
        });
        Self { url, shared }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.shared.log.lock().expect("the log")
    }

    /// Every request so far. Fails the test if one was not expected.
    pub(crate) fn asked(&self) -> Vec<Ask> {
        let log = self.log();
        assert!(log.unknown.is_empty(), "unexpected requests: {:#?}", log.unknown);
        log.asked.clone()
    }

    /// How often an operation was asked for.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.asked().iter().filter(|ask| ask.operation == operation).count()
    }

    /// How many parts of packages were fetched.
    pub(crate) fn package_parts(&self) -> usize {
        self.shared.parts.load(Ordering::SeqCst)
    }

    /// The most requests that were under way at one time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.most_at_once.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn serve(&self, connection: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(connection.try_clone()?);
        while let Some(ask) = read(&mut reader)? {
            if ask.path.starts_with("/package") {
                self.parts.fetch_add(1, Ordering::SeqCst);
                serve_package(connection, ask.range.as_deref())?;
                continue;
            }
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            let reply = self.answer(ask);
            thread::sleep(reply.delay);
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            let Reply { status, body, header, .. } = reply;
            let (name, value) = header.unwrap_or(("x-amz-id-2", "i"));
            // In one piece: the second of two would wait for the client's delayed ACK.
            let answer = format!(
                "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nx-amzn-requestid: r\r\n{name}: {value}\r\n\r\n{body}",
                body.len()
            );
            let mut writer = connection;
            writer.write_all(answer.as_bytes())?;
        }
        Ok(())
    }

    fn answer(&self, mut ask: Ask) -> Reply {
        let mut log = self.log.lock().expect("the log");
        ask.earlier = log.asked.iter().filter(|a| a.operation == ask.operation).count();
        log.asked.push(ask.clone());
        drop(log);
        (self.handler)(&ask).unwrap_or_else(|| {
            self.log.lock().expect("the log").unknown.push(ask);
            Reply::json_error(501, "UnknownOperationException", "the stub does not know this")
        })
    }
}

/// A part of a small package, with the length of the whole.
fn serve_package(mut writer: &TcpStream, range: Option<&str>) -> std::io::Result<()> {
    let package = zip(&[("lambda_function.py", b"import boto3\n")]);
    let (from, to) = range.and_then(|range| range.split_once('-')).expect("a range");
    let (from, to): (usize, usize) = (from.parse().expect("a number"), to.parse().expect("one"));
    let part = &package[from..=to];
    let mut answer = format!(
        "HTTP/1.1 206 x\r\ncontent-length: {}\r\ncontent-range: bytes {from}-{to}/{}\r\n\r\n",
        part.len(),
        package.len()
    )
    .into_bytes();
    answer.extend_from_slice(part);
    writer.write_all(&answer)
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Ask>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = decode(line.split(' ').nth(1).unwrap_or_default());
    let (mut length, mut target, mut scope) = (0, None, Vec::new());
    let (mut host, mut range) = (String::new(), None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "host" => value.clone_into(&mut host),
            "range" => range = value.strip_prefix("bytes=").map(str::to_owned),
            "content-length" => length = value.parse().expect("a length"),
            "x-amz-target" => target = value.rsplit('.').next().map(str::to_owned),
            "authorization" => {
                // … Credential=KEY/DATE/REGION/SERVICE/aws4_request, …
                let credential = value.split("Credential=").nth(1).unwrap_or_default();
                scope = credential.split('/').map(str::to_owned).collect();
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let body = if target.is_some() { text } else { decode(&text.replace('+', " ")) };
    let action = target
        .or_else(|| {
            let form = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
            form.map(str::to_owned)
        })
        .unwrap_or_else(|| {
            // Lambda and Route 53 have paths for names.
            let paths = [
                ("/policy", "GetPolicy"),
                ("/layers", "GetLayerVersion"),
                ("/hostedzonesbyvpc", "ListHostedZonesByVPC"),
                ("/rrset", "ListResourceRecordSets"),
            ];
            let found = paths.into_iter().find(|(part, _)| path.contains(part));
            found.map_or("GetFunction", |(_, operation)| operation).to_owned()
        });
    let service = scope.get(3).cloned().unwrap_or_default();
    let key_id = scope.first().cloned().unwrap_or_default();
    Ok(Some(Ask {
        operation: format!("{service}:{action}"),
        path,
        body,
        key_id,
        earlier: 0,
        host,
        range,
    }))
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
