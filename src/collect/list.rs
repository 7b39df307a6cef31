//! ListSecrets, for an audit of many.

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};

use super::{CollectError, DEFAULT_TIMEOUT, Session, call::Caller, secretsmanager};
use crate::evidence::Secret;

const ACTION: &str = "secretsmanager:ListSecrets";

/// Which secrets to list; an empty filter lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretFilter {
    /// Only secrets with all of these tags, by key and value.
    pub tags: Vec<(String, String)>,
    /// Only secrets whose names begin so.
    pub name_prefix: Option<String>,
}

impl Session {
    /// Lists the secrets that fit, sorted by name.
    ///
    /// # Errors
    /// [`CollectError`] where the list could not be read to its end: half a
    /// list would pass for a whole one.
    pub async fn list_secrets(&self, filter: &SecretFilter) -> Result<Vec<Secret>, CollectError> {
        self.list_secrets_by(&Caller::of_many(DEFAULT_TIMEOUT), filter).await
    }

    /// The same, among the calls of a larger run.
    pub(super) async fn list_secrets_by(
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
        let mut pages = request.into_paginator().page_size(100).send();
        let mut secrets = Vec::new();
        loop {
            let page = caller
                .page(ACTION, "", pages.next())
                .await
                .map_err(|failure| self.error(ACTION, &failure))?;
            let Some(page) = page else { break };
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
}

fn one(key: FilterNameStringType, value: &str) -> Filter {
    Filter::builder().key(key).values(value).build()
}
