import typing
import json

from .. import helpers
from .scaffold import Scaffold
