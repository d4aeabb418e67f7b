"""Ways to find the element of a symmetry that moves one mode onto another."""
