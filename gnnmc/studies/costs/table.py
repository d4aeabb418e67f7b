"""What an epoch, a step of a fit and a point of a profile cost on one core: measured by benchmarks/costs.py.

Seconds = the four prices of a row times `Work.terms()`; behind each row the smallest and the largest ratio of that to
what was measured, over graphs of 200 to 8000 nodes with 8 to 1024 features and networks of 16 to 128 channels.
"""

PRICES: dict[tuple[str, str], tuple[float, float, float, float]] = {
    ("gcn", "epoch"): (0.0013, 5.3e-11, 2.0e-09, 9.6e-09),  # 0.88 to 1.08
    ("gcn", "step"): (0.0011, 1.7e-11, 1.5e-09, 9.5e-09),  # 0.92 to 1.05
    ("gcn", "point"): (0.00061, 1.3e-11, 8.5e-10, 1.8e-09),  # 0.85 to 1.11
    ("gat", "epoch"): (0.0028, 8.3e-11, 6.0e-09, 7.7e-09),  # 0.88 to 1.10
    ("gat", "step"): (0.0025, 9.7e-11, 4.2e-09, 6.2e-09),  # 0.87 to 1.11
    ("gat", "point"): (0.0011, 1.9e-11, 1.9e-09, 1.7e-09),  # 0.87 to 1.11
    ("mlp", "epoch"): (0.00078, 1.9e-11, 3.9e-10, 1.1e-08),  # 0.97 to 1.03
    ("mlp", "step"): (0.00074, 2.3e-11, 3.1e-10, 8.2e-09),  # 0.98 to 1.03
    ("mlp", "point"): (0.00039, 1.5e-11, 3.2e-10, 1.1e-09),  # 0.90 to 1.07
}

# Which row stands for a model; any other that sees edges is taken for a gcn. A diffusion of 10 steps counts ten times.
LIKE = {
    "gat": "gat",
    "gatv2": "gat",
    "gat-sep": "gat",
    "transformer": "gat",
    "mlp": "mlp",
    "vgg": "mlp",
    "resnet": "mlp",
    "vit": "mlp",
    "gpt": "mlp",
}
PROPAGATIONS = {"appnp": 10}
