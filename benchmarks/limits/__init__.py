"""The unavoidable products alone: what no way of evaluating a path exactly gets by without.

The first layer's products for J control points, their combination to T points, and the later layers' products for T
points, each for the rows alone that the asked ones depend on. No activation, bias, loss or metric, no change of layout
and no memory to ask for: every product has operands and a place for its result ready, whatever their values. As many
points go together as makes it fastest.
"""

from benchmarks.limits.attention import gat
from benchmarks.limits.plain import cnn, mlp
from benchmarks.limits.propagation import gcn, gin, sage
from benchmarks.limits.sizes import Sizes

__all__ = ["Sizes", "cnn", "gat", "gcn", "gin", "mlp", "sage"]
