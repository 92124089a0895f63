"""The HTML report: self-contained, escaped, ordered for a reader who does not see it, and small."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_samples import checked, full, half, healthy, many, write_program

from backpropdoctor import rules
from backpropdoctor.finding import Checked, Finding, Fix
from backpropdoctor.report import markdown
from backpropdoctor.report.drawings import draw
from backpropdoctor.report.report import Report
from backpropdoctor.rule import Rule
from backpropdoctor.source import Span

EVIL = "<script>alert('x')</script>"
VOID = {"meta", "br", "hr", "img", "input", "link"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    import linecache

    monkeypatch.chdir(tmp_path)
    linecache.clearcache()
    write_program(tmp_path)


class Page(HTMLParser):
    """Elements with their attributes, ids, headings, and the text a reader sees; every tag must be closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "title", "desc"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def evidence() -> dict:
    """Something of every kind that is drawn."""
    grid = [[float(i * j) for j in range(40)] for i in range(6)]
    return {
        "heatmap": {"analytic": grid, "numeric": [[2 * v for v in r] for r in grid], "wrong_rows": [2]},
        "ladder": {"h": [1e-1, 1e-3, 1e-5, 1e-7], "error": [1e-2, 1e-6, 1e-9, 1e-7]},
        "loss_curve": [1.0, 0.5, math.nan, 0.25],
        "ratio_curves": {"W1": [1e-3, 2e-3], EVIL: [1e-2, 1e-1]},
        "chain": [{"line": 8, "text": EVIL, "value": "inf"}, {"text": "loss"}],
    }


def everything() -> Report:
    finding = replace(half(), evidence=evidence())
    rows = [replace(checked()[0], evidence=evidence()), *checked()[1:]]
    return replace(full(), findings=(finding, *full().findings), checked=tuple(rows))


@pytest.mark.parametrize("report", [full(), healthy(), many(), Report(target="x.py"), everything()],
                         ids=["full", "healthy", "many", "empty", "everything"])  # fmt: skip
def test_every_page_is_well_formed_and_needs_nothing_from_elsewhere(report):
    source = report.html()
    page = Page(source)
    assert source.startswith("<!doctype html>")
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "iframe", "object", "embed", "img", "form"}
    for name, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on")]
        assert name == "a" or not {"href", "src", "srcset", "action", "data"} & set(attributes)
    assert not re.search(r"url\(|@import", source)


def test_ids_are_unique_and_every_reference_has_its_target():
    page = Page(everything().html())
    ids = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        wanted = (attributes.get("aria-labelledby") or "").split()
        if (attributes.get("href") or "").startswith("#"):
            wanted.append(str(attributes["href"])[1:])
        assert set(wanted) <= set(ids)


def test_the_page_reads_without_eyes():
    page = Page(everything().html())
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("a")[0]["class"] == "bd-skip"
    assert len(page.all("h1")) == 1
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch(r"h[1-6]", name)]
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    assert all(a.get("scope") in ("col", "row") for a in page.all("th"))
    assert page.all("caption")
    drawings = page.all("svg")
    assert len(drawings) >= 8
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in drawings)
    assert len(page.all("desc")) == len(drawings)


def test_colour_is_never_the_only_sign():
    text = Page(full().html()).text
    for word in ("error BD102", "warning BD103", "note BD309", "wrong", "inherited", "undecided", "right", "faulty"):
        assert word in text


def test_light_dark_and_print():
    source = full().html()
    assert "@media (prefers-color-scheme: dark)" in source
    assert "@media print" in source


def test_the_finding_is_told_whole():
    text = Page(full().html()).text
    for words in (
        "dW is half of the gradient",
        "train.py:6:5",
        "this factor",
        "0.50000000 of the true gradient in all of W1, W2 (error bar 3e-12)",
        "the same factor",
        "drop the factor: dA2 already carries 1/m (verified: all 4 gradients right after the edit)",
        "dW = np.dot(dZ, A_prev.T)",
        "parameters['b9'] has no gradient",
        "watched 500 steps, to the script's end",
    ):
        assert words in text


def test_nothing_of_the_users_becomes_markup(tmp_path):
    (tmp_path / "evil.py").write_text(f"x = '{EVIL}'  # </pre></style><img src=x onerror=alert(1)>\ny = 1\n")
    finding = Finding(
        code="BD102", name="x", severity="error", message=f"`{EVIL}` and {EVIL}", span=Span("evil.py", 1, 5, 1, 30),
        label=EVIL, measured=EVIL, layer=EVIL, tensors=(EVIL,), affects=(EVIL,), help=EVIL,
        fix=Fix(1, "<script>", "<b onclick=1>", column=6), related=((Span("evil.py", 2, 1, 2, 2), EVIL),),
        evidence=evidence() | {"heatmap": {**evidence()["heatmap"], "tensor": EVIL}},
    )  # fmt: skip
    row = Checked(tensor=EVIL, verdict="wrong", reason=EVIL, method=EVIL, missed=EVIL, evidence=evidence())
    report = Report(target=EVIL, findings=(finding,), checked=(row,), incomplete=(EVIL,), notes=(EVIL,), stopped_by=EVIL)
    for source in (report.html(), report._repr_html_()):
        assert "<script" not in source
        assert not re.search(r"<(img|b)\b", source)
        page = Page(source)
        assert page.text.count(EVIL) >= 12
        assert not {"img", "b", "script"} & {name for name, _ in page.elements}


def test_no_line_of_a_page_is_markup():
    rendered = str(markdown.page(f"# {EVIL}\n\n{EVIL}\n\n- `{EVIL}`\n\n```\n{EVIL}\n```\n\n[x](javascript:alert(1))", 3))
    assert "<script" not in rendered
    assert "<a" not in rendered
    assert rendered.count("&lt;script&gt;") == 4


