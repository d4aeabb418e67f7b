"""Stages that studies share: each file has a stage's version, its pure function, and how its cells are declared."""
