"""From a source and its clone: tickets and drafts of tasks, or what there would be of them."""
