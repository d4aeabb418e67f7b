"""Adversaries: the gradient is reversed, the classifier learns, and domains can no longer be told apart."""

import math

import pytest
import torch
from torch import nn

from gnnmc.data import csbm
from gnnmc.models import build_model
from gnnmc.problem import Problem, target_problem
from gnnmc.similarity import proxy_a_distance
from gnnmc.training import train
from gnnmc.training.adaptation import DannObjective, domain_classifier, domain_loss, reversed_gradient
from gnnmc.training.adaptation.dann import rising
from gnnmc.training.hidden import HiddenActivations


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_the_reversed_gradient_is_minus_that_of_finite_differences(strength):
    x = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def value(x):
        return (x.sin() * torch.arange(4)).square().sum()

    value(reversed_gradient(x, strength)).backward()
    step = 1e-6
    for place in [(0, 0), (2, 1), (4, 3)]:
        moved = torch.zeros_like(x)
        moved[place] = step
        slope = float((value(x + moved) - value(x - moved)).detach() / (2 * step))
        assert float(x.grad[place]) == pytest.approx(-strength * slope, rel=1e-6, abs=1e-9)
    assert torch.equal(reversed_gradient(x, strength), x)


def test_the_classifier_goes_down_and_the_embeddings_go_up():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        classifier = domain_classifier(4, 8)
    generator = torch.Generator().manual_seed(1)
    source, target = (torch.randn(n, 4, generator=generator) + k for n, k in ((30, 0), (20, 1)))
    source.requires_grad_()
    before = domain_loss(classifier, source, target, 1.0)
    before.backward()
    with torch.no_grad():
        assert domain_loss(classifier, source - 0.1 * source.grad, target, 1.0) > before
        for parameter in classifier.parameters():
            parameter -= 0.1 * parameter.grad
        assert domain_loss(classifier, source, target, 1.0) < before


def test_domains_weigh_the_same_whatever_their_sizes():
    classifier = nn.Linear(3, 2)
    nn.init.zeros_(classifier.weight)
    with torch.no_grad():
        classifier.bias.copy_(torch.tensor([0.0, 2.0]))
    loss = domain_loss(classifier, torch.zeros(5, 3), torch.zeros(500, 3), 1.0)
    assert float(loss.detach()) == pytest.approx((math.log1p(math.exp(2)) + math.log1p(math.exp(-2))) / 2, rel=1e-5)


def test_the_schedule_is_the_papers():
    assert rising(0.0, 10.0) == 0.0
    assert rising(0.5, 10.0) == pytest.approx(0.9866143)
    assert rising(1.0, 10.0) == pytest.approx(0.9999092)


def embedded(model, problem, weights):
    model.load_state_dict(weights)
    with torch.no_grad(), HiddenActivations(model.eval()) as heard:
        problem.outputs(model)
    return heard.rows


@pytest.mark.parametrize("size, closer, gained", [(0.5, 0.07, 0.0), (1.0, 0.03, 0.2)])
def test_dann_makes_domains_alike_that_a_classifier_tells_apart(size, closer, gained):
    graphs = [
        csbm(num_nodes=240, num_classes=2, homophily=0.8, mean_degree=8, num_features=8, separation=1.5, seed=seed)
        for seed in (0, 1)
    ]
    # The second graph's nodes have the features of the first one's of their class, shifted.
    shift = size * torch.randn(8, generator=torch.Generator().manual_seed(2))
    graphs[1].x = graphs[0].x[torch.argsort(graphs[0].y, stable=True)][_ranks(graphs[1].y)] + shift
    source = Problem.node_classification(graphs[0])
    target = target_problem(graphs[1], source)
    model = build_model("gcn", source, hidden=16, dropout=0.2)
    apart, right = {}, {}
    for name, objective in {"vanilla": None, "dann": DannObjective(target, hidden=32)}.items():
        modes = train(model, source, seeds=[0, 1, 2], objective=objective, epochs=200, evaluate_every=200, device="cpu")
        domains = [[embedded(model, problem, mode.last) for problem in (source, target)] for mode in modes]
        apart[name] = 1 - sum(proxy_a_distance(*rows).error for rows in domains) / 3
        right[name] = sum(accuracy(model, target, mode.last) for mode in modes) / 3
        assert all(accuracy(model, source, mode.last) > 0.95 for mode in modes)
    assert apart["vanilla"] > 0.8
    assert apart["dann"] < apart["vanilla"] - closer
    assert right["dann"] > right["vanilla"] + gained
    assert modes[0].log["objective_domain"].iloc[-1] == pytest.approx(math.log(2), abs=0.1)


def accuracy(model, problem, weights):
    model.load_state_dict(weights)
    with torch.no_grad():
        return float(problem.measure(problem.outputs(model.eval()))[0, 1])


def _ranks(y):
    """For every node the place of a node of the same class in an order by class."""
    ranks = torch.empty_like(y)
    ranks[torch.argsort(y, stable=True)] = torch.arange(len(y))
    return ranks
