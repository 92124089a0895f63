"""The notebook: `%%doctor`, `%doctor` and reports that draw themselves, in IPython's shell and on a real kernel."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("IPython")

from IPython.core.interactiveshell import InteractiveShell  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent

SETUP = """\
import numpy as np
import backpropdoctor as bd

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((30, 3)), rng.standard_normal((30, 1))

def gradient(out):
    return 2 * X.T @ (out - Y) / len(X)

def wrong_gradient(out):
    dW = 2 * X.T @ (out + Y) / len(X)
    return dW
"""

CELL = """\
%%doctor
W, b = np.zeros((3, 1)), np.zeros(1)
for step in range(7):
    out = X @ W + b
    loss = np.mean((out - Y) ** 2)
    dW = 2 * X.T @ (out - Y) / len(X)
    db = 2 * np.mean(out - Y, axis=0)
    W -= 0.1 * dW
    b -= 0.1 * db
step
"""
BY_HAND = "2 * X.T @ (out - Y) / len(X)"

TRAIN = """\
def train(X, Y, steps=5):
    W, b = np.zeros((3, 1)), np.zeros(1)
    for i in range(steps):
        out = X @ W + b
        loss = np.mean((out - Y) ** 2)
        dW = 2 * X.T @ (out - Y) / len(X)
        db = 2 * np.mean(out - Y, axis=0)
        W -= 0.1 * dW
        b -= 0.1 * db
    return W

bd.check(train, X, Y)
"""

LAYER = """\
class Square:
    def forward(self, x):
        self.x = x
        return x ** 2
    def backward(self, g):
        return g * self.x

bd.check(Square(), np.array([0.5, -1.5]))
"""


class Notebook:
    """IPython's shell without a kernel."""

    def __init__(self) -> None:
        self.shell = InteractiveShell.instance(colors="nocolor")
        self.shell.reset()
        self.run("%load_ext backpropdoctor")
        self.run(SETUP)

    def run(self, source):
        """The value of a cell; raises what the cell raises."""
        result = self.shell.run_cell(source, store_history=True)
        result.raise_error()
        return result.result


@pytest.fixture
def notebook(capsys):
    yield Notebook()
    InteractiveShell.clear_instance()


class TestCell:
    def test_a_right_cell_runs_to_its_end_and_shows_its_last_value(self, notebook, capsys):
        report = notebook.run(CELL)
        assert report.ok and report.checked[0].tensor == "W"
        plain = notebook.run(CELL.replace("%%doctor\n", "").replace("W", "V"))
        assert plain == 6 and notebook.shell.user_ns["step"] == 6
        assert (notebook.shell.user_ns["W"] == notebook.shell.user_ns["V"]).all()
        assert ": 6\n" in capsys.readouterr().out

    def test_a_wrong_cell_is_told_at_the_line_as_it_stands_in_the_cell(self, notebook):
        report = notebook.run(CELL.replace("out - Y) / len(X)", "out + Y) / len(X)"))
        finding = report.findings[0]
        assert finding.line == 6 and "In[3]:6:" in report.text() and "dW = 2 * X.T @ (out + Y)" in report.text()
        assert report.to_dict()["findings"][0]["path"] == "In[3]"

    def test_the_edit_is_found_and_proved_by_running_the_cell_again(self, notebook, capsys):
        report = notebook.run(CELL.replace("out - Y) / len(X)", "out + Y) / len(X)"))
        fix, said = report.findings[0].fix, report.findings[0].help
        assert fix is not None and fix.line == 6 and "-" in fix.after and "verified: all 2 gradients right" in said
        assert notebook.shell.user_ns["step"] < 6 and capsys.readouterr().out.count("found 1 error") == 1

    def test_the_edit_of_an_earlier_cell_is_proved_and_not_made(self, notebook):
        report = notebook.run(CELL.replace(BY_HAND, "wrong_gradient(out)"))
        assert report.findings[0].fix is not None and "verified" in report.findings[0].help
        assert notebook.run("wrong_gradient(X @ np.zeros((3, 1)))").shape == (3, 1)
        again = notebook.run(CELL.replace(BY_HAND, "wrong_gradient(out)"))
        assert again.wrong == report.wrong == ("W",)

    def test_functions_of_earlier_cells_are_recorded(self, notebook):
        assert notebook.run(CELL.replace(BY_HAND, "gradient(out)")).ok
        report = notebook.run(CELL.replace(BY_HAND, "wrong_gradient(out)"))
        assert report.findings[0].line == 11 and "In[2]:11:" in report.text()

    def test_the_functions_are_afterwards_what_they_were(self, notebook):
        before = notebook.shell.user_ns["gradient"].__code__
        notebook.run(CELL.replace(BY_HAND, "gradient(out)"))
        assert notebook.shell.user_ns["gradient"].__code__ is before

    def test_what_such_a_cell_defines_is_plain_and_recorded_in_the_next_one(self, notebook):
        wrong = BY_HAND.replace("-", "+")
        define = f"def rule(out):\n    return {wrong}\n\nclass Layer:\n    def back(self, out):\n        return rule(out)"
        notebook.run("%%doctor\n" + define)
        notebook.run("\n" + define.replace("rule", "again").replace("Layer", "Again"))
        names = notebook.shell.user_ns
        assert names["rule"].__code__.co_code == names["again"].__code__.co_code
        report = notebook.run(CELL.replace(BY_HAND, "Layer().back(out)"))
        assert report.wrong == ("W",)

    def test_an_exception_is_the_users_own(self, notebook, capsys):
        with pytest.raises(NameError, match="undefined"):
            notebook.run(CELL.replace(BY_HAND, "undefined"))
        shown = capsys.readouterr().out
        assert "NameError" in shown and "instrument" not in shown and "cell.py" not in shown

    def test_a_cell_that_is_no_python_is_a_syntax_error(self, notebook):
        with pytest.raises(SyntaxError):
            notebook.run("%%doctor\ndef def")

    def test_a_cell_without_training_says_so(self, notebook):
        report = notebook.run("%%doctor\nx = 1")
        assert not report.ok and report.findings[0].code == "BD020"

    def test_a_last_value_with_a_semicolon_is_not_shown(self, notebook, capsys):
        notebook.run("%%doctor\nx = 1\nx + 41;")
        assert "42" not in capsys.readouterr().out
        notebook.run("%%doctor\nx = 1\nx + 41")
        assert "42" in capsys.readouterr().out

    def test_a_magic_and_a_shell_line_in_the_cell_still_work(self, notebook):
        notebook.run("%%doctor\nhere = %pwd\n")
        assert notebook.shell.user_ns["here"] == os.getcwd()

    def test_loss_and_parameters_may_be_named(self, notebook):
        assert notebook.run(CELL.replace("%%doctor", "%%doctor --loss loss --params W")).loss.source == "declared"


