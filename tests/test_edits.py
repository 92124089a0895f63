"""Edits on source text: what fits is made, what does not is refused with the reason."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpropdoctor.edits import EditError, apply_fixes, changed_lines, fitting, read_source, unified
from backpropdoctor.finding import Fix

SOURCE = "a = 1\nb = (1/2)*x + (1/2)*y\nc = 3\n"


def test_an_edit_at_a_column():
    assert apply_fixes(SOURCE, [Fix(2, "(1/2)*", "", column=15)]) == "a = 1\nb = (1/2)*x + y\nc = 3\n"


def test_without_a_column_the_text_must_stand_once():
    assert apply_fixes(SOURCE, [Fix(3, "3", "4")]).endswith("c = 4\n")
    with pytest.raises(EditError, match="stands 2 times on line 2"):
        apply_fixes(SOURCE, [Fix(2, "(1/2)*", "")])
    with pytest.raises(EditError, match="stands not on line 1"):
        apply_fixes(SOURCE, [Fix(1, "(1/2)*", "")])


def test_a_text_elsewhere_is_refused():
    with pytest.raises(EditError, match="does not read"):
        apply_fixes(SOURCE, [Fix(2, "(1/2)*", "", column=4)])
    with pytest.raises(EditError, match="line 9 does not exist"):
        apply_fixes(SOURCE, [Fix(9, "a", "b")])


def test_several_edits_do_not_shift_one_another():
    fixes = [Fix(2, "(1/2)*", "2*", column=15), Fix(2, "(1/2)*", "", column=5), Fix(1, "1", "100")]
    assert apply_fixes(SOURCE, fixes) == "a = 100\nb = x + 2*y\nc = 3\n"


def test_the_same_edit_twice_is_one():
    fix = Fix(2, "(1/2)*", "", column=5)
    assert apply_fixes(SOURCE, [fix, fix]) == apply_fixes(SOURCE, [fix])


def test_edits_that_overlap_are_refused_and_fitting_keeps_the_first():
    first, second, third = Fix(2, "(1/2)*x", "x", column=5), Fix(2, "x + (1/2)", "z", column=11), Fix(1, "1", "2")
    with pytest.raises(EditError, match="overlap"):
        apply_fixes(SOURCE, [first, second])
    kept, left = fitting(SOURCE, [first, second, third])
    assert kept == [first, third]
    assert left[0][0] == second


def test_an_edit_over_several_lines():
    source = "x = (a +\n     b)\ny = 1\n"
    assert apply_fixes(source, [Fix(1, "a +\n     b", "a", column=6)]) == "x = (a)\ny = 1\n"


def test_a_new_line_goes_in_front():
    assert apply_fixes("a\nb\n", [Fix(2, "", "new")]) == "a\nnew\nb\n"
    assert changed_lines("a\nb\n", Fix(2, "", "new")) == ([], ["new"])


def test_the_lines_an_edit_touches():
    assert changed_lines(SOURCE, Fix(2, "(1/2)*", "", column=15)) == (["b = (1/2)*x + (1/2)*y"], ["b = (1/2)*x + y"])


def test_windows_newlines_stay():
    assert apply_fixes("a = 1\r\nb = 2\r\n", [Fix(1, "a = 1\nb", "b")]) == "b = 2\r\n"
    assert apply_fixes("a\r\nb\r\n", [Fix(2, "", "n")]) == "a\r\nn\r\nb\r\n"


def test_a_form_feed_is_no_end_of_line():
    assert apply_fixes("a = 1 \x0c\nb = 2\n", [Fix(2, "2", "3")]) == "a = 1 \x0c\nb = 3\n"


def test_the_diff_is_one_that_patch_applies(tmp_path):
    (tmp_path / "t.py").write_text(SOURCE.rstrip("\n"))
    text = unified("t.py", SOURCE.rstrip("\n"), [Fix(3, "3", "4"), Fix(1, "1", "2")])
    assert text.startswith("--- t.py\n+++ t.py\n@@ -1,3 +1,3 @@\n-a = 1\n+a = 2\n")
    assert "\\ No newline at end of file" in text
    try:
        done = subprocess.run(["git", "apply", "-p0", "-"], cwd=tmp_path, input=text.encode(), capture_output=True)
    except FileNotFoundError:
        pytest.skip("git is not installed")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "t.py").read_text() == "a = 2\nb = (1/2)*x + (1/2)*y\nc = 4"


def test_no_change_is_no_diff():
    assert unified("t.py", SOURCE, []) == ""


def test_the_declared_encoding_is_kept(tmp_path):
    raw = "# -*- coding: latin-1 -*-\r\nx = 'é' # 1\r\n".encode("latin-1")
    (tmp_path / "t.py").write_bytes(raw)
    source = read_source(str(tmp_path / "t.py"))
    assert source.encode(source.text) == raw
    assert source.encode(apply_fixes(source.text, [Fix(2, "1", "ü")])) == raw.replace(b"# 1", b"# \xfc")


@given(st.lists(st.text("ab= 1", min_size=1, max_size=8), min_size=1, max_size=5), st.data())
def test_an_edit_changes_its_text_and_nothing_else(lines, data):
    source = "\n".join(lines)
    k = data.draw(st.integers(0, len(lines) - 1))
    start = data.draw(st.integers(0, len(lines[k]) - 1))
    stop = data.draw(st.integers(start + 1, len(lines[k])))
    edited = [*lines]
    edited[k] = lines[k][:start] + "NEW" + lines[k][stop:]
    assert apply_fixes(source, [Fix(k + 1, lines[k][start:stop], "NEW", column=start + 1)]) == "\n".join(edited)
