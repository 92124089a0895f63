"""The JSON report: schema 1, whatever the numbers are."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from report_samples import full, half, healthy, many

from backpropdoctor.finding import Checked, Finding, Fix, Loss
from backpropdoctor.report.as_json import plain
from backpropdoctor.report.report import Report
from backpropdoctor.source import Span

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "report-schema.json").read_text())


def valid(report: Report) -> dict:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    data = json.loads(report.json(), parse_constant=no_constant)
    jsonschema.validate(data, SCHEMA)
    return data


@pytest.mark.parametrize("report", [full(), healthy(), many(), Report(target="x.py")], ids=["full", "healthy", "many", "empty"])
def test_every_report_is_valid(report):
    assert valid(report) == report.to_dict()


def test_the_schema_refuses_what_is_wrong():
    data = full().to_dict()
    data["findings"][0]["severity"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


def test_the_keys_of_the_design_are_there():
    data = valid(full())
    assert data["schema"] == 1
    assert data["tool"]["name"] == "backpropdoctor"
    assert data["status"] == "faulty"
    finding = data["findings"][1]
    assert finding["code"] == "BD102"
    assert (finding["line"], finding["column"], finding["end_line"], finding["end_column"]) == (6, 5, 6, 36)
    assert finding["fix"]["before"] == "(1/2)*"
    assert finding["explanations"][0]["status"] == "verified"
    assert data["checked"][0]["verdict"] == "wrong"
    assert data["loss"] == {"name": "cost", "line": 89, "value": 6.88, "source": "found"}
    assert data["cost"] == {"evaluations": 36, "seconds": 0.83}


def test_nan_and_infinity_are_strings_that_float_reads_back():
    numpy = pytest.importorskip("numpy")
    finding = Finding(code="BD201", name="log-of-zero", severity="error", message="m",
                      evidence={"operands": numpy.array([0, numpy.nan]), "least": -math.inf, 3: {1, 2}})  # fmt: skip
    row = Checked(tensor="W", verdict="wrong", analytic=math.nan, numeric=math.inf, ratio=numpy.float64(0.5))
    data = valid(Report(target="t", findings=(finding,), checked=(row,), loss=Loss(name="l", value=math.nan)))
    assert data["checked"][0]["analytic"] == "NaN"
    assert data["checked"][0]["numeric"] == "Infinity"
    assert data["checked"][0]["ratio"] == 0.5
    assert data["loss"]["value"] == "NaN"
    assert data["findings"][0]["evidence"] == {"operands": [0.0, "NaN"], "least": "-Infinity", "3": [1, 2]}
    assert math.isnan(float("NaN")) and float("-Infinity") == -math.inf


def test_what_json_does_not_know_becomes_text():
    assert plain(object)[:6] == "<class"
    assert plain(1 + 2j) == "(1+2j)"
    json.dumps(plain({"a": "\ud800"}), ensure_ascii=False).encode()


def test_fix_is_the_first_of_several():
    fixes = (Fix(1, "a", "b"), Fix(2, "c", "d"))
    finding = Finding(code="BD102", name="x", severity="error", message="m", span=Span("t.py", 1, 1, 1, 2), fixes=fixes)
    row = Report(target="t.py", findings=(finding,)).to_dict()["findings"][0]
    assert row["fix"] == row["fixes"][0]
    assert [f["path"] for f in row["fixes"]] == ["t.py", "t.py"]


def test_a_finding_keeps_its_names():
    data = Report(target="t", findings=(half(),)).to_dict()["findings"][0]
    for key in ("code", "name", "message", "line", "layer", "step", "help", "label", "measured"):
        assert data[key] == getattr(half(), key)
