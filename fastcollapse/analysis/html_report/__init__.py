"""Reports as one page of HTML: figures, tables, what was run, and how to run it again."""
