from setuptools import find_packages, setup

WHERE = {"": "python"}
setup(name="second", package_dir=WHERE, packages=find_packages("python"))
