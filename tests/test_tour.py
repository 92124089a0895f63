"""examples/tour.ipynb runs from top to bottom on a real kernel and shows what its text says."""

from __future__ import annotations

import os

import pytest
from doc_blocks import ROOT

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    from jupyter_client.manager import KernelManager

    folder = tmp_path_factory.mktemp("ipython")
    notebook = nbformat.read(EXAMPLES / "tour.ipynb", as_version=4)
    manager = KernelManager(kernel_name="python3")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    client = nbclient.NotebookClient(notebook, km=manager, timeout=120, resources={"metadata": {"path": str(EXAMPLES)}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder))
        patch.setenv("PYTHONPATH", path)
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        client.execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell) -> str:
    """What a cell shows, in its plain form."""
    return "".join(out.get("text", "") or out.get("data", {}).get("text/plain", "") for out in cell.outputs)


def test_the_first_gradient_is_wrong_and_its_correction_right(cells):
    assert "`w`" in shown(cells[1]) and "error[BD" in shown(cells[1])
    assert shown(cells[2]).startswith("(False, ('w',)")
    assert "error[" not in shown(cells[3])


def test_the_layer_and_the_training_function_are_wrong(cells):
    assert "error[BD" in shown(cells[4])
    assert "error[BD" in shown(cells[5]) and "(1/2)" in shown(cells[5])


def test_a_report_draws_itself(cells):
    assert all("text/html" in cells[i].outputs[-1]["data"] for i in (1, 4))


def test_the_notebook_is_stored_without_output():
    notebook = nbformat.read(EXAMPLES / "tour.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
