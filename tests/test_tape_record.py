"""The record is faithful: values, names, writes and views, over programs in all styles."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from tape_oracle import depends, identical, misnamed, node_named, record, unfaithful
from tape_snippets import HEAD, SNIPPETS


@pytest.mark.parametrize("name", SNIPPETS)
def test_every_node_gives_its_value_again(name: str, tmp_path: Path) -> None:
    source, dependencies = SNIPPETS[name]
    result = record(tmp_path, HEAD + source)
    assert result.tape.complete, result.tape.reason
    assert len(result.tape.nodes) > 5
    assert unfaithful(result.tape) == []
    assert misnamed(result) == []
    for later, earlier in dependencies:
        assert depends(result.tape, node_named(result, later), node_named(result, earlier, 0)), (later, earlier)


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_program_comes_out_as_without_a_recorder(name: str, tmp_path: Path) -> None:
    source = HEAD + SNIPPETS[name][0]
    plain: dict[str, object] = {"__name__": "__main__"}
    exec(compile(source, "plain.py", "exec"), plain)
    recorded = record(tmp_path, source).namespace
    simple = [k for k, v in plain.items() if not k.startswith("__") and not callable(v)]
    assert [k for k in recorded if k in simple] == simple
    for name_ in simple:
        if type(plain[name_]).__module__ in ("numpy", "builtins"):
            assert identical(recorded[name_], plain[name_]) or " at 0x" in repr(plain[name_]), name_


def test_the_oracle_sees_a_wrong_record(tmp_path: Path) -> None:
    tape = record(tmp_path, HEAD + SNIPPETS["arithmetic"][0]).tape
    wrong = copy.copy(tape)
    node = next(n for n in tape.nodes if n.kind == "op")
    node.value = node.value + 1e-9
    assert unfaithful(wrong)
