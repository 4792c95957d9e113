class Holder:
    from .a import one

    async def later(self):
        import pkg.c as c

        return c
