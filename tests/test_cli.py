"""The command line: exit statuses, who writes where, options that go through, files that are written."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
from report_samples import PROGRAM, full, half, healthy, write_program

import backpropdoctor
from backpropdoctor import cli, rules
from backpropdoctor.errors import InputError, UsageError
from backpropdoctor.finding import Finding, Fix
from backpropdoctor.report.report import Report
from backpropdoctor.report.streams import progress_line
from backpropdoctor.rule import Rule
from backpropdoctor.source import Span


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    import linecache

    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    linecache.clearcache()
    write_program(tmp_path)


@pytest.fixture
def calls(monkeypatch):
    """The report of the samples stands in for a run; what `check` was called with is kept."""
    kept: dict = {"report": full()}

    def check(target, **options):
        kept.update(options, target=target)
        print("the script speaks")
        if kept.get("unruly"):
            os.mkdir("elsewhere")
            os.chdir("elsewhere")
            sys.stdout = io.StringIO()
        if isinstance(kept["report"], BaseException):
            raise kept["report"]
        return kept["report"]

    module = types.ModuleType("backpropdoctor.api")
    module.check = check  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "backpropdoctor.api", module)
    monkeypatch.setattr(backpropdoctor, "api", module, raising=False)
    return kept


def python(*arguments: str, **more) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(Path(backpropdoctor.__file__).parents[1])}
    command = [sys.executable, "-m", "backpropdoctor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, **more)


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (full(), 1),
        (healthy(), 0),
        (Report(target="t", incomplete=("x",)), 3),
        (Report(target="t", stopped_by="E: e"), 3),
    ],
    ids=["faulty", "healthy", "incomplete", "stopped"],
)
def test_the_exit_status_is_that_of_the_report(calls, report, status):
    calls["report"] = report
    assert cli.main(["check", "train.py"]) == status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nope.py"], "error: no such file: `nope.py`"),
        (["check", "train.py", "--colour"], "error: no such option"),
        (["check", "train.py", "--format", "yaml"], "is not one of 'text', 'json'"),
        (["check", "train.py", "--time-limit", "0"], "error: invalid value for '--time-limit'"),
        (["check", "train.py", "--steps", "many"], "error: invalid value for '--steps'"),
        (["check", "train.py", "--output", "no/such/folder"], "error: no such folder: `no/such`"),
        (["check", "train.py", "--diff", "--format", "json"], "error: --diff takes no --format"),
        (["check", "train.py", "--quiet", "--verbose"], "exclude each other"),
        (["check"], "error: missing argument 'PATH'"),
        (["train.py"], "did you mean `check train.py`?"),
        (["explain", "BD000"], "error: no rule has the code `BD000`"),
    ],
)
def test_a_wrong_call_is_status_2_and_one_message(calls, capsys, arguments, message):
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""
    assert "target" not in calls


def test_a_syntax_error_in_the_target_has_its_place(calls, capsys):
    Path("bad.py").write_text("x = 1\ndW = (dZ @ A\ndb = 2\n")
    assert cli.main(["check", "bad.py"]) == 2
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "error: `bad.py` is not valid Python: '(' was never closed"
    assert err[1:4] == ["  --> bad.py:2:6", "2 | dW = (dZ @ A", "  |      ^"]


@pytest.mark.parametrize("error", [InputError("`W` is empty", code="BD007", help="give it elements"), UsageError("no")])
def test_an_error_of_the_call_found_later_is_status_2(calls, capsys, error):
    calls["report"] = error
    assert cli.main(["check", "train.py", "--format", "json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert ("error[BD007]: `W` is empty\nhelp: give it elements\n" in err) or "error: no\n" in err


def test_a_fault_of_the_tool_is_no_fault_of_the_code(calls, capsys):
    calls["report"] = RuntimeError("boom")
    assert cli.main(["check", "train.py"]) == 3
    assert "a fault of backpropdoctor" in capsys.readouterr().err


def test_an_interrupt_is_neither(calls):
    calls["report"] = KeyboardInterrupt()
    assert cli.main(["check", "train.py"]) == 130


def test_options_reach_check(calls):
    arguments = ["--loss", "cost", "--params", "W1, b1", "--step-function", "step", "--time-limit", "5", "--steps", "7"]
    cli.main(["check", *arguments, "--watch", "train.py", "--", "--epochs", "3", "-v"])
    assert calls["target"] == "train.py"
    assert (calls["loss"], calls["params"], calls["step_function"]) == ("cost", ["W1", "b1"], "step")
    assert (calls["time_limit"], calls["steps"], calls["watch"]) == (5.0, 7, True)
    assert calls["script_args"] == ("--epochs", "3", "-v")
    calls["progress"]("step", 3, 10)


def test_the_script_speaks_before_a_text_report(calls, capsys):
    cli.main(["check", "train.py"])
    out, err = capsys.readouterr()
    assert out == "the script speaks\n" + full().text() + "\n"
    assert err == ""


@pytest.mark.parametrize("form", ["json", "html", "sarif", "github"])
def test_any_other_report_is_alone_on_standard_output(calls, capsys, form):
    cli.main(["check", "train.py", "--format", form])
    out, err = capsys.readouterr()
    assert out.rstrip("\n") == getattr(full(), form)().rstrip("\n")
    assert "the script speaks" in err


def test_so_it_is_when_a_child_process_of_the_script_writes():
    program = """
