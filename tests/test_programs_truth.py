"""What the corpus claims of its programs is measured: each healthy one is right, each twin wrong exactly as stated."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from programs import MISTAKES, Edit, Program, apply, programs, twins  # noqa: E402
from programs import measure as m  # noqa: E402

from benchmarks.corpus import (  # noqa: E402
    Variant,
    combine,
    decide,
    decide_forward,
    forward_variants,
    several,
    variants,
)

STYLES = {
    "layer objects",
    "functions with dicts or tuples",
    "inline script",
    "scalars and lists",
    "one class, named attributes",
    "one class, lists",
    "autograd-like",
}
FOLDERS = ("styles", "architectures")
ALL = [p for folder in FOLDERS for p in programs(folder)]


def by_name(items: list[Program]) -> dict[str, object]:
    return {"argvalues": items, "ids": [p.name for p in items]}


@pytest.mark.parametrize("program", **by_name(ALL))
def test_healthy_program_is_right_in_every_parameter(program: Program) -> None:
    for step in m.capture(program, program.source, steps=3):
        judged = m.judge_step(program, step)
        assert judged.severity == "none", (judged.wrong, judged.ratios)
        assert all(r is not None and (r == 0 or abs(r - 1) < 1e-7) for r in judged.ratios.values())


@pytest.mark.parametrize("program", **by_name([p for p in ALL if "value" in p.loss]))
def test_the_oracle_is_the_loss_of_the_script(program: Program) -> None:
    step = m.capture(program, program.source, steps=1)[0]
    own = m.own_loss(program)
    assert own == pytest.approx(float(m.oracle(program)(step.params, step.data)), rel=1e-9)


def test_a_script_without_a_readable_loss_says_so() -> None:
    without = [p for p in ALL if "value" not in p.loss]
    assert without
    assert all(p.loss["kind"] in ("none", "metric") or not p.loss["scale_known"] for p in without)


@pytest.mark.parametrize("program", **by_name([p for p in ALL if p.twins]))
def test_twins_are_wrong_as_stated(program: Program) -> None:
    for twin in program.twins:
        judged = m.judge(program, twin.source, loss=twin.loss)
        assert (judged.severity, judged.wrong) == (twin.severity, twin.wrong), (twin.id, judged)
        if twin.scale is not None:
            scales = {r for r in judged.ratios.values() if r}
            assert all(abs(r / twin.scale - 1) < 1e-6 for r in scales), (twin.id, judged)


@pytest.mark.parametrize("program", **by_name(list(programs("styles"))))
def test_the_measure_fails_on_a_wrong_oracle(program: Program) -> None:
    twisted = replace(program, oracle=program.oracle + _TWIST, path=program.path.with_suffix(".twisted"))
    assert m.judge(program, program.source, steps=1).severity == "none"
    for name in program.params:
        oracle = twisted.oracle.replace("KEY", name)
        judged = m.judge(replace(twisted, oracle=oracle, path=program.path.with_suffix("." + name)), program.source)
        assert judged.severity != "none", name
        assert name in judged.wrong


_TWIST = """

_loss = loss


def loss(p, d):
    return _loss(p, d) + 1e-3 * np.sum(np.sin(p["KEY"] + 0.1))
