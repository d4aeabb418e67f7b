"""Node-level sets of ogb as one graph with masks."""

import torch

from gnnmc.data.ogb_reading import QuietOgb, import_ogb

_ogb = import_ogb("ogb.nodeproppred")


class OgbNodes(QuietOgb, _ogb.PygNodePropPredDataset):  # type: ignore[name-defined]
    """`PygNodePropPredDataset` whose split is in the data as masks and whose labels are (N,)."""

    def __init__(self, root: str, name: str) -> None:
        super().__init__(root, name)
        data = self._data
        data.y = data.y.view(-1)
        for part, index in self.split_index.items():
            mask = torch.zeros(len(data.y), dtype=torch.bool)
            mask[index] = True
            data[f"{part}_mask"] = mask
