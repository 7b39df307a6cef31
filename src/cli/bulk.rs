//! An audit of AWS: which secrets, in which accounts and regions, and what is read.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use super::{
    Failure,
    aws::{ConnectionOptions, RoleOptions, interruptible, since, timings},
    files,
    gather::Gather,
    options::ReportOptions,
    output::complain,
};
use crate::{
    aws::arn::Arn,
    checks::{self, Selection},
    collect::{BulkRequest, Connection, SecretFilter, Session, Shard, Suspect, Which},
    evidence::{Evidence, Fact, Time},
    report::{examine_in_audit, finds_by},
};

/// Which secrets, and what is read about them.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct BulkOptions {
    /// Every secret of the account and region that rotates.
    #[arg(long, conflicts_with_all = ["secrets", "bundle"])]
    all: bool,
    /// Every secret with this tag that rotates.
    #[arg(long, value_name = "KEY=VALUE", conflicts_with_all = ["secrets", "bundle"])]
    tag: Vec<String>,
    /// Every secret whose name begins so and that rotates.
    #[arg(long, value_name = "PREFIX", conflicts_with_all = ["secrets", "bundle"])]
    name_prefix: Option<String>,
    /// With --template or --plan: lay what is declared over what exists in AWS.
    #[arg(long, conflicts_with_all = ["secrets", "all", "tag", "name_prefix", "shard"])]
    with_live: bool,
    /// One part of them, such as 2/3: the parts are disjoint, and together the whole.
    #[arg(long, value_name = "I/N", conflicts_with = "bundle")]
    shard: Option<Shard>,
    /// Read the functions' logs too.
    #[arg(long, help_heading = "AWS")]
    logs: bool,
    /// With --logs, read back to here: 3d, 12h, or a time such as 2026-11-20T03:00:00Z.
    #[arg(long, value_name = "WHEN", value_parser = since, requires = "logs", help_heading = "AWS")]
    since: Option<Time>,
    /// Ask about each secret by itself too (its policy and versions), however many there are.
    #[arg(long, help_heading = "AWS")]
    each: bool,
    /// Read each secret's value, to keep the names of its keys and the values that name a place.
    #[arg(long, help_heading = "AWS")]
    read_secret: bool,
    /// Do not look into the functions' deployment packages.
    #[arg(long, help_heading = "AWS")]
    no_package: bool,
    #[command(flatten)]
    connection: ConnectionOptions,
    /// These regions, one after the other.
    #[arg(
        long,
        value_name = "REGION",
        value_delimiter = ',',
        conflicts_with_all = ["region", "all_regions"],
        help_heading = "AWS"
    )]
    regions: Vec<String>,
    /// Every region that is switched on in the account.
    #[arg(long, conflicts_with = "region", help_heading = "AWS")]
    all_regions: bool,
    /// Assume this role first; several of them are audited one after the other.
    #[arg(long, value_name = "ARN", help_heading = "AWS")]
    role_arn: Vec<String>,
    /// The external id that the roles ask for.
    #[arg(long, value_name = "ID", help_heading = "AWS")]
    external_id: Option<String>,
    /// Roles to assume, one on each line, with an external id after a space where one is asked for.
    #[arg(long, value_name = "FILE", help_heading = "AWS")]
    roles: Option<PathBuf>,
}

impl BulkOptions {
    /// The region that was named.
    pub(super) fn region(&self) -> Option<&str> {
        self.connection.region.as_deref()
    }

    /// Whether what is declared lies over what exists in AWS.
    pub(super) fn with_live(&self) -> bool {
        self.with_live
    }

    /// What exists in AWS underneath a rotation that is declared.
    pub(super) fn underneath(
        &self,
        declared: &Evidence,
        selection: &Selection,
        report: &ReportOptions,
    ) -> Result<Evidence, Failure> {
        let connections = self.connections()?;
        let [place] = connections.as_slice() else {
            return Err(Failure::Usage(
                "--with-live is about one account: name one role".to_owned(),
            ));
        };
        let bar = self.connection.bar(report, "what exists");
        let facts = checks::facts(selection, self.read_secret);
        let secret = declared.secret.known().and_then(|secret| secret.name.clone());
        let names: Vec<&str> = declared.secret_arn().into_iter().collect();
        let place = match &place.region {
            Some(_) => place.clone(),
            None => Connection { region: declared.region().map(str::to_owned), ..place.clone() },
        };
        let collected = interruptible(async {
            let session = Session::open(&place, &names).await?;
            session
                .existing_resources(declared, &facts, secret.as_deref(), self.connection.timeout)
                .await
        });
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        let (mut evidence, calls) = collected?;
        if self.connection.timings {
            for line in timings(&calls) {
                complain(&line);
            }
        }
        crate::seal::bundle::normalise(&mut evidence);
        Ok(evidence)
    }

