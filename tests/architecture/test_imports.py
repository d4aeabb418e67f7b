"""Layers are kept, `import gnnmc` is light, and the public names are there."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import gnnmc

ROOT = Path(__file__).parents[2]
# Design section 4.
PUBLIC = [
    "csbm",
    "load_graph",
    "load_graphs",
    "load_images",
    "load_text",
    "rewire",
    "plane",
    "recipe",
    "count_parameters",
    "list_graphs",
    "graph_stats",
    "domain_distance",
    "Problem",
    "build_model",
    "train",
    "Mode",
    "load_mode",
    "LinearPath",
    "PolygonalPath",
    "BezierPath",
    "fit_path",
    "fit_paths",
    "load_path",
    "profile",
    "associate",
    "bound",
    "measure_modes",
    "align",
    "align_many",
    "find_symmetry",
    "fold_layer_norms",
    "load_alignment",
    "random_element",
    "repair",
    "widen",
    "report",
]
HEAVY = ["torch", "torch_geometric", "pandas", "numpy", "matplotlib", "scipy", "sklearn", "pydantic", "ogb"]


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout


def test_importing_gnnmc_imports_nothing_heavy():
    assert python(f"import sys, gnnmc; print([name for name in {HEAVY} if name in sys.modules])").strip() == "[]"


def test_config_needs_no_torch():
    assert python("import sys, gnnmc.config; print('torch' in sys.modules)").strip() == "False"


def test_computing_needs_no_matplotlib():
    code = "import sys, gnnmc.connectivity, gnnmc.training, gnnmc.models; print('matplotlib' in sys.modules)"
    assert python(code).strip() == "False"


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_there_and_documented(name):
    assert name in gnnmc.__all__
    assert name in dir(gnnmc)
    found = getattr(gnnmc, name)
    assert callable(found)
    assert found.__doc__


def test_public_names_are_what_they_promise_whatever_was_imported_before():
    # A package of the same name (gnnmc.report) must not hide the function.
    code = (
        f"import gnnmc.cli, gnnmc.connectivity, gnnmc; print([n for n in {PUBLIC} if not callable(getattr(gnnmc, n))])"
    )
    assert python(code).strip() == "[]"
    assert python("import gnnmc.report; import gnnmc; print(callable(gnnmc.report))").strip() == "True"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'gnnmc' has no attribute 'nothing'"):
        _ = gnnmc.nothing


@pytest.mark.skipif(importlib.util.find_spec("importlinter") is None, reason="import-linter is not installed")
def test_layers_are_kept():
    code = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run([sys.executable, "-c", code, "--no-cache"], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout
