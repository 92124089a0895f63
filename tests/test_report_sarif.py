"""SARIF 2.1.0 against its schema, and GitHub's workflow commands."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from report_samples import full, half, healthy, many, missing_key, same_as_golden, write_program

from backpropdoctor import rules
from backpropdoctor.finding import Checked, Finding, Fix
from backpropdoctor.report.report import Report
from backpropdoctor.report.sarif import uri
from backpropdoctor.rule import Rule
from backpropdoctor.source import Span

SCHEMA = Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    import linecache

    monkeypatch.chdir(tmp_path)
    linecache.clearcache()
    write_program(tmp_path)


def valid(report: Report) -> dict:
    jsonschema = pytest.importorskip("jsonschema")
    data = json.loads(report.sarif())
    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).validate(data)
    return data["runs"][0]


def nan_chain() -> Finding:
    chain = [
        {"line": 8, "text": "np.divide(1 - Y, 1 - A)", "value": "inf"},
        {"line": 9, "text": "dZ", "value": float("nan")},
        {"text": "a step without a line"},
    ]
    return replace(half(), code="BD201", evidence={"chain": chain, "operand": float("inf")})


@pytest.mark.parametrize(
    "report",
    [
        full(),
        healthy(),
        many(),
        Report(target="x.py", stopped_by="E: e"),
        Report(target="train.py", findings=(nan_chain(),)),
    ],
    ids=["full", "healthy", "many", "stopped", "chain"],
)
def test_every_log_is_valid(report):
    run = valid(report)
    assert len(run["results"]) == len(report.findings)
    assert run["invocations"][0]["exitCode"] == report.exit_status
    assert run["invocations"][0]["executionSuccessful"] == (report.stopped_by is None)


def test_the_schema_refuses_what_is_wrong():
    jsonschema = pytest.importorskip("jsonschema")
    data = json.loads(full().sarif())
    data["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).validate(data)


def test_place_level_and_fix():
    result = valid(full())["results"][1]
    assert result["level"] == "error"
    assert result["ruleId"] == "BD102"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "train.py"}
    assert place["region"] == {"startLine": 6, "startColumn": 5, "endLine": 6, "endColumn": 36,
                               "snippet": {"text": "dW = (1/2)*np.dot(dZ, A_prev.T)"}}  # fmt: skip
    change = result["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert change["deletedRegion"] == {"startLine": 6, "startColumn": 10, "endLine": 6, "endColumn": 16}
    assert change["insertedContent"] == {"text": ""}
    assert result["relatedLocations"][0]["message"] == {"text": "the same factor"}


def test_a_fix_over_lines_and_one_that_does_not_fit():
    several = replace(missing_key(), fix=Fix(13, '(\n        parameters["W1"]\n', "(", column=24))
    result = valid(Report(target="train.py", findings=(several,)))["results"][0]
    region = result["fixes"][0]["artifactChanges"][0]["replacements"][0]["deletedRegion"]
    assert region == {"startLine": 13, "startColumn": 24, "endLine": 15, "endColumn": 1}
    wrong = replace(half(), fix=Fix(6, "not there", "x"))
    assert "fixes" not in valid(Report(target="train.py", findings=(wrong,)))["results"][0]


def test_levels_of_the_severities():
    levels = [r["level"] for r in valid(full())["results"]]
    assert levels == ["warning", "error", "note"]


def test_a_finding_without_a_place_names_the_target():
    result = valid(full())["results"][0]
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "train.py"}}}]


def test_what_is_undecided_is_a_notification():
    row = Checked(tensor="W", verdict="undecided", reason="kink")
    run = valid(Report(target="train.py", checked=(row,), incomplete=("`b` has no gradient",)))
    texts = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert texts == ["not measured: `b` has no gradient", "undecided: `W`: kink"]


def test_a_chain_is_a_code_flow():
    flow = valid(Report(target="train.py", findings=(nan_chain(),)))["results"][0]["codeFlows"][0]["threadFlows"][0]
    assert [s["location"]["physicalLocation"]["region"]["startLine"] for s in flow["locations"]] == [8, 9]
    assert flow["locations"][0]["location"]["message"]["text"] == "np.divide(1 - Y, 1 - A) = inf"


def test_rule_pages_are_the_help(monkeypatch):
    rule = Rule("BD102", "scaled-gradient", "error", "# A gradient is scaled\n\n**why**\n")
    monkeypatch.setattr(rules, "get", lambda code: {"BD102": rule}[code])
    named = {r["id"]: r for r in valid(full())["tool"]["driver"]["rules"]}
    assert named["BD102"]["help"]["markdown"] == "# A gradient is scaled\n\n**why**"
    assert named["BD102"]["shortDescription"] == {"text": "A gradient is scaled"}
    assert named["BD309"]["shortDescription"] == {"text": "wrong update key"}


def test_uris(tmp_path):
    (tmp_path / "a b").mkdir()
    assert uri(str(tmp_path / "a b" / "é#.py"), "") == "a%20b/%C3%A9%23.py"
    assert uri("./train.py", "./train.py") == "train.py"
    assert uri(str(tmp_path / "train.py"), str(tmp_path / "train.py")) == "train.py"
    assert uri("/elsewhere/t.py", "") == "file:///elsewhere/t.py"


def test_the_github_lines_are_the_golden_ones():
    same_as_golden("github.txt", full().github() + "\n")


def test_github_commands():
    lines = full().github().splitlines()
    assert lines[0].startswith(
        "::error file=train.py,line=6,endLine=6,col=5,endColumn=36,title=BD102 scaled-gradient::`dW` is half"
    )
    assert lines[1].startswith("::warning title=BD103 ")
    assert lines[2].startswith("::notice file=train.py,line=13,endLine=16,title=BD309 wrong-update-key::")
    assert "%0Ahelp: drop the factor" in lines[0]
    assert lines[3].startswith("::warning file=train.py,title=not measured::")


def test_github_escapes_what_would_end_a_property_or_a_line():
    finding = Finding(code="BD102", name="x", severity="error", message="100%\r\n::error::forged",
                      span=Span("a,b:c%.py", 1, 1, 1, 2))  # fmt: skip
    lines = Report(target="t.py", findings=(finding,)).github().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("::error file=a%2Cb%3Ac%25.py,line=1,")
    assert "::100%25%0D%0A::error::forged" in lines[0]


def test_a_chain_of_names_and_roles_begins_at_the_birth():
    links = [
        {"line": 9, "column": 1, "name": "dZ", "role": "becomes", "value": "nan", "text": "inf*0"},
        {"line": 14, "column": 1, "name": "W1", "role": "parameter", "value": "nan", "text": ""},
    ]
    finding = replace(half(), evidence={"chain": links, "expression": "1 / x"})
    flow = valid(Report(target="train.py", findings=(finding,)))["results"][0]["codeFlows"][0]["threadFlows"][0]
    texts = [s["location"]["message"]["text"] for s in flow["locations"]]
    assert texts == ["1 / x", "dZ: inf*0 = nan", "W1 = nan"]
    assert flow["locations"][0]["location"]["physicalLocation"]["region"] == {"startLine": 6}
