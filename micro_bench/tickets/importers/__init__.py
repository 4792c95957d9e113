"""One importer a file, one for each tracker."""
