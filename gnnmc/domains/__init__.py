"""How far two graphs with one feature space and one label space are apart, as domains to transfer between."""

from gnnmc.domains.distances import DISTANCES, Distance
from gnnmc.domains.domain_distance import DomainDistance, domain_distance
from gnnmc.domains.verdict import Aspect, domain_verdict

__all__ = ["DISTANCES", "Aspect", "Distance", "DomainDistance", "domain_distance", "domain_verdict"]
