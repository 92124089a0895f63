"""The pytest plugin: what a run shows, counts and tells JUnit; also under xdist, switched off, and in a strict run."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib.metadata import entry_points
from pathlib import Path

import pytest

# loaded before any run in this process: pytester forgets what such a run has imported, the plugin's package does not
from backpropdoctor.pytest_plugin import collect, fixture, outcome  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = any(e.name == "backpropdoctor" for e in entry_points(group="pytest11"))
LOAD = () if INSTALLED else ("-p", "backpropdoctor.pytest_plugin")

LAYERS = """
    import numpy as np
    import pytest
    from backpropdoctor import assert_layer

    x = np.array([0.3, -1.2])
    noise = np.random.default_rng(0)

    def tanh_backward(g, x):
        return g * (1 - np.tanh(x) ** 2)

    def wrong_backward(g, x):
        return g * (1 - np.tanh(x))

    def noisy(x):
        return x * noise.random(x.shape)
"""

TESTS = (
    LAYERS
    + """
    def test_right():
        assert_layer(np.tanh, tanh_backward, x)

    def test_wrong():
        assert_layer(np.tanh, wrong_backward, x)

    def test_noisy():
        assert_layer(noisy, tanh_backward, x)
"""
)

SCRIPT = """
    import numpy as np

    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((30, 3)), rng.standard_normal((30, 1))
    W, b = rng.standard_normal((3, 1)), np.zeros(1)
    print("it ran")
    for i in range(5):
        out = X @ W + b
        loss = np.mean((out - Y) ** 2)
        dW = 2 * X.T @ (out - Y) / len(X)
        db = 2 * np.mean(out - Y, axis=0)
        W -= 0.1 * dW
        b -= 0.1 * db
"""

MODULE = """
    import numpy as np

    x = np.array([0.5, -0.5, 2.0])

    def relu_forward(x):
        return np.maximum(x, 0), x

    def relu_backward(dout, x):
        return dout * (x > 0)

    def square_forward(x):
        return x**2, x

    def square_backward(dout, x):
        return dout * x
"""


COUNT = """
    from backpropdoctor import api

    real = api.check

    def counted(*args, **options):
        if isinstance(args[0], str):
            with open("runs.txt", "a") as file:
                file.write(f"{args[0]} ")
        return real(*args, **options)

    api.check = counted
"""

RANDOM = """
    import random
    import numpy as np

    np.random.seed(1)
    random.seed(1)

    def test_it():
        assert np.random.rand() == 0.417022004702574
        assert random.random() == 0.13436424411240122
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


@pytest.fixture
def run(pytester):
    """`run(*options)` runs pytest in this process on the files of the test's folder."""

    def runs(*options, process=False):
        way = pytester.runpytest_subprocess if process else pytester.runpytest_inprocess
        return way(*LOAD, "-p", "no:cacheprovider", *options)

    return runs


def files(pytester, **sources):
    pytester.makepyfile(**sources)


class TestAssertions:
    def test_the_failure_is_the_report_and_ends_at_the_users_line(self, pytester, run):
        files(pytester, test_it=TESTS)
        result = run()
        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(
            [
                "*def test_wrong():*",
                ">       assert_layer(np.tanh, wrong_backward, x)",
                "E *CheckFailed: error[[]BD101[]]: `wrong_backward(…)` is not the gradient of `tanh` by `x`",
                "E *--> test_it.py:*",
                "E *x         wrong*",
                "E *found 1 error; 1 tensor checked: 1 wrong*",
                "test_it.py:*: CheckFailed",
            ]
        )
        assert "asserts.py" not in result.stdout.str()

    def test_an_undecided_check_is_an_outcome_of_its_own(self, pytester, run):
        files(pytester, test_it=TESTS)
        result = run("-k", "noisy")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["test_it.py u *", "UNDECIDED test_it.py::test_noisy - *random*", "*1 undecided*"])
        assert "UNDECIDED" in run("-k", "noisy", "-v").stdout.str()

    def test_a_strict_run_fails_it(self, pytester, run):
        files(pytester, test_it=TESTS)
        result = run("-k", "noisy", "--backprop-strict")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*CheckUndecided: *random*"])

    def test_undecided_in_a_fixture_keeps_the_test_from_running(self, pytester, run):
        source = LAYERS + "    @pytest.fixture\n    def it():\n        assert_layer(noisy, tanh_backward, x)\n"
        files(pytester, test_it=source + "\n    def test_it(it):\n        1 / 0\n")
        assert run().ret == 0
        assert run("--backprop-strict").ret == 1

    def test_other_failures_are_left_alone(self, pytester, run):
        files(pytester, test_it=TESTS + "\n    def test_other():\n        assert 1 == 2\n")
        result = run("-k", "other or wrong")
        result.assert_outcomes(failed=2)
        result.stdout.fnmatch_lines(["E       assert 1 == 2"])


