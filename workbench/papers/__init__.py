"""Papers as data: what each claims, under which conditions, and how it is recomputed."""

from __future__ import annotations

from workbench.papers import dseld
from workbench.papers.claims import Paper

PAPERS: dict[str, Paper] = {paper.name: paper for paper in (dseld.PAPER,)}
