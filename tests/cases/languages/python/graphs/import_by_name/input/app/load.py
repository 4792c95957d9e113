import importlib
import subprocess
import sys
from importlib import import_module

import_module("app.one")
importlib.import_module("solo")
importlib.import_module(".two", __package__)
import_module(name=".three", package="app.deep")
__import__("app.deep.four")
import_module("..one", "app.deep")
subprocess.run([sys.executable, "-m", "app"], check=True)
import_module("json")
import_module("not_here")
