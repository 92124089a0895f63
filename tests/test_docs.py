"""README.md and docs/ say what is true: the code runs and prints what the page shows, the links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_blocks import LANGUAGES, PAGES, ROOT, Workplace, blocks, normal, same

CODE_PAGES = [page for page in PAGES if any(b.language in ("python", "pycon", "console", "ipython") for b in blocks(page))]


@pytest.mark.parametrize("page", CODE_PAGES, ids=lambda p: p.name)
def test_the_code_of_a_page_runs_and_prints_what_the_page_shows(page, tmp_path):
    place = Workplace(tmp_path)
    for block in blocks(page):
        if block.language == "ipython":
            pytest.importorskip("IPython")
        now = place.run(block)
        if now is not None and not same(block.body, now):
            assert normal(now) == normal(block.body), f"{page.name}:{block.line} shows other output than it has"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_block_names_its_language(page):
    assert not [f"{page.name}:{b.line}" for b in blocks(page) if b.language not in LANGUAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_within_the_project_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    assert not [t for t in targets if not _exists(page.parent / t)]


def _exists(path: Path) -> bool:
    """Rule pages are made from the rules when the site is built."""
    if path.parent.name == "rules" and path.stem != "index":
        return any((ROOT / "backpropdoctor" / "rules").glob(f"{path.stem.lower()}_*.py"))
    return path.exists() or path.parent.name == "rules"


def test_the_site_holds_every_page_of_docs():
    listed = set(re.findall(r"([\w-]+\.md)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert listed == {page.name for page in PAGES if page.parent.name == "docs"}


def test_every_rule_gets_a_page_on_the_site():
    pytest.importorskip("mkdocs")
    import importlib.util

    from backpropdoctor import rules

    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    assert spec and spec.loader
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    assert set(hooks.pages()) == {"rules/index.md"} | {f"rules/{code}.md" for code in rules.names()}


class TestTheGuard:
    """The run above can fail."""

    def page(self, folder: Path, text: str) -> Path:
        path = folder / "page.md"
        path.write_text(text, encoding="utf-8")
        return path

    def outcome(self, folder: Path, text: str) -> list[bool]:
        (folder / "work").mkdir()
        place = Workplace(folder / "work")
        results = [(block, place.run(block)) for block in blocks(self.page(folder, text))]
        return [same(block.body, now) for block, now in results if now is not None]

    def test_output_that_is_right(self, tmp_path):
        text = "```console\n$ echo one\none\n$ echo two 0.31 s\ntwo 1.4 s\n```\n"
        assert self.outcome(tmp_path, text) == [True]

    def test_output_that_is_not(self, tmp_path):
        assert self.outcome(tmp_path, "```console\n$ echo one\ntwo\n```\n") == [False]

    def test_what_a_block_prints(self, tmp_path):
        text = "```python\nprint(6 * 7)\n```\n\n<!-- prints -->\n```text\n{}\n```\n"
        assert self.outcome(tmp_path, text.format("42")) == [True]
        assert not same("43", "42")

    def test_dots_stand_for_anything_but_the_rest_must_be_there(self):
        assert same("a\n...\nd", "a\nb\nc\nd")
        assert not same("a\n...\ne", "a\nb\nc\nd")

    def test_a_doctest(self, tmp_path):
        assert self.outcome(tmp_path, "```pycon\n>>> 6 * 7\n42\n```\n") == []

    def test_a_doctest_that_shows_something_else(self, tmp_path):
        with pytest.raises(AssertionError, match="43"):
            self.outcome(tmp_path, "```pycon\n>>> 6 * 7\n43\n```\n")

    def test_code_that_raises(self, tmp_path):
        with pytest.raises(ZeroDivisionError):
            self.outcome(tmp_path, "```python\n1 / 0\n```\n")
