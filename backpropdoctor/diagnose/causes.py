"""The cause of a wrong gradient in plain language, from the kind of edit that mends it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

CODES = {
    "surplus-factor": "BD102",
    "scaled": "BD102",
    "missing-derivative": "BD104",
    "missing-factor": "BD104",
    "derivative-at-wrong-argument": "BD105",
    "wrong-derivative": "BD106",
    "wrong-derivative-function": "BD106",
    "surplus-derivative": "BD106",
    "sign": "BD107",
    "transposed": "BD108",
    "elementwise-for-matrix-product": "BD109",
    "matrix-product-for-elementwise": "BD109",
    "wrong-axis": "BD110",
    "missing-reduction": "BD110",
    "shape-drift": "BD111",
    "wrong-variable": "BD112",
    "other-value": "BD112",
    "wrong-index": "BD113",
    "wrong-key": "BD114",
    "update-before-use": "BD115",
    "alias": "BD116",
    "missing-term": "BD117",
    "surplus-term": "BD117",
    "overwritten": "BD117",
    "repeated-index": "BD117",
    "accumulated": "BD117",
    "wrong-turns": "BD117",
    "missing-path": "BD118",
    "softmax-diagonal": "BD119",
    "loss-mismatch": "BD120",
    "forward-axis": "BD121",
    "forward-drift": "BD111",
    "forward-scale": "BD120",
    "forward-term": "BD120",
    "forward-variable": "BD112",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """What is said: the rule, the message, the words under the mark, and the advice without its proof."""

    code: str
    message: str
    label: str
    advice: str


def cause_of(kind: str, words: dict[str, Any], name: str, before: str, after: str) -> Cause:
    """The cause behind an edit of `before` to `after` in the statement that makes `name`."""
    make = _MAKERS.get(kind, _general)
    message, label, advice = make(words, f"`{name}`", before, after)
    return Cause(CODES.get(kind, "BD101"), message, label, advice)


def _write(before: str, after: str) -> str:
    return f"write `{_line(after)}`" + (f" in the place of `{_line(before)}`" if before else "")


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _activation(words: dict[str, Any]) -> str:
    function = words.get("function")
    if function:
        return f"the {function}"
    if words.get("formula"):
        return f"`{words['formula']}`"
    return f"the activation, `{words['call']}`" if words.get("call") else "the activation"


def _surplus_factor(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    factor = _line(w["factor"])
    if w.get("scalar", True):
        return f"{name} carries a factor `{factor}` too many", "this factor", "drop the factor"
    return (
        f"{name} is multiplied by `{factor}`, which does not belong there",
        "does not belong here",
        _write(before, after),
    )


def _scaled(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    if w.get("missing"):
        return f"{name} lacks a factor `{w['factor']}`", f"`{w['factor']}` is missing", _write(before, after)
    if "was" in w and "now" in w and w["was"] != w["now"]:
        return (
            f"{name} is scaled by `{_line(w['was'])}`, it should be `{_line(w['now'])}`",
            "this scale",
            _write(before, after),
        )
    return f"{name} has the wrong scale", "this scale", _write(before, after)


def _missing_derivative(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"{name} lacks the derivative of {_activation(w)}",
        f"`{_line(w['now'])}` is missing",
        f"multiply by `{_line(w['now'])}`",
    )


def _missing_factor(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    factor = _line(w["factor"])
    by = re.fullmatch(r"1 / ([\w.]+( \*\* \d)?|\(.+\))", factor)
    if by:
        return f"{name} lacks the division by `{by[1]}`", f"`/ {by[1]}` is missing", f"divide by `{by[1]}`"
    return f"{name} lacks the factor `{factor}`", f"`{factor}` is missing", f"multiply by `{factor}`"


def _wrong_argument(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    where = w.get("at", "")
    return (
        f"in {name} the derivative of {_activation(w)} is taken at {where or 'the wrong value'}",
        "the derivative is taken at the wrong value"
        if not w.get("activation")
        else f"the derivative of {_activation(w)} taken at the activation",
        _write(before, after),
    )


def _wrong_derivative(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"`{_line(w.get('was') or before)}` in {name} is not the derivative of {_activation(w)}",
        "not the derivative",
        _write(before, after),
    )


def _sign(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return f"{name} has the wrong sign", "the sign is wrong", _write(before, after)


def _transposed(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return f"{name} is made with a matrix the wrong way round", "the wrong way round", _write(before, after)


def _elementwise(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"{name} multiplies element by element where a matrix product belongs",
        "a matrix product belongs here",
        _write(before, after),
    )


def _matrix(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"{name} is a matrix product where the factors are multiplied element by element",
        "element by element",
        _write(before, after),
    )


def _axis(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"{name} is reduced over the wrong axis: {w.get('was', '')} should be {w.get('now', '')}",
        "the wrong axis",
        _write(before, after),
    )


def _reduction(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return f"{name} is not summed over {w.get('now', 'an axis')}", "a sum is missing", _write(before, after)


def _drift(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"the shapes in {name} drift apart by broadcasting: {w.get('was', '')} should be {w.get('now', '')}",
        "broadcast",
        _write(before, after),
    )


def _variable(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    if w.get("was") and w.get("now"):
        return (
            f"{name} is made from `{_line(w['was'])}`, it should be `{_line(w['now'])}`",
            "the wrong variable" if re.fullmatch(r"[\w.]+", _line(w["was"])) else "the wrong value",
            _write(before, after),
        )
    return f"{name} is made from the wrong values", "the wrong values", _write(before, after)


def _index(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    done = "is filled" if w.get("put") else "reads"
    return (
        f"{name} {done} at the index `{_line(w['was'])}`, it should be `{_line(w['now'])}`",
        "the wrong index",
        _write(before, after),
    )


def _key(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"{name} reads `{_line(w['was'])}`, the key should be `{_line(w['now'])}`",
        "the wrong key",
        _write(before, after),
    )


def _early(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"{name} is made with `{w['target']}` after its update on line {w['line']}",
        f"line {w['line']} has changed `{w['target']}` already",
        f"move line {w['line']} behind this statement",
    )


def _alias(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    if w.get("name"):
        return (
            f"`{w['name']}` is no copy: line {w['line']} changes it before {name} is made",
            f"shares its memory with `{_line(before)}`",
            _write(before, after),
        )
    return (
        f"{name} is made from memory that line {w['line']} has changed in place",
        f"`{_line(w['what'])}` has changed this",
        f"let line {w['line']} change a copy" + (f": {_write(before, after)}" if before else ""),
    )


def _term(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    sign = "" if w.get("sign") == "+" else "minus "
    kind = "the weight decay " if w.get("decay") else ""
    return (
        f"{name} lacks {kind}{sign}`{_line(w['term'])}`",
        f"{w['sign']} `{_line(w['term'])}` is missing",
        _write(before, after),
    )


def _path(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"{name} lacks the path through `{_line(w['term'])}`",
        f"`{_line(w['term'])}` is missing",
        _write(before, after),
    )


def _surplus_term(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return f"{name} has a term `{_line(w['term'])}` too many", "this term", _write(before, after)


def _overwritten(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    sign = w.get("sign", "+")
    said = "added to" if sign == "+" else "taken from"
    return f"{name} is overwritten where it should be {said}", f"`=` where `{sign}=` belongs", _write(before, after)


def _repeated(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"{name} gets one term only where an index stands in `{_line(w['key'])}` several times",
        "adds once for each index",
        f"{_write('', after)}, which adds all of them",
    )


def _accumulated(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return f"{name} is added to where it should be set anew", "`+=` where `=` belongs", _write(before, after)


def _turns(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"the loop that makes the gradient of {name} goes over `{_line(w['was'])}`, it should be `{_line(w['now'])}`",
        "the wrong turns",
        f"write `{_line(w['now'])}`",
    )


def _softmax(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return f"{name} keeps only the diagonal of the softmax's derivative", "only the diagonal", _write(before, after)


def _mismatch(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return f"{name} is not the derivative of this loss", "belongs to another loss", _write(before, after)


def _forward(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"the forward pass makes {name} over the wrong axis: {w.get('was', '')} should be {w.get('now', '')}",
        "the wrong axis",
        _write(before, after),
    )


def _forward_scale(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"the forward pass takes a {w.get('was', '')} in {name}; the backward pass belongs to a {w.get('now', '')}",
        f"a {w.get('now', '')} belongs here",
        _write(before, after),
    )


def _forward_term(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"a term of the loss in {name} has another factor than in the backward pass",
        f"`{_line(after)}` belongs here",
        _write(before, after),
    )


def _forward_drift(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"in {name} a vector and a column broadcast to a square: each value is compared with those of all samples",
        "broadcast to a square",
        _write(before, after),
    )


def _forward_variable(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return (
        f"the forward pass makes {name} from `{w.get('was', '')}`; the backward pass belongs to `{w.get('now', '')}`",
        "the wrong variable",
        _write(before, after),
    )


def _general(w: dict[str, Any], name: str, before: str, after: str) -> tuple[str, str, str]:
    return f"{name} is not the gradient it should be", "goes wrong here", _write(before, after)


_MAKERS = {
    "surplus-factor": _surplus_factor,
    "surplus-derivative": _surplus_factor,
    "scaled": _scaled,
    "missing-derivative": _missing_derivative,
    "missing-factor": _missing_factor,
    "derivative-at-wrong-argument": _wrong_argument,
    "wrong-derivative": _wrong_derivative,
    "wrong-derivative-function": _wrong_derivative,
    "sign": _sign,
    "transposed": _transposed,
    "elementwise-for-matrix-product": _elementwise,
    "matrix-product-for-elementwise": _matrix,
    "wrong-axis": _axis,
    "missing-reduction": _reduction,
    "shape-drift": _drift,
    "wrong-variable": _variable,
    "other-value": _variable,
    "wrong-index": _index,
    "wrong-key": _key,
    "update-before-use": _early,
    "alias": _alias,
    "missing-term": _term,
    "missing-path": _path,
    "surplus-term": _surplus_term,
    "overwritten": _overwritten,
    "repeated-index": _repeated,
    "accumulated": _accumulated,
    "wrong-turns": _turns,
    "softmax-diagonal": _softmax,
    "loss-mismatch": _mismatch,
    "forward-axis": _forward,
    "forward-drift": _forward_drift,
    "forward-scale": _forward_scale,
    "forward-term": _forward_term,
    "forward-variable": _forward_variable,
}
