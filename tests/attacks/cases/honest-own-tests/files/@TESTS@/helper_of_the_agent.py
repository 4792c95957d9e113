def truth():
    return True
