def later():
    from . import d

    return d