class TestFixture:
    def test_a_report_of_it_is_shown_where_the_test_fails(self, pytester, run):
        body = "    def test_it(doctor):\n        assert doctor.check_layer(np.tanh, {}_backward, x).ok\n"
        files(pytester, test_right=LAYERS + body.format("tanh"), test_wrong=LAYERS + body.format("wrong"))
        result = run()
        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(["*backpropdoctor: tanh*", "error[[]BD101[]]: *"])

    def test_it_has_every_assertion_and_check(self, pytester, run):
        files(
            pytester,
            test_it=LAYERS
            + """
    def test_all(doctor):
        loss, gradient = lambda w: np.sum(w**2), lambda w: 2 * w
        doctor.assert_layer(np.tanh, tanh_backward, x)
        doctor.assert_gradients(loss, gradient, x)
        doctor.assert_finite({"x": x})
        W = np.ones(2)
        with doctor.assert_updates({"W": W}) as watch:
            W -= 0.1
            watch.step()
        assert doctor.check_gradient(loss, gradient, x).ok and doctor.check(loss, gradient, x).ok
        assert len(doctor.reports) == 4 and doctor.explain("BD102").startswith("BD102")

    def test_none_yet(doctor):
        assert doctor.report is None and doctor.reports == []
""",
        )
        run().assert_outcomes(passed=2)


class TestMarker:
    def test_its_target_is_checked_before_the_test_runs(self, pytester, run):
        test = """
            import pytest

            @pytest.mark.backprop("{}", params=["W", "b"])
            def test_train(doctor):
                print("the body ran")
                assert doctor.report.ok and doctor.report.target == "{}"
        """
        files(pytester, train=SCRIPT, wrong=SCRIPT.replace("db = 2", "db = 1"))
        files(pytester, test_it=test.format("train.py", "train.py"), test_wrong=test.format("wrong.py", "wrong.py"))
        result = run()
        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(["error[[]BD102[]]: *", "FAILED test_wrong.py::test_train - error*"])
        assert "the body ran" not in result.stdout.str() and "pytest_plugin" not in result.stdout.str()

    def test_it_makes_one_test_strict(self, pytester, run):
        source = TESTS.replace("def test_noisy", "@pytest.mark.backprop(strict=True)\n    def test_noisy")
        files(pytester, test_it=source)
        run("-k", "noisy").assert_outcomes(failed=1)

    def test_it_makes_one_test_lenient_in_a_strict_run(self, pytester, run):
        source = TESTS.replace("def test_noisy", "@pytest.mark.backprop(strict=False)\n    def test_noisy")
        files(pytester, test_it=source)
        assert run("-k", "noisy", "--backprop-strict").ret == 0

    def test_it_is_declared(self, pytester, run):
        files(pytester, test_it="import pytest\n@pytest.mark.backprop\ndef test_it(): pass")
        assert run("--strict-markers").ret == 0
        run("--markers").stdout.fnmatch_lines(["@pytest.mark.backprop(*target, strict=None, **options): *"])


