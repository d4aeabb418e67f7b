"""LayerNorms of a residual stream as RMSNorms without factors of their own."""

from gnnmc.symmetry.folding.fold import Folding, fold_layer_norms

__all__ = ["Folding", "fold_layer_norms"]
