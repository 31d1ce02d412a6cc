"""Model cards: what there is to know of a model on one page, in a terminal, as Markdown and as a figure."""

from __future__ import annotations

from birc.cards.facts import Card, card_of
from birc.cards.find import Found, entries, find
from birc.cards.write import pages, write_card, write_cards

__all__ = ["Card", "Found", "card_of", "entries", "find", "pages", "write_card", "write_cards"]
