//! The deployment package and its layers: fetched by ranges from the URLs that
//! Lambda signs, which are secrets and go no further. `crate::package` reads the archives.

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
    scene::{PatchResult, Scene, patch},
    session::Clients,
    step::steps,
};
use crate::{
    aws::limits,
    evidence::{Fact, Observed, Reason},
    package::{Archive, Contents, Limits, Reading, Unreadable, package},
};

steps! {
    3 "lambda:GetFunction" => Package <- [Function]: |tasks| {
        let Some(url) = tasks.scene.code_location.clone() else { return Vec::new() };
        let function = tasks.scene.function().map(|(arn, _)| arn).unwrap_or_default();
        vec![tasks.one(function, async move |caller, clients, _function: &str| {
            read_code(caller, clients, url).await
        })]
    };
    3 "lambda:GetLayerVersion" => Package <- [Function]:
        |tasks| tasks.each(layers(tasks.scene), read_layer);
}

/// Why an archive was not read. No message holds its URL, which is signed.
#[derive(Debug, thiserror::Error)]
enum ArchiveError {
    #[error("the package's URL cannot be read")]
    Url,
    #[error("the package's store cannot be reached")]
    Unreachable,
    #[error("the package's store does not answer")]
    NoAnswer,
    #[error("the package's store answers {0}")]
    Status(u16),
    #[error("the package's store tells no length")]
    NoLength,
    #[error("the package was cut off")]
    CutOff,
    #[error("a range was cut off")]
    RangeCutOff,
    #[error("a range outside of the package")]
    OutOfRange,
    #[error("more than {} MB come where ranges are ignored", limits::PACKAGE_BYTES >> 20)]
    TooLarge,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// The function's own archive among those of its layers, which go by their ARNs.
const CODE: &str = "code";

/// The versions of the layers that the function has.
fn layers(scene: &Scene) -> Vec<String> {
    let function = scene.evidence.function.known();
    let layers = function.into_iter().flat_map(|function| &function.configuration.layers);
    layers.filter_map(|layer| layer.arn.clone()).collect()
}

/// Reads the function's own archive.
async fn read_code(caller: &Caller, clients: &Clients, url: String) -> PatchResult {
    let read = archive(caller, clients, &url).await;
    patch(move |scene| keep(scene, CODE.to_owned(), read))
}

/// Reads the archive of a layer.
async fn read_layer(caller: &Caller, clients: &Clients, arn: &str) -> PatchResult {
    let request = clients.lambda.get_layer_version_by_arn().arn(arn);
    let answer = caller.call("lambda:GetLayerVersion", arn, request.send()).await?;
    let url = answer.content.and_then(|content| content.location).ok_or(Failure::Absent)?;
    let read = archive(caller, clients, &url).await;
    let name = arn.to_owned();
    patch(move |scene| keep(scene, name, read))
}

fn keep(scene: &mut Scene, name: String, read: Result<Contents, ArchiveError>) {
    match read {
        Ok(contents) => scene.archives.push(Archive { name, contents }),
        Err(why) => {
            let function = scene.evidence.function.known();
            let of_code = function.and_then(|one| one.configuration.function_arn.clone());
            let (action, resource) = match name.as_str() {
                CODE => ("lambda:GetFunction", of_code.unwrap_or_default()),
                _ => ("lambda:GetLayerVersion", name),
            };
            scene.gap(Fact::Package, action, &resource, Reason::Unsupported, &why.to_string());
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
async fn archive(caller: &Caller, clients: &Clients, url: &str) -> Result<Contents, ArchiveError> {
    let store = Store { caller, connector: clients.http.connector(), url };
    let first = store.get(0..1).await?;
    let (len, whole) = match first.status().as_u16() {
        206 => (total(&first).ok_or(ArchiveError::NoLength)?, None),
        200 => {
            let bytes = store.body(first, limits::PACKAGE_BYTES).await?;
            (bytes.len() as u64, Some(bytes))
        }
        status => return Err(ArchiveError::Status(status)),
    };
    let mut reading = Reading::new(len, Limits::default());
    while !reading.wanted().is_empty() {
        let mut chunks = Vec::new();
        for range in reading.wanted().to_vec() {
            chunks.push(match &whole {
                Some(bytes) => slice(bytes, &range).ok_or(ArchiveError::OutOfRange)?,
                None => store.range(range).await?,
            });
        }
        reading.feed(&chunks)?;
    }
    Ok(reading.finish()?)
}

fn slice(bytes: &[u8], range: &Range<u64>) -> Option<Vec<u8>> {
    let (from, to) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
    bytes.get(from..to).map(<[u8]>::to_vec)
}

/// The whole length, of an answer in part: `bytes 0-0/74000000`.
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
    async fn range(&self, range: Range<u64>) -> Result<Vec<u8>, ArchiveError> {
        let length = range.end - range.start;
        let answer = self.get(range).await?;
        if answer.status().as_u16() != 206 {
            return Err(ArchiveError::Status(answer.status().as_u16()));
        }
        let bytes = self.body(answer, length).await?;
        if bytes.len() as u64 == length { Ok(bytes) } else { Err(ArchiveError::RangeCutOff) }
    }

    async fn get(&self, range: Range<u64>) -> Result<HttpResponse, ArchiveError> {
        let mut request = HttpRequest::empty();
        request.set_uri(self.url).map_err(|_| ArchiveError::Url)?;
        request.headers_mut().insert("range", format!("bytes={}-{}", range.start, range.end - 1));
        let answer = timeout(self.patience(), self.connector.call(request)).await;
        match answer {
            // The error may quote the URL, which is signed.
            Ok(answer) => answer.map_err(|_| ArchiveError::Unreachable),
            Err(_) => Err(ArchiveError::NoAnswer),
        }
    }

    /// The body of an answer, which may not be longer than this.
    async fn body(&self, answer: HttpResponse, most: u64) -> Result<Vec<u8>, ArchiveError> {
        let mut body = ByteStream::new(answer.into_body());
        let mut bytes = Vec::new();
        loop {
            match timeout(self.patience(), body.next()).await {
                Ok(Some(Ok(more))) => bytes.extend_from_slice(&more),
                Ok(None) => return Ok(bytes),
                Ok(Some(Err(_))) | Err(_) => return Err(ArchiveError::CutOff),
            }
            if bytes.len() as u64 > most {
                return Err(ArchiveError::TooLarge);
            }
        }
    }

    /// How long an answer is waited for, within the run's time.
    fn patience(&self) -> Duration {
        let left = self.caller.deadline().saturating_duration_since(tokio::time::Instant::now());
        left.min(limits::PACKAGE_TIMEOUT)
    }
}
