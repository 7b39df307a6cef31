//! What a failed call means: the thing is not there, or it could not be seen
//! and why. Messages are short and carry no request bodies.

use std::{error::Error, sync::LazyLock};

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use regex::Regex;

use crate::aws::limits;
use crate::{evidence::Reason, seal};

/// Why a call brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A definite answer: it does not exist.
    Absent,
    /// It could not be seen.
    Refused {
        kind: Kind,
        /// The IAM action, where it is another than the call's own.
        action: Option<String>,
        message: String,
    },
    /// The service answered, and the SDK cannot read the answer; this is its body.
    Unreadable(String),
}

/// The kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Denied,
    Throttled,
    Timeout,
    Unsupported,
    /// The credentials themselves are missing, expired or invalid.
    Credentials,
    /// No connection.
    Unreachable,
}

impl Failure {
    pub(super) fn timeout(message: &str) -> Self {
        Self::Refused { kind: Kind::Timeout, action: None, message: message.to_owned() }
    }

    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Absent | Self::Unreadable(_) => Reason::Unsupported,
            Self::Refused { kind, .. } => match kind {
                Kind::Denied | Kind::Credentials => Reason::AccessDenied,
                Kind::Throttled => Reason::Throttled,
                Kind::Timeout => Reason::Timeout,
                Kind::Unsupported => Reason::Unsupported,
                // What nobody answers for may well be there.
                Kind::Unreachable => Reason::Timeout,
            },
        }
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Absent => None,
            Self::Unreadable(_) => Some(Kind::Unsupported),
            Self::Refused { kind, .. } => Some(*kind),
        }
    }

    pub(super) fn message(&self) -> &str {
        match self {
            Self::Absent => "not found",
            Self::Unreadable(_) => "the answer cannot be read",
            Self::Refused { message, .. } => message,
        }
    }
}

/// Reads an SDK error.
pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(body) = error.raw_response().and_then(unread_body) {
        return Failure::Unreadable(body);
    }
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            of_service(service.err().code(), service.err().message(), status)
        }
        SdkError::ResponseError(response) => {
            of_service(None, None, response.raw().status().as_u16())
        }
        SdkError::TimeoutError(_) => Failure::timeout("no answer within the time allowed"),
        SdkError::DispatchFailure(dispatch) => {
            let source = dispatch.as_connector_error();
            if source.is_some_and(|connector| connector.is_timeout()) {
                return Failure::timeout("no connection within the time allowed");
            }
            match source {
                Some(connector) => of_source(connector),
                None => refused(Kind::Unreachable, "the request could not be sent"),
            }
        }
        SdkError::ConstructionFailure(_) => of_source(error),
        _ => refused(Kind::Unsupported, "the call failed in a way that this SDK does not name"),
    }
}

/// The body of an answer that reports success and is an error all the same: the
/// SDK could not read it.
fn unread_body(response: &HttpResponse) -> Option<String> {
    if !response.status().is_success() {
        return None;
    }
    Some(String::from_utf8_lossy(response.body().bytes()?).into_owned())
}

