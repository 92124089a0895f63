"""The blamed statement is found and mended wherever it stands: in one line with others, in a block, behind a call."""

from __future__ import annotations

import ast
import textwrap
from types import SimpleNamespace

import pytest

from backpropdoctor.diagnose.repair.candidates_terms import unread
from backpropdoctor.diagnose.repair.expression import parts_of

HEAD = """\
import numpy as np
rng = np.random.default_rng(5)
x = rng.standard_normal((9, 4))
y = rng.standard_normal((9, 2))
W = rng.standard_normal((4, 3))
V = rng.standard_normal((3, 2))
"""
LOOP = """\
for epoch in range(30):
    h = np.tanh(x @ W)
    p = h @ V
    loss = ((p - y) ** 2).sum()
    dp = 2 * (p - y)
{middle}
    V -= 0.01 * dV
    W -= 0.01 * dW
"""
WAYS = {
    "two on a line": ("", "dV = h.T @ dp; dW = x.T @ (dp @ V.T * (1 + h ** 2))"),
    "three on a line": ("", "g = dp @ V.T; dW = x.T @ (g * (1 + h ** 2)); dV = h.T @ dp"),
    "one line if": ("", "dV = h.T @ dp\nif epoch >= 0: dW = x.T @ (dp @ V.T * (1 + h ** 2))"),
    "with": ("", "with np.errstate(all='ignore'):\n    dV = h.T @ dp\n    dW = x.T @ (dp @ V.T * (1 + h ** 2))"),
    "try": ("", "try:\n    dV = h.T @ dp\n    dW = x.T @ (dp @ V.T * (1 + h ** 2))\nfinally:\n    pass"),
    "inner function": (
        "",
        "def backward():\n    dV = h.T @ dp\n    return dV, x.T @ (dp @ V.T * (1 + h ** 2))\ndV, dW = backward()",
    ),
    "lambda": ("back = lambda d, h: d * (1 + h ** 2)", "dV = h.T @ dp\ndW = x.T @ back(dp @ V.T, h)"),
    "one line function": ("def back(d, h): return d * (1 + h ** 2)", "dV = h.T @ dp\ndW = x.T @ back(dp @ V.T, h)"),
    "generator": (
        "def back(h, dp, V):\n    yield h.T @ dp\n    yield x.T @ (dp @ V.T * (1 + h ** 2))",
        "dV, dW = back(h, dp, V)",
    ),
    "several lines": ("", "dV = h.T @ dp\ndW = x.T @ (\n    dp @ V.T\n    * (1 + h ** 2)\n)"),
    "super": (
        "class Base:\n    def back(self, d):\n        return d * (1 + self.h ** 2)\n"
        "class Layer(Base):\n    def back(self, d):\n        return super().back(d)\nlayer = Layer()",
        "layer.h = h\ndV = h.T @ dp\ndW = x.T @ layer.back(dp @ V.T)",
    ),
    "slots": (
        "class Layer:\n    __slots__ = ('h', 'd')\n"
        "    def back(self):\n        self.d = self.d * (1 + self.h ** 2)\nlayer = Layer()",
        "layer.h, layer.d = h, dp @ V.T\nlayer.back()\ndV = h.T @ dp\ndW = x.T @ layer.d",
    ),
    "named tuple": (
        "from collections import namedtuple\nCache = namedtuple('Cache', 'x h')",
        "c = Cache(x, h)\ndV = c.h.T @ dp\ndW = c.x.T @ (dp @ V.T * (1 + c.h ** 2))",
    ),
    "default dictionary": (
        "from collections import defaultdict\nc = defaultdict(float)",
        "c['h'] = h\ndV = h.T @ dp\nc['d'] = dp @ V.T * (1 + c['h'] ** 2)\ndW = x.T @ c['d']",
    ),
    "dictionary of a comprehension": (
        "",
        "g = {'V': h.T @ dp, 'W': x.T @ (dp @ V.T * (1 + h ** 2))}\ndV, dW = g['V'], g['W']",
    ),
    "passed on by return": (
        "def back(d, h):\n    return d",
        "dV = h.T @ dp\ndW = x.T @ back(dp @ V.T, h)",
    ),
}


def program(way, right=False):
    head, middle = WAYS[way]
    text = HEAD + head + "\n" + LOOP.format(middle=textwrap.indent(middle, "    "))
    return text.replace("1 + ", "1 - ").replace("    return d\n", "    return d * (1 - h ** 2)\n") if right else text


@pytest.mark.parametrize("way", WAYS)
def test_the_fault_is_mended_wherever_it_stands(way, checked):
    errors = [f for f in checked(program(way)).findings if f.severity == "error"]
    assert len(errors) == 1 and errors[0].fixes
    assert [e.status for e in errors[0].explanations] == ["verified"] * len(errors[0].explanations)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_said_of_the_right_program(way, checked):
    assert not checked(program(way, right=True)).findings


FILLED = """\
import numpy as np
rs = np.random.RandomState(1)
mats = [rs.randn(3, 3) for _ in range(3)]
offs = [rs.randn(3) * 0.1 for _ in range(3)]
pairs = [(rs.randn(3), rs.randn(3)) for _ in range(4)]
for turn in range(6):
    sums, steps = [np.zeros(3)] * 3, [np.zeros((3, 3))] * 3
    for x, y in pairs:
        seen = [x]
        for m, o in zip(mats, offs):
            seen.append(np.tanh(seen[-1] @ m + o))
        own = [None] * 3
        d = (seen[-1] - y) * (1 - seen[-1] ** 2)
        for k in range(3):
            own[{put}] = d
            steps = [s + np.outer(seen[j], d) if j == 2 - k else s for j, s in enumerate(steps)]
            d = d @ mats[2 - k].T * (1 - seen[2 - k] ** 2)
        sums = [s + o for s, o in zip(sums, own)]
    mats = [m - 0.01 * s for m, s in zip(mats, steps)]
    offs = [o - 0.01 * s for o, s in zip(offs, sums)]
"""


def test_what_is_put_where_another_one_belongs_is_put_elsewhere(checked):
    [found] = checked(FILLED.replace("{put}", "1 - k")).findings
    assert (found.code, found.line, found.message) == (
        "BD113",
        15,
        "`own` is filled at the index `1 - k`, it should be `2 - k`",
    )
    assert not checked(FILLED.replace("{put}", "2 - k")).findings


@pytest.mark.parametrize(
    ("line", "added"),
    [
        ("both = [b for a, b in zip(one, two)]", ["a + b"]),
        ("both = [g[k] for s, g in zip(sums, own)]", ["s + g[k]"]),
        ("both = [a + b for a, b in zip(one, two)]", []),
        ("both = [a * 2 for a, b in zip(one, two)]", []),  # that more than one thing is wrong is not guessed
        ("both = [c for a, b in zip(one, two)]", []),
    ],
)
def test_what_a_comprehension_goes_through_and_does_not_read_may_be_missing(line, added):
    statement = ast.parse(line).body[0]
    scene = SimpleNamespace(parts=list(parts_of(statement)), text=SimpleNamespace(of=ast.unparse))
    assert [c.new for c in unread(scene)] == added
