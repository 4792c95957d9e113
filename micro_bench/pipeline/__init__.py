"""The stages in order; they pass nouns along. Rooms meet here and nowhere else."""

from __future__ import annotations

STAGES = ("import", "slice", "image", "verify", "run", "score", "report")
"""source -> tickets -> tasks -> slices -> images -> attempts -> scores -> reports."""
