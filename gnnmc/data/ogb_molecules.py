"""Molecules of ogb: graphs whose node and edge features are categories."""

from gnnmc.data.ogb_reading import QuietOgb, import_ogb

_ogb = import_ogb("ogb.graphproppred")
_categories = import_ogb("ogb.utils.features")


class OgbMolecules(QuietOgb, _ogb.PygGraphPropPredDataset):  # type: ignore[name-defined]
    """`PygGraphPropPredDataset` that knows its split and how many categories each feature has.

    `cardinalities`: for each of the 9 columns of x; `edge_cardinalities`: for each of the 3 columns of edge_attr.
    """

    cardinalities: tuple[int, ...] = tuple(_categories.get_atom_feature_dims())
    edge_cardinalities: tuple[int, ...] = tuple(_categories.get_bond_feature_dims())
