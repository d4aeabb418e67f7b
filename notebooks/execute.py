"""Run notebooks from top to bottom and write them back with their outputs, and nothing that changes from run to run.

    python notebooks/execute.py [NOTEBOOK …]

All notebooks of this folder by default. Needs the extra `test`.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

# Of PyTorch Geometric, where there is no ipywidgets: nothing that a reader could act on.
_NO_WIDGETS = "ignore:IProgress not found"


def execute(file: Path) -> None:
    """Run one notebook in an empty folder and write it back."""
    notebook = nbformat.read(file, as_version=4)
    with TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources, record_timing=False).execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {}
    # Of the kernel only what a viewer needs: not which Python it was.
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
    }
    nbformat.write(notebook, file)


if __name__ == "__main__":
    os.environ["PYTHONWARNINGS"] = _NO_WIDGETS
    os.environ["OMP_NUM_THREADS"] = "1"  # so that sums have one order, and the outputs the same digits
    for name in sys.argv[1:] or sorted(map(str, Path(__file__).parent.glob("*.ipynb"))):
        execute(Path(name))
        print(name)
