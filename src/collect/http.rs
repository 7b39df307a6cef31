//! HTTP and TLS for everything that connects: whose certificates are trusted, and
//! the proxy.

use std::{env, fs, path::PathBuf};

use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnectorSettings, SharedHttpClient},
    runtime_components::RuntimeComponents,
};

use super::error::CollectError;

/// Makes clients that share one view of whom to trust.
#[derive(Clone)]
pub(super) struct Http {
    trusted: TlsContext,
}

impl Http {
    /// Trusts the platform's certificates and those of a bundle (PEM) or, without
    /// one, of `AWS_CA_BUNDLE`.
    pub(super) fn new(bundle: Option<PathBuf>) -> Result<Self, CollectError> {
        let bundle = bundle.or_else(|| {
            env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()).map(PathBuf::from)
        });
        let mut store = TrustStore::default();
        let named = bundle.as_deref().map(|path| path.display().to_string());
        let refuse = |what: String| {
            let named = named.as_deref().unwrap_or("of the platform");
            CollectError::Configuration(format!("certificate bundle {named}: {what}"))
        };
        if let Some(path) = &bundle {
            let pem = fs::read(path).map_err(|error| refuse(error.to_string()))?;
            // rustls ignores what it cannot read, and every call would fail later.
            if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
                return Err(refuse("holds no PEM certificate".to_owned()));
            }
            store.add_pem_certificate(pem);
        }
        let context = TlsContext::builder().with_trust_store(store).build();
        Ok(Self { trusted: context.map_err(|error| refuse(error.to_string()))? })
    }

    /// For the SDK's services.
    pub(super) fn client(&self) -> SharedHttpClient {
        let http = self.clone();
        Builder::new()
            .build_with_connector_fn(move |settings, components| http.connect(settings, components))
    }

    /// For requests that no service's client makes.
    pub(super) fn connector(&self) -> Connector {
        self.connect(None, None)
    }

    fn connect(
        &self,
        settings: Option<&HttpConnectorSettings>,
        components: Option<&RuntimeComponents>,
    ) -> Connector {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(self.trusted.clone())
            // As the SDK's own client does.
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    }
}
