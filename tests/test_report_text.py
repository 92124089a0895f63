"""The text report: the form of its blocks, marks that stay under what they mark, tables that fold."""

from __future__ import annotations

import re

import pytest
from report_samples import PROGRAM, full, half, healthy, many, missing_key, same_as_golden, write_program

from backpropdoctor.finding import Checked, Cost, Explanation, Finding, Fix
from backpropdoctor.report.excerpt import excerpt, plain, width_of
from backpropdoctor.report.report import Report
from backpropdoctor.source import Span


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    import linecache

    monkeypatch.chdir(tmp_path)
    linecache.clearcache()
    write_program(tmp_path)


def marked(text: str, column: int, end: int, *, name: str = "line.py", **options: object) -> tuple[str, str]:
    with open(name, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    rows = excerpt(Span(name, 1, column, 1, end), **options)  # type: ignore[arg-type]
    return rows[0].text, rows[1].text


def test_the_whole_report_is_the_golden_one():
    same_as_golden("full.txt", full().text() + "\n")


def test_a_narrow_ascii_terminal_is_the_golden_one():
    same_as_golden("narrow.txt", full().text(width=60, ascii=True) + "\n")


def test_verbose_is_the_golden_one():
    same_as_golden("verbose.txt", full().text(verbose=True) + "\n")


def test_the_first_block_reads_as_designed():
    lines = Report(target="train.py", findings=(half(),)).text().splitlines()
    assert lines[:4] == [
        "error[BD102]: `dW` is half of the gradient",
        "  --> train.py:6:5",
        "6 |     dW = (1/2)*np.dot(dZ, A_prev.T)",
        "  |          ^^^^^ this factor",
    ]
    assert lines[4].startswith("  = measured: 0.50000000")
    assert "help: drop the factor: `dA2` already carries 1/m (verified: all 4 gradients right after the edit)" in lines
    after = lines.index("6 -     dW = (1/2)*np.dot(dZ, A_prev.T)")
    assert lines[after + 1] == "6 +     dW = np.dot(dZ, A_prev.T)"


def test_errors_come_first_and_the_last_line_is_one_line():
    lines = full().text().splitlines()
    heads = [line.split("[")[0] for line in lines if re.match(r"(error|warning|note)\[", line)]
    assert heads == ["error", "warning", "note"]
    assert lines[-1].startswith("found 1 error, 1 warning and 1 note; 4 tensors checked: 1 right, 1 wrong, ")
    assert lines[-1].endswith("2 things not measured; 36 evaluations, 0.8 s")


def test_a_healthy_report_says_so_in_one_line():
    assert healthy().text().splitlines()[-1] == (
        "found nothing wrong; 1 tensor checked: 1 right; everything measured; 4 evaluations, under 0.1 s"
    )


def test_what_was_not_measured_never_reads_as_a_pass():
    row = Checked(tensor="W", verdict="undecided", reason="kink")
    last = Report(target="x.py", checked=(row,)).text().splitlines()[-1]
    assert "found nothing wrong in what was measured" in last
    assert "1 undecided" in last
    assert "everything measured" not in last
    assert "stopped by an exception" in Report(target="x.py", stopped_by="ValueError: no").text().splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "column", "end", "shown", "mark"),
    [
        ("dW = dZ @ A", 6, 8, "dW = dZ @ A", "     ^^"),
        ("\tdb = dZ", 7, 9, "    db = dZ", "         ^^"),
        ("損失 = dZ", 6, 8, "損失 = dZ", "       ^^"),
        ("a = '損失'", 5, 9, "a = '損失'", "    ^^^^^^"),
        ("e\u0301 = dZ", 6, 8, "e\u0301 = dZ", "    ^^"),
        ("x = ''", 7, 7, "x = ''", "      ^"),
        ("x\x1b[31m = dZ", 9, 11, "x\\x1b[31m = dZ", "           ^^"),
    ],
    ids=["plain", "tab", "wide", "wide inside", "combining", "empty", "escape sequence"],
)
def test_marks_stand_under_what_they_mark(text, column, end, shown, mark):
    assert marked(text, column, end) == (shown, mark)


def test_ascii_keeps_the_mark_aligned():
    line, mark = marked("Δ = 損 + dZ", 9, 11, ascii=True)
    assert line.isascii()
    assert line[mark.index("^") : mark.rindex("^") + 1] == "dZ"


@pytest.mark.parametrize("column", [1, 30, 90, 198])
def test_a_long_line_is_cut_around_its_mark(column):
    text = "".join(f"{k:03d}" for k in range(70))
    line, mark = marked(text, column, column + 3, width=50, name=f"long{column}.py")
    assert width_of(line) <= 50
    assert line[mark.index("^") : mark.rindex("^") + 1] == text[column - 1 : column + 2]
    assert line.endswith("...") or column == 198


def test_a_cut_through_wide_characters_keeps_the_mark():
    text = "損" * 60 + "dZ" + "失" * 60
    line, mark = marked(text, 61, 63, width=40)
    at = mark.index("^")
    assert width_of(line) <= 40
    assert width_of(line[: line.index("dZ")]) == at


def test_a_span_over_several_lines_has_a_bar():
    text = Report(target="train.py", findings=(missing_key(),)).text()
    assert '13 | /     parameters["W1"] = (' in text
    assert '14 | |         parameters["W1"]' in text
    assert "   | |_____^ fails when it is reached" in text
    assert "= first at: step 0, sample 3" in text


