"""Names of the models of a run: the first of a family by the family's, others by what they have of their own."""

from gnnmc.config import ModelBlock
from gnnmc.models import MODELS
from gnnmc.models.options import Options
from gnnmc.studies.symmetry.config import SymmetryStudy

_WORDS = {"hidden": "width", "layers": "depth"}


def model_names(config: SymmetryStudy) -> dict[ModelBlock, str]:
    """Every model of a config once, in its order, and what it is called: "gcn", "gcn, width 64", "gcn, depth 3"."""
    names: dict[ModelBlock, str] = {}
    first: dict[str, ModelBlock] = {}
    for model in dict.fromkeys(plain(model) for entry in config.problems for model in entry.models):
        usually = first.setdefault(model.name, model)
        own = [field for field in ModelBlock.model_fields if getattr(model, field) != getattr(usually, field)]
        told = [f"{_WORDS.get(field, field)} {_value(model, field)}" for field in own]
        names[model] = ", ".join([model.name, *told])
    return names


def plain(model: ModelBlock) -> ModelBlock:
    """The model without a width or depth that is the family's own: it is no other model."""
    told = {field: None for field in _WORDS if getattr(model, field) == usual(model, field)}
    return model.model_copy(update=told)


def usual(model: ModelBlock, field: str) -> int | None:
    """The width (`hidden`) or depth (`layers`) that a family has by itself; None where something else decides it."""
    if model.recipe is not None or (field == "hidden" and model.parameters is not None):
        return None
    return int(MODELS[model.name].defaults.get(field, getattr(Options, field)))


def _value(model: ModelBlock, field: str) -> object:
    value = getattr(model, field)
    return (usual(model, field) if field in _WORDS else "default") if value is None else value
