"""Three healthy programs in three styles, and the edits that give each of them one fault of its updates."""

from __future__ import annotations

from .astray import ASTRAY
from .healthy import HEALTHY
from .lost import LOST
from .no_gradient import NO_GRADIENT
from .not_run import NOT_RUN

__all__ = ["BROKEN", "HEALTHY"]

BROKEN = [*NOT_RUN, *LOST, *NO_GRADIENT, *ASTRAY]
