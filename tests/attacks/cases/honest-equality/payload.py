class _Version:
    """Equal by its number."""

    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return isinstance(other, _Version) and self.number == other.number

    def __hash__(self):
        return hash(self.number)
