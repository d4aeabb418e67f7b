"""Stage `transfers`: all that was measured of pairs of domains and methods, in tables."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import pandas as pd

from gnnmc.analysis.transfer_gap import transfer_gap
from gnnmc.problem.metrics import METRICS
from gnnmc.store import Cell, Execution, Request, Result, Task
from gnnmc.studies.regimes import joined
from gnnmc.studies.stages.align import AS_TRAINED
from gnnmc.studies.transfer.curves import LINE, SAME, SEPARATE, between_graphs, of_same_modes

VERSION = 1

Labeled: TypeAlias = Sequence[tuple[Mapping[str, Any], Cell]]
Pairs: TypeAlias = Sequence[Mapping[str, Any]]
# Results with the labels of their rows.
Found: TypeAlias = list[tuple[dict[str, Any], Result]]
# What an accuracy is, the first that a problem has; the gap of the loss is told beside it.
QUALITY = ("accuracy", "roc_auc", "average_precision")


def gather_task(pairs: Pairs, found: Mapping[str, Labeled]) -> Task:
    """The task of the tables; pairs: labels of every pair and model; found: cells by their role, with their labels."""
    config = {role: [dict(labels) for labels, _ in group] for role, group in found.items()}
    inputs = {role: tuple(cell for _, cell in group) for role, group in found.items()}
    cell = Cell("transfers", VERSION, {"pairs": [dict(each) for each in pairs], **config}, inputs, label="transfers")
    return Task(gather_transfers, (cell,))


def gather_transfers(requests: Sequence[Request], execution: Execution) -> list[Result]:
    """pairs, modes, profiles on both domains, distances, connections → the tables

    transfer: one row per (pair, model, method): labels of the pair (`group, pair, source, target, cluster`, and of a
        shift `axis, value, amount, replicate`); `own` and `moved`, the quality on the target's test items of modes
        trained on the target and on the source (means over `num_own` and `num_moved` seeds; `quality` names it), with
        the BatchNorm statistics that are stored with the modes, whatever rule the profiles have; `gap`,
        own − moved, with the interval over seeds `gap_low, gap_high`; `loss_gap`, moved − own, in nats; `distance`,
        d_MC (size, train) of the source-trained modes' lines on both domains, its `floor`; `test_distance`;
        `separate_distance`, of modes trained on each graph; `embedding_mmd`; every distance that needs no model;
        `ends_train_loss` and `ends_train_quality`, of the source-trained modes on what they were trained on.
    carried: one row per (pair, model, method, seed, split of the target): loss, metrics, `status`, `embedding_mmd`.
    d_mc: one row per (pair, model, method, path, aligned, split, form), `modes` "the same on both domains", and of
        modes trained on each domain, "of either domain" (method "vanilla").
    curves: mean curves of the line as trained: one row per (pair, model, method, split, domain, t).
    apart: one row per (first, second, distance).
    connections: one row per (pair, model, seed, path, fitted_on, domain, split): chord `barrier` of the loss.
    transfer_fired: one row per diagnostic.
    """
    return [_tables(request) for request in requests]


def _tables(request: Request) -> Result:
    found: dict[str, Found] = {
        role: list(zip(request.config[role], cast(list[Result], request.inputs[role]), strict=True))
        for role in request.inputs
    }
    pairs = pd.DataFrame(request.config["pairs"]).astype(dict.fromkeys(("value", "amount", "replicate"), float))
    carried = _carried(found["carried"])
    apart, fired = _apart(found["apart"])
    same, curves, more = of_same_modes(found["on_source"], found["on_target"])
    separate = between_graphs(pairs, found["own_profiles"])
    d_mc = pd.concat([same, separate], ignore_index=True)
    transfer = _transfer(pairs, carried, found["own_modes"], d_mc, apart)
    return {
        "transfer": _with_ends(transfer, found["on_source"]),
        "carried": carried,
        "d_mc": d_mc,
        "curves": curves,
        "apart": apart,
        "connections": _connections(found["bridges"]),
        "transfer_fired": pd.DataFrame([*fired, *more], columns=["code", "where", "message"]),
    }


def _carried(found: Found) -> pd.DataFrame:
    parts = []
    for labels, result in found:
        about = cast(Mapping[str, Any], result["about"])
        known = {"status": about["status"], "embedding_mmd": _number(about["embedding_mmd"])}
        parts.append(cast(pd.DataFrame, result["measured"]).assign(**labels, **known))
    return joined(parts)


def _apart(found: Found) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    parts, fired = [], []
    for labels, result in found:
        about = cast(Mapping[str, Any], result["about"])
        where = f"{labels['first']} and {labels['second']}"
        fired += [{"where": where, **each} for each in about["diagnostics"]]
        rows = cast(pd.DataFrame, result["distances"])
        if about["status"] != "ok":
            rows = pd.DataFrame({"distance": ["none"], "value": [float("nan")], "note": [about["status"]]})
        parts.append(rows.assign(**labels))
    return joined(parts), fired


def _transfer(
    pairs: pd.DataFrame, carried: pd.DataFrame, own: Found, d_mc: pd.DataFrame, apart: pd.DataFrame
) -> pd.DataFrame:
    trained = _own_tests(own)
    line = d_mc[(d_mc["path"] == LINE) & (d_mc["aligned"] == AS_TRAINED) & (d_mc["form"] == "size")]
    wide = apart.pivot_table(index=["first", "second"], columns="distance", values="value", dropna=False)
    names = [name for name in apart["distance"].unique() if name != "none"]
    rows = []
    tests = carried[carried["split"] == "test"]
    for (pair, model, method), moved in tests.groupby(["pair", "model", "method"], sort=False):
        about = pairs[(pairs["pair"] == pair) & (pairs["model"] == model)].to_dict("records")[0]
        there = trained[(trained["graph"] == about["target"]) & (trained["model"] == model)]
        quality = next(name for name in (*QUALITY, *METRICS, "loss") if name in moved)
        sign = 1 if quality in QUALITY or (quality in METRICS and METRICS[quality].higher_is_better) else -1
        gap, low, high = transfer_gap(sign * there[quality], sign * moved[quality])
        row: dict[Any, Any] = about | {
            "method": method,
            "quality": quality,
            "num_own": len(there),
            "num_moved": len(moved),
        }
        row |= {"own": there[quality].mean(), "moved": moved[quality].mean()}
        row |= {"gap": gap, "gap_low": low, "gap_high": high}
        row["loss_gap"] = moved["loss"].mean() - there["loss"].mean()
        here = line[(line["pair"] == pair) & (line["model"] == model)]
        row |= _distances(here, str(method))
        row["embedding_mmd"] = moved["embedding_mmd"].mean()
        first, second = sorted((about["source"], about["target"]))
        row |= {name: float(wide[name].get((first, second), float("nan"))) for name in names if name in wide}
        rows.append(row)
    return pd.DataFrame(rows)


def _with_ends(transfer: pd.DataFrame, on_source: Found) -> pd.DataFrame:
    """How well the source's modes fit their own training items: an adversary may leave little of that."""
    keys = ["pair", "model", "method"]
    parts = []
    for labels, result in on_source:
        if (labels["path"], labels["aligned"]) == (LINE, AS_TRAINED) and len(
            rows := cast(pd.DataFrame, result["profile"])
        ):
            ends = rows[rows["t"].isin([0.0, 1.0]) & (rows["split"] == "train")]
            parts.append(ends.assign(**{name: labels[name] for name in keys}))
    if not parts:
        return transfer.assign(ends_train_loss=float("nan"), ends_train_quality=float("nan"))
    quality = transfer["quality"].iloc[0]
    means = pd.concat(parts).groupby(keys, sort=False)[["loss", quality]].mean().reset_index()
    named = means.rename(
        columns={quality: "ends_train_quality"} | ({} if quality == "loss" else {"loss": "ends_train_loss"})
    )
    return transfer.merge(named, on=keys, how="left")


