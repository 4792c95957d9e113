from .shape import area