class TestFiles:
    """`--backprop-check PATH`."""

    def test_a_right_script_gives_a_passing_test_for_each_parameter(self, pytester, run):
        files(pytester, train=SCRIPT)
        result = run("--backprop-check", "train.py", "-v")
        result.assert_outcomes(passed=2)
        result.stdout.fnmatch_lines(["*collected 2 items", "train.py::W PASSED*", "train.py::b PASSED*"])
        assert "it ran" not in result.stdout.str()

    def test_a_wrong_one_fails_at_the_tensor_that_is_wrong(self, pytester, run):
        files(pytester, train=SCRIPT.replace("db = 2", "db = 1"))
        result = run("--backprop-check", "train.py")
        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(
            ["*backprop train.py: b*", "error[[]BD102[]]: `db` *", "  --> train.py:11:*", "FAILED train.py::b - error*"]
        )

    def test_a_module_gives_a_test_for_each_layer(self, pytester, run):
        files(pytester, mylayers=MODULE)
        result = run("--backprop-check", "mylayers.py", "-v")
        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(["mylayers.py::relu: x PASSED*", "mylayers.py::square: x FAILED*"])

    def test_it_adds_to_the_tests_and_to_another_path(self, pytester, run):
        files(pytester, train=SCRIPT, mylayers=MODULE, test_it=TESTS)
        options = "--backprop-check", "train.py", "--backprop-check", "mylayers.py", "--backprop-check", "./train.py"
        run(*options).assert_outcomes(passed=4, failed=2)
        run(*options, "-m", "backprop").assert_outcomes(passed=3, failed=1, deselected=3)
        run(*options, "-k", "train.py or relu").assert_outcomes(passed=3, deselected=4)

    def test_the_check_runs_once_a_file(self, pytester, run):
        files(pytester, train=SCRIPT, conftest=COUNT)
        run("--backprop-check", "train.py", process=True).assert_outcomes(passed=2)
        assert (pytester.path / "runs.txt").read_text() == "train.py "

    def test_collecting_alone_lists_the_tests(self, pytester, run):
        files(pytester, train=SCRIPT)
        result = run("--backprop-check", "train.py", "--collect-only", "-q")
        result.stdout.fnmatch_lines(["train.py::W", "train.py::b"])

    def test_a_script_that_raises_is_undecided_and_strictly_a_failure(self, pytester, run):
        files(pytester, train=SCRIPT.replace("    rng =", "    raise ValueError('no data')\n    rng =", 1))
        result = run("--backprop-check", "train.py")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["*UNDECIDED train.py::run - *ValueError: no data*", "*1 undecided*"])
        run("--backprop-check", "train.py", "--backprop-strict").assert_outcomes(failed=1)

    def test_a_script_without_training_is_no_pass(self, pytester, run):
        files(pytester, train="x = 1")
        result = run("--backprop-check", "train.py", "--backprop-strict")
        result.assert_outcomes(failed=1)

    def test_a_file_that_is_no_python_is_an_error_of_collection(self, pytester, run):
        files(pytester, train="def def")
        result = run("--backprop-check", "train.py")
        assert result.ret == pytest.ExitCode.INTERRUPTED
        result.stdout.fnmatch_lines(["*`*train.py` is not valid Python*"])

    def test_no_such_file_and_a_folder_are_wrong_calls(self, pytester, run):
        result = run("--backprop-check", "none.py")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["*no such file: `none.py`*"])
        assert run("--backprop-check", ".").ret == pytest.ExitCode.USAGE_ERROR

    def test_warnings_and_random_numbers_of_the_script_stay_its_own(self, pytester, run):
        seeded = "    import random, warnings\n    np.random.seed(5)\n    random.seed(5)\n    warnings.warn('mine')\n"
        files(pytester, train=SCRIPT.replace("    rng =", seeded + "    rng =", 1))
        files(pytester, test_it=RANDOM)
        result = run("--backprop-check", "train.py", "-W", "error")
        result.assert_outcomes(passed=3)

    def test_a_finding_that_fails_nothing_is_a_warning(self, pytester, run):
        half = SCRIPT.replace("dW = 2 * X.T", "dW = X.T").replace("db = 2 * np.mean", "db = np.mean")
        files(pytester, train=half)
        result = run("--backprop-check", "train.py")
        result.assert_outcomes(passed=2, warnings=1)
        result.stdout.fnmatch_lines(["*BackpropWarning: BD103: *"])


class TestJUnit:
    def properties(self, pytester, name) -> list[tuple[str, str]]:
        tree = ElementTree.parse(pytester.path / "out.xml")
        case = next(c for c in tree.iter("testcase") if c.get("name") == name)
        return [(p.get("name", ""), p.get("value", "")) for p in case.iter("property")]

    def test_what_an_item_tells(self, pytester, run):
        files(pytester, train=SCRIPT.replace("db = 2", "db = 1"))
        run("--backprop-check", "train.py", "--junitxml", "out.xml")
        right, wrong = dict(self.properties(pytester, "W")), dict(self.properties(pytester, "b"))
        assert right["backprop.verdict"] == "right" and "backprop.code" not in right
        assert wrong["backprop.verdict"] == "wrong" and wrong["backprop.code"] == "BD102"
        assert float(wrong["backprop.ratio"]) == pytest.approx(0.5) and float(right["backprop.ratio"]) == pytest.approx(1)
        assert wrong["backprop.place"].endswith("train.py:11")

    def test_what_a_failing_and_an_undecided_assertion_tell(self, pytester, run):
        files(pytester, test_it=TESTS)
        run("--junitxml", "out.xml")
        wrong, noisy = self.properties(pytester, "test_wrong"), self.properties(pytester, "test_noisy")
        assert ("backprop.code", "BD101") in wrong and ("backprop.verdict", "x: wrong") in wrong
        assert ("backprop.code", "BD901") in noisy and ("backprop.status", "incomplete") in noisy
        skipped = next(ElementTree.parse(pytester.path / "out.xml").iter("skipped"))
        assert skipped.get("type") == "pytest.xfail" and "random" in skipped.get("message", "")

    def test_nothing_is_told_twice(self, pytester, run):
        body = "    def test_it(doctor):\n        doctor.assert_layer(np.tanh, tanh_backward, x)\n"
        files(pytester, test_it=LAYERS + body)
        run("--junitxml", "out.xml")
        assert self.properties(pytester, "test_it") == [("backprop.status", "healthy")]


