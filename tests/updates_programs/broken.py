"""One of the programs with edits that give it one fault, and the texts that the edits are made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARK = "# <-"


@dataclass(frozen=True)
class Broken:
    """`edits` are pairs (before, after) of text; the line that holds MARK is the one to be named."""

    style: str
    code: str
    tensors: tuple[str, ...]
    edits: tuple[tuple[str, str], ...]

    @property
    def source(self) -> str:
        text = (HERE / f"{self.style}.py").read_text()
        for before, after in self.edits:
            assert text.count(before) == 1, (self.style, before, text.count(before))
            text = text.replace(before, after)
        return text

    @property
    def line(self) -> int:
        rows = [n for n, row in enumerate(self.source.splitlines(), 1) if row.endswith(MARK)]
        assert len(rows) == 1, (self.style, self.code, rows)
        return rows[0]


F, N, C = "functions", "inline", "network"
ALL = ("W1", "b1", "W2", "b2")
LOOP = "    for k in range(1, 3):\n"
F_UPDATE = '        p["W" + str(k)] = p["W" + str(k)] - lr * grads["dW" + str(k)]\n'
F_BIAS = '        p["b" + str(k)] = p["b" + str(k)] - lr * grads["db" + str(k)]\n'
N_UPDATE = "    W1 -= lr * dW1\n    b1 -= lr * db1\n    W2 -= lr * dW2\n    b2 -= lr * db2\n"
C_UPDATE = (
    "        self.W1 = self.W1 - lr * self.dW1\n        self.b1 = self.b1 - lr * self.db1\n"
    "        self.W2 = self.W2 - lr * self.dW2\n        self.b2 = self.b2 - lr * self.db2\n"
)
C_LOOP = (
    "        for name in {names}:  # <-\n"
    "            setattr(self, name, getattr(self, name) - lr * getattr(self, 'd' + name))\n"
)


def indented(text: str) -> str:
    return "".join("    " + row for row in text.splitlines(keepends=True))
