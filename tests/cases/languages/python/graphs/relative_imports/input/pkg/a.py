import os

from . import b
from .sub import deep
from .sub.deep import two

one = 1
