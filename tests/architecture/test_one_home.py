"""Nothing is written twice: what two modules need has one home."""

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "gnnmc"
TREES = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}


def repeated(found):
    """What was found in more than one place: thing → places."""
    places = defaultdict(list)
    for thing, place in found:
        places[thing].append(place)
    return {thing: where for thing, where in places.items() if len(where) > 1}


def test_no_two_packages_offer_different_classes_by_one_name():
    offered = {}
    for name, tree in TREES.items():
        for node in tree.body if name.endswith("__init__.py") else ():
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                offered[str(Path(name).parent)] = set(ast.literal_eval(node.value))
    classes = [
        (node.name, name) for name, tree in TREES.items() for node in tree.body if isinstance(node, ast.ClassDef)
    ]
    assert len(offered) > 10
    assert not repeated((thing, place) for thing, place in classes if thing in offered.get(str(Path(place).parent), ()))


def test_no_function_is_there_twice():
    def bodies():
        for name, tree in TREES.items():
            for node in ast.walk(tree):
                # A single statement may well be the same by chance.
                if isinstance(node, ast.FunctionDef) and len(node.body) > 2:
                    yield ast.dump(ast.Module(node.body, [])), f"{name}:{node.name}"

    assert not list(repeated(bodies()).values())


def test_no_number_has_two_constants_of_one_name():
    def constants():
        for name, tree in TREES.items():
            for node in tree.body:
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                    for target in node.targets:
                        if isinstance(target, ast.Name) and isinstance(node.value.value, int | float):
                            yield (target.id.lstrip("_"), node.value.value), name

    # Versions of stages are equal by chance.
    assert not repeated(found for found in constants() if not found[0][0].endswith("VERSION"))


def test_formats_and_warnings_are_dealt_with_in_one_place():
    homes = {
        "torch.sparse_csr_tensor(": ["sparse/compressed.py"],  # warns once per process
        'partition("::")': ["connectivity/files.py"],  # several points in one dict of tensors
        "* num_nodes + i": ["data/pairs.py"],  # both directions of an edge
        "require_matching(copies[0]": ["connectivity/path.py"],
    }
    texts = {path: (PACKAGE / path).read_text(encoding="utf-8") for path in TREES}
    assert {text: [path for path, code in texts.items() if text in code] for text in homes} == homes
