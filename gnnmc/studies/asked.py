"""What a run was asked to do, in words: the section of a report that a method section is written from."""

from collections.abc import Iterable, Sequence

import pandas as pd

from gnnmc.analysis.wording import counted
from gnnmc.config import AlignmentBlock, Block, ModelBlock, PathBlock, SourceEntry, TrainBlock
from gnnmc.connectivity import LinearPath
from gnnmc.studies.pages import Section, TableView
from gnnmc.studies.stages.align import AS_TRAINED
from gnnmc.studies.sweep_block import SweepBlock
from gnnmc.studies.words import WORDS

BARRIER = (
    "Largest excess of the mean loss over the chord, the straight line between the losses of the two ends; never "
    "below 0."
)
_VARIED = {
    "all": "initialization, order of the data and dropout",
    "init": "the initialization alone",
    "data_order": "order of the data and dropout alone, one initialization",
    "spawn": "what comes after a shared beginning",
}


def ends_in_words(config: SweepBlock) -> str:
    """The epoch whose weights are the ends of paths."""
    return "last epoch" if config.endpoint == "last" else "best validation epoch"


def asked_section(config: SweepBlock, data: Sequence[str], models: Sequence[str], further: dict[str, str]) -> Section:
    """A table of two columns: what, and as what it was asked. data, models: a line each; further: rows at the end."""
    pairs = counted(config.num_pairs, "pair")
    rows = {
        "data": "; ".join(data),
        "models": "; ".join(models),
        "training": training_in_words(config.train),
        "modes": (
            f"{len(config.seeds)} of every model on each, seeds {', '.join(map(str, config.seeds))}; they differ in "
            f"{_VARIED.get(config.train.vary, config.train.vary)}; at the "
            f"{ends_in_words(config)}"
        ),
        "paths": "; ".join(_path(path, pairs) for path in config.paths),
        "measured": (
            f"at {config.profile.points} points of a path, on the train, validation and test splits, dropout off, "
            "BatchNorm statistics "
            + ("re-estimated at every point" if config.profile.batchnorm == "reestimate" else "as stored")
        ),
        "barrier": BARRIER,
        **further,
    }
    frame = pd.DataFrame({"what": list(rows), "asked": list(rows.values())})
    return Section("What was asked", tables=(TableView("asked", frame, "What this run was asked to do."),))


def data_in_words(entries: Iterable[SourceEntry]) -> list[str]:
    """A line per entry of a config: its values, those of a grid listed."""
    return [_entry(entry) for entry in entries]


def model_in_words(name: str, model: ModelBlock, sizes: "pd.Series[int]") -> str:
    """Its settings where they were given, and its number of parameters. sizes: on each of the problems."""
    told = [f"{field} {value}" for field, value in model.differing().items() if field not in ("name", "parameters")]
    low, high = int(sizes.min()), int(sizes.max())
    told.append(f"{low:,} parameters" if low == high else f"{low:,} to {high:,} parameters")
    return f"{name} ({', '.join(told)})"


def training_in_words(train: TrainBlock) -> str:
    """Optimizer and length."""
    batch = f"batches of {train.batch_size}" if train.batch_size else "full batch"
    schedule = "" if train.schedule == "constant" else f", {train.schedule} schedule"
    return (
        f"{train.epochs} epochs of {train.optimizer}, learning rate {train.lr:g}{schedule}, weight decay "
        f"{train.weight_decay:g}, {batch}"
    )


def alignments_in_words(alignments: Sequence[AlignmentBlock]) -> str:
    """All of them with what each was asked to use."""
    return "; ".join(_alignment(each) for each in alignments)


def _path(path: PathBlock, all_pairs: str) -> str:
    pairs = counted(path.pairs, "pair") if path.pairs is not None else all_pairs
    if path.kind == LinearPath.kind:
        return f"{path.kind}: the straight line, {pairs} of every model on each"
    decay = "the ends' weight decay" if path.l2 is None else f"{path.l2:g}"
    return (
        f"{path.kind}: a curve of {path.points} control points (ends included) fitted to the train loss, {path.steps} "
        f"steps of {path.optimizer}, learning rate {path.lr:g} ({path.schedule} schedule), L2 {decay}, seed "
        f"{path.seed}, {pairs} of every model on each"
    )


def _entry(entry: SourceEntry) -> str:
    blocks = list(entry.expand())
    first = blocks[0]
    told = []
    for field in (name for name in type(first).model_fields if name not in first.held):
        values = list(dict.fromkeys(_value(block, field) for block in blocks))
        if values not in (["None"], ["False"]):
            told.append(f"{WORDS.get(field, field)} {', '.join(values)}")
    return f"{first.key}: {'; '.join(told)}" + (f"; {len(blocks)} in all" if len(blocks) > 1 else "")


def _value(block: Block, field: str) -> str:
    value = getattr(block, field)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _alignment(alignment: AlignmentBlock) -> str:
    if alignment.method == AS_TRAINED:
        return "as trained, with REPAIR"
    told = [f"method {alignment.method}"] if alignment.name else []
    if alignment.classes:
        told.append(f"symmetries used: {', '.join(alignment.classes)}")
    told += [f"{name} {value}" for name, value in alignment.options.items()]
    if alignment.restarts > 1:
        told.append(f"the best of {alignment.restarts} starts")
    told += ["also with REPAIR"] if alignment.repair else []
    return f"{alignment.called} ({', '.join(told)})" if told else alignment.called
