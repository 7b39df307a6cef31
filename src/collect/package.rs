//! The deployment package and its layers: fetched by ranges from the URLs that
//! Lambda signs, which are secrets and go no further. What stands in an archive is
//! `crate::package`'s business.

use std::{ops::Range, time::Duration};

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::{
    http::HttpConnector,
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::byte_stream::ByteStream;
use tokio::time::timeout;

use super::{
    call::Caller,
    failure::Failure,
    scene::{Found, Scene, found},
    session::Clients,
};
use crate::{
    evidence::{Fact, Observed, Reason},
    package::{Archive, Contents, Limits, Reading, package},
};

/// A package is a side dish: where its store does not answer, the rest is served.
const ANSWER: Duration = Duration::from_secs(5);
/// Where ranges are ignored, the whole is read, up to this many bytes: what Lambda
/// takes in a direct upload (quotas of Lambda).
const WHOLE: u64 = 50 << 20;
/// The function's own archive among those of its layers, which go by their ARNs.
const CODE: &str = "code";

/// The versions of the layers that the function has.
pub(super) fn layers(scene: &Scene) -> Vec<String> {
    let function = scene.evidence.function.known();
    let layers = function.into_iter().flat_map(|function| &function.configuration.layers);
    layers.filter_map(|layer| layer.arn.clone()).collect()
}

/// Reads the function's own archive.
pub(super) async fn read_code(caller: &Caller, clients: &Clients, url: String) -> Found {
    let read = archive(caller, clients, &url).await;
    found(move |scene| keep(scene, CODE.to_owned(), read))
}

/// Reads the archive of a layer.
pub(super) async fn read_layer(caller: &Caller, clients: &Clients, arn: &str) -> Found {
    let request = clients.lambda.get_layer_version_by_arn().arn(arn);
    let answer = caller.call("lambda:GetLayerVersion", arn, request.send()).await?;
    let url = answer.content.and_then(|content| content.location).ok_or(Failure::Absent)?;
    let read = archive(caller, clients, &url).await;
    let name = arn.to_owned();
    found(move |scene| keep(scene, name, read))
}

fn keep(scene: &mut Scene, name: String, read: Result<Contents, String>) {
    match read {
        Ok(contents) => scene.archives.push(Archive { name, contents }),
        Err(why) => {
            let function = scene.evidence.function.known();
            let of_code = function.and_then(|one| one.configuration.function_arn.clone());
            let (action, resource) = match name.as_str() {
                CODE => ("lambda:GetFunction", of_code.unwrap_or_default()),
                _ => ("lambda:GetLayerVersion", name),
            };
            scene.gap(Fact::Package, action, &resource, Reason::Unsupported, &why);
        }
    }
}

/// Makes the fact of what was read: the code first, then the layers in their order.
/// Without the code there is no package to speak of.
pub(super) fn settle(scene: &mut Scene) {
    let order = layers(scene);
    let place = |archive: &Archive| order.iter().position(|arn| *arn == archive.name);
    scene.archives.sort_by_key(place);
    if scene.archives.first().is_none_or(|archive| archive.name != CODE) {
        return;
    }
    let function = scene.evidence.function.known();
    let handler = function.and_then(|function| function.configuration.handler.as_deref());
    let mut read = package(&scene.archives, handler);
    read.source = Some("Function".to_owned());
    scene.evidence.package = Observed::Known(read);
}

/// Reads an archive by ranges, where its store serves them.
async fn archive(caller: &Caller, clients: &Clients, url: &str) -> Result<Contents, String> {
    let store = Store { caller, connector: clients.http.connector(), url };
    let first = store.get(0..1).await?;
    let (len, whole) = match first.status().as_u16() {
        206 => (total(&first).ok_or("the package's store tells no length")?, None),
        200 => {
            let bytes = store.body(first, WHOLE).await?;
            (bytes.len() as u64, Some(bytes))
        }
        status => return Err(format!("the package's store answers {status}")),
    };
    let mut reading = Reading::new(len, Limits::default());
    while !reading.wanted().is_empty() {
        let mut chunks = Vec::new();
        for range in reading.wanted().to_vec() {
            chunks.push(match &whole {
                Some(bytes) => slice(bytes, &range).ok_or("a range outside of the package")?,
                None => store.range(range).await?,
            });
        }
        reading.feed(&chunks).map_err(|why| why.to_string())?;
    }
    reading.finish().map_err(|why| why.to_string())
}

fn slice(bytes: &[u8], range: &Range<u64>) -> Option<Vec<u8>> {
    let (from, to) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
    bytes.get(from..to).map(<[u8]>::to_vec)
}

/// The length that an answer in part tells: `bytes 0-0/74000000`.
fn total(answer: &HttpResponse) -> Option<u64> {
    answer.headers().get("content-range")?.rsplit('/').next()?.parse().ok()
}

/// What serves one archive.
struct Store<'a> {
    caller: &'a Caller,
    connector: Connector,
    url: &'a str,
}

impl Store<'_> {
    /// The bytes of a range.
    async fn range(&self, range: Range<u64>) -> Result<Vec<u8>, String> {
        let length = range.end - range.start;
        let answer = self.get(range).await?;
        if answer.status().as_u16() != 206 {
            return Err(format!("the package's store answers {}", answer.status().as_u16()));
        }
        let bytes = self.body(answer, length).await?;
        if bytes.len() as u64 == length { Ok(bytes) } else { Err("a range was cut off".to_owned()) }
    }

    async fn get(&self, range: Range<u64>) -> Result<HttpResponse, String> {
        let mut request = HttpRequest::empty();
        request.set_uri(self.url).map_err(|_| "the package's URL cannot be read")?;
        request.headers_mut().insert("range", format!("bytes={}-{}", range.start, range.end - 1));
        let answer = timeout(self.patience(), self.connector.call(request)).await;
        match answer {
            // The error may quote the URL, which is signed.
            Ok(answer) => answer.map_err(|_| "the package's store cannot be reached".to_owned()),
            Err(_) => Err("the package's store does not answer".to_owned()),
        }
    }

    /// The body of an answer, which may not be longer than this.
    async fn body(&self, answer: HttpResponse, most: u64) -> Result<Vec<u8>, String> {
        let mut body = ByteStream::new(answer.into_body());
        let mut bytes = Vec::new();
        loop {
            match timeout(self.patience(), body.next()).await {
                Ok(Some(Ok(more))) => bytes.extend_from_slice(&more),
                Ok(None) => return Ok(bytes),
                Ok(Some(Err(_))) | Err(_) => return Err("the package was cut off".to_owned()),
            }
            if bytes.len() as u64 > most {
                return Err(format!("more than {} MB come where ranges are ignored", WHOLE >> 20));
            }
        }
    }

    /// How long an answer is waited for, within the run's time.
    fn patience(&self) -> Duration {
        let left = self.caller.deadline().saturating_duration_since(tokio::time::Instant::now());
        left.min(ANSWER)
    }
}
