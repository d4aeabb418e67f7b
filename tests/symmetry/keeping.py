"""What every symmetry keeps: the outputs, and an account of every axis."""

import torch

from gnnmc.seeding import forked, torch_generator
from gnnmc.symmetry import SymmetryClass, random_element
from gnnmc.symmetry.evaluating import Remembered, evaluated, general_position, outputs_on
from gnnmc.symmetry.find import TOLERANCE, read
from gnnmc.symmetry.layout import Units, leaves

DENSE = {SymmetryClass.ORTHOGONAL, SymmetryClass.INVERTIBLE}


def assert_every_axis_is_told(function, symmetry):
    """Every axis of every tensor that can be moved has a layout of its size; what does not move has a reason."""
    floating = {name for name, value in function.reference.items() if value.is_floating_point()}
    assert floating == set(symmetry.layouts)
    for name, layouts in symmetry.layouts.items():
        assert tuple(layout.size for layout in layouts) == tuple(function.reference[name].shape)
        for layout in layouts:
            for leaf in leaves(layout):
                if isinstance(leaf, Units):
                    assert symmetry.groups[leaf.group].size == leaf.size
    frame = symmetry.frame()
    axes = {(name, axis) for name, layouts in symmetry.layouts.items() for axis in range(len(layouts))}
    assert set(zip(frame.tensor, frame.axis, strict=True)) == axes
    moves = frame.status == "moves"
    assert (frame.group[moves] != "").all() and (frame.classes[moves] != "").all()
    tied = frame.tensor.isin(function.tied)
    assert (frame.reason[~moves & ~tied] != "").all(), frame[~moves & (frame.reason == "")]


def assert_outputs_are_kept(found, seed=7):
    """Random elements of every class by itself and of all together, at weights that the check has not seen."""
    function, symmetry = found.function, found.symmetry
    really = Remembered(outputs_on(function, found.batches))
    outputs, weights = evaluated(function, found.trace, really, general_position(function, seed))
    reference = outputs(weights)
    exact = reference.dtype == torch.float64
    for number, kinds in enumerate(
        [*([kind] for kind in SymmetryClass), set(SymmetryClass) - DENSE, set(SymmetryClass)]
    ):
        element = random_element(symmetry, torch_generator("keeping", seed, number), kinds)
        moved = outputs(element.apply(symmetry, weights))
        off = float((moved - reference).abs().max() / reference.abs().max().clamp(min=1e-30))
        assert off <= (1e-9 if exact else TOLERANCE), (kinds, off)


def checked(function):
    """What was read of a model, which keeps all that it must."""
    with forked("checked"):
        found = read(function)
    assert_every_axis_is_told(function, found.symmetry)
    if found.trace is not None:
        assert_outputs_are_kept(found)
    return found


def lifted(model, seed, lift):
    """Weights with nothing zero or equal by chance; biases up by `lift`, so that ReLU leaves few units dead."""
    generator = torch.Generator().manual_seed(seed)
    moved = {}
    for name, value in model.state_dict().items():
        if not value.is_floating_point():
            moved[name] = value
            continue
        moved[name] = value + 0.2 * torch.randn(value.shape, generator=generator)
        if "var" in name:
            moved[name] = moved[name].abs()
        elif "bias" in name:
            moved[name] = moved[name] + lift
    return moved
