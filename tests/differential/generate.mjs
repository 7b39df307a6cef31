// Writes generated policy vectors, one a line: `node generate.mjs COUNT SEED`.
// Each has the form of a line of fixtures/vectors/policy.jsonl without an answer.

const [count = 20000, seed = 1] = process.argv.slice(2).map(Number);

// mulberry32: the same cases for the same seed on every machine.
let state = seed >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = (list) => list[Math.floor(random() * list.length)];
const chance = (part) => random() < part;
const some = (list, most) => Array.from({ length: 1 + Math.floor(random() * most) }, () => pick(list));
const oneOrSome = (list, most = 3) => (chance(0.6) ? pick(list) : some(list, most));

const OWN = "111122223333";
const OTHER = "444455556666";
const ROLE = `arn:aws:iam::${OWN}:role/rotation/RotRole`;
const SESSION = `arn:aws:sts::${OWN}:assumed-role/RotRole/rotfn`;
const secret = (account, name) => `arn:aws:secretsmanager:eu-west-1:${account}:secret:${name}`;
const key = (account, id) => `arn:aws:kms:eu-west-1:${account}:key/${id}`;
const FUNCTION = `arn:aws:lambda:eu-west-1:${OWN}:function:rotfn`;
const SECRET = secret(OWN, "prod/orders-db-AbCdEf");
const KEY = key(OWN, "1234abcd-12ab-34cd-56ef-1234567890ab");

// What can be asked, with patterns that come near it.
const QUESTIONS = [
  {
    of: "secret",
    weight: 5,
    actions: ["GetSecretValue", "DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage"].map((n) => `secretsmanager:${n}`),
    resources: [SECRET, SECRET, SECRET, secret(OTHER, "prod/orders-db-AbCdEf")],
    patterns: [
      "*", "*", SECRET, secret(OTHER, "prod/orders-db-AbCdEf"), secret(OWN, "prod/orders-db"), secret(OWN, "prod/orders-db-??????"),
      secret(OWN, "prod/orders-db-?????"), secret(OWN, "prod/orders-db-*"), secret(OWN, "prod/*"), secret(OWN, "Prod/*"), secret(OWN, "*-AbCdEf"),
      secret("*", "prod/orders-db-??????"), `arn:aws:secretsmanager:*:*:secret:prod/orders-db*`, "arn:aws:secretsmanager:us-east-1:*:secret:*",
      "arn:*:secretsmanager:eu-*:1111*:secret:*db*", secret(OWN, "${aws:PrincipalTag/env}/orders-db-??????"),
      secret(OWN, "${aws:PrincipalTag/env, 'prod'}/orders-db-*"), secret(OWN, "prod/${aws:PrincipalTag/none}*"), KEY,
      `arn:aws:secretsmanager:eu-west-1:${OWN}:secret:**db-A?C?E?`,
    ],
  },
  {
    of: "password", weight: 1, actions: ["secretsmanager:GetRandomPassword"], resources: ["*"],
    patterns: ["*", SECRET, "arn:aws:secretsmanager:*:*:*", secret(OWN, "*")],
  },
  {
    of: "key",
    weight: 4,
    actions: ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
    resources: [KEY, KEY, KEY, key(OTHER, "1234abcd-12ab-34cd-56ef-1234567890ab")],
    patterns: ["*", "*", "*", KEY, key(OTHER, "1234abcd-12ab-34cd-56ef-1234567890ab"), key(OWN, "*"), key(OWN, "9999*"), `arn:aws:kms:eu-west-1:${OWN}:alias/my-key`, "arn:aws:kms:*:*:key/1234abcd-*", key("*", "*"), key(OWN, "${aws:PrincipalTag/key}")],
  },
  {
    of: "interface", weight: 1, actions: ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"], resources: ["*"],
    patterns: ["*", `arn:aws:ec2:eu-west-1:${OWN}:network-interface/*`],
  },
  {
    of: "log", weight: 1, actions: ["logs:PutLogEvents"],
    resources: [`arn:aws:logs:eu-west-1:${OWN}:log-group:/aws/lambda/rotfn:log-stream:s1`],
    patterns: ["*", `arn:aws:logs:eu-west-1:${OWN}:log-group:/aws/lambda/rotfn`, `arn:aws:logs:eu-west-1:${OWN}:log-group:/aws/lambda/rotfn:*`, `arn:aws:logs:*:*:log-group:*:log-stream:s?`],
  },
  {
    of: "function", weight: 2, actions: ["lambda:InvokeFunction"], resources: [FUNCTION, FUNCTION, `${FUNCTION}:live`],
    patterns: ["*", FUNCTION, `${FUNCTION}:live`, `${FUNCTION}*`, `${FUNCTION}:*`, `arn:aws:lambda:eu-west-1:${OWN}:function:other`],
  },
  {
    of: "role", weight: 1, actions: ["sts:AssumeRole"], resources: [ROLE, `arn:aws:iam::${OTHER}:role/Target`],
    patterns: ["*", ROLE, `arn:aws:iam::*:role/*`, `arn:aws:iam::${OTHER}:role/Target`],
  },
];
const WEIGHTED = QUESTIONS.flatMap((question) => Array(question.weight).fill(question));

