"""Scripts and calls under the recorder: what the policy sees, what stops, what comes back, what is refused."""

from __future__ import annotations

import builtins
import io
import os
import subprocess
import sys
import traceback
import types
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tape_oracle import Everything, node_named, record, unfaithful

from backpropdoctor.errors import InputError, UsageError
from backpropdoctor.tape.run import FirstSteps, RunResult, Stop, run_script
from backpropdoctor.tape.run_call import reachable, record_call
from backpropdoctor.tape.run_modules import InputRefused

TRAIN = """
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
counted = 0
for row in X:
    counted += 1
W = rng.normal(size=(3, 1))
losses = []
for epoch in range(5):
    for i in range(0, 8, 4):
        e = X[i:i + 4] @ W - y[i:i + 4]
        dW = X[i:i + 4].T @ e / 4
        W -= 0.1 * dW
    losses.append(np.mean(e ** 2))
    print(epoch, losses[-1])
"""


def run(folder: Path, source: str, **options: Any) -> RunResult:
    path = folder / "script.py"
    path.write_text(source)
    return run_script(path, debug=True, **options)


def output(folder: Path, source: str, *args: str) -> tuple[str, str, int]:
    path = folder / "plain.py"
    path.write_text(source)
    done = subprocess.run([sys.executable, str(path), *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout, done.stderr, done.returncode


DRIVER = """
import sys, traceback
from backpropdoctor.tape.run import run_script
result = run_script(sys.argv[1], sys.argv[2:], whole=True, debug=True)
if result.exception is not None:
    traceback.print_exception(result.exception)
"""


def recorded_output(folder: Path, source: str) -> tuple[str, str]:
    """What a script prints when all of it is recorded, with the names that `output` has."""
    path = folder / "plain.py"
    path.write_text(source)
    root = str(Path(__file__).parent.parent)
    env = {**os.environ, "PYTHONPATH": root + os.pathsep + os.environ.get("PYTHONPATH", "")}
    done = subprocess.run([sys.executable, "-c", DRIVER, str(path)], capture_output=True, text=True, env=env)
    return done.stdout, done.stderr


def test_the_default_policy_stops_after_three_iterations(tmp_path: Path) -> None:
    out = io.StringIO()
    with redirect_stdout(out):
        result = run(tmp_path, TRAIN)
    assert result.stopped and result.exception is None
    assert out.getvalue() == "".join(output(tmp_path, TRAIN)[0].splitlines(keepends=True)[:3])
    outer = [i for i in result.tape.iterations if i.site.span.line == 10]
    inner = [i for i in result.tape.iterations if i.site.span.line == 11]
    assert [i.number for i in outer] == [0, 1, 2]
    assert [i.number for i in inner] == [0, 1] * 3 and len({i.instance for i in inner}) == 3
    assert unfaithful(result.tape) == []
    assert {loop.site.span.line for loop in result.loops.values() if loop.updates} == {10, 11}
    assert not next(loop for loop in result.loops.values() if loop.site.span.line == 6).updates


def test_steps_may_be_recorded_here_and_there(tmp_path: Path) -> None:
    class Odd(Everything):
        def begin(self, loop: Any, instance: int, iteration: int, tape: Any) -> bool:
            return iteration % 2 == 1

    result = run(tmp_path, TRAIN, policy=Odd())
    assert not result.stopped
    assert unfaithful(result.tape) == []
    first = [n for n in result.tape.nodes if n.kind == "write"]
    assert len({n.value.tobytes() for n in first}) == len(first) == 5  # the second batch of each epoch
    assert len({n.scope for n in result.tape.nodes}) == 1


def test_a_policy_may_stop_at_the_end_of_a_loop(tmp_path: Path) -> None:
    class AtEnd(Everything):
        def end(self, loop: Any, instance: int, iteration: int, tape: Any) -> None:
            raise Stop

    result = run(tmp_path, TRAIN, policy=AtEnd())
    assert result.stopped and "losses" in result.namespace and result.namespace["losses"] == []


SWALLOW = """
import numpy as np
W = np.ones(2)
log = []
for k in range(50):
    try:
        W = W - 0.1 * W
        for j in range(2):
            try:
                W -= 0.01 * W
            except:
                log.append('swallowed')
    except BaseException:
        log.append('swallowed')
    finally:
        log.append(k)
"""


def test_the_stop_passes_every_handler_and_runs_finally(tmp_path: Path) -> None:
    result = run(tmp_path, SWALLOW)
    assert result.stopped
    assert result.namespace["log"] == [0, 1, 2]


def test_a_swallowed_stop_comes_again_and_cleaning_up_is_left_in_peace(tmp_path: Path) -> None:
    source = (
        "import contextlib\nimport numpy as np\nw = np.ones(2)\ndone = []\ntry:\n"
        "  with contextlib.suppress(BaseException):\n    for i in range(9):\n      w -= 0.1 * w\n  done.append('swallowed')\n"  # noqa: E501
        "  for i in range(9):\n    w -= 0.1 * w\n    done.append(i)\nfinally:\n"
        "  for i in range(4):\n    w -= 0.1 * w\n  done.append('cleaned')\n"
    )
    result = run(tmp_path, source)
    assert result.stopped and result.namespace["done"] == ["swallowed", "cleaned"]


def test_exceptions_keep_the_users_traceback(tmp_path: Path) -> None:
    source = TRAIN + "def f(v):\n    return np.dot(v, undefined * 2)\nf(W)\n"

    result = run(tmp_path, source, policy=Everything())
    assert isinstance(result.exception, NameError) and result.exit_code == 1
    assert [e.filename for e in traceback.extract_tb(result.exception.__traceback__)] == [str(tmp_path / "script.py")] * 2
    expected = output(tmp_path, source)[1].replace("plain.py", "script.py")
    assert "".join(traceback.format_exception(result.exception)) == expected


def test_carets_and_warnings_name_the_users_place(tmp_path: Path) -> None:
    source = (
        "import numpy as np\nimport warnings\nwarnings.simplefilter('always')\nx = np.zeros(2)\n"
        "y = (np.ones(2) / x) * 2\nwarnings.warn('mine', stacklevel=1)\n"
        "d = {'a': [1]}\ntry:\n    d['a'][0] += 'b'\nexcept TypeError:\n    import traceback; traceback.print_exc()\n"
        "def g(a, *, b):\n    return a\ntry:\n    g(1,\n      c=np.ones(1))\nexcept TypeError:\n    traceback.print_exc()\n"  # noqa: E501
        "z = (x + 1).T @ np.ones(3)\n"
    )
    assert recorded_output(tmp_path, source) == output(tmp_path, source)[:2]


def test_the_world_of_a_script(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("import numpy as np\ndef twice(a):\n    return a * 2\n")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("from .inner import thrice\n")
    (tmp_path / "pack" / "inner.py").write_text("def thrice(a):\n    return a * 3\n")
    source = (
        "import sys, os, pickle\nimport numpy as np\nimport helper\nfrom pack import thrice\n"
        "print(sys.argv[1:], os.path.basename(sys.argv[0]), __name__, os.path.basename(__file__), sys.path[0])\n"
        "class C:\n    pass\nprint(pickle.loads(pickle.dumps(C())).__class__ is C, sys.modules['__main__'].C is C)\n"
        "x = np.ones(2)\ny = helper.twice(x)\nz = thrice(y)\nprint(globals().keys() == vars().keys(), __doc__)\n"
        "assert sys.stdin.read() == ''\n"
    )
    before = dict(sys.modules), list(sys.path), sys.argv, builtins.input, sys.stdin
    out = io.StringIO()
    with redirect_stdout(out):
        result = run(tmp_path, source, args=["a", "-b"], whole=True)
    assert result.exception is None
    assert out.getvalue() == output(tmp_path, source, "a", "-b")[0].replace("plain.py", "script.py")
    assert (dict(sys.modules), list(sys.path), sys.argv, builtins.input, sys.stdin) == before
    assert node_named(result, "z").inputs() and {Path(f).name for f in result.files} == {
        "script.py",
        "helper.py",
        "__init__.py",
        "inner.py",
    }
    spans = {Path(n.site.span.path).name for n in result.tape.nodes if n.site and n.kind == "op"}
    assert spans == {"helper.py", "inner.py"}


def test_input_is_refused_and_exit_is_respected(tmp_path: Path) -> None:
    result = run(tmp_path, "import sys\nname = input('who? ')\n")
    assert isinstance(result.exception, InputRefused)
    assert run(tmp_path, "import sys\nsys.exit(7)\n").exit_code == 7
    assert run(tmp_path, "raise SystemExit\n").exit_code == 0


def test_windows_do_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.delenv("MPLBACKEND", raising=False)
    source = (
        "import backpropdoctor.tape.run as r, sys\n"
        "import warnings; warnings.simplefilter('error')\n"
        f"r.run_script({str(tmp_path / 'plot.py')!r})\nprint('done')\n"
    )
    (tmp_path / "plot.py").write_text(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.savefig('x.png')\nprint(plt.get_backend())\n"  # noqa: E501
    )
    env = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    root = str(Path(__file__).parent.parent)
    env["PYTHONPATH"] = root + os.pathsep + env.get("PYTHONPATH", "")
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, cwd=tmp_path, env=env)
    assert done.stdout.splitlines()[-1] == "done", done.stderr
    assert done.stderr == "" and (tmp_path / "x.png").exists()


def test_what_is_wrong_with_the_call_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        run_script(tmp_path / "missing.py")
    with pytest.raises(UsageError, match="not valid Python"):
        run(tmp_path, "def f(:\n")


@pytest.mark.parametrize("limit", [{"max_nodes": 40}, {"max_bytes": 1000}])
def test_a_limit_ends_the_record_and_not_the_program(tmp_path: Path, limit: dict[str, int]) -> None:
    result = run(tmp_path, TRAIN, policy=Everything(), **limit)
    assert not result.tape.complete and result.tape.reason
    assert len(result.namespace["losses"]) == 5
    assert unfaithful(result.tape) == []


def train(X: Any, steps: int = 4) -> Any:
    W = np.ones(X.shape[1])

    def loss(W: Any) -> Any:
        return (X @ W) ** 2

    for _ in range(steps):
        value = loss(W)
        dW = 2 * X.T @ (X @ W)
        W = W - 0.01 * dW
    return W, value


class Model:
    def __init__(self) -> None:
        self.__W = np.ones(3)

    def step(self, x: Any) -> Any:
        self.__W -= 0.1 * helper_of_model(x)
        return self.__W


def helper_of_model(x: Any) -> Any:
    return np.exp(x)


def test_a_live_function_is_recorded_and_given_back() -> None:
    X = np.arange(6.0).reshape(2, 3)
    codes = train.__code__, helper_of_model.__code__, Model.step.__code__
    result = record_call(train, (X,), {"steps": 4}, policy=Everything(), debug=True)
    assert result.exception is None and not result.whole
    assert [np.asarray(a).tobytes() for a in result.value] == [np.asarray(a).tobytes() for a in train(X)]
    assert unfaithful(result.tape) == [] and node_named(result, "dW").kind == "op"
    assert record_call(train, (X,), policy=FirstSteps(1), debug=True).stopped
    model = Model()
    called = record_call(model.step, (X[1],), debug=True)
    assert called.whole and unfaithful(called.tape) == []
    assert {n.site.function for n in called.tape.nodes if n.site} >= {"Model.step", "helper_of_model"}
    model.step(X[1])
    assert unfaithful(called.tape) == []
    assert (train.__code__, helper_of_model.__code__, Model.step.__code__) == codes


def test_calls_that_cannot_be_recorded() -> None:
    with pytest.raises(InputError, match="written in Python"):
        record_call(np.exp, (1.0,))
    namespace: dict[str, Any] = {}
    exec(compile("def f(x):\n    return x", "<nowhere>", "exec"), namespace)
    with pytest.raises(InputError, match="cannot be recorded"):
        record_call(namespace["f"], (1.0,))


def test_nothing_is_recorded_outside_a_recorded_iteration(tmp_path: Path) -> None:
    class Never(Everything):
        def begin(self, *_: Any) -> bool:
            return False

    assert run(tmp_path, TRAIN, policy=Never()).tape.nodes == []
    assert record(tmp_path, TRAIN).tape.nodes != []


def test_what_a_loader_holds_is_not_reached() -> None:
    """A test run puts a loader into each module that knows of every test; the names of the module's own are reached."""
    names: dict[str, Any] = {}
    exec(compile("def start(): pass\ndef own(): pass\ndef stray(): pass\n", __file__, "exec"), names)
    start, own, stray = names["start"], names["own"], names.pop("stray")
    names["__loader__"] = types.SimpleNamespace(collected=[stray])
    assert set(reachable([start], os.path.dirname(__file__))) == {start, own}
    names["listed"] = types.SimpleNamespace(collected=[stray])
    assert stray in set(reachable([start], os.path.dirname(__file__)))
