//! Amazon Resource Names: their six parts, and the resource part of the services that a
//! rotation touches. Nothing else in the crate cuts an ARN at its colons.
//!
//! Semantics: AWS General Reference, "Amazon Resource Names (ARNs)", and the resource
//! types of each service in the Service Authorization Reference.

use std::fmt;

/// An ARN, cut into its parts. A wildcard in a part stays as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub(crate) partition: &'a str,
    /// Service, such as `secretsmanager`.
    pub(crate) service: &'a str,
    /// Region; empty for global resources.
    pub(crate) region: &'a str,
    /// Account; empty for some resources.
    pub(crate) account: &'a str,
    /// The rest, with its slashes and colons.
    pub(crate) resource: &'a str,
}

/// The name and the qualifier of a Lambda function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FunctionResource<'a> {
    /// Name of the function.
    pub(crate) name: &'a str,
    /// Alias or version, where the ARN ends in one.
    pub(crate) qualifier: Option<&'a str>,
}

/// The name of a secret, and what Secrets Manager adds to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SecretResource<'a> {
    /// Name, as CreateSecret took it.
    pub(crate) name: &'a str,
    /// The six random characters after the name; none in a partial ARN.
    pub(crate) random_suffix: Option<&'a str>,
}

/// The path and the name of an IAM role, user or managed policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IamResource<'a> {
    /// Path, with both its slashes: `/` where there is none.
    pub(crate) path: &'a str,
    /// Name, which is unique in the account whatever the path.
    pub(crate) name: &'a str,
}

/// A session of an assumed role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionResource<'a> {
    /// Name of the role, without its path.
    pub(crate) role: &'a str,
    /// Name of the session.
    pub(crate) session: &'a str,
}

