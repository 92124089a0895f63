"""The rows of the table of checked tensors, folded where there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..finding import Checked, Verdict

MOST_ROWS = 24  # about one screen; a longer table folds
KEPT = 12  # rows of one verdict that a folded table still shows
WORDS: dict[Verdict, str] = {
    "wrong": "wrong",
    "inherited": "inherited",
    "undecided": "undecided",
    "right": "right",
}


def fold(checked: Sequence[Checked], *, whole: bool = False) -> tuple[list[Checked], dict[Verdict, int]]:
    """The rows to show, and how many more there are of each verdict.

    Up to `MOST_ROWS` tensors are all shown, in the order they were checked. Of more, `KEPT` of every verdict stay; the
    right ones give way wholly where anything else is there.
    """
    if whole or len(checked) <= MOST_ROWS:
        return list(checked), {}
    only_right = all(c.verdict == "right" for c in checked)
    taken: Counter[Verdict] = Counter()
    rows = []
    for row in checked:
        if taken[row.verdict] < (KEPT if only_right or row.verdict != "right" else 0):
            taken[row.verdict] += 1
            rows.append(row)
    total = Counter(c.verdict for c in checked)
    return rows, {v: total[v] - taken[v] for v in WORDS if total[v] > taken[v]}
