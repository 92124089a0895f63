"""A step is recorded to its end: all parameters of it are measured, and noise of a given shape is no sampled loss."""

from __future__ import annotations

from pathlib import Path

import backpropdoctor as bd

HEALTHY = Path(__file__).parent / "programs" / "healthy"


def _edited(folder: Path, name: str, old: str, new: str) -> tuple[str, int]:
    text = (HEALTHY / f"{name}.py").read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = folder / f"{name}.py"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return str(path), text[: text.index(old)].count("\n") + 1


def test_a_turn_of_the_loop_over_the_parameters_is_no_step():
    report = bd.check(str(HEALTHY / "gru_adam_dict.py"))
    assert {row.tensor for row in report.checked if row.kind == "parameter"} == {
        f"theta[{k!r}]" for k in ("Wr", "Ur", "br", "Wu", "Uu", "bu", "Wc", "Uc", "bc", "Wo", "bo")
    }
    assert report.status == "healthy"


def test_a_gradient_read_late_in_that_loop_is_wrong(tmp_path):
    path, line = _edited(tmp_path, "gru_adam_dict", 'g["Ur"] += hp.T @ dar', 'g["Ur"] += h.T @ dar')
    found = [f for f in bd.check(path).findings if f.severity == "error"]
    assert [f.line for f in found] == [line]
    assert found[0].fixes[0].after == "hp"


def test_noise_drawn_in_the_shape_of_a_value_does_not_depend_on_it(tmp_path):
    path, line = _edited(tmp_path, "vae_drawn_noise", "gm = g + self.m / n", "gm = g - self.m / n")
    found = [f for f in bd.check(path).findings if f.severity == "error"]
    assert [(f.code, f.line) for f in found] == [("BD107", line)]
