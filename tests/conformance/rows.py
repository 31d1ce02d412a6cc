"""All rows of the kit that need no network."""

from __future__ import annotations

from tests.conformance.chance import CHANCE
from tests.conformance.events import EVENTS
from tests.conformance.flow import FLOW
from tests.conformance.kit import Case
from tests.conformance.spiking import SPIKING

ROWS: tuple[Case, ...] = (*SPIKING, *EVENTS, *FLOW, *CHANCE)
BY_NAME: dict[str, Case] = {case.name: case for case in ROWS}
