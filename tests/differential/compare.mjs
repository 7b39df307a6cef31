// Decides generated policy vectors with @cloud-copilot/iam-simulate and with
// this project, and lists where they differ. Development only; how to run it and
// what the known differences are stands in tests/README.md.
//
//   node compare.mjs VECTORS DECIDE_LINES NODE_MODULES

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [vectors, decideLines, modules] = process.argv.slice(2);
const { runSimulation } = createRequire(resolve(modules, "x.js"))("@cloud-copilot/iam-simulate");
const cases = readFileSync(vectors, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));

const named = (list) => (list ?? []).map((policy, at) => ({ name: `p${at}`, policy }));
const levels = (list) => (list ?? []).map((policies, at) => ({ orgIdentifier: `level${at}`, policies: named(policies) }));

async function simulate(inputs) {
  const result = await runSimulation(
    {
      request: {
        principal: inputs.principal,
        action: inputs.action,
        resource: { resource: inputs.resource, accountId: inputs.resourceAccount },
        contextVariables: inputs.context,
      },
      identityPolicies: named(inputs.identityPolicies),
      sessionPolicy: inputs.sessionPolicy,
      resourcePolicy: inputs.resourcePolicy,
      permissionBoundaryPolicies: inputs.boundary && named([inputs.boundary]),
      vpcEndpointPolicies: inputs.vpcEndpointPolicies && named(inputs.vpcEndpointPolicies),
      serviceControlPolicies: levels(inputs.scps),
      resourceControlPolicies: levels(inputs.rcps),
    },
    { simulationMode: "Strict" },
  );
  if (result.resultType === "error") return { error: result.errors.message, errors: result.errors };
  const ignored = result.resultType === "single" ? result.result.ignoredContextKeys : result.results[0]?.ignoredContextKeys;
  return { answer: { Allowed: "allow", ImplicitlyDenied: "implicit", ExplicitlyDenied: "explicit" }[result.overallResult], ignored: ignored ?? [] };
}

function decide(lines) {
  const input = lines.map((line) => JSON.stringify(line)).join("\n");
  const run = spawnSync(decideLines, { input, encoding: "utf8", maxBuffer: 1 << 30 });
  if (run.status !== 0) throw new Error(run.stderr || String(run.error));
  return run.stdout.split("\n").filter(Boolean).map((line) => {
    const { kind, certain } = JSON.parse(line);
    return { answer: kind ?? "allow", certain };
  });
}

const every = (inputs, change) => {
  const copy = structuredClone(inputs);
  const one = (policy) => policy && change(policy);
  (copy.identityPolicies ?? []).forEach(one);
  [copy.boundary, copy.sessionPolicy, copy.resourcePolicy].forEach(one);
  (copy.vpcEndpointPolicies ?? []).forEach(one);
  [...(copy.scps ?? []), ...(copy.rcps ?? [])].flat().forEach(one);
  return copy;
};
const list = (value) => [value ?? []].flat();

// The known differences. Each makes of a case what one side makes of it (`ours`:
// the case that this project is asked instead, `theirs`: the simulator), or gives
// it back as it is. A difference is explained where the two then agree.
const conditions = (inputs, change) =>
  every(inputs, (policy) => policy.Statement.forEach((one) => {
    if (one.Condition) one.Condition = Object.fromEntries(Object.entries(one.Condition).map(([operator, keys]) => change(operator, keys)));
  }));
