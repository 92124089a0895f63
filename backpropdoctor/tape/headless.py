"""A matplotlib backend that draws and saves as Agg does and has no windows: `plt.show()` returns at once."""

from __future__ import annotations

from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg


class FigureManager(FigureManagerBase):
    """A manager of no windows."""

    @classmethod
    def pyplot_show(cls, *, block: bool | None = None) -> None:
        """Nothing to show, nothing to wait for."""

    def show(self) -> None:
        """Nothing to show."""


class FigureCanvas(FigureCanvasAgg):
    """The Agg canvas."""

    manager_class = FigureManager  # type: ignore[assignment]
