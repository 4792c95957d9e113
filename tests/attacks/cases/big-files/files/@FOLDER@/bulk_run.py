def run(text):
    return eval(text)