/// What a KMS ARN names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyResource<'a> {
    /// A key, by its id.
    Key(&'a str),
    /// An alias, by its name without `alias/`.
    Alias(&'a str),
}

impl<'a> Arn<'a> {
    /// Cuts an ARN; `None` for any other text, such as a name or `*`.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut rest = text.strip_prefix("arn:")?.splitn(5, ':');
        Some(Self {
            partition: rest.next()?,
            service: rest.next()?,
            region: rest.next()?,
            account: rest.next()?,
            resource: rest.next()?,
        })
    }

    /// The partition of an ARN, where it names one.
    pub(crate) fn partition_of(text: &'a str) -> Option<&'a str> {
        Self::parse(text).map(|arn| arn.partition).filter(|part| !part.is_empty())
    }

    /// The region of an ARN; none for a global resource.
    pub(crate) fn region_of(text: &'a str) -> Option<&'a str> {
        Self::parse(text).map(|arn| arn.region).filter(|part| !part.is_empty())
    }

    /// The account of an ARN, where it names one.
    pub(crate) fn account_of(text: &'a str) -> Option<&'a str> {
        Self::parse(text).map(|arn| arn.account).filter(|part| !part.is_empty())
    }

    /// The Lambda function that it names.
    pub(crate) fn function(self) -> Option<FunctionResource<'a>> {
        let resource = self.resource_of("lambda", "function:")?;
        let (name, qualifier) = match resource.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (resource, None),
        };
        Some(FunctionResource { name, qualifier })
    }

    /// The secret that it names.
    pub(crate) fn secret(self) -> Option<SecretResource<'a>> {
        let resource = self.resource_of("secretsmanager", "secret:")?;
        Some(match split_random_suffix(resource) {
            Some((name, suffix)) => SecretResource { name, random_suffix: Some(suffix) },
            None => SecretResource { name: resource, random_suffix: None },
        })
    }

    /// The IAM role that it names.
    pub(crate) fn role(self) -> Option<IamResource<'a>> {
        // The slash after `role` begins the path.
        let path_and_name = self.resource_of("iam", "role")?;
        if !path_and_name.starts_with('/') {
            return None;
        }
        let (path, name) = path_and_name.split_at(path_and_name.rfind('/')? + 1);
        Some(IamResource { path, name })
    }

    /// The session of an assumed role that it names.
    pub(crate) fn session(self) -> Option<SessionResource<'a>> {
        let (role, session) = self.resource_of("sts", "assumed-role/")?.split_once('/')?;
        Some(SessionResource { role, session })
    }

    /// The KMS key or alias that it names.
    pub(crate) fn key(self) -> Option<KeyResource<'a>> {
        let key = self.resource_of("kms", "key/").map(KeyResource::Key);
        key.or_else(|| self.resource_of("kms", "alias/").map(KeyResource::Alias))
    }

    /// What follows `prefix` in the resource, where the ARN is one of that service.
    fn resource_of(self, service: &str, prefix: &str) -> Option<&'a str> {
        (self.service == service).then_some(self.resource)?.strip_prefix(prefix)
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(formatter, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

/// The name of a function, from its ARN.
pub(crate) fn function_name(arn: &str) -> Option<&str> {
    Arn::parse(arn)?.function().map(|function| function.name)
}

/// The alias or version that a function's ARN ends in.
pub(crate) fn function_qualifier(arn: &str) -> Option<&str> {
    Arn::parse(arn)?.function()?.qualifier
}

/// A function's ARN without alias or version; any other text as it is.
pub(crate) fn unqualified(function: &str) -> &str {
    match function_qualifier(function) {
        Some(qualifier) => &function[..function.len() - qualifier.len() - 1],
        None => function,
    }
}

/// The name of a role, from its ARN: what stands after the path. A text without slash is
/// taken as the name itself.
pub(crate) fn role_name(arn: &str) -> &str {
    last_part(arn, '/')
}

/// The identifier of a database, a stack or a layer, from an ARN that ends in `:NAME`. A
/// text without colon is taken as the identifier itself.
pub(crate) fn identifier(arn: &str) -> &str {
    last_part(arn, ':')
}

fn last_part(text: &str, separator: char) -> &str {
    text.rsplit_once(separator).map_or(text, |(_, last)| last)
}

/// Cuts a secret's name or ARN before the hyphen and the six random characters that
/// Secrets Manager adds; `None` where it does not end so. A name may end so by chance.
pub(crate) fn split_random_suffix(secret: &str) -> Option<(&str, &str)> {
    secret.rsplit_once('-').filter(|(_, suffix)| {
        suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// A secret's name or ARN without the six random characters.
pub(crate) fn without_random_suffix(secret: &str) -> &str {
    split_random_suffix(secret).map_or(secret, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
    const FUNCTION: &str = "arn:aws-cn:lambda:cn-north-1:111122223333:function:rotate";
    const ROLE: &str = "arn:aws:iam::111122223333:role/service/rotation/RotRole";

    #[test]
    fn an_arn_is_cut_and_written_again() {
        for text in [SECRET, FUNCTION, ROLE, "arn:aws:logs:r:1:log-group:/a:*", "arn:::::"] {
            assert_eq!(Arn::parse(text).expect(text).to_string(), text);
        }
        for other in ["", "*", "arn", "arn:aws:kms", "arn:aws:iam::1", "prod/db", "x:a:b:c:d:e"] {
            assert_eq!(Arn::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_part_that_is_empty_is_none() {
        assert_eq!(Arn::region_of(SECRET), Some("eu-west-1"));
        assert_eq!(Arn::account_of(SECRET), Some("111122223333"));
        assert_eq!(Arn::partition_of(FUNCTION), Some("aws-cn"));
        assert_eq!(Arn::region_of(ROLE), None);
        assert_eq!(Arn::account_of("prod/db"), None);
    }

    #[test]
    fn functions_with_and_without_qualifier() {
        let alias = format!("{FUNCTION}:live");
        let function = Arn::parse(&alias).and_then(Arn::function).expect("a function");
        assert_eq!((function.name, function.qualifier), ("rotate", Some("live")));
        assert_eq!(function_name(FUNCTION), Some("rotate"));
        assert_eq!(function_qualifier(FUNCTION), None);
        assert_eq!((unqualified(&alias), unqualified(FUNCTION)), (FUNCTION, FUNCTION));
        assert_eq!(unqualified("rotate"), "rotate");
        assert_eq!(function_name(SECRET), None);
    }

    #[test]
    fn secrets_with_and_without_random_suffix() {
        let secret = Arn::parse(SECRET).and_then(Arn::secret).expect("a secret");
        assert_eq!((secret.name, secret.random_suffix), ("prod/db", Some("AbCdEf")));
        let partial = SECRET.trim_end_matches("-AbCdEf");
        assert_eq!(without_random_suffix(SECRET), partial);
        let secret = Arn::parse(partial).and_then(Arn::secret).expect("a secret");
        assert_eq!((secret.name, secret.random_suffix), ("prod/db", None));
        assert_eq!(without_random_suffix("a-Ab_dEf"), "a-Ab_dEf");
    }

    #[test]
    fn roles_sessions_and_keys() {
        let role = Arn::parse(ROLE).and_then(Arn::role).expect("a role");
        assert_eq!((role.path, role.name), ("/service/rotation/", "RotRole"));
        let bare = Arn::parse("arn:aws:iam::1:role/r").and_then(Arn::role).expect("a role");
        assert_eq!((bare.path, bare.name), ("/", "r"));
        assert_eq!(Arn::parse("arn:aws:iam::1:roles/r").and_then(Arn::role), None);
        assert_eq!((role_name(ROLE), role_name("RotRole")), ("RotRole", "RotRole"));
        let session = Arn::parse("arn:aws:sts::1:assumed-role/r/f").and_then(Arn::session);
        assert_eq!(session, Some(SessionResource { role: "r", session: "f" }));
        let key = |text| Arn::parse(text).and_then(Arn::key);
        assert_eq!(key("arn:aws:kms:r:1:key/1a-2b"), Some(KeyResource::Key("1a-2b")));
        assert_eq!(key("arn:aws:kms:r:1:alias/aws/rds"), Some(KeyResource::Alias("aws/rds")));
        assert_eq!(key(SECRET), None);
        assert_eq!(identifier("arn:aws:rds:r:1:cluster:shop"), "shop");
    }
}
