"""Objectives for two domains on the emulated accelerator and the CPU: the largest differences, a line of JSON each."""

import json
import sys
from pathlib import Path

import emulated

from gnnmc.models import build_model
from gnnmc.problem import Problem, target_problem
from gnnmc.training import train
from gnnmc.training.adaptation import OBJECTIVES

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.conftest import make_toy_graph

emulated.register(double="--no-double" not in sys.argv)
problem = Problem.node_classification(make_toy_graph())
graph = make_toy_graph(seed=1, num_nodes=60)
graph.x += 1.0
target = target_problem(graph, problem)
model = build_model("gcn", problem, hidden=16, dropout=0.0)
for name in OBJECTIVES:
    numbers = {"dropout": 0.0} if name == "udagcn" else {}
    here, there = (
        train(model, problem, objective=OBJECTIVES[name](target, **numbers), epochs=5, device=device)[0]
        for device in ("cpu", emulated.NAME)
    )
    gap = max(float((here.last[key] - there.last[key]).abs().max()) for key in here.last)
    print(json.dumps({"objective": name, "gap": gap, "status": there.status}))