def test_a_very_long_span_shows_its_ends(tmp_path):
    (tmp_path / "long.py").write_text("f(\n" + "    1,\n" * 40 + ")\n")
    rows = excerpt(Span("long.py", 1, 1, 42, 2))
    assert [r.line for r in rows] == [1, 2, 3, 4, None, 42, None]


def test_a_place_without_source_keeps_its_label():
    finding = Finding(code="BD102", name="x", severity="note", message="m", span=Span("gone.py", 3, 1, 3, 2), label="it")
    assert "  --> gone.py:3:1\n  = here: it" in Report(target="gone.py", findings=(finding,)).text()


def test_how_sure_a_suggestion_is():
    fix = Fix(6, "(1/2)*", "", column=10)
    common = {"code": "BD102", "name": "x", "severity": "error", "message": "m", "span": Span("train.py", 6, 5, 6, 36)}
    sure = Finding(**common, fix=fix, help="drop it", explanations=(Explanation("cause", "verified"),))
    maybe = Finding(**common, fix=fix, help="drop it", explanations=(Explanation("cause", "consistent"),))
    bare = Finding(**common)
    assert "help: drop it (verified)" in Report(target="t", findings=(sure,)).text()
    text = Report(target="t", findings=(maybe,)).text()
    assert "help: drop it (consistent with the numbers, not proved)" in text
    assert "= could be: cause (consistent)" in text
    assert "= why: unexplained" in Report(target="t", findings=(bare,)).text()


def test_a_fix_that_does_not_fit_the_file_is_shown_bare():
    finding = Finding(code="BD102", name="x", severity="error", message="m", span=Span("train.py", 6, 5, 6, 36),
                      fix=Fix(6, "no such text", "other"), help="h")  # fmt: skip
    text = Report(target="t", findings=(finding,)).text()
    assert "6 - no such text\n6 + other" in text


def test_two_hundred_tensors_fold_and_verbose_unfolds():
    text = many().text()
    assert len(text.splitlines()) < 40
    assert "layers[199].W" in text
    assert re.search(r"197 others\s+right", text)
    assert "--verbose" in text
    assert "layers[42].W" in many().text(verbose=True)


def test_many_right_ones_alone_still_show_some():
    text = many(wrong=0).text()
    assert "layers[0].W" in text
    assert re.search(r"188 others\s+right", text)


def test_many_wrong_ones_fold_too():
    text = many(wrong=190).text()
    assert re.search(r"178 others\s+wrong", text)
    assert len(text.splitlines()) < 45


def test_close_numbers_show_the_digits_that_differ():
    row = Checked(tensor="W", verdict="wrong", analytic=1.0000001, numeric=1.0, error=1e-12, ratio=1.0000001)
    assert "1.0000001" in Report(target="t", checked=(row,)).text()


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100])
def test_no_line_of_a_block_is_wider_than_the_terminal(width):
    body = full().text(width=width).splitlines()[:-1]
    too_wide = [line for line in body if width_of(line) > width and " " in line.strip()[: width // 2]]
    assert width < 60 or not too_wide


def test_colour_only_when_asked_and_never_the_message():
    assert "\x1b[" not in full().text()
    coloured = full().text(colour=True)
    assert "\x1b[1;31merror[BD102]\x1b[0m: `dW` is half" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == full().text()


def test_control_characters_never_reach_the_terminal():
    finding = Finding(code="BD102", name="x", severity="note", message="`a\x1b]0;evil\x07` is\nbad \u202e rtl",
                      tensors=("\x9b31m",))  # fmt: skip
    text = Report(target="t", findings=(finding,)).text()
    assert not set(text) & set("\x1b\x07\u202e\x9b")
    assert "`a\\x1b]0;evil\\x07` is bad" in text


def test_ascii_is_ascii_and_says_the_same():
    finding = Finding(code="BD102", name="x", severity="note", message="⟨g, u⟩ ≠ ‖∇W‖ · α")
    text = Report(target="t", findings=(finding,)).text(ascii=True)
    assert text.isascii()
    assert "<g, u> != ||grad W|| * \\u03b1" in text


def test_quiet_is_one_line_an_error_and_the_last_line():
    lines = full().text(quiet=True).splitlines()
    assert lines[0] == "train.py:6:5: error[BD102]: `dW` is half of the gradient"
    assert len(lines) == 2


def test_str_is_the_text():
    assert str(full()) == full().text()


def test_paths_are_shown_as_the_user_gave_them(tmp_path):
    finding = Finding(code="BD102", name="x", severity="note", message="m", span=Span(str(tmp_path / "train.py"), 6, 5, 6, 7))
    assert "--> train.py:6:5" in Report(target="train.py", findings=(finding,)).text()
    assert "--> train.py:6:5" in Report(target="other.py", findings=(finding,)).text()
    given = str(tmp_path / "train.py")
    assert f"--> {given}:6:5" in Report(target=given, findings=(finding,)).text()


def test_the_program_of_the_samples_is_python():
    compile(PROGRAM, "train.py", "exec")


def test_durations():
    assert Report(target="t", cost=Cost(1, 125)).text().endswith("1 evaluation, 2 min 5 s")


def test_plain_spells_out_tabs():
    assert plain("a\tb") == "a    b"


def test_the_step_is_not_said_twice():
    common = {"code": "BD201", "name": "x", "severity": "error", "step": 1393, "sample": 5}
    said = Finding(**common, message="`1 - A` is 0 in step 1393, sample 5")
    unsaid = Finding(**common, message="`1 - A` is 0 in step 13930, sample 5")
    assert "first at" not in Report(target="t", findings=(said,)).text()
    assert "= first at: step 1393, sample 5" in Report(target="t", findings=(unsaid,)).text()