def test_a_rule_page_in_markdown():
    page = "# Title\n\ntext **bold** `a < b`\nmore\n\n- one\n- two\n\n1. first\n\n```python\nx = 1\n\n# y\n```\n\n## Next\n[s](https://s.org)"
    assert str(markdown.page(page, 4)).splitlines() == [
        "<h4>Title</h4>",
        "<p>text <strong>bold</strong> <code>a &lt; b</code> more</p>",
        "<ul><li>one</li><li>two</li></ul>",
        "<ol><li>first</li></ol>",
        "<pre><code>x = 1",
        "",
        "# y</code></pre>",
        "<h5>Next</h5>",
        '<p><a href="https://s.org">s</a></p>',
    ]


def test_the_rule_page_stands_once(monkeypatch):
    rule = Rule("BD102", "scaled-gradient", "error", "# All about it\n\nwhy\n")
    monkeypatch.setattr(rules, "names", lambda: {"BD102": "m"})
    monkeypatch.setattr(rules, "get", lambda code: rule)
    text = Page(Report(target="t", findings=(half(), half())).html()).text
    assert text.count("All about it") == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"heatmap": None}, {"heatmap": {"analytic": [[1]], "numeric": [[1, 2]]}}, {"heatmap": {"analytic": []}},
        {"heatmap": {"analytic": [[1], [1, 2]], "numeric": [[1], [1, 2]]}}, {"ladder": {"h": [1], "error": [1, 2]}},
        {"ladder": {"h": [], "error": []}}, {"loss_curve": "text"}, {"loss_curve": [1]}, {"ratio_curves": [1, 2]},
        {"ratio_curves": {}}, {"chain": 3}, {"chain": [1, {"line": 2}]}, {"mark": None}, {"mark": [1, "x"]},
        {"loss_curve": [-1e308, 1e308]},
    ],
    ids=str,
)  # fmt: skip
def test_evidence_of_another_form_is_left_undrawn(odd):
    assert draw(odd, "W", "k") == []
    Page(Report(target="t", findings=(replace(half(), evidence=odd),)).html())


def test_drawings_take_arrays_and_what_is_not_finite():
    numpy = pytest.importorskip("numpy")
    grid = numpy.arange(12.0).reshape(3, 4)
    grid[0, 0] = numpy.nan
    (drawing,) = draw({"heatmap": {"analytic": grid, "numeric": grid * 2}}, "W", "k")
    assert "violet not finite" in drawing
    assert 'class="odd"' in drawing
    (curve,) = draw({"loss_curve": [math.inf, math.nan]}, "W", "k")
    assert curve.count('class="cross"') == 2
    assert "nan" not in re.sub(r"<desc.*", "", str(curve)).lower()


def test_a_curve_of_a_million_points_is_small_and_keeps_its_peak():
    values = [1.0] * 100_000
    values[54_321] = 9.0
    (drawing,) = draw({"loss_curve": values}, "W", "k")
    assert len(drawing) < 12_000
    assert ">10<" in drawing


def test_two_hundred_tensors_stay_small():
    rows = tuple(replace(c, evidence=evidence()) for c in many().checked)
    source = replace(many(), checked=rows).html()
    assert len(source.encode()) < 2_000_000
    assert Page(source).text.count("layers[") >= 200


def test_a_notebook_gets_a_fragment_and_its_plain_twin():
    bundle = full()._repr_mimebundle_()
    assert bundle["text/plain"] == full().text()
    fragment = bundle["text/html"]
    Page(fragment)
    assert "<html" not in fragment and "<h1" not in fragment
    assert full()._repr_mimebundle_(include={"text/plain"}) == {"text/plain": full().text()}
    style = fragment[fragment.index("<style>") + 7 : fragment.index("</style>")]
    selectors = re.findall(r"^\s*([^{}@\n][^{}\n]*?)\s*\{", style, re.M)
    assert selectors
    assert all(".bd" in part for part in selectors)


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--window-size=1000,1600")  # fmt: skip


def browse(tmp_path: Path, source: str, *options: str) -> str:
    (tmp_path / "report.html").write_text(source, encoding="utf-8")
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [str(CHROMIUM), *FLAGS, profile, *options, (tmp_path / "report.html").as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here to look at the page with")
def test_a_browser_shows_the_page_in_light_and_dark(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="no pillow here to look at the screenshot with")
    shots = {}
    for theme, scheme in (("light", 1), ("dark", 0)):
        file = tmp_path / f"{theme}.png"
        browse(tmp_path, everything().html(), f"--screenshot={file}", f"--blink-settings=preferredColorScheme={scheme}")
        shots[theme] = image.open(file).convert("RGB")
    assert min(shots["light"].getpixel((3, 300))) > 240
    assert max(shots["dark"].getpixel((3, 300))) < 60
    assert all(len(shot.getcolors(1 << 24)) > 50 for shot in shots.values())


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here to look at the page with")
def test_a_browser_runs_nothing_and_lays_nothing_outside_the_page(tmp_path):
    evil = replace(full(), target=EVIL.replace("alert('x')", "document.title='caught'"), notes=("<img src=x onerror=1>",))
    probe = "<script>document.body.dataset.wide = document.documentElement.scrollWidth - innerWidth</script></body>"
    dump = browse(tmp_path, evil.html().replace("</body>", probe), "--dump-dom")
    assert "<title>faulty: &lt;script&gt;" in dump
    assert 'data-wide="0"' in dump
    assert "<img" not in dump
