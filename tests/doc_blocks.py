"""The code blocks of README.md and docs/: read, run, and held against what the page says they print.

Conventions, by the word after the fence:

- `python`: run; the blocks of one page share their names. With `title="name.py"` it is written to that file instead.
- `console`: lines that begin with `$ ` are run by bash, the others are their output. `...` stands for anything.
- `ipython`: run as a cell of a notebook, in the same names.
- `text`, straight after a `python` or `ipython` block and after the comment `<!-- prints -->`: what that block prints.
- `pycon`: run as a doctest.
- `json`, `toml`, `diff`, `text`: shown. `bash`: set-up commands, which .ci/run runs.

Every page runs in a folder of its own that holds copies of fixtures/ and examples/. Seconds, counted evaluations and
numbers in scientific notation may differ. `python tests/doc_blocks.py PAGE…` writes the present output into the pages
(`...` stays).
"""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import linecache
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"python", "pycon", "console", "ipython", "text", "json", "toml", "diff", "bash", "mermaid"}

_FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)
_PRINTS = re.compile(r"<!-- prints -->\s*\Z")


@dataclass(frozen=True)
class Block:
    """One fenced block: `start` and `end` are the offsets of its body in the page, `line` where the fence stands."""

    page: Path
    language: str
    title: str
    body: str
    line: int
    start: int
    end: int
    is_output: bool


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for m in _FENCE.finditer(text):
        language, _, rest = m["info"].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', rest)
        line = text.count("\n", 0, m.start()) + 1
        is_output = bool(_PRINTS.search(text[: m.start()]))
        found.append(
            Block(page, language, title[1] if title else "", m["body"], line, m.start("body"), m.end("body"), is_output)
        )
    return found


class Workplace:
    """A folder with copies of the programs, and the names that the blocks of one page have defined."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__page__", "__file__": "example.py"}
        self.code = ""
        self.broken = False  # whether a command ended otherwise than with 0 or 1
        self.printed = ""
        self.shell: Any = None
        for name in ("fixtures", "examples"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))

    def run(self, block: Block) -> str | None:
        """Runs one block; returns what its body should read now where it shows output, else None."""
        if block.is_output:
            return self.printed
        if block.title:
            (self.folder / block.title).write_text(block.body, encoding="utf-8")
        elif block.language == "console":
            return self._console(block.body)
        elif block.language == "python":
            self._python(block)
        elif block.language == "ipython":
            self._ipython(block)
        elif block.language == "pycon":
            self._pycon(block)
        elif block.language == "json":
            json.loads(block.body)
        elif block.language == "toml":
            tomllib.loads(block.body)
        return None

    def _console(self, body: str) -> str:
        shown = []
        for command in re.findall(r"^\$ (.*(?:\\\n.*)*)$", body, re.MULTILINE):
            shown.append(f"$ {command}\n")
            ran = subprocess.run(
                ["bash", "-c", command], cwd=self.folder, capture_output=True, text=True, env=self._environment()
            )
            shown.append(ran.stdout + (ran.stderr if ran.returncode > 1 else ""))
            self.broken |= ran.returncode > 1
        return "".join(shown)

    def _environment(self) -> dict[str, str]:
        """The page's `python` is the one that runs the tests; the terminal is 100 columns wide and has no colour."""
        bin_folder = self.folder / ".bin"
        if not bin_folder.exists():
            bin_folder.mkdir()
            launcher = bin_folder / "python"
            launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
            launcher.chmod(0o755)
        path = f"{bin_folder}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        extra = {"PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
        return {**os.environ, **extra, "MPLBACKEND": "Agg", "PYTHONWARNINGS": "ignore", "PYTHONDONTWRITEBYTECODE": "1"}

    def _python(self, block: Block) -> None:
        """The blocks of a page are one growing program, `example.py`, so that reports name lines a reader can count."""
        before = self.code
        self.code += block.body + "\n"
        (self.folder / "example.py").write_text(self.code, encoding="utf-8")
        linecache.checkcache()
        code = compile("\n" * before.count("\n") + block.body, "example.py", "exec")
        with self._capture():
            exec(code, self.names)

    def _ipython(self, block: Block) -> None:
        if self.shell is None:
            from IPython.core.interactiveshell import InteractiveShell

            self.shell = InteractiveShell(user_ns=self.names)
            self.shell.run_line_magic("colors", "NoColor")
        with self._capture():
            result = self.shell.run_cell(block.body)
        result.raise_error()

    def _pycon(self, block: Block) -> None:
        test = doctest.DocTestParser().get_doctest(block.body, self.names, block.page.name, str(block.page), block.line)
        with self._capture():
            failed = doctest.DocTestRunner(_Checker(), verbose=False).run(test, clear_globs=False).failed
        assert not failed, self.printed

    @contextlib.contextmanager
    def _capture(self) -> Iterator[None]:
        caught, before = io.StringIO(), Path.cwd()
        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder))
        try:
            with contextlib.redirect_stdout(caught):
                yield
        finally:
            sys.path.remove(str(self.folder))
            os.chdir(before)
            self.printed = caught.getvalue()


class _Checker(doctest.OutputChecker):
    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return same(want, got)


def normal(text: str) -> str:
    """Without what differs from run to run: seconds, evaluations, numbers in scientific notation, trailing blanks."""
    text = re.sub(r"(under )?\b(\d+ min )?\d+(\.\d+)? s\b", "N s", text)
    text = re.sub(r"\b[\d,]+ evaluations\b", "N evaluations", text)
    text = re.sub(r"-?\b\d(\.\d+)?e[-+]?\d+", "~", text)
    text = re.sub(r"[ \t]+", " ", re.sub(r"[-─═|│]{3,}", "---", text))
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def same(shown: str, now: str) -> bool:
    """Whether a page's text describes the output; `...` in the page stands for anything."""
    pattern = ".*?".join(re.escape(part.strip()) for part in normal(shown).split("..."))
    return re.fullmatch(rf"\s*{pattern.replace('.*?', '(?:.*?)')}\s*", normal(now), re.DOTALL) is not None


def refresh(page: Path) -> None:
    """Writes the present output into the page; leaves it as it is where a command could not do its work."""
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Path(folder))
        found = [(block, place.run(block)) for block in blocks(page)]
    if place.broken:
        sys.exit(f"{page.name}: a command failed, nothing is written")
    for block, now in reversed(found):
        if now is not None and ("..." not in block.body or block.body.strip() == "..."):
            text = text[: block.start] + now.rstrip("\n") + "\n" + text[block.end :]
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        refresh(Path(name).resolve())