    /// Whether this run is about a part of the secrets, which may well be empty.
    pub(super) fn is_a_part(&self) -> bool {
        self.shard.is_some()
    }

    /// Whether secrets are chosen by what they are.
    fn chooses(&self) -> bool {
        self.all || !self.tag.is_empty() || self.name_prefix.is_some()
    }

    /// What is said where there was nothing to examine: a gate that saw nothing has not
    /// passed.
    pub(super) fn nothing_matches(&self) -> String {
        let mut chosen: Vec<String> =
            self.tag.iter().map(|tag| format!("has the tag {tag}")).collect();
        chosen.extend(self.name_prefix.iter().map(|prefix| format!("is named {prefix}…")));
        match chosen.as_slice() {
            [] => "no secret here rotates: nothing was examined".to_owned(),
            _ => format!("no secret that rotates {}: nothing was examined", chosen.join(" and ")),
        }
    }

    /// Examines the secrets of every account and region that was asked for.
    pub(super) fn examine(
        &self,
        names: &[String],
        selection: &Selection,
        report: &ReportOptions,
        gather: &mut Gather<'_>,
    ) -> Result<(), Failure> {
        let which = self.which(names)?;
        for connection in self.connections()? {
            for region in self.regions_of(&connection)? {
                let place = Connection { region, ..connection.clone() };
                self.examine_place(&place, &which, selection, report, gather)?;
            }
        }
        Ok(())
    }

    fn examine_place(
        &self,
        place: &Connection,
        which: &Which,
        selection: &Selection,
        report: &ReportOptions,
        gather: &mut Gather<'_>,
    ) -> Result<(), Failure> {
        let bar = self.connection.bar(report, "list of secrets");
        let shown = bar.clone();
        let mut facts = checks::facts(selection, self.read_secret);
        if self.no_package {
            facts.remove(&Fact::Package);
        }
        let request = BulkRequest {
            which: which.clone(),
            shard: self.shard,
            facts,
            each: self.each || matches!(which, Which::Named(_)),
            suspect: Some(suspect(selection)),
            read_secret: self.read_secret,
            logs: self.logs,
            since: self.since,
            timeout: self.connection.timeout,
            progress: shown.map(|bar| -> Box<crate::collect::ProgressSink> {
                Box::new(move |kind, done, total| {
                    bar.set_message(format!("{kind}: {done} of {total}"));
                })
            }),
        };
        let names: Vec<&str> = match which {
            Which::Named(names) => names.iter().map(String::as_str).collect(),
            Which::Listed(_) => Vec::new(),
        };
        let collected =
            interruptible(async { Session::open(place, &names).await?.inventory(&request).await });
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        let inventory = match collected {
            Ok(inventory) => inventory,
            // One account or region that cannot be examined does not end the others.
            Err(Failure::CannotExamine(reason)) if self.several() => {
                return gather.failed(place_name(place), reason);
            }
            Err(failure) => return Err(failure),
        };
        for note in inventory.notes() {
            report.note(&format!("note: {note}"));
        }
        if self.connection.timings {
            for line in timings(inventory.timings()) {
                complain(&line);
            }
        }
        for (name, reason) in inventory.not_found() {
            gather.failed(name.clone(), reason.clone())?;
        }
        inventory.each_evidence(
            |evidence| {
                let profile = self.connection.profile.as_deref();
                examine_in_audit(evidence, selection, inventory.left_out(), profile)
            },
            |examined| gather.report(examined),
        )
    }

    /// Whether several accounts or regions are audited.
    fn several(&self) -> bool {
        self.all_regions
            || self.regions.len() > 1
            || self.role_arn.len() > 1
            || self.roles.is_some()
    }

