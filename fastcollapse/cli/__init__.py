"""Commands: each parses, calls one public function and prints what it returns."""
