"""Names of one pattern: `W2` beside `W1`, `bias_out` beside `bias_hidden`; and how a gradient is called after its parameter."""

from __future__ import annotations

import re

from .names import Parts, is_parameter_name, last_word


def alike(parts: Parts, other: Parts) -> bool:
    """Whether two names are of one pattern: `W2` and `W1`, `bias_out` and `bias_hidden`, `by` and `bh`."""
    one, two = last_word(parts), last_word(other)
    if parts[:-1] != other[:-1] or one == two or not one or not two:
        return False
    if re.search(r"\d", one) and re.sub(r"\d+", "#", one) == re.sub(r"\d+", "#", two):
        return True
    heads = [words_of(w) for w in (one, two)]
    if min(map(len, heads)) > 1 and len(heads[0]) == len(heads[1]):
        known = is_parameter_name(one) or not re.search(r"\d", one)
        return known and sum(a != b for a, b in zip(*heads, strict=True)) == 1
    return is_parameter_name(one) and is_parameter_name(two) and one[0] == two[0] and max(len(one), len(two)) <= 3


def words_of(word: str) -> list[str]:
    """A name taken apart: `pesos_salida`, `weightsOut` and `W2` have two words each."""
    return [w.lower() for w in re.findall(r"\d+|[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])", word)]


def relation(parameter: Parts, gradient: Parts) -> tuple[str, str] | None:
    """How a gradient is called after its parameter: what stands before and behind the parameter's own name."""
    word, called = last_word(parameter), last_word(gradient)
    if word and word in called and word != called:
        head, _, tail = called.partition(word)
        return head, tail
    if parameter[-1] == gradient[-1] and len(parameter) > 1 and len(gradient) > 1:
        return str(parameter[-2]), str(gradient[-2])
    return None
