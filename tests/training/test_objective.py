"""Objectives of one's own: any scalar of a step is minimized, repeatably, and nothing changes for who gives none."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch_geometric.nn import GATConv, GCNConv, SAGEConv

from gnnmc.errors import InputError
from gnnmc.models import build_model
from gnnmc.problem import Problem
from gnnmc.training import Objective, ProblemLoss, initialize, train, train_many
from gnnmc.training.hidden import HiddenActivations
from gnnmc.weights import digest, load_mode

FEW = {"epochs": 4, "device": "cpu"}


def identity(mode):
    return digest(mode.last), digest(mode.best), mode.init_digest


class UsersGcn(nn.Module):
    def __init__(self, layer=GCNConv):
        super().__init__()
        self.first, self.second = layer(8, 16), layer(16, 3)

    def forward(self, x, edge_index):
        x = functional.dropout(self.first(x, edge_index).relu(), 0.5, self.training)
        return self.second(x, edge_index)


def smoothed(step):
    """Cross-entropy with smoothed labels, as a user would write it."""
    return functional.cross_entropy(step.outputs(), step.targets(), label_smoothing=0.2)


class WithParts(Objective):
    """An auxiliary task with a layer of its own, noise of its own, and a further problem."""

    name = "auxiliary"

    def __init__(self, other):
        self.other = other
        self.prepared = []

    @property
    def problems(self):
        return (self.other,)

    def prepare(self, problem, further):
        self.prepared.append(problem.name)
        return problem.targets.float().mean()

    def parts(self, step):
        assert not step.module.training
        return nn.Linear(step.source().hidden.shape[1], 1)

    def loss(self, step):
        source, other = step.source(), step.domain()
        noise = torch.randn(len(other.hidden), 1, generator=step.generator)
        auxiliary = (step.parts(other.hidden) - step.prepared + 0.1 * noise).square().mean()
        step.report(auxiliary=auxiliary, progress=step.progress, reach=step.parts.weight.norm())
        return step.loss_of(source) + 0.5 * auxiliary

    def record(self):
        return {"name": self.name, "weight": 0.5}


@pytest.fixture
def other_problem(toy_graph_factory):
    return Problem.node_classification(toy_graph_factory(seed=1, num_nodes=60), name="other")


@pytest.mark.parametrize("name, norm, batch_size", [("gcn", "none", None), ("gat", "batch", 11), ("mlp", "layer", 7)])
@pytest.mark.parametrize("objective", [ProblemLoss(), lambda step: step.loss()], ids=["default", "written"])
def test_the_problems_loss_as_an_objective_changes_no_bit(toy_problem, name, norm, batch_size, objective):
    model = build_model(name, toy_problem, norm=norm)
    plain = train(model, toy_problem, seeds=[3, 1], engine="loop", batch_size=batch_size, **FEW)
    same = train(model, toy_problem, seeds=[3, 1], engine="loop", batch_size=batch_size, objective=objective, **FEW)
    for mode, other in zip(plain, same):
        assert identity(mode) == identity(other)
        assert mode.log.equals(other.log)
    if isinstance(objective, ProblemLoss):
        assert plain[0].settings == same[0].settings


def test_without_an_objective_seeds_are_trained_together_as_before(toy_problem):
    model = build_model("gcn", toy_problem)
    plain, same = (train(model, toy_problem, seeds=[0, 1], objective=own, **FEW) for own in (None, ProblemLoss()))
    assert [identity(mode) for mode in plain] == [identity(mode) for mode in same]
    assert "modes_at_once" not in plain[0].settings and "objective" not in plain[0].settings


@pytest.mark.parametrize("batch_size", [None, 9])
def test_a_forward_shared_with_the_loss_gives_the_same_bits(toy_problem, batch_size):
    model = build_model("gcn", toy_problem)
    (plain,) = train(model, toy_problem, engine="loop", batch_size=batch_size, **FEW)
    (shared,) = train(model, toy_problem, batch_size=batch_size, objective=lambda s: s.loss_of(s.source()), **FEW)
    assert identity(plain) == identity(shared)


def test_where_items_can_be_had_apart_a_step_sees_its_own(toy_graph):
    problem = Problem.arrays(toy_graph.x, toy_graph.y, {"train": torch.arange(40), "test": torch.arange(40, 90)})
    seen = []

    def own(step):
        shown = step.source()
        seen.append((len(shown.outputs), len(shown.hidden), len(step.items)))
        return step.loss_of(shown)

    model = build_model("mlp", problem)
    (mode,) = train(model, problem, batch_size=16, objective=own, **FEW)
    (plain,) = train(model, problem, batch_size=16, engine="loop", **FEW)
    assert identity(mode) == identity(plain)
    assert set(seen) == {(16, 16, 16), (8, 8, 8)}


def test_a_user_smooths_the_labels_for_a_gcn_of_theirs(toy_problem):
    module = UsersGcn()
    before = digest(module.state_dict())
    (mode,) = train(module, toy_problem, objective=smoothed, **FEW)
    (plain,) = train(module, toy_problem, engine="loop", **FEW)
    assert digest(module.state_dict()) == before
    assert mode.init_digest == plain.init_digest
    assert digest(mode.last) != digest(plain.last)
    assert mode.settings["objective"] == {"name": "smoothed"}
    assert mode.settings["modes_at_once"] == 1
    assert mode.log["objective"].iloc[-1] > plain.log["objective"].iloc[-1]


def test_label_smoothing_is_what_a_loop_of_ones_own_gives(toy_problem, toy_graph):
    class Undropped(UsersGcn):
        def forward(self, x, edge_index):
            return self.second(self.first(x, edge_index).relu(), edge_index)

    (mode,) = train(Undropped(), toy_problem, objective=smoothed, epochs=3, evaluate_every=1, device="cpu")
    module = initialize(Undropped(), 0)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01, weight_decay=5e-4)
    for _ in range(3):
        optimizer.zero_grad()
        outputs = module(toy_graph.x, toy_graph.edge_index)[toy_graph.train_mask]
        functional.cross_entropy(outputs, toy_graph.y[toy_graph.train_mask], label_smoothing=0.2).backward()
        optimizer.step()
    for name, value in module.state_dict().items():
        torch.testing.assert_close(mode.last[name], value)


@pytest.mark.parametrize("vary", [{}, {"vary": "init"}, {"vary": "data_order", "batch_size": 8}])
def test_a_seed_alone_is_the_seed_among_others_bit_by_bit(toy_problem, other_problem, vary):
    model = build_model("gcn", toy_problem)
    objective = WithParts(other_problem)
    several = train(model, toy_problem, seeds=[3, 1, 7], objective=objective, **vary, **FEW)
    assert objective.prepared == ["graph"]  # once for all seeds
    torch.manual_seed(17)
    state = torch.get_rng_state()
    for mode in several:
        (alone,) = train(model, toy_problem, seeds=[mode.seed], objective=objective, **vary, **FEW)
        assert identity(alone) == identity(mode)
        assert alone.log.equals(mode.log)
    assert torch.equal(torch.get_rng_state(), state)
    assert len({digest(mode.last) for mode in several}) == 3


def test_what_an_objective_draws_moves_nothing_that_the_model_draws(toy_problem):
    def drawing(step):
        torch.rand(7, generator=step.generator)
        return step.loss()

    model = build_model("gcn", toy_problem, dropout=0.5)
    (plain,) = train(model, toy_problem, engine="loop", **FEW)
    (drawn,) = train(model, toy_problem, objective=drawing, **FEW)
    assert identity(plain) == identity(drawn)


def test_parts_are_the_seeds_own_trained_and_no_weights_of_the_mode(toy_problem, other_problem):
    model = build_model("gcn", toy_problem)
    a, b = train(model, toy_problem, seeds=[0, 1], objective=WithParts(other_problem), **FEW)
    assert set(a.weights) == set(model.state_dict())
    first, last = a.log["objective_reach"].iloc[[0, -1]]
    assert first != b.log["objective_reach"].iloc[0]  # another start
    assert first != last  # trained
    assert a.log["objective_progress"].tolist() == [0.0, 0.25, 0.5, 0.75]
    assert (a.log["objective"] > 0.5 * a.log["objective_auxiliary"]).all()
    assert a.settings["objective"] == {"name": "auxiliary", "weight": 0.5}
    (plain,) = train(model, toy_problem, seeds=[0], engine="loop", **FEW)
    assert a.init_digest == plain.init_digest  # the model's start is drawn apart from the parts'


def test_terms_are_means_over_the_steps_of_an_epoch(toy_problem):
    def own(step):
        step.report(items=len(step.items))
        if step.progress >= 0.5:
            step.report(late=1.0)
        return step.loss()

    (mode,) = train(build_model("mlp", toy_problem), toy_problem, batch_size=20, objective=own, **FEW)
    # 30 items are a batch of 20 and one of 10.
    assert mode.log["objective_items"].tolist() == pytest.approx([(20 * 20 + 10 * 10) / 30] * 4)
    assert [math.isnan(value) for value in mode.log["objective_late"]] == [True, True, False, False]


def test_spawned_seeds_share_the_parts_and_draw_their_own_numbers(toy_problem, other_problem):
    model = build_model("gcn", toy_problem, dropout=0.0)
    # Without dropout and in full batch only the objective draws: that is enough for the ends to differ.
    spawn = {"vary": "spawn", "spawn_step": 2, "objective": WithParts(other_problem)}
    a, b = train(model, toy_problem, seeds=[0, 1], **spawn, **FEW)
    assert a.log["objective_reach"].iloc[:2].tolist() == b.log["objective_reach"].iloc[:2].tolist()
    assert digest(a.last) != digest(b.last)
    (alone,) = train(model, toy_problem, seeds=[1], **spawn, **FEW)
    assert identity(alone) == identity(b)
    with pytest.raises(InputError, match="makes identical ends"):
        train(model, toy_problem, seeds=[0, 1], vary="data_order", objective=smoothed, **FEW)


def test_many_trainings_take_one_objective_or_one_each(toy_problem, other_problem):
    model = build_model("gcn", toy_problem)
    asked = [(model, toy_problem, [0]), (model, other_problem, [0])]
    (one,), (other,) = train_many(asked, objective=[smoothed, None], **FEW)
    assert one.settings["objective"] == {"name": "smoothed"} and "objective" not in other.settings
    assert identity(one) == identity(train(model, toy_problem, objective=smoothed, **FEW)[0])
    both = train_many(asked, objective=smoothed, **FEW)
    assert [modes[0].settings["objective"]["name"] for modes in both] == ["smoothed", "smoothed"]
    assert identity(both[0][0]) == identity(one)
    with pytest.raises(InputError, match="3 objectives for 2 trainings: give one, or a list with one for each"):
        train_many(asked, objective=[smoothed] * 3, **FEW)


def test_a_mode_with_an_objective_is_saved_with_it(toy_problem, other_problem, tmp_path):
    (mode,) = train(build_model("gcn", toy_problem), toy_problem, objective=WithParts(other_problem), **FEW)
    loaded = load_mode(mode.save(tmp_path / "mode.safetensors"))
    assert loaded.settings == mode.settings
    assert loaded.log.equals(mode.log)


def test_a_loss_that_is_lost_ends_that_run_alone(toy_problem):
    def own(step):
        return step.loss() * (math.nan if step.progress >= 0.5 else 1.0)

    a, b = train(build_model("gcn", toy_problem), toy_problem, seeds=[0, 1], objective=own, **FEW)
    assert a.status.startswith("diverged at epoch") and b.status.startswith("diverged at epoch")
    assert math.isnan(a.log["objective"].iloc[-1])


@pytest.mark.parametrize("layer", [GCNConv, SAGEConv, GATConv], ids=lambda layer: layer.__name__)
def test_embeddings_are_what_goes_into_the_last_layer(toy_problem, toy_graph, layer):
    module = UsersGcn(layer).eval()
    with HiddenActivations(module) as heard:
        toy_problem.outputs(module)
    expected = module.first(toy_graph.x, toy_graph.edge_index).relu()
    torch.testing.assert_close(heard.rows, expected)
    assert not any(part._forward_pre_hooks or part._forward_hooks for part in module.modules())


@pytest.mark.parametrize("name", ["gcn", "sage", "gat", "gatv2", "appnp", "gcnii", "transformer", "mlp"])
@pytest.mark.parametrize("head", ["conv", "linear"])
def test_models_have_embeddings_of_their_hidden_width(toy_problem, name, head):
    options = {"head": head} if name in ("gcn", "sage", "gat", "gatv2", "mlp") else {}
    module = build_model(name, toy_problem, hidden=16, **options).eval()
    with HiddenActivations(module) as heard:
        toy_problem.outputs(module)
    assert heard.rows.shape == (90, 16)


def test_embeddings_of_graphs_are_one_for_each_graph(toy_graph_factory):
    graphs = [toy_graph_factory(seed=k, num_nodes=12) for k in range(12)]
    problem = Problem.graph_classification(graphs, y=torch.arange(12) % 2)
    (mode,) = train(
        build_model("gcn", problem, head="linear"), problem, objective=lambda s: s.loss_of(s.source()), **FEW
    )
    assert mode.status == "ok"
    with pytest.raises(InputError, match=r"rows for 8 items: .*head='linear'"):
        train(build_model("gcn", problem), problem, objective=lambda s: s.loss_of(s.source()), **FEW)


@pytest.mark.parametrize(
    "objective, message",
    [
        ("dann", r"objective is 'dann', a str: allowed: an object such as .*DannObjective\(target\)"),
        (WithParts, "objective is the class WithParts: allowed"),
        ([smoothed], "a list: allowed"),
        (lambda step: step.outputs(), r"gave \(30, 3\) of torch.float32; expected a scalar loss: take the mean"),
        (lambda step: 3.0, "gave a float; expected a scalar loss"),
        (lambda step: step.loss().detach(), "does not depend on the weights: compute it from"),
        (lambda step: step.report(x=step.outputs()) or step.loss(), r"reports x of \(30, 3\); expected a scalar"),
    ],
)
def test_what_is_no_objective_is_told_so(toy_problem, objective, message):
    with pytest.raises(InputError, match=message):
        train(build_model("gcn", toy_problem, dropout=0.0), toy_problem, objective=objective, **FEW)


def test_parts_that_are_no_module_and_problems_that_are_none(toy_problem):
    class Listed(WithParts):
        def parts(self, step):
            return [nn.Linear(2, 2)]

    with pytest.raises(
        InputError, match=r"the parts of objective 'auxiliary' are a list: expected a torch\.nn\.Module"
    ):
        train(build_model("gcn", toy_problem), toy_problem, objective=Listed(toy_problem), **FEW)
    with pytest.raises(InputError, match="expected a Problem, got str"):
        train(build_model("gcn", toy_problem), toy_problem, objective=WithParts("target"), **FEW)


def test_a_model_without_a_hidden_layer_is_told_so(toy_problem):
    def own(step):
        return step.loss_of(step.source())

    for module in (nn.Linear(8, 3), build_model("sgc", toy_problem)):
        with pytest.raises(InputError, match="give the model a hidden layer"):
            train(module, toy_problem, objective=own, **FEW)


def test_a_failing_objective_takes_no_hooks_with_it(toy_problem):
    kept = []

    def own(step):
        kept.append(step.module)
        step.source()
        raise RuntimeError("the user's own")

    with pytest.raises(RuntimeError, match="the user's own"):
        train(build_model("gcn", toy_problem), toy_problem, objective=own, **FEW)
    assert not any(part._forward_pre_hooks or part._forward_hooks for part in kept[0].modules())


def test_an_objective_without_a_loss_is_told(toy_problem):
    class Empty(Objective):
        pass

    with pytest.raises(InputError, match=r"objective Empty has no loss: write loss\(step\)"):
        train(build_model("gcn", toy_problem, hidden=4), toy_problem, epochs=1, objective=Empty(), device="cpu")