import os
from backpropdoctor.report.streams import output_to_stderr
with output_to_stderr():
    print("the script speaks")
    os.system("echo its child speaks")
print("the report")
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(backpropdoctor.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stdout == "the report\n"
    assert sorted(done.stderr.splitlines()) == ["its child speaks", "the script speaks"]


def test_output_writes_the_file_and_the_last_line_to_standard_error(calls, capsys):
    assert cli.main(["check", "train.py", "--format", "json", "--output", "r.json"]) == 1
    out, err = capsys.readouterr()
    assert out == "the script speaks\n"
    assert err.startswith("found 1 error")
    assert json.loads(Path("r.json").read_text())["status"] == "faulty"
    cli.main(["check", "train.py", "--output", "r.txt"])
    assert Path("r.txt").read_text() == full().text() + "\n"


def test_a_script_that_moves_away_and_silences_itself(calls, capsys):
    calls["unruly"] = True
    assert cli.main(["check", "train.py", "--output", "r.txt"]) == 1
    assert Path("r.txt").exists()
    Path("elsewhere").rmdir()
    cli.main(["check", "train.py"])
    assert full().text() in capsys.readouterr().out


def test_quiet_and_verbose(calls, capsys):
    cli.main(["check", "train.py", "-q"])
    assert len(capsys.readouterr().out.splitlines()) == 3
    cli.main(["check", "train.py", "--verbose"])
    assert "complex-step" in capsys.readouterr().out


def test_diff_prints_a_patch_alone(calls, capsys):
    assert cli.main(["check", "train.py", "--diff"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("--- train.py\n+++ train.py\n")
    assert "-    dW = (1/2)*np.dot(dZ, A_prev.T)\n+    dW = np.dot(dZ, A_prev.T)\n" in out
    assert "the script speaks" in err


def test_fix_writes_beside_and_never_over(calls, capsys):
    assert cli.main(["check", "train.py", "--fix"]) == 1
    assert "wrote train.fixed.py" in capsys.readouterr().err
    assert Path("train.py").read_text() == PROGRAM
    assert Path("train.fixed.py").read_text() == PROGRAM.replace("dW = (1/2)*", "dW = ")
    cli.main(["check", "train.py", "--fix"])
    assert not Path("train.fixed.2.py").exists()
    Path("train.fixed.py").write_text("mine")
    cli.main(["check", "train.py", "--fix"])
    assert Path("train.fixed.py").read_text() == "mine"
    assert Path("train.fixed.2.py").exists()


def test_fix_says_what_it_leaves(calls, capsys):
    common = {"code": "BD102", "name": "x", "severity": "error", "message": "m", "span": Span("train.py", 6, 5, 6, 9)}
    calls["report"] = Report(target="train.py", findings=(Finding(**common, fix=Fix(6, "not there", "x")),))
    cli.main(["check", "train.py", "--fix"])
    err = capsys.readouterr().err
    assert "not made: line 6: `not there` stands not on line 6" in err
    assert "no fixed file written" in err
    assert not Path("train.fixed.py").exists()


class Terminal:
    """A stream that is a terminal of some encoding."""

    def __init__(self, stream, encoding="utf-8"):
        self.stream, self.encoding = stream, encoding

    def isatty(self):
        return True

    def __getattr__(self, name):
        return getattr(self.stream, name)


def on_terminal(monkeypatch, capsys, *arguments, encoding="utf-8"):
    monkeypatch.setattr(sys, "stdout", Terminal(sys.stdout, encoding))
    monkeypatch.setattr("shutil.get_terminal_size", lambda *a: os.terminal_size((60, 24)))
    cli.main(["check", "train.py", *arguments])
    return capsys.readouterr().out.split("\n", 1)[1]


def test_colour_and_width_on_a_terminal(calls, monkeypatch, capsys):
    assert on_terminal(monkeypatch, capsys) == full().text(colour=True, width=60) + "\n"


def test_no_colour_where_it_is_not_wanted(calls, monkeypatch, capsys):
    plain = full().text(width=60) + "\n"
    assert on_terminal(monkeypatch, capsys, "--no-colour") == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert on_terminal(monkeypatch, capsys) == plain


def test_a_terminal_without_unicode_gets_ascii(calls, monkeypatch, capsys):
    calls["report"] = Report(target="train.py", findings=(half(),), notes=("Δ ≤ 1",))
    assert on_terminal(monkeypatch, capsys, encoding="ISO-8859-1").isascii()


def test_progress_appears_on_a_terminal_only_and_goes_again(monkeypatch, capsys):
    monkeypatch.setattr("backpropdoctor.report.streams._PATIENCE", 0.0)
    monkeypatch.delenv("TERM", raising=False)
    with progress_line(sys.stderr) as say:
        say("step", 1, 2)
    assert capsys.readouterr().err == ""
    with progress_line(Terminal(sys.stderr)) as say:
        say("step", 1, 2)
        import time

        time.sleep(0.3)
    err = capsys.readouterr().err
    assert "step 1 of 2" in err
    assert err.endswith("\r\x1b[K")


def test_a_short_run_shows_no_progress(capsys):
    with progress_line(Terminal(sys.stderr)) as say:
        say("step")
    assert capsys.readouterr().err == ""


PAGE = """
# A gradient is scaled

**Measured**: the ratio. See [the tutorial](https://example.org).

## A failing example

```python
dW = (1/2) * g  # a comment that is long
```
"""


@pytest.fixture
def one_rule(monkeypatch):
    rule = Rule("BD102", "scaled-gradient", "error", PAGE)
    monkeypatch.setattr(rules, "names", lambda: {"BD102": "bd102_scaled_gradient"})
    monkeypatch.setattr(rules, "get", lambda code: {"BD102": rule}[code.upper()])


@pytest.mark.parametrize("code", ["BD102", "bd102", "scaled-gradient"])
def test_explain_prints_the_page(one_rule, capsys, code):
    assert cli.main(["explain", code]) == 0
    out = capsys.readouterr().out
    assert out.startswith("BD102 scaled-gradient (error)\n\nA gradient is scaled\n")
    assert "Measured: the ratio. See the tutorial (https://example.org)." in out
    assert "    dW = (1/2) * g  # a comment that is long\n" in out
    assert "```" not in out


def test_explain_breaks_paragraphs_to_the_width_and_leaves_code(one_rule, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    cli.main(["explain", "BD102"])
    out = capsys.readouterr().out
    assert "Measured: the ratio. See the\ntutorial\n" in out
    assert "    dW = (1/2) * g  # a comment that is long\n" in out


def test_explain_alone_lists_the_rules(one_rule, capsys):
    assert cli.main(["explain"]) == 0
    assert "BD102  error    scaled-gradient  A gradient is scaled\n" in capsys.readouterr().out


def test_explain_suggests_the_nearest_code(one_rule, capsys):
    assert cli.main(["explain", "BD120"]) == 2
    assert "the nearest are `BD102`" in capsys.readouterr().err


def test_every_rule_has_a_page_that_prints(capsys):
    for code in rules.names():
        assert cli.main(["explain", code]) == 0
        assert capsys.readouterr().out.startswith(f"{code} ")


def test_version_and_help():
    assert python("--version").stdout == f"backpropdoctor, version {backpropdoctor.__version__}\n"
    done = python("check", "--help")
    assert done.returncode == 0
    assert "--step-function" in done.stdout


def test_no_command_is_status_2_and_the_help():
    done = python()
    assert done.returncode == 2
    assert "Commands:" in done.stderr


def test_a_missing_file_is_status_2_in_a_process_of_its_own():
    done = python("check", "nope.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no such file: `nope.py`")


def test_shell_completion_is_there():
    path = {"PYTHONPATH": str(Path(backpropdoctor.__file__).parents[1]), "_BACKPROPDOCTOR_COMPLETE": "zsh_source"}
    command = [sys.executable, "-c", "import sys; from backpropdoctor.cli import main; sys.exit(main())"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **path})
    assert "_BACKPROPDOCTOR_COMPLETE=zsh_complete" in done.stdout


def test_the_shell_completes_codes_and_names():
    path = {"PYTHONPATH": str(Path(backpropdoctor.__file__).parents[1]), "_BACKPROPDOCTOR_COMPLETE": "bash_complete"}
    for typed, wanted in (("bd10", "BD102"), ("scaled", "scaled-gradient")):
        words = {**os.environ, **path, "COMP_WORDS": f"backpropdoctor explain {typed}", "COMP_CWORD": "2"}
        command = [sys.executable, "-c", "import sys; from backpropdoctor.cli import main; sys.exit(main())"]
        done = subprocess.run(command, env=words, capture_output=True, text=True)
        assert f"plain,{wanted}" in done.stdout.splitlines()
