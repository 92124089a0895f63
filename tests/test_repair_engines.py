"""Programs made of single numbers that carry their own gradients: mended like those of arrays."""

from __future__ import annotations

import logging

import pytest

from backpropdoctor.diagnose.repair import mending

ENGINE = """\
import math
class Num:
    __slots__ = ("v", "g", "back", "kids")
    def __init__(self, v, kids=()):
        self.v, self.g, self.kids = v, 0.0, {kinds}(kids)
        self.back = lambda: None
    def __add__(self, o):
        out = Num(self.v + o.v, (self, o))
        def back():
            self.g += out.g
            o.g += out.g
        out.back = back
        return out
    def __mul__(self, o):
        out = Num(self.v * o.v, (self, o))
        def back():
            self.g += o.v * out.g
            o.g += self.v * out.g
        out.back = back
        return out
    def tanh(self):
        out = Num(math.tanh(self.v), (self,))
        def back():
            self.g += (1 - out.v ** 2) * out.g
        out.back = back
        return out
    def backward(self):
        rows, seen = [], set()
        def walk(n):
            if id(n) not in seen:
                seen.add(id(n))
                for k in n.kids:
                    walk(k)
                rows.append(n)
        walk(self)
        self.g = 1.0
        for n in reversed(rows):
            n.back()
w, c, u = Num(0.7), Num(-0.2), Num(1.1)
params = {"w": w, "c": c, "u": u}
data = [(0.3, 0.9), (-1.2, 0.4)]
for step in range(20):
    for p in params.values():
        p.g = 0.0
    loss = Num(0.0)
    for x, y in data:
        e = (w * Num(x) + c).tanh() * u + Num(-y)
        loss = loss + e * e
    loss.backward()
    for p in params.values():
        p.v -= 0.05 * p.g
"""
FAULTS = {
    "another variable": ("self.g += o.v * out.g", "self.g += self.v * out.g"),
    "another argument": ("(1 - out.v ** 2)", "(1 - self.v ** 2)"),
    "sign": ("(1 - out.v ** 2)", "-(1 - out.v ** 2)"),
    "overwritten": ("o.g += out.g", "o.g = out.g"),
    "no closure's own": ("(1 - out.v ** 2) * out.g", "1 - math.tanh(self.v) ** 2"),  # it mentions `out` no more
}


@pytest.mark.parametrize("kinds", ["tuple", "set"])  # the order of a set is another one in each run
def test_nothing_is_said_of_the_engine_itself(kinds, checked):
    assert not checked(ENGINE.replace("{kinds}", kinds)).findings


@pytest.mark.parametrize(("fault", "kinds"), [*((fault, "tuple") for fault in FAULTS), ("overwritten", "set")])
def test_an_engine_is_mended_at_its_line(fault, kinds, checked, caplog):
    caplog.set_level(logging.DEBUG, logger="backpropdoctor")
    before, after = FAULTS[fault]
    source = ENGINE.replace("{kinds}", kinds)
    assert source.count(before) == 1
    errors = [f for f in checked(source.replace(before, after)).findings if f.severity == "error"]
    assert [f.line for f in errors] == [source[: source.index(before)].count("\n") + 1]
    assert errors[0].fixes and all(e.status == "verified" for e in errors[0].explanations)
    assert not [r for r in caplog.records if r.exc_info]


def test_what_the_search_raises_is_logged_and_the_finding_stands(checked, monkeypatch, caplog):
    def fails(*args, **options):
        raise ZeroDivisionError("in the search")

    monkeypatch.setattr(mending, "repair_roots", fails)
    before, after = FAULTS["another variable"]
    with caplog.at_level(logging.DEBUG, logger="backpropdoctor"):
        report = checked(ENGINE.replace("{kinds}", "tuple").replace(before, after))
    assert [f.fix for f in report.findings if f.severity == "error"] == [None]
    assert any(r.exc_info and r.exc_info[0] is ZeroDivisionError for r in caplog.records)


def test_an_edit_may_change_what_one_of_many_runs_makes(checked):
    source = ENGINE.replace("{kinds}", "tuple").replace("e * e", "Num(2.0) * e").replace(".tanh() * u", ".tanh() * u * u")
    before, after = "o.g += self.v * out.g", "o.g = self.v * out.g"  # only `u` is the second factor more than once
    errors = [f for f in checked(source.replace(before, after)).findings if f.severity == "error"]
    assert [(f.line, [x.after for x in f.fixes]) for f in errors] == [
        (source[: source.index(before)].count("\n") + 1, [before])
    ]
