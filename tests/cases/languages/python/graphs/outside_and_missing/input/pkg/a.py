import json
import requests.adapters
from yaml import safe_load
from pkg.gone import x
from ..above import y
from . import attribute
import cgi
