__all__ = ["star", "nothing"]
nothing = 0
