"""The parts of repair: text, kept values, sizes, words. Each is shown to fail where it should."""

from __future__ import annotations

import ast
import linecache

import numpy as np
import pytest

from backpropdoctor import rules
from backpropdoctor.diagnose.causes import CODES, cause_of
from backpropdoctor.diagnose.repair.expression import Text
from backpropdoctor.diagnose.repair.marks import smallest
from backpropdoctor.diagnose.repair.world import Freezer, Maker
from backpropdoctor.edits import apply_fixes
from backpropdoctor.source import Span
from backpropdoctor.tape.tape import Ref


def text_of(source, path="<repair test>"):
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    return Text(ast.parse(source).body[0], path)


def part(text, wanted):
    return next(n for n in ast.walk(text.statement) if isinstance(n, ast.expr) and ast.unparse(n) == wanted)


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "old", "new", "after"),
    [
        ("d = e * (1 - f(a))", "1 - f(a)", "a * (1 - a)", "d = e * (a * (1 - a))"),
        ("d = e * f(a)", "f(a)", "a - 1", "d = e * (a - 1)"),
        ("d = g(e, f(a))", "f(a)", "a - 1", "d = g(e, a - 1)"),
        ("d = a[k]", "k", "k - 1", "d = a[k - 1]"),
        ("d = (1/2)*np.dot(a, b)", "1 / 2 * np.dot(a, b)", "np.dot(a, b)", "d = np.dot(a, b)"),
        ("d = é * (1 - ü)", "1 - ü", "ü * (1 - ü)", "d = é * (ü * (1 - ü))"),
        ("d = f(a) ** 2", "f(a)", "-a", "d = (-a) ** 2"),
    ],
)
def test_an_edit_means_in_the_text_what_it_means_in_the_tree(source, old, new, after):
    text = text_of(source)
    node = part(text, old)
    made, written = text.replaced(node, new)
    assert apply_fixes(source, [text.fix(node, written)]) == after
    assert ast.unparse(made) == ast.unparse(ast.parse(after).body[0])


def test_what_is_no_python_is_no_edit():
    text = text_of("d = a * b")
    assert text.replaced(part(text, "a"), "a b") is None


@pytest.mark.parametrize(
    ("before", "after", "marked"),
    [
        ("(1/2)*np.dot(dZ, A.T)", "np.dot(dZ, A.T)", "(1/2)"),
        ("1 - sigmoid(a2)", "a2 * (1 - a2)", "1 - sigmoid(a2)"),
        ("a.T.dot(d)", "b.T.dot(d)", "a"),
        ("d", "d * (1 - h ** 2)", "d"),
    ],
)
def test_the_mark_is_what_the_edit_touches(before, after, marked):
    span = smallest(Span("f", 3, 5, 3, 5 + len(before)), before, after)
    assert before[span.column - 5 : span.end_column - 5] == marked


# --- kept values ------------------------------------------------------------------------------------------------------


class Layer:
    def __init__(self, w):
        self.w = w
        self.me = self

    def double(self):
        return 2 * self.w


def kept(values, known=()):
    freezer = Freezer({id(v): k for k, v in enumerate(known)}, {__name__})
    return freezer.names(values)


def test_values_are_made_again_from_their_nodes():
    w, z = np.ones(3), np.zeros(2)
    frozen = kept({"w": w, "layers": [Layer(w), {"z": z}], "n": 4, "s": "x"}, known=[w, z])
    assert frozen["w"] == Ref(0)
    made = Maker(lambda node: [5 * w, z + 1][node], copies=False)
    layers = made.make(frozen["layers"])
    assert np.array_equal(layers[0].double(), 10 * np.ones(3))
    assert layers[0].me is layers[0]
    assert np.array_equal(layers[1]["z"], [1, 1])
    assert made.make(frozen["n"]) == 4 and made.make(frozen["s"]) == "x"


def test_what_an_edit_changes_is_a_copy():
    w, rows = np.ones(3), [1, 2]
    frozen = kept({"w": w, "rows": rows}, known=[w])
    safe = Maker(lambda node: w, copies=True)
    safe.make(frozen["w"])[:] = 7
    safe.make(frozen["rows"]).append(3)
    assert w.tolist() == [1, 1, 1] and rows == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        Maker(lambda node: w, copies=False).make(frozen["w"])[:] = 7


def test_a_list_keeps_what_it_held_then():
    rows = [1, 2]
    frozen = kept({"rows": rows})
    rows.append(3)
    assert Maker(lambda node: None, copies=False).make(frozen["rows"]) == [1, 2]


def test_an_array_seen_later_gets_its_node():
    w = np.ones(3)
    ids = {}
    freezer = Freezer(ids, set())
    frozen = freezer.names({"w": w})
    ids[id(w)] = 4
    freezer.resolve()
    assert Maker(lambda node: node * w, copies=False).make(frozen["w"]).tolist() == [4, 4, 4]


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(CODES))
def test_every_kind_has_a_rule_and_a_message(kind):
    assert CODES[kind] in rules.names()
    words = {
        "factor": "1/2", "was": "a", "now": "b", "term": "t", "sign": "+", "target": "W", "line": 3, "what": "W -= g",
        "function": "tanh", "of": "h", "key": "rows",
    }  # fmt: skip
    cause = cause_of(kind, words, "dW", "a * b", "b * a")
    assert cause.code == CODES[kind]
    for text in (cause.message, cause.advice):
        assert text and not text.endswith(".") and (text[0] == "`" or not text[0].isupper())
    assert "`dW`" in cause.message
