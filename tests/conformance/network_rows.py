"""All rows of the kit that are networks."""

from __future__ import annotations

from tests.conformance.network_delivery import DELIVERY
from tests.conformance.network_kit import NetworkCase
from tests.conformance.network_plasticity import PLASTICITY

NETWORKS: tuple[NetworkCase, ...] = (*DELIVERY, *PLASTICITY)
BY_NAME: dict[str, NetworkCase] = {case.name: case for case in NETWORKS}