    /// The secrets that were asked for; nothing asked for is an error, so that a variable
    /// that is empty by mistake does not audit nothing or everything.
    fn which(&self, names: &[String]) -> Result<Which, Failure> {
        if !self.chooses() {
            if names.is_empty() {
                return Err(Failure::Usage(
                    "name the secrets, or choose them with --all, --tag, --name-prefix, --bundle, \
                     --template or --plan"
                        .to_owned(),
                ));
            }
            return Ok(Which::Named(names.to_vec()));
        }
        let tags = self
            .tag
            .iter()
            .map(|tag| {
                let (key, value) = tag
                    .split_once('=')
                    .ok_or_else(|| Failure::Usage(format!("--tag {tag}: write KEY=VALUE")))?;
                Ok((key.to_owned(), value.to_owned()))
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        Ok(Which::Listed(SecretFilter { tags, name_prefix: self.name_prefix.clone() }))
    }

    /// One connection for each role, or one without any.
    fn connections(&self) -> Result<Vec<Connection>, Failure> {
        let own = self.connection.connection(&RoleOptions::default());
        let own = Connection { patient: true, ..own };
        let mut roles: Vec<(String, Option<String>)> =
            self.role_arn.iter().map(|arn| (arn.clone(), self.external_id.clone())).collect();
        if let Some(path) = &self.roles {
            let named = format!("--roles {}", path.display());
            let usual = self.external_id.as_deref();
            roles.extend(files::read_settings(&named, path, |text| read_roles(text, usual))?);
        }
        if roles.is_empty() {
            if self.external_id.is_some() {
                return Err(Failure::Usage(
                    "--external-id is for --role-arn or --roles".to_owned(),
                ));
            }
            return Ok(vec![own]);
        }
        let connection = |(role_arn, external_id)| Connection {
            role_arn: Some(role_arn),
            external_id,
            ..own.clone()
        };
        Ok(roles.into_iter().map(connection).collect())
    }

    /// The regions to audit; `None` is the configured one.
    fn regions_of(&self, connection: &Connection) -> Result<Vec<Option<String>>, Failure> {
        if self.all_regions {
            let regions = interruptible(async {
                Session::open(connection, &[]).await?.regions(REGIONS_TIMEOUT).await
            })?;
            return Ok(regions.into_iter().map(Some).collect());
        }
        if self.regions.is_empty() {
            return Ok(vec![connection.region.clone()]);
        }
        let mut seen = BTreeSet::new();
        let named = self.regions.iter().filter(|region| seen.insert(region.as_str()));
        Ok(named.map(|region| Some(region.clone())).collect())
    }
}

/// A secret's policy is worth a call where a check finds a fault without it.
fn suspect(selection: &Selection) -> Box<Suspect> {
    let selection = selection.clone();
    Box::new(move |evidence| finds_by(evidence, &selection, Fact::SecretPolicy))
}

/// How long the list of regions may take.
const REGIONS_TIMEOUT: Duration = Duration::from_secs(60);

/// An account and region as a report names what could not be examined there.
fn place_name(place: &Connection) -> String {
    let region = place.region.as_deref().unwrap_or("the configured region");
    match &place.role_arn {
        Some(role) => format!("{role} in {region}"),
        None => region.to_owned(),
    }
}

/// The roles in a text: one on each line, comments after `#`.
fn read_roles(text: &str, usual: Option<&str>) -> Result<Vec<(String, Option<String>)>, String> {
    let mut roles = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(arn) = words.next() else { continue };
        let external_id = words.next().or(usual).map(str::to_owned);
        if Arn::parse(arn).and_then(Arn::role).is_none() || words.next().is_some() {
            return Err(format!("line {}: write ROLE-ARN or ROLE-ARN EXTERNAL-ID", number + 1));
        }
        roles.push((arn.to_owned(), external_id));
    }
    if roles.is_empty() {
        return Err("names no role".to_owned());
    }
    Ok(roles)
}

#[cfg(test)]
mod tests {
    use super::read_roles;

    #[test]
    fn a_file_of_roles_has_one_on_each_line() {
        let text = "# accounts\narn:aws:iam::111122223333:role/audit  id-1 # prod\n\n\
                    arn:aws:iam::444455556666:role/audit\n";
        let read = read_roles(text, Some("usual")).expect("roles");
        assert_eq!(
            read,
            [
                ("arn:aws:iam::111122223333:role/audit".to_owned(), Some("id-1".to_owned())),
                ("arn:aws:iam::444455556666:role/audit".to_owned(), Some("usual".to_owned())),
            ]
        );
        assert!(read_roles("role/audit\n", None).is_err_and(|why| why.contains("line 1")));
        assert!(read_roles("arn:aws:iam::1:role/a b c\n", None).is_err());
        assert!(read_roles("# none\n", None).is_err());
    }
}
