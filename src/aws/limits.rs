//! How much is asked of AWS, and for how long: AWS's own limits with their source, and ours.
//! What a limit cuts off is a gap in the evidence.

use std::time::Duration;

/// The deadline of a run about one secret that names none.
pub const RUN_TIMEOUT: Duration = Duration::from_secs(60);
/// The deadline of a run about many secrets that names none.
pub const RUN_TIMEOUT_OF_MANY: Duration = Duration::from_secs(30 * 60);
/// The deadline of one attempt of a call.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// The deadline of a call with its retries.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);
/// The same in a run about many secrets, which may be throttled.
pub const PATIENT_OPERATION_TIMEOUT: Duration = Duration::from_secs(300);
/// The deadline of loading credentials: a credential process may have to ask a person.
pub const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(25);
/// How long an answer of a deployment package's store is waited for.
pub const PACKAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// Attempts of one call, the first included.
pub const ATTEMPTS: u32 = 3;
/// The same in a run about many secrets.
pub const PATIENT_ATTEMPTS: u32 = 10;
/// Calls that are under way at once.
pub const CALLS_AT_ONCE: usize = 8;
/// Resources of one kind that are under way at once; their calls wait for a slot.
pub const RESOURCES_AT_ONCE: usize = 32;
/// From this many roles on, the roles of the account are read as a whole.
pub const ROLES_ONE_BY_ONE: usize = 8;
/// Calls beyond those about functions that a run about many spends on single secrets.
pub const SPARE_CALLS: usize = 100;

/// CloudTrail look-ups of a run that names no number.
pub const TRAIL_CALLS: usize = 10;
/// Time between two look-ups: CloudTrail allows two a second (CloudTrail quotas).
pub const TRAIL_PACE: Duration = Duration::from_millis(500);
/// Events of one look-up; the service gives no more (LookupEvents API reference).
pub const TRAIL_PAGE_SIZE: i32 = 50;

/// Pages of one EC2 list about one secret; a page holds up to a thousand items.
pub const EC2_PAGES: usize = 5;
/// The same where the network of many functions is read at once.
pub const EC2_PAGES_OF_MANY: usize = 200;
/// Values that an EC2 filter takes (EC2 API reference, Filter).
pub const EC2_FILTER_VALUES: usize = 200;
/// Pages of one list of Route 53 or its resolver; a page holds a hundred zones or rules, or
/// three hundred records.
pub const DNS_PAGES: usize = 5;
/// The same where the rules of many VPCs are read at once.
pub const DNS_PAGES_OF_MANY: usize = 100;
/// Private hosted zones whose records are read.
pub const ZONES_READ: usize = 20;
/// The highest number of a rule in a network ACL; the next is AWS's own deny (EC2 API
/// reference, CreateNetworkAclEntry).
pub const LAST_ACL_RULE: i64 = 32_766;

/// Pages of databases; a page holds a hundred.
pub const DATABASE_PAGES: usize = 20;
/// Pages of a parameter group; a page holds a hundred parameters.
pub const PARAMETER_PAGES: usize = 10;
/// Where nothing names the database, this many in the function's VPC (or, where none is
/// there, in the region) are candidates.
pub const CANDIDATE_DATABASES: usize = 4;

/// Pages of the names of a role's policies; a role has at most a few dozen.
pub const POLICY_PAGES: usize = 5;
/// Items of a page of the account's roles (IAM API reference: at most a thousand).
pub const IAM_ACCOUNT_PAGE_SIZE: i32 = 1000;
/// Pages of one simulation; a page holds a hundred results, and a question few actions.
pub const SIMULATION_PAGES: usize = 3;
/// Pages of a key's grants; a page holds a hundred, and databases and volumes may hold
/// thousands on a shared key.
pub const GRANT_PAGES: usize = 10;
/// Pages of a secret's versions; a secret keeps about a hundred.
pub const VERSION_PAGES: usize = 10;
/// Pages of a stack's events, newest first.
pub const STACK_EVENT_PAGES: usize = 3;

/// Log streams that are read, newest first. The four steps of an attempt usually share one.
pub const LOG_STREAMS: usize = 20;
/// Pages of one log stream; a page is at most 1 MB.
pub const LOG_STREAM_PAGES: usize = 10;
/// Bytes of the messages of one log stream.
pub const LOG_STREAM_BYTES: usize = 2 * 1024 * 1024;
/// Where the store of a package ignores ranges, the whole is read, up to this many bytes:
/// what Lambda takes in a direct upload (Lambda quotas).
pub const PACKAGE_BYTES: u64 = 50 << 20;
/// Characters that are kept of an error message.
pub const MESSAGE_CHARACTERS: usize = 400;