const ACTION_PATTERNS = (action) => {
  const [service, name] = action.split(":");
  return [
    action, action, action, `${service}:*`, `${service}:*`, "*", `${service.toUpperCase()}:${name.toLowerCase()}`, `${service}:${name.slice(0, 4)}*`,
    `${service}:*${name.slice(-5)}`, `${service}:${name.slice(0, -1)}?`, `${service}:${name}?`, `${service}:${name.slice(0, -2)}`, "iam:*", "secretsmanager:Get*", "kms:Decrypt", "s3:GetObject",
  ];
};

const PRINCIPALS = [
  "*", { AWS: "*" }, { AWS: ROLE }, { AWS: ROLE }, { AWS: SESSION }, { AWS: `arn:aws:iam::${OWN}:root` }, { AWS: `arn:aws:iam::${OWN}:root` }, { AWS: OWN }, { AWS: OTHER },
  { AWS: `arn:aws:iam::${OTHER}:root` }, { AWS: `arn:aws:iam::${OWN}:role/RotRole` }, { AWS: `arn:aws:iam::${OWN}:role/Admin` }, { AWS: [`arn:aws:iam::${OWN}:role/Admin`, ROLE] },
  { AWS: `arn:aws:sts::${OWN}:assumed-role/RotRole/other` }, { Service: "secretsmanager.amazonaws.com" }, { Service: "lambda.amazonaws.com" },
  { Service: ["events.amazonaws.com", "secretsmanager.amazonaws.com"] }, { AWS: [OTHER, `arn:aws:iam::${OWN}:root`], Service: "lambda.amazonaws.com" },
];

