import importlib

_LAZY = {"Thing": "thing"}


def __getattr__(name):
    return importlib.import_module(f"app.{_LAZY[name]}")


def plugin(kind):
    return importlib.import_module("app." + kind)
