"""How alike two samples, two models or two sets of curves are."""
