"""Print how many faulty programs the corpus holds: `python -m benchmarks.corpus [--each N] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict

from . import Decision, Variant, decided, programs

SEVERITIES = ("error", "warning", "none", "undecided", "crash")


def main() -> None:
    """Mutate, decide, count."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=__doc__)
    parser.add_argument("folders", nargs="*", default=["architectures", "styles"])
    parser.add_argument("--each", type=int, help="at most this many variants of one mistake from one program")
    parser.add_argument("--json", metavar="FILE", help="write one line a faulty program")
    parser.add_argument("--all", action="store_true", help="write what is not faulty as well")
    options = parser.parse_args()
    begin, rows = time.perf_counter(), []
    total: Counter[tuple[str, str]] = Counter()
    homes: dict[str, set[str]] = defaultdict(set)
    for folder in options.folders:
        for program in programs(folder):
            count: Counter[str] = Counter()
            for variant, decision in decided(program, folder, options.each):
                count[decision.severity] += 1
                total[variant.mistake, decision.severity] += 1
                if decision.severity in ("error", "warning") and folder == "architectures":
                    homes[variant.mistake].add(program.name.rpartition("_")[0])
                if options.all or decision.severity in ("error", "warning"):
                    rows.append(_row(folder, program.name, variant, decision))
            print(f"{folder + '/' + program.name:48s}" + "".join(f"{s} {count[s]:5d}  " for s in SEVERITIES))
    _table(total, homes)
    print(f"\nfaulty programs: {sum(n for (_, s), n in total.items() if s in ('error', 'warning'))}")
    print(f"seconds: {time.perf_counter() - begin:.0f}", file=sys.stderr)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _row(folder: str, name: str, variant: Variant, decision: Decision) -> dict[str, object]:
    return {
        "folder": folder,
        "program": name,
        "mistake": variant.mistake,
        "line": variant.line,
        "target": variant.target,
        "edits": variant.edits,
        "severity": decision.severity,
        "wrong": decision.wrong,
        "reason": decision.reason,
    }


def _table(total: Counter[tuple[str, str]], homes: dict[str, set[str]]) -> None:
    print(f"\n{'mistake':28s}" + "".join(f"{s:>11s}" for s in SEVERITIES) + "  architectures")
    for mistake in sorted({k for k, _ in total}):
        counts = "".join(f"{total[mistake, s]:11d}" for s in SEVERITIES)
        print(f"{mistake:28s}{counts}{len(homes[mistake]):15d}")
    print(f"{'all':28s}" + "".join(f"{sum(n for (_, t), n in total.items() if t == s):11d}" for s in SEVERITIES))


if __name__ == "__main__":
    main()
