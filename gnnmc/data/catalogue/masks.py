"""How geom-gcn names the files of its ten splits."""


def split_files(stem: str) -> tuple[str, ...]:
    """The ten files of masks of a set."""
    return tuple(f"{stem}_split_0.6_0.2_{fold}.npz" for fold in range(10))
