"""How numbers are written: as the reports do."""

from micro_bench.reports.wording import bounds, point

__all__ = ["bounds", "point"]
