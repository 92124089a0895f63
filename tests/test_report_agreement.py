"""One report in every form: each says the same of every finding and every tensor, in its own words and places."""

from __future__ import annotations

import html
import json
import re

import pytest
from report_samples import full, write_program

from backpropdoctor.report import wording


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    import linecache

    monkeypatch.chdir(tmp_path)
    linecache.clearcache()
    write_program(tmp_path)


def seen(form: str) -> str:
    """What a reader of the form sees, in one line, without the backticks that pages turn into code."""
    report = full()
    if form == "html":
        text = html.unescape(re.sub(r"<(style|title|desc).*?</\1>|<[^>]+>", "", report.html(), flags=re.S))
    elif form == "github":
        text = report.github().replace("%0A", "\n").replace("%25", "%")
    elif form == "json":
        data = json.loads(report.json())
        texts = [v for f in data["findings"] for v in f.values() if isinstance(v, str)]
        lists = [t for f in data["findings"] for key in ("tensors", "affects") for t in f[key]]
        explained = [e["text"] for f in data["findings"] for e in f["explanations"]]
        text = "\n".join([*texts, *lists, *explained, data["summary"], *data["incomplete"]])
    elif form == "sarif":
        run = json.loads(report.sarif())["runs"][0]
        told = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
        named = [f"{r['level']} {r['ruleId']} {r['message']['text']}" for r in run["results"]]
        text = "\n".join([*named, *told, run["properties"]["summary"]])
    else:
        text = report.text()
    return re.sub(r"\s+", " ", text.replace("`", ""))


FORMS = ("text", "json", "html", "sarif", "github")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_all_there_is_to_say(form):
    text = seen(form)
    for finding in full().findings:
        for sentence in (finding.message, finding.measured, finding.help, *(e.text for e in finding.explanations)):
            assert sentence.replace("`", "") in text, (form, sentence)
        assert finding.code in text
        for name in (*finding.tensors, *finding.affects):
            assert name in text
    for sentence in full().incomplete:
        assert sentence.replace("`", "") in text


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_last_line(form):
    assert wording.summary(full()) in seen(form)


def test_every_form_counts_the_severities_alike():
    findings = full().findings
    run = json.loads(full().sarif())["runs"][0]
    data = json.loads(full().json())
    severities = sorted(f.severity for f in findings)
    assert sorted(r["level"] for r in run["results"]) == severities
    assert sorted(f["severity"] for f in data["findings"]) == severities
    assert sorted(re.findall(r"^(\w+)\[BD", full().text(), re.M)) == severities
    assert sorted(re.findall(r'<article class="bd-finding bd-(\w+)"', full().html())) == severities
    commands = re.findall(r"^::(\w+) .*title=BD", full().github(), re.M)
    assert sorted(c.replace("notice", "note") for c in commands) == severities


def test_every_form_has_the_place():
    region = json.loads(full().sarif())["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["region"]
    row = json.loads(full().json())["findings"][1]
    place = (row["line"], row["column"], row["end_line"], row["end_column"])
    assert (region["startLine"], region["startColumn"], region["endLine"], region["endColumn"]) == place
    assert "line=6,endLine=6,col=5,endColumn=36" in full().github()
    assert "train.py:6:5" in seen("text")
    assert "train.py:6:5" in seen("html")


def test_text_html_and_json_tell_the_same_of_every_tensor():
    rows = json.loads(full().json())["checked"]
    for row, data in zip(full().checked, rows, strict=True):
        assert (data["tensor"], data["verdict"], data["analytic"]) == (row.tensor, row.verdict, row.analytic)
        analytic, numeric = wording.pair(row)
        for form in ("text", "html"):
            assert row.tensor in seen(form)
            assert analytic in seen(form)
            assert numeric in seen(form)
            assert wording.error_bar(row.error) in seen(form)
