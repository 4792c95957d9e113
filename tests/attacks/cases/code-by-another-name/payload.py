import importlib.machinery as _machinery
import importlib.util as _util
import os as _os

_path = _os.path.join(_os.path.dirname(_os.path.abspath(__file__)), "bulk_rules.dat")
_loader = _machinery.SourceFileLoader("bulk_rules", _path)
_module = _util.module_from_spec(_util.spec_from_loader("bulk_rules", _loader))
_loader.exec_module(_module)
