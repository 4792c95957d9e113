from . import core, speed, native
from .shape import area
