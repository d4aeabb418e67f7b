"""Connectivity: paths between modes, fitted curves, profiles and barriers; planes through three points."""

from gnnmc.connectivity.barrier import BARRIERS, barrier
from gnnmc.connectivity.files import load_path
from gnnmc.connectivity.fit import fit_path, fit_paths
from gnnmc.connectivity.fit_many import fit_many
from gnnmc.connectivity.loss_plane import LossPlane, plane
from gnnmc.connectivity.path import PATHS, BezierPath, LinearPath, Path, PolygonalPath
from gnnmc.connectivity.plane import Plane
from gnnmc.connectivity.profile import PathProfile, profile
from gnnmc.connectivity.transform import Transform

__all__ = [
    "BARRIERS",
    "PATHS",
    "BezierPath",
    "LinearPath",
    "LossPlane",
    "Path",
    "PathProfile",
    "Plane",
    "PolygonalPath",
    "Transform",
    "barrier",
    "fit_many",
    "fit_path",
    "fit_paths",
    "load_path",
    "plane",
    "profile",
]
