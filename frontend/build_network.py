from __future__ import annotations
def build_network(item, parts, builder, report):
    return None
