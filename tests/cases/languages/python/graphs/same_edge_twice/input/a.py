import b


def f():
    import b


NAME = "b.value"
