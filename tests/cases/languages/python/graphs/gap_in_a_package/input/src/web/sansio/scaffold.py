from ..helpers import x
from . import json as own
