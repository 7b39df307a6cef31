"""Reads reports as foreign programs do, and says what such a program would choke on.

    python readers.py SCHEMA REPORT.json FILE.sarif FILE.xml

SCHEMA is the JSON schema of SARIF 2.1.0; the three files are one audit in three formats:
what the JSON report has, the other two must have too. Ends with 1 and a reason where
they do not. Needs jsonschema, sarif-tools and junitparser.
"""

import json
import sys
from collections import Counter
from urllib.parse import urlsplit

import jsonschema
from junitparser import Error, Failure, JUnitXml, Skipped
from sarif import loader

LEVELS = {"error": "error", "warning": "warning", "note": "note"}


class Wrong(Exception):
    """What a reader would choke on."""


def expect(holds, reason):
    if not holds:
        raise Wrong(reason)


def same(what, found, expected):
    if found != expected:
        less = list((expected - found).items())[:3]
        more = list((found - expected).items())[:3]
        raise Wrong(f"{what}: lacks {less}, has besides {more}")


def told(report):
    """Code, severity and resource of each finding; then of those set aside."""

    def of(findings):
        return Counter((f["code"], f["severity"], f["resource"]) for f in findings)

    counting, aside = Counter(), Counter()
    for one in report["reports"]:
        counting += of(one["findings"])
        aside += of(one["waived"] + one.get("baseline", []))
    return counting, aside


def read_sarif(schema, path, report):
    with open(path, encoding="utf-8") as file:
        log = json.load(file)
    with open(schema, encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    wrong = next(
        validator(schema, format_checker=validator.FORMAT_CHECKER).iter_errors(log), None
    )
    if wrong is not None:
        raise Wrong(f"schema: {list(wrong.absolute_path)}: {wrong.message}")

    # What sarif-tools makes of it: a record for each result.
    data = loader.load_sarif_file(path)
    expect(data.get_distinct_tool_names() == ["rotdoctor"], "sarif-tools: another tool")
    results = [result for run in data.runs for result in run.get_results()]
    records = data.get_records()
    counting, aside = told(report)
    same(
        "sarif-tools: levels",
        Counter(record["Severity"] for record in records),
        Counter(LEVELS[severity] for (_, severity, _) in (counting + aside).elements()),
    )
    expect(all(record["Location"] and record["Line"] for record in records), "no location")

    # What code scanning asks for.
    rules = {
        rule["id"]: rule for run in log["runs"] for rule in run["tool"]["driver"]["rules"]
    }
    found, set_aside = Counter(), Counter()
    for result in results:
        expect(result["ruleId"] in rules, f"no rule {result['ruleId']}")
        expect(result.get("partialFingerprints"), "a result without a fingerprint")
        for location in result["locations"]:
            place = location["physicalLocation"]
            uri = urlsplit(place["artifactLocation"]["uri"])
            expect(uri.scheme in ("", "file"), f"odd reference {uri.geturl()}")
            expect(uri.scheme or not uri.path.startswith("/"), f"root in {uri.geturl()}")
            expect(place["region"]["startLine"] >= 1, "a line before the first")
        resource = result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
        finding = (result["ruleId"], result["level"], resource)
        (set_aside if result.get("suppressions") else found)[finding] += 1
    same("SARIF: findings", found, counting)
    same("SARIF: suppressed", set_aside, aside)
    for code, rule in rules.items():
        for needed in ("shortDescription", "fullDescription", "help"):
            expect(rule.get(needed, {}).get("text"), f"rule {code} has no {needed}")

    invocation = log["runs"][0]["invocations"][0]
    failed = report["not_examined"]
    expect(invocation["executionSuccessful"] == (not failed), "executionSuccessful")
    notes = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
    for one in failed:
        expect(f"{one['target']}: {one['reason']}" in notes, f"{one['target']} is not told")
    open_checks = sum(len(one["inconclusive"]) for one in report["reports"])
    expect(len(notes) == open_checks + len(failed), "what was not seen is not told")


def read_junit(path, report):
    suites = list(JUnitXml.fromfile(path))
    expect(len(suites) == len(report["reports"]) + len(report["not_examined"]), "suites")
    sums = Counter()
    failing, skipped, errors = Counter(), 0, 0
    for suite in suites:
        counts = Counter(tests=0, failures=0, errors=0, skipped=0)
        for case in suite:
            expect(case.classname == suite.name, f"{case.name} is of {case.classname}")
            counts["tests"] += 1
            for result in case.result:
                expect(result.message, f"{case.name} says nothing")
                if isinstance(result, Failure):
                    counts["failures"] += 1
                    failing[case.name.split()[0]] += 1
                elif isinstance(result, Error):
                    counts["errors"] += 1
                elif isinstance(result, Skipped):
                    counts["skipped"] += 1
        written = Counter({name: getattr(suite, name) for name in counts})
        expect(dict(counts) == dict(written), f"{suite.name}: counts {counts}, says {written}")
        sums += counts
    counting, aside = told(report)
    same(
        "JUnit: failures",
        failing,
        Counter(code for (code, level, _) in counting.elements() if level != "note"),
    )
    reports = report["reports"]
    errors = sum(len(one["inconclusive"]) for one in reports) + len(report["not_examined"])
    expect(sums["errors"] == errors, f"JUnit: {sums['errors']} errors, not {errors}")
    skipped = sum(len(one["not_applicable"]) for one in reports) + sum(aside.values())
    expect(sums["skipped"] == skipped, f"JUnit: {sums['skipped']} skipped, not {skipped}")


def main(schema, report, sarif, junit):
    with open(report, encoding="utf-8") as file:
        report = json.load(file)
    read_sarif(schema, sarif, report)
    read_junit(junit, report)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Wrong as wrong:
        sys.exit(f"readers: {wrong}")