class TestElsewhere:
    def test_under_xdist(self, pytester, run):
        pytest.importorskip("xdist")
        files(pytester, train=SCRIPT.replace("db = 2", "db = 1"), mylayers=MODULE, test_it=TESTS, conftest=COUNT)
        options = "-n", "2", "--backprop-check", "train.py", "--backprop-check", "mylayers.py", "--junitxml", "out.xml"
        result = run(*options, process=True)
        result.assert_outcomes(passed=3, failed=3)
        result.stdout.fnmatch_lines(["*error[[]BD102[]]: `db` *", "*UNDECIDED test_it.py::test_noisy*", "*1 undecided*"])
        assert sorted((pytester.path / "runs.txt").read_text().split()) == ["mylayers.py", "train.py"]
        assert 'name="backprop.code" value="BD102"' in (pytester.path / "out.xml").read_text()

    def test_switched_off(self, pytester):
        files(pytester, test_it=TESTS)
        result = pytester.runpytest_subprocess("-p", "no:backpropdoctor", "-p", "no:backpropdoctor.pytest_plugin")
        result.assert_outcomes(passed=1, failed=2)
        result.stdout.fnmatch_lines(["*CheckFailed: error[[]BD101[]]*", "*CheckUndecided: *"])
        assert "asserts.py" not in result.stdout.str()
        refused = pytester.runpytest_subprocess("-p", "no:backpropdoctor", "--backprop-strict")
        assert refused.ret == pytest.ExitCode.USAGE_ERROR

    def test_a_report_is_in_colour_where_the_terminal_is(self, pytester, run):
        files(pytester, train=SCRIPT.replace("db = 2", "db = 1"))
        assert "\x1b[1;31merror[BD102]\x1b[0m" in run("--backprop-check", "train.py", "--color=yes").stdout.str()
        assert "\x1b" not in run("--backprop-check", "train.py", "--color=no").stdout.str()


HEAVY = {"numpy", "scipy", "hypothesis", "click", "jinja2", "tabulate", "torch"}
PROBE = """
import sys

def pytest_unconfigure(config):
    print("LOADED", *{m.split(".")[0] for m in sys.modules}, *(m for m in sys.modules if m.startswith("backprop")))
"""


class TestCost:
    def loaded(self, pytester) -> set[str]:
        (pytester.path / "probe.py").write_text(PROBE)
        options = [*LOAD, "-p", "probe", "-p", "no:hypothesispytest", "-p", "no:cacheprovider", "-s"]
        result = pytester.runpytest_subprocess(*options)
        return set(re.search(r"^LOADED (.*)$", result.stdout.str(), re.MULTILINE)[1].split())

    def test_a_run_that_does_not_use_it_loads_nothing(self, pytester, monkeypatch):
        monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{pytester.path}")
        files(pytester, test_it="def test_it():\n    assert True\n")
        loaded = self.loaded(pytester)
        assert not loaded & HEAVY
        own = {name for name in loaded if name.startswith("backpropdoctor")}
        assert own == {"backpropdoctor", "backpropdoctor.pytest_plugin"}

    def test_the_guard_sees_a_run_that_does(self, pytester, monkeypatch):
        monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{pytester.path}")
        files(pytester, test_it="def test_it(doctor):\n    assert doctor\n")
        assert {"numpy", "backpropdoctor.api"} <= self.loaded(pytester)

    def test_the_plugin_by_itself_imports_pytest_only(self):
        code = "import sys, pytest; before = set(sys.modules); import backpropdoctor.pytest_plugin\n"
        code += "print(*sorted(set(sys.modules) - before))"
        made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        assert made.stdout.split() == ["backpropdoctor", "backpropdoctor.pytest_plugin"]
