from .a import x

def broken(
