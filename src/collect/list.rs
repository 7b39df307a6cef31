//! The secrets that a run about many is about: listed, or named and described.

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};

use futures_util::stream::{self, StreamExt};

use super::{
    call::Caller,
    error::CollectError,
    failure::{Failure, Kind},
    pages::pages,
    request::{SecretFilter, Which},
    secretsmanager,
    session::Session,
};
use crate::{aws::limits, evidence::Secret};

const ACTION: &str = "secretsmanager:ListSecrets";

impl Session {
    /// Lists the secrets that fit, sorted by name.
    ///
    /// # Errors
    /// [`CollectError`] where the list could not be read to its end: half a
    /// list would pass for a whole one.
    pub async fn list_secrets(&self, filter: &SecretFilter) -> Result<Vec<Secret>, CollectError> {
        self.list_secrets_by(&Caller::of_many(limits::RUN_TIMEOUT), filter).await
    }

    /// The same, among the calls of a larger run.
    async fn list_secrets_by(
        &self,
        caller: &Caller,
        filter: &SecretFilter,
    ) -> Result<Vec<Secret>, CollectError> {
        let mut request = self.clients.secretsmanager.list_secrets();
        for (key, value) in &filter.tags {
            request = request
                .filters(one(FilterNameStringType::TagKey, key))
                .filters(one(FilterNameStringType::TagValue, value));
        }
        if let Some(prefix) = &filter.name_prefix {
            request = request.filters(one(FilterNameStringType::Name, prefix));
        }
        let request = request.max_results(100);
        let mut pages = pages!(caller, ACTION, "", usize::MAX, request, set_next_token, next_token);
        let mut secrets = Vec::new();
        let failed = |failure: Failure| self.error(ACTION, &failure);
        while let Some(page) = pages.next().await.map_err(failed)? {
            for entry in page.secret_list.unwrap_or_default() {
                // The service matches prefixes of words, case by case; be exact here.
                let tagged = filter.tags.iter().all(|(key, value)| {
                    entry.tags.iter().flatten().any(|tag| {
                        tag.key.as_ref() == Some(key) && tag.value.as_ref() == Some(value)
                    })
                });
                let named = filter.name_prefix.as_ref().is_none_or(|prefix| {
                    entry.name.as_ref().is_some_and(|name| name.starts_with(prefix))
                });
                if tagged && named && entry.arn.is_some() {
                    secrets.push(secretsmanager::listed(entry));
                }
            }
        }
        secrets.sort_by(|a: &Secret, b| (&a.name, &a.arn).cmp(&(&b.name, &b.arn)));
        Ok(secrets)
    }

    /// A secret that rotates has a function or an owner. One that was listed with neither
    /// is described by itself: some endpoints list less than AWS does.
    pub(super) async fn complete(&self, caller: &Caller, secrets: &mut [Secret]) {
        let lacking: Vec<(usize, String)> = secrets
            .iter()
            .enumerate()
            .filter(|(_, secret)| {
                secret.rotation_enabled == Some(true)
                    && secret.rotation_lambda_arn.is_none()
                    && secret.owning_service.is_none()
            })
            .filter_map(|(index, secret)| Some((index, secret.arn.clone()?)))
            .collect();
        let described = lacking.into_iter().map(|(index, arn)| async move {
            (index, secretsmanager::describe(caller, &self.clients, &arn).await)
        });
        let described: Vec<_> =
            stream::iter(described).buffer_unordered(limits::RESOURCES_AT_ONCE).collect().await;
        for (index, answer) in described {
            if let Ok(secret) = answer {
                secrets[index] = secret;
            }
        }
    }

    /// The secrets asked for, and why some of them are not there.
    pub(super) async fn secrets_of(
        &self,
        caller: &Caller,
        which: &Which,
    ) -> Result<(Vec<Secret>, Vec<(String, String)>), CollectError> {
        let names = match which {
            Which::Listed(filter) => {
                let mut secrets = self.list_secrets_by(caller, filter).await?;
                secrets.retain(|secret| secret.rotation_enabled == Some(true));
                return Ok((secrets, Vec::new()));
            }
            Which::Named(names) => names,
        };
        let ask = |name: &String| {
            let name = name.clone();
            async move {
                let answer = secretsmanager::describe(caller, &self.clients, &name).await;
                (name, answer)
            }
        };
        let mut answers: Vec<_> = stream::iter(names.iter().map(ask))
            .buffer_unordered(limits::RESOURCES_AT_ONCE)
            .collect()
            .await;
        let place = |name: &String| names.iter().position(|asked| asked == name);
        answers.sort_by_key(|(name, _)| place(name));
        let mut secrets: Vec<Secret> = Vec::new();
        let mut not_found = Vec::new();
        let mut broken = None;
        for (name, answer) in answers {
            match answer {
                // The same secret by two names is one.
                Ok(secret) if secrets.iter().all(|known| known.arn != secret.arn) => {
                    secrets.push(secret);
                }
                Ok(_) => {}
                Err(failure)
                    if matches!(failure.kind(), Some(Kind::Credentials | Kind::Unreachable)) =>
                {
                    // What was described by then is kept.
                    let error = self.error("secretsmanager:DescribeSecret", &failure);
                    not_found.push((name, error.to_string()));
                    broken = Some(error);
                }
                Err(Failure::Absent) => {
                    let region = self.region.clone();
                    let error =
                        CollectError::SecretNotFound { name: name.clone(), region, account: None };
                    not_found.push((name, error.to_string()));
                }
                Err(failure) => {
                    let error = self.error("secretsmanager:DescribeSecret", &failure);
                    not_found.push((name, error.to_string()));
                }
            }
        }
        match broken {
            Some(error) if secrets.is_empty() => Err(error),
            _ => Ok((secrets, not_found)),
        }
    }
}

fn one(key: FilterNameStringType, value: &str) -> Filter {
    Filter::builder().key(key).values(value).build()
}