const ROLE_WITH_PATH = "arn:aws:iam::111122223333:role/rotation/RotRole";
const principals = (inputs, from, to) => {
  const copy = structuredClone(inputs);
  for (const one of copy.resourcePolicy?.Statement ?? []) {
    if (one.Principal?.AWS) one.Principal.AWS = list(one.Principal.AWS).map((name) => (name === from ? to : name));
  }
  return copy;
};
const without = (inputs, value) => {
  const names = new Set(Object.keys(inputs.context).map((name) => name.toLowerCase()));
  const found = [...String(value).matchAll(/\$\{([^},]+)\}/g)].map((match) => match[1].toLowerCase());
  return found.some((name) => name !== "*" && !names.has(name));
};
const KNOWN = {
  "a negated operator with a variable that has no value is false in the simulator": {
    ours: (inputs) => conditions(inputs, (operator, keys) =>
      operator.includes("Not") && Object.values(keys).flat().some((value) => without(inputs, value)) ? ["IpAddress", { "aws:SourceIp": "192.0.2.255/32" }] : [operator, keys]),
  },
  "SCPs bind services in the simulator": {
    theirs: (inputs) => (inputs.principal.startsWith("arn:") ? inputs : { ...inputs, scps: undefined }),
  },
  "ForAnyValue with IfExists on an absent key is false in the simulator": {
    ours: (inputs) => conditions(inputs, (operator, keys) => [operator.startsWith("ForAnyValue:") ? operator.replace("IfExists", "") : operator, keys]),
  },
  "a grant to a session's ARN is limited by boundary and session policy in the simulator": {
    ours: (inputs) => principals(inputs, inputs.principal, ROLE_WITH_PATH),
  },
  "a grant to everyone is limited by a session policy in the simulator": {
    ours: (inputs) => {
      if (!inputs.sessionPolicy || !inputs.resourcePolicy) return inputs;
      const copy = structuredClone(inputs);
      for (const one of copy.resourcePolicy.Statement) {
        if (one.Effect === "Allow" && (one.Principal === "*" || list(one.Principal?.AWS).includes("*"))) one.Principal = { AWS: ROLE_WITH_PATH };
      }
      return copy;
    },
  },
  "the block 0.0.0.0/0 holds no address in the simulator": {
    ours: (inputs) => conditions(inputs, (operator, keys) => [operator, JSON.parse(JSON.stringify(keys).replaceAll("0.0.0.0/0", "192.0.2.255/32"))]),
  },
  "NotIpAddress of an IPv6 address and an IPv4 block is false in the simulator": {
    ours: (inputs) => conditions(inputs, (operator, keys) => {
      const mixed = inputs.context["aws:SourceIp"]?.includes(":") && Object.values(keys).flat().some((block) => String(block).includes("."));
      return operator.startsWith("NotIpAddress") && mixed ? ["IpAddress", { "aws:SourceIp": "192.0.2.255/32" }] : [operator, keys];
    }),
  },
  "the path of a role's ARN in Principal is not looked at by the simulator": {
    ours: (inputs) => principals(inputs, ROLE_WITH_PATH.replace("rotation/", ""), ROLE_WITH_PATH),
  },
  "a variable before the sixth part of an ARN in a condition has no value in the simulator": {
    ours: (inputs) => conditions(inputs, (operator, keys) =>
      [operator, Object.fromEntries(Object.entries(keys).map(([name, values]) => [name, list(values).map((value) => (operator.startsWith("Arn") && value.includes("::${") ? "arn:aws:none::none:none" : value))]))]),
  },
  "NotResource with a variable that has no value drops the statement in the simulator": {
    ours: (inputs) => every(inputs, (policy) => {
      policy.Statement = policy.Statement.filter((one) => !list(one.NotResource).some((text) => text.includes("${")));
    }),
  },
};

const errors = {};
const usable = [];
for (const one of cases) {
  const { error, errors: what, answer, ignored } = await simulate(one.inputs);
  if (error) {
    errors[error] = (errors[error] ?? 0) + 1;
    if (process.env.SHOW_ERRORS && errors[error] <= 3) console.log(one.id, JSON.stringify(what).slice(0, 600));
    continue;
  }
  // A key that it does not know for the action is absent to both.
  for (const key of ignored) delete one.inputs.context[key];
  usable.push({ ...one, answer });
}

let open = [];
let unsure = 0;
decide(usable).forEach((ours, at) => {
  const one = usable[at];
  if (ours.answer === one.answer) return;
  // What AWS does not document is no verdict.
  if (!ours.certain) unsure++;
  else open.push({ ...one, ours: ours.answer });
});
const differences = open.length;
const explained = {};
async function explain(name, ways) {
  const ours = ways.map((way) => way.ours).filter(Boolean);
  const theirs = ways.map((way) => way.theirs).filter(Boolean);
  const apply = (list, inputs) => list.reduce((made, way) => way(made), inputs);
  const answers = decide(open.map((one) => ({ id: one.id, inputs: apply(ours, one.inputs) })));
  const left = [];
  for (const [at, one] of open.entries()) {
    const their = theirs.length ? (await simulate(apply(theirs, one.inputs))).answer : one.answer;
    if (answers[at].answer === their) explained[name] = (explained[name] ?? 0) + 1;
    else left.push(one);
  }
  open = left;
}
for (const [name, way] of Object.entries(KNOWN)) await explain(name, [way]);
await explain("several of these at once", Object.values(KNOWN));

console.log(`${cases.length} cases, ${usable.length} compared, ${usable.length - differences - unsure} equal`);
for (const [what, times] of Object.entries(errors)) console.log(`  ${times} refused by the simulator: ${what}`);
console.log(`  ${unsure} left open by this project, decided by the simulator`);
for (const [what, times] of Object.entries(explained)) console.log(`  ${times} explained: ${what}`);
console.log(`  ${open.length} unexplained`);
for (const one of open.slice(0, Number(process.env.SHOW ?? 5))) {
  console.log(`${one.id}: simulator ${one.answer}, this project ${one.ours}\n${JSON.stringify(one.inputs)}`);
}
process.exitCode = open.length ? 1 : 0;
