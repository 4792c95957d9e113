"""Hidden tests in forms that look just like them and must fail, made by syntax tree."""
