"""The frozen nouns; each knows only the ones before it on the line."""