class TestLine:
    def test_explain_shows_the_page(self, notebook):
        page = notebook.run("%doctor explain BD102")
        bundle = page._repr_mimebundle_()
        assert bundle["text/markdown"].startswith("### BD102 scaled-gradient") and "```python" in bundle["text/markdown"]
        assert repr(page).startswith("BD102 scaled-gradient")

    def test_explain_alone_lists_the_rules(self, notebook):
        bundle = notebook.run("%doctor explain")._repr_mimebundle_()
        assert "| BD102 | scaled-gradient |" in bundle["text/markdown"] and "BD102" in bundle["text/plain"]

    def test_check_takes_a_path(self, notebook, tmp_path):
        script = tmp_path / "train.py"
        script.write_text(SETUP + CELL.replace("%%doctor\n", ""))
        assert notebook.run(f"%doctor check {script}").ok

    @pytest.mark.parametrize("line", ["%doctor", "%doctor nonsense", "%doctor explain BD777", "%%doctor --wrong\nx = 1"])
    def test_a_wrong_call_is_said_in_one_line(self, notebook, capsys, line):
        from IPython.core.error import UsageError

        with pytest.raises(UsageError):
            notebook.run(line)
        assert capsys.readouterr().err.startswith("UsageError: ")

    def test_unloading_takes_the_magics_away(self, notebook, capsys):
        notebook.run("%unload_ext backpropdoctor")
        assert notebook.shell.find_line_magic("doctor") is None and notebook.shell.find_cell_magic("doctor") is None


class TestFunctions:
    def test_a_training_function(self, notebook):
        assert notebook.run(TRAIN).ok
        report = notebook.run(TRAIN.replace("(out - Y) /", "(out + Y) /"))
        assert report.findings[0].line == 6 and "In[4]:6:" in report.text()

    def test_a_layer(self, notebook):
        assert notebook.run(LAYER).wrong == ("x",)
        assert notebook.run(LAYER.replace("g * self.x", "2 * g * self.x")).ok


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What the cells of a notebook show on a real kernel: for each the list of its outputs."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    from jupyter_client.manager import KernelManager

    folder = tmp_path_factory.mktemp("kernel")
    spec = folder / "kernels" / "doctor" / "kernel.json"
    spec.parent.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": command, "display_name": "doctor", "language": "python"}))
    sources = ["%load_ext backpropdoctor", SETUP, CELL, CELL.replace(BY_HAND, "wrong_gradient(out)"), TRAIN, LAYER]
    sources += ["%doctor explain BD102"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        manager = KernelManager(kernel_name="doctor")
        resources = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(notebook, km=manager, timeout=120, resources=resources).execute()
    return [cell.outputs for cell in notebook.cells]


class TestKernel:
    def data(self, outputs, k):
        return outputs[k][-1]["data"]

    def test_a_right_cell_shows_its_value_and_its_report(self, outputs):
        value, report = outputs[2]
        assert value["data"]["text/plain"] == "6"
        assert "found nothing wrong" in report["data"]["text/plain"]

    def test_a_report_draws_itself_with_a_plain_twin(self, outputs):
        for k in (2, 3, 4, 5):
            assert set(self.data(outputs, k)) == {"text/plain", "text/html"}
        wrong = self.data(outputs, 3)
        assert "BD107" in wrong["text/plain"] and "BD107" in wrong["text/html"]
        assert "In[2]:11:" in wrong["text/plain"] and "In[2]:11:" in wrong["text/html"]

    def test_a_function_and_a_layer(self, outputs):
        assert "found nothing wrong" in self.data(outputs, 4)["text/plain"]
        assert "half" in self.data(outputs, 5)["text/plain"]

    def test_a_rule_is_markdown(self, outputs):
        assert set(self.data(outputs, 6)) == {"text/plain", "text/markdown"}
