"""Dense and banded linear algebra for many small matrices."""
