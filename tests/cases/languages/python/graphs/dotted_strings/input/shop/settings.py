"""Set "shop.views" here."""

INSTALLED = ["shop.cart", "shop.views.index", "somewhere.else"]
TARGET = "shop.worker:main"
NAME = "setup.py"
LOGGER = f"shop.{NAME}"
DEEP = "shop.cart.Basket.total.much.too.deep"
# "shop.unused"