// Condition keys that a request can carry, with values and with what policies hold against them.
const STRINGS = {
  "aws:SourceVpce": [["vpce-1", "vpce-2"], ["vpce-1", "vpce-*", "vpce-?", "VPCE-1", "*", "vpce-1${*}"]],
  "aws:PrincipalTag/env": [["prod", "dev", "pr*d"], ["prod", "pr*", "PROD", "${aws:ResourceTag/env}", "${aws:PrincipalTag/none}", "${aws:PrincipalTag/none, 'prod'}", "?rod"]],
  "aws:ResourceTag/env": [["prod", "dev"], ["prod", "${aws:PrincipalTag/env}", "${aws:PrincipalTag/none, 'dev'}", "*"]],
  "secretsmanager:VersionStage": [["AWSCURRENT", "AWSPENDING"], ["AWSCURRENT", "AWSPENDING", "AWS*"]],
  "kms:ViaService": [["secretsmanager.eu-west-1.amazonaws.com"], ["secretsmanager.eu-west-1.amazonaws.com", "secretsmanager.us-east-1.amazonaws.com", "secretsmanager.*.amazonaws.com"]],
  "kms:CallerAccount": [[OWN], [OWN, OTHER]],
  "kms:EncryptionContext:SecretARN": [[SECRET], [SECRET, secret(OWN, "prod/orders-db"), secret(OWN, "prod/orders-db-??????"), secret(OWN, "prod/*")]],
  "aws:userid": [["AROAEXAMPLEROTROLE1:rotfn"], ["AROAEXAMPLEROTROLE1:*", "AROAEXAMPLEROTROLE1", "*:rotfn", "AIDAX"]],
  "aws:SourceAccount": [[OWN, OTHER], [OWN, OTHER]],
  "aws:RequestedRegion": [["eu-west-1"], ["eu-west-1", "us-east-1", "eu-*"]],
};
const ARNS = {
  "aws:PrincipalArn": [[ROLE], [ROLE, `arn:aws:iam::${OWN}:role/*`, `arn:aws:iam::${OWN}:role/RotRole`, "arn:aws:iam::*:role/rotation/*", "arn:aws:iam::*role/rotation/RotRole", SESSION, "arn:aws:iam::${aws:PrincipalAccount}:role/rotation/RotRole", "arn:*:iam::*:*"]],
  "aws:SourceArn": [[SECRET, FUNCTION], [SECRET, secret(OWN, "prod/orders-db-??????"), secret(OWN, "prod/orders-db"), FUNCTION, "arn:aws:secretsmanager:*:*:secret:*"]],
};
const NUMBERS = { "secretsmanager:RecoveryWindowInDays": [["7", "30"], ["7", "7.0", "10", "30", "29.5"]] };
const DATES = { "aws:CurrentTime": [["2026-11-20T10:05:00Z"], ["2026-11-20T10:05:00Z", "2026-11-20T10:00:00Z", "2026-11-21T00:00:00Z", "2026-11-20T12:05:00+02:00"]] };
const BOOLS = {
  "aws:SecureTransport": [["true"], ["true", "false"]],
  "aws:ViaAWSService": [["true", "false"], ["true", "false"]],
  "aws:MultiFactorAuthPresent": [["false"], ["true", "false"]],
};
const ADDRESSES = { "aws:SourceIp": [["203.0.113.9", "10.1.2.3", "2001:db8::1"], ["203.0.113.0/24", "10.0.0.0/8", "203.0.113.9", "203.0.113.9/32", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1/128", "198.51.100.0/24"]] };
const LISTS = { "aws:TagKeys": [["a", "b", "c"], ["a", "b", "d", "?"]], "aws:CalledVia": [["secretsmanager.amazonaws.com", "athena.amazonaws.com"], ["secretsmanager.amazonaws.com", "*.amazonaws.com"]], "kms:EncryptionContextKeys": [["SecretARN", "SecretVersionId"], ["SecretARN", "SecretVersionId", "Secret*"]] };
const FAMILIES = [
  [STRINGS, ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"], 5],
  [ARNS, ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike", "StringEquals"], 3],
  [NUMBERS, ["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"], 1],
  [DATES, ["DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"], 1],
  [BOOLS, ["Bool"], 2],
  [ADDRESSES, ["IpAddress", "NotIpAddress"], 2],
].flatMap(([keys, operators, weight]) => Array(weight).fill([keys, operators]));

function condition() {
  const operators = {};
  for (let n = chance(0.75) ? 1 : 2; n > 0; n--) {
    if (chance(0.1)) {
      const all = { ...STRINGS, ...ARNS, ...BOOLS, ...ADDRESSES, ...LISTS };
      operators.Null = { [pick(Object.keys(all))]: pick(["true", "false"]) };
    } else if (chance(0.15)) {
      const name = pick(Object.keys(LISTS));
      const operator = `${pick(["ForAllValues:", "ForAnyValue:"])}${pick(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"])}${chance(0.15) ? "IfExists" : ""}`;
      operators[operator] = { [name]: some(LISTS[name][1], 2) };
    } else {
      const [keys, names] = pick(FAMILIES);
      const name = pick(Object.keys(keys));
      const operator = `${pick(names)}${chance(0.2) ? "IfExists" : ""}`;
      const written = chance(0.1) ? name.toUpperCase() : name;
      operators[operator] = { [written]: oneOrSome(keys[name][1], 2) };
    }
  }
  return operators;
}

function statement(question, action, at, principal, deny = 0.2) {
  const result = { Sid: `S${at}`, Effect: chance(deny) ? "Deny" : "Allow" };
  if (principal === "not") result.NotPrincipal = { AWS: [ROLE, SESSION, `arn:aws:iam::${OWN}:root`] };
  else if (principal) result.Principal = principal;
  result[chance(0.08) ? "NotAction" : "Action"] = oneOrSome(ACTION_PATTERNS(action));
  result[chance(0.08) ? "NotResource" : "Resource"] = oneOrSome(question.patterns);
  if (chance(0.35)) result.Condition = condition();
  return result;
}

const policy = (statements) => ({ Version: "2012-10-17", Statement: statements });
const statements = (question, action, most, principal, deny) => Array.from({ length: 1 + Math.floor(random() * most) }, (_, at) => statement(question, action, at, principal?.(), deny));

function context(asking) {
  const result = { "aws:PrincipalIsAWSService": String(asking === "service"), "aws:RequestedRegion": "eu-west-1", "aws:SecureTransport": "true", "aws:CurrentTime": "2026-11-20T10:05:00Z" };
  if (asking === "role") Object.assign(result, { "aws:PrincipalArn": ROLE, "aws:PrincipalAccount": OWN, "aws:userid": "AROAEXAMPLEROTROLE1:rotfn" });
  for (const keys of [STRINGS, ARNS, NUMBERS, BOOLS, ADDRESSES]) {
    for (const [name, [values]] of Object.entries(keys)) {
      if (!(name in result) && chance(0.5) && !(asking === "service" && /Principal|userid/.test(name))) result[name] = pick(values);
    }
  }
  for (const [name, [values]] of Object.entries(LISTS)) {
    if (chance(0.4)) result[name] = [...new Set(some(values, 2))];
  }
  return result;
}

for (let id = 0; id < count; id++) {
  const question = pick(WEIGHTED);
  const action = pick(question.actions);
  const resource = pick(question.resources);
  const service = (question.of === "function" && chance(0.8)) || (question.of === "role" && chance(0.5));
  const account = resource === "*" ? OWN : resource.split(":")[4];
  const inputs = { principal: service ? pick(["secretsmanager.amazonaws.com", "lambda.amazonaws.com"]) : SESSION, action, resource, resourceAccount: account, context: context(service ? "service" : "role"), identityPolicies: [] };
  if (!service) inputs.identityPolicies = Array.from({ length: Math.floor(random() * 4) }, () => policy(statements(question, action, 3)));
  const own = ["secret", "key", "function", "role"].includes(question.of);
  // A role always has a trust policy.
  const likely = question.of === "key" || service || account === OTHER ? 0.9 : 0.4;
  if (own && (question.of === "role" || chance(likely))) {
    const principal = () => (chance(0.04) ? "not" : pick(PRINCIPALS));
    const list = statements(question, action, 3, principal, 0.15).map((one) => {
      // NotPrincipal is for Deny alone.
      if (one.NotPrincipal) one.Effect = "Deny";
      // A trust policy has no Resource.
      if (question.of === "role") { delete one.Resource; delete one.NotResource; }
      return one;
    });
    inputs.resourcePolicy = policy(list);
  }
  if (!service && chance(0.15)) inputs.boundary = policy(statements(question, action, 2, undefined, 0.15));
  if (!service && chance(0.1)) inputs.sessionPolicy = policy(statements(question, action, 2, undefined, 0.15));
  if (!service && chance(0.12)) inputs.vpcEndpointPolicies = [policy(statements(question, action, 2, () => "*", 0.15))];
  const full = policy([{ Sid: "Full", Effect: "Allow", Action: "*", Resource: "*" }]);
  if (chance(0.12)) {
    inputs.scps = Array.from({ length: 1 + Math.floor(random() * 3) }, () => (chance(0.7) ? [full, policy(statements(question, action, 1, undefined, 0.9))] : [policy(statements(question, action, 2, undefined, 0.2))]));
  }
  if (chance(0.08)) {
    // An RCP only denies, and names its actions.
    const denies = statements(question, action, 1, () => "*", 1).map(({ NotAction, ...one }) => ({ ...one, Action: pick([action, `${action.split(":")[0]}:*`]) }));
    inputs.rcps = [[policy(denies)]];
  }
  console.log(JSON.stringify({ id: `G${id}`, inputs }));
}