/// What lies at the bottom of an error that never reached a service.
fn of_source(error: &(dyn Error + 'static)) -> Failure {
    let mut deepest = error;
    let mut cursor = Some(error);
    while let Some(current) = cursor {
        if let Some(credentials) = current.downcast_ref::<CredentialsError>() {
            return of_credentials(credentials);
        }
        deepest = current;
        cursor = current.source();
    }
    let kind = if matches!(deepest.to_string().as_str(), "request construction failed")
        || deepest.to_string().contains("must be set")
    {
        Kind::Unsupported
    } else {
        Kind::Unreachable
    };
    refused(kind, &deepest.to_string())
}

fn of_credentials(error: &CredentialsError) -> Failure {
    // The outer error's own text is generic; what went wrong is at the bottom.
    let mut deepest: &(dyn Error + 'static) = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = match error {
        CredentialsError::CredentialsNotLoaded(_) => "no credentials were found".to_owned(),
        CredentialsError::ProviderTimedOut(_) => {
            "the credentials could not be loaded in time".to_owned()
        }
        _ => format!("the credentials could not be loaded: {deepest}"),
    };
    refused(Kind::Credentials, &text)
}

fn refused(kind: Kind, message: &str) -> Failure {
    Failure::Refused { kind, action: None, message: short(message) }
}

/// Reads a service's error code.
fn of_service(code: Option<&str>, message: Option<&str>, status: u16) -> Failure {
    let code = code.unwrap_or_default();
    let text = message.unwrap_or_default();
    let kind = match code {
        // CloudFormation's word for a stack that is not there.
        "ValidationError" if text.contains("does not exist") => return Failure::Absent,
        // A route table id, a VPC id … that is gone.
        _ if code.starts_with("Invalid") && code.ends_with(".NotFound") => return Failure::Absent,
        "ResourceNotFoundException"
        | "NoSuchEntity"
        | "NoSuchEntityException"
        | "NotFoundException" => return Failure::Absent,
        _ if code.ends_with("NotFound") || code.ends_with("NotFoundFault") => {
            return Failure::Absent;
        }
        "ExpiredToken"
        | "ExpiredTokenException"
        | "TokenRefreshRequired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "RequestExpired" => Kind::Credentials,
        "UnauthorizedOperation"
        | "AuthorizationError"
        | "NotAuthorized"
        | "UnauthorizedException"
        | "OptInRequired" => Kind::Denied,
        _ if code.starts_with("AccessDenied") => Kind::Denied,
        _ if code.starts_with("Throttl")
            || code.contains("TooManyRequests")
            || matches!(
                code,
                "RequestLimitExceeded"
                    | "RequestThrottled"
                    | "SlowDown"
                    | "LimitExceededException"
                    | "ServiceUnavailable"
                    | "ServiceUnavailableException"
                    | "Unavailable"
            ) =>
        {
            Kind::Throttled
        }
        "RequestTimeout" | "RequestTimeoutException" => Kind::Timeout,
        _ => match status {
            401 | 403 => Kind::Denied,
            429 | 503 => Kind::Throttled,
            408 | 504 => Kind::Timeout,
            _ => Kind::Unsupported,
        },
    };
    let text = match (code.is_empty(), text.is_empty()) {
        (true, true) => format!("HTTP {status}"),
        (true, false) => text.to_owned(),
        (false, true) => format!("{code} (HTTP {status})"),
        (false, false) => format!("{code}: {text}"),
    };
    refused(kind, &text)
}

/// One line, sealed, without the encoded authorization blob and without the end
/// of a text that somebody put a document into.
fn short(message: &str) -> String {
    static BLOB: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\s*Encoded authorization failure message:\s*\S+|[A-Za-z0-9+/_\-]{200,}")
            .expect("a constant pattern")
    });
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = BLOB.replace_all(&line, "");
    let line = seal::log_line(&line);
    match line.char_indices().nth(limits::MESSAGE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Kind, of_service};

    #[test]
    fn codes_of_every_service_have_their_kind() {
        for (code, message, status, kind) in [
            ("ResourceNotFoundException", "no", 404, None),
            ("NoSuchEntity", "no", 404, None),
            ("NotFoundException", "no", 400, None),
            ("InvalidVpcID.NotFound", "no", 400, None),
            ("DBInstanceNotFound", "no", 404, None),
            ("ValidationError", "Stack with id x does not exist", 400, None),
            ("ValidationError", "1 validation error", 400, Some(Kind::Unsupported)),
            ("AccessDenied", "no", 403, Some(Kind::Denied)),
            ("AccessDeniedException", "no", 400, Some(Kind::Denied)),
            ("UnauthorizedOperation", "no", 403, Some(Kind::Denied)),
            ("ThrottlingException", "no", 400, Some(Kind::Throttled)),
            ("Throttling", "no", 400, Some(Kind::Throttled)),
            ("RequestLimitExceeded", "no", 503, Some(Kind::Throttled)),
            ("ExpiredTokenException", "no", 400, Some(Kind::Credentials)),
            ("ExpiredToken", "no", 403, Some(Kind::Credentials)),
            ("UnrecognizedClientException", "no", 400, Some(Kind::Credentials)),
            ("InvalidAction", "no", 400, Some(Kind::Unsupported)),
            ("UnknownOperationException", "no", 400, Some(Kind::Unsupported)),
            ("", "", 501, Some(Kind::Unsupported)),
            ("", "", 503, Some(Kind::Throttled)),
            ("", "", 504, Some(Kind::Timeout)),
        ] {
            let failure = of_service(Some(code), Some(message), status);
            assert_eq!(failure.kind(), kind, "{code} {status}");
        }
    }

    #[test]
    fn messages_are_short_and_carry_no_blob() {
        let failure = of_service(
            Some("UnauthorizedOperation"),
            Some(&format!(
                "You are not authorized.\n Encoded authorization failure message: {}",
                "aB3_".repeat(100)
            )),
            403,
        );
        assert_eq!(failure.message(), "UnauthorizedOperation: You are not authorized.");
        let failure = of_service(Some("X"), Some(&"word ".repeat(500)), 400);
        assert!(failure.message().chars().count() <= 401);
        assert_eq!(Failure::Absent.kind(), None);
    }
}