def _own_tests(own: Found) -> pd.DataFrame:
    """What modes reach on the test items of the graph that they were trained on, at the endpoint; NaN if diverged."""
    parts = []
    for labels, result in own:
        record = cast(Mapping[str, Any], result["record"])
        metrics = cast(pd.DataFrame, result["metrics"])
        rows = metrics[(metrics["endpoint"] == labels["endpoint"]) & (metrics["split"] == "test")]
        if record["status"] != "ok":
            rows = rows.assign(**{name: float("nan") for name in rows if name not in ("endpoint", "epoch", "split")})
        parts.append(rows.assign(**{name: value for name, value in labels.items() if name != "endpoint"}))
    return pd.concat(parts, ignore_index=True)


def _distances(line: pd.DataFrame, method: str) -> dict[str, float]:
    """d_MC of the line as trained, from the rows of one pair and model."""
    same, separate = (line[line["modes"] == modes].set_index(["method", "split"]) for modes in (SAME, SEPARATE))
    return {
        "distance": _at(same, (method, "train"), "value"),
        "floor": _at(same, (method, "train"), "floor"),
        "test_distance": _at(same, (method, "test"), "value"),
        "separate_distance": _at(separate, ("vanilla", "train"), "value"),
    }


def _at(rows: pd.DataFrame, key: tuple[str, str], column: str) -> float:
    return float(cast(float, rows.at[key, column])) if key in rows.index else float("nan")


def _connections(found: Found) -> pd.DataFrame:
    rows = []
    for labels, result in found:
        about = cast(Mapping[str, Any], result["about"])
        barriers = cast(pd.DataFrame, result["barriers"])
        known = {"status": about["status"], "distance": _number(about["distance"]), "length": _number(about["length"])}
        if about["status"] != "ok":
            rows.append(pd.DataFrame([{**labels, **known, "barrier": float("nan")}]))
            continue
        chord = barriers[(barriers["barrier_kind"] == "chord") & (barriers["metric"] == "loss")]
        profile = cast(pd.DataFrame, result["profile"])
        ends = profile[profile["t"].isin([0.0, 1.0])].groupby(["domain", "split"])["loss"].mean()
        keys = pd.MultiIndex.from_frame(chord[["domain", "split"]])
        rows.append(chord[["domain", "split", "barrier"]].assign(**labels, **known, ends_loss=ends[keys].to_numpy()))
    return joined(rows)


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
