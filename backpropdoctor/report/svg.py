"""One drawing as inline SVG, with a title and words that a screen reader reads out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

from .as_json import plain


def figure(title: str, words: str, body: Iterable[str], size: tuple[float, float], key: str) -> Markup:
    """The drawing with its caption; a screen reader hears the title and the words."""
    width, height = size
    return Markup(
        f'<figure><svg role="img" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'aria-labelledby="{escape(key)}-t {escape(key)}-d"><title id="{escape(key)}-t">{escape(title)}</title>'
        f'<desc id="{escape(key)}-d">{escape(words)}</desc>{"".join(body)}</svg>'
        f"<figcaption>{escape(title)}<br><small>{escape(words)}</small></figcaption></figure>"
    )


def floats(values: Any) -> list[float]:
    """Numbers as they stand in evidence: a sequence or an array; None and "NaN" are NaN."""
    return [math.nan if v is None else float(v) for v in plain(values)]