"""


def test_styles_and_mistakes_are_covered() -> None:
    count = Counter(p.style for p in programs("styles"))
    assert set(count) == STYLES
    assert min(count.values()) >= 4
    assert all(len(p.twins) >= 4 for p in programs("styles"))
    found = {t.mistake for _, t in twins("styles") if t.severity != "none"}
    assert found <= set(MISTAKES)
    assert set(MISTAKES) - {"missing-factor"} <= found  # that one is injected only


def test_twins_differ_from_their_program_in_the_stated_lines_only() -> None:
    for program, twin in twins("styles"):
        old, new = program.source.split("\n"), twin.source.split("\n")
        assert len(old) == len(new)
        changed = [i for i, (a, b) in enumerate(zip(old, new, strict=True), 1) if a != b]
        assert changed == sorted({e.line for e in twin.edits}), twin.id
        ast.parse(twin.source)


def test_ids_are_unique_and_roots_stand_on_their_lines() -> None:
    for program in programs("styles"):
        ids = [t.id for t in program.twins]
        assert len(ids) == len(set(ids))
        for twin in program.twins:
            line = twin.source.split("\n")[twin.root_line - 1]
            if not twin.root.startswith("return value of"):
                word = re.findall(r"\w+", twin.root.split("[")[0])[-1]
                assert word in line, (program.name, twin.id, line)
            else:
                assert "return" in line, (program.name, twin.id, line)


def test_apply_refuses_an_edit_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="line 2"):
        apply("a = 1\nb = 2\n", (Edit(2, "c", "d"),))
    with pytest.raises(ValueError, match="exactly once"):
        apply("a = b + b\n", (Edit(1, "b", "d"),))


def test_a_script_that_takes_no_step_or_raises_is_a_crash() -> None:
    program = next(p for p in programs("styles") if p.name == "inline_two_synapses")
    with pytest.raises(m.Crash, match="0 visits"):
        m.capture(program, program.source.replace("range(6000)", "range(0)"))
    with pytest.raises(m.Crash, match="ValueError"):
        m.capture(program, program.source.replace("np.random.random((3, 4))", "np.random.random((2, 4))"))


def named(name: str) -> Program:
    return next(p for p in ALL if p.name == name)


def variant_of(program: Program, after: str):  # type: ignore[no-untyped-def]
    return next(v for v in variants(program) if v.after == after)


def test_each_architecture_is_there_as_a_script_and_as_layers() -> None:
    names = {p.name for p in programs("architectures")}
    kinds = {n.rpartition("_")[0] for n in names}
    assert len(kinds) >= 12
    assert names == {f"{k}_{way}" for k in kinds for way in ("script", "layers")}


@pytest.mark.parametrize("name", ["lstm_layers", "attributes_wih_who"])
def test_variants_change_only_the_lines_they_name(name: str) -> None:
    program = named(name)
    found = variants(program)
    assert [v.source for v in found] == [v.source for v in variants(program)]
    assert len({v.source for v in found}) == len(found) > 50
    old = program.source.split("\n")
    for v in found:
        new = v.source.split("\n")
        changed = [i for i, (a, b) in enumerate(zip(old, new, strict=True), 1) if a != b]
        assert changed == [line for line, _, _ in v.edits]
        assert all(old[i - 1].strip() == a and new[i - 1].strip() == b for i, a, b in v.edits)
        assert v.mistake in MISTAKES
        ast.parse(v.source)


def test_the_oracle_tells_wrong_from_harmless_from_broken() -> None:
    program = named("mlp_relu_softmax_script")
    cases = {
        "dz1 = dh1": ("error", ("W1", "b1")),
        "dz2 = dh2": ("error", ("W1", "b1", "W2", "b2")),
        "dscores = probs": ("none", ()),
        "dscores = 2 * (dscores / num)": ("warning", ("W1", "b1", "W2", "b2", "W3", "b3")),
        "db3 = np.sum(dscores, axis=1, keepdims=True)": ("crash", ()),
    }
    for after, expected in cases.items():
        decision = decide(program, variant_of(program, after))
        assert (decision.severity, decision.wrong) == expected, after


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("b1 -= 2 * (lr * db1)", True),
        ("b1 -= lr * db1 / 3", True),
        ("b1 -= lr * db1 / len(x)", False),
        ("b1 -= -2 * (lr * db1)", False),
        ("b1 -= 2 * (lr * db2)", False),
        ("b1 += 2 * (lr * db1)", False),
    ],
)
def test_a_number_in_an_update_is_a_learning_rate_of_its_own(text: str, own: bool) -> None:
    program = next(p for p in ALL if p.name == "mlp_tanh_mse_script")
    line = 1 + program.source.split("\n").index("    b1 -= lr * db1")
    made = Variant(program.name, "", "scaled", line, "b1 -= lr * db1", text, "b1", ((line, "b1 -= lr * db1", text),))
    made = replace(made, source=apply(program.source, (Edit(line, "b1 -= lr * db1", text),)))
    assert decide(program, made).severity == ("none" if own else "error")


def test_an_update_moved_before_its_use_is_wrong_where_the_old_value_was_needed() -> None:
    program = named("mlp_tanh_mse_script")
    moved = [v for v in variants(program) if v.mistake == "update-before-use"]
    assert [v.target for v in moved] == ["da1"]
    assert "da1 = dout @ W2.T" in moved[0].source.split("\n")[moved[0].line - 1]
    assert decide(program, moved[0]).wrong == ("W1", "b1")


def test_a_forward_fault_is_judged_by_the_programs_own_loss() -> None:
    program = named("dropout_script")
    found = {v.after: decide_forward(program, v).severity for v in forward_variants(program)}
    assert found["probs = probs / probs.sum(axis=0, keepdims=True)"] == "error"
    assert found["loss = -(one_hot * np.log(probs)).sum()"] == "warning"
    whole = next(v for v in forward_variants(program))
    unchanged = type(whole)(program.name, program.source, "forward-axis", 1, "", "", "", ())
    assert decide_forward(program, unchanged).severity == "none"


def test_several_faults_at_once() -> None:
    program = named("lstm_script")
    for count in (2, 3, 4):
        for source, parts in several(program, count, how_many=1):
            assert len({p.line for p in parts}) == count
            assert source.count("\n") == program.source.count("\n")
            assert m.judge(program, source, steps=1).severity == "error"
    one = variants(program)[0]
    with pytest.raises(ValueError, match="two edits"):
        combine(program, (one, one))
