"""A value that a pooling hands back is put at a place of its own block: the strides of the forward pass are in its index."""

import textwrap

import pytest

from backpropdoctor.scripts import check_script

POOL = textwrap.dedent("""
    import numpy as np

    rng = np.random.default_rng(3)
    sheet, aim = rng.normal(size=(4, 6)), rng.normal(size=(2, 3))
    lens = rng.normal(size=(6, 6)) * 0.5


    def blocks(a):
        for r in range(2):
            for c in range(3):
                yield a[2 * r : 2 * r + 2, 2 * c : 2 * c + 2], r, c


    for look in range(8):
        seen = sheet @ lens
        small = np.zeros((2, 3))
        for block, r, c in blocks(seen):
            small[r, c] = block.max()
        loss = ((small - aim) ** 2).sum()
        d_small = 2 * (small - aim)
        d_seen = np.zeros_like(seen)
        for block, r, c in blocks(seen):
            i, j = np.unravel_index(block.argmax(), block.shape)
            d_seen[2 * r + i, 2 * c + j] = d_small[r, c]
        lens -= 0.01 * sheet.T @ d_seen
    """)


@pytest.mark.parametrize("broken", [False, True])
def test_the_strides_are_put_into_the_index(tmp_path, broken):
    path = tmp_path / "pool.py"
    path.write_text(POOL.replace("d_seen[2 * r + i, 2 * c + j]", "d_seen[r + i, c + j]") if broken else POOL)
    found = check_script(str(path)).findings
    assert [(f.code, f.fix.before, f.fix.after) for f in found] == [("BD113", "r + i, c + j", "2 * r + i, 2 * c + j")] * broken
    assert all(f.explanations[0].status == "verified" for f in found)
