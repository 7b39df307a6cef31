//! What was read out of a function's deployment package and its layers. A shape
//! of ours: Lambda gives only the archive.

use super::value::single_values;
use super::{Time, shape::shapes};

shapes! {
    /// What was read out of the deployment package.
    Package {
        /// Where it came from: `Function`, or the name of a file.
        source: Option<String>,
        /// Archives that were read: the function's code first, then layers by ARN or name.
        archives: Vec<PackageArchive>,
        /// Names at the top of the import path, with what is there.
        modules: Vec<PackageModule>,
        /// Projects named by their `dist-info` folders.
        distributions: Vec<Distribution>,
        /// Compiled files.
        libraries: Vec<NativeLibrary>,
        /// Every copy of libpq, shared or linked into a module.
        libpq: Vec<Libpq>,
        /// What the handler's file imports at its top.
        imports: Vec<PackageImport>,
        /// What the handler's file is.
        code: Option<RotationCode>,
        /// A `pg` that is not PyGreSQL, with what gives it away.
        wrong_pg: Option<String>,
        /// FreeTDS configuration files.
        freetds: Vec<FreeTdsFile>,
        /// What could not be read, or was left unread, in words.
        problems: Vec<String>,
    }

    /// An archive that was read.
    PackageArchive {
        /// `code`, or a layer's ARN.
        name: Option<String>,
        /// Bytes of the archive.
        size: Option<i64>,
        /// Bytes of it that were read.
        bytes_read: Option<i64>,
        /// Files in it.
        entries: Option<i64>,
        /// Whether all that matters in it was read.
        complete: Option<bool>,
    }

    /// A name that can be imported.
    PackageModule {
        /// Such as `pg` or `_pg`.
        name: Option<String>,
        /// Where it is.
        path: Option<String>,
    }

    /// An installed project.
    Distribution {
        /// Name as it is spelt in the folder.
        name: Option<String>,
        /// Version.
        version: Option<String>,
    }

    /// A compiled file.
    NativeLibrary {
        /// Path in the archive.
        path: Option<String>,
        /// `x86_64`, `aarch64`, `i386`, `ppc64le`, … from the ELF header.
        machine: Option<String>,
        /// 32 or 64.
        bits: Option<i64>,
        /// Module that it is, where it is one: `_pg`, `psycopg2._psycopg`.
        module: Option<String>,
        /// The Python that it was built for, such as `3.9`; `abi3` for any.
        python: Option<String>,
        /// SONAME.
        soname: Option<String>,
        /// Libraries that it asks the loader for.
        needed: Vec<String>,
        /// RPATH.
        rpath: Option<String>,
        /// RUNPATH.
        runpath: Option<String>,
    }

    /// A copy of libpq and what it can do.
    Libpq {
        /// Path in the archive.
        path: Option<String>,
        /// Its machine.
        machine: Option<String>,
        /// `shared`, or `static` where it is linked into a module.
        linked: Option<String>,
        /// The PostgreSQL release that it comes from, as far as that is known: `9.6`, `14`.
        release: Option<String>,
        /// `yes`, `no` or `unknown`: whether it speaks SCRAM-SHA-256.
        scram: Option<String>,
        /// What says so.
        signals: Vec<LibpqSignal>,
        /// Where the signals contradict each other, how.
        disagreement: Option<String>,
    }

    /// One sign of a libpq's age.
    LibpqSignal {
        /// `runpath`, `minor` or `rodata`.
        kind: Option<String>,
        /// What was found.
        found: Option<String>,
        /// `yes`, `no` or `unknown`: SCRAM, by this sign alone.
        scram: Option<String>,
    }

    /// A module that the handler's file imports at its top.
    PackageImport {
        /// Its first name, such as `pymysql`.
        module: Option<String>,
        /// `package`, `layer`, `python`, `runtime` or `missing`.
        provided: Option<String>,
    }

    /// The handler's file.
    RotationCode {
        /// Its path.
        path: Option<String>,
        /// The vended template that it is nearest to, without `SecretsManager`.
        template: Option<String>,
        /// Share of that template's texts found in it, in percent.
        match_percent: Option<i64>,
        /// Whether it was changed by hand; missing where that is unknown.
        customised: Option<bool>,
        /// Texts that it prints and no public template does.
        own_texts: Vec<String>,
        /// It holds a text that templates have since then.
        not_before: Option<Time>,
        /// It lacks a text that the template has since then.
        before: Option<Time>,
        /// Names of what it can do, as far as its constructs tell (`tls`, …).
        can: Vec<String>,
        /// Names of what it cannot do.
        cannot: Vec<String>,
        /// Lines that invoke another Lambda function.
        invokes: Vec<String>,
    }

    /// A FreeTDS configuration file.
    FreeTdsFile {
        /// Path in the archive.
        path: Option<String>,
        /// Value of `encryption`, where it sets one.
        encryption: Option<String>,
    }
}

single_values!(Package);
