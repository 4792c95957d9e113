"""One file a kind of service; the contract is in `_kind.py`."""
