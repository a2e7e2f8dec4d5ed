"""Tables of numbers: a header is recognised as one, and nothing else is."""

import numpy as np
import pytest

from fastcollapse.datasets.number_table import parse_table

VALUES = [[1.5, 2.0], [3.0, 4.0]]
SAME = {
    "numbers": "1.5,2\n3,4\n",
    "a header": "x,y\n1.5,2\n3,4\n",
    "a header in quotes": '"x, in cm","y"\n1.5,2\n3,4\n',
    "a header of symbols": "μ,%\n1.5,2\n3,4\n",
    "semicolons": "x;y\r\n1.5;2\r\n3;4\r\n",
    "tabs": "x\ty\n1.5\t2\n3\t4",
    "spaces": "1.5 2\n3 4\n",
    "numpy.savetxt": "# x y\n1.5 2.0\n3.0 4.0\n",
    "empty lines": "\n\nx,y\n\n1.5,2\n\n3,4\n\n",
    "the index of pandas": ",x,y\n0,1.5,2\n1,3,4\n",
    "the index of pandas without names": ",0,1\n0,1.5,2\n1,3,4\n",
    "a named index": "name,x,y\na,1.5,2\nb,3,4\n",
    "labels": "a,1.5,2\nb,3,4\n",
    "labels in quotes": '"a,b";1.5;2\n"c";3;4\n',
    "a label that begins as a comment": "#a,1.5,2\n#b,3,4\n",
}


@pytest.mark.parametrize("case", SAME)
def test_table__numbers_without_header_and_labels(case):
    np.testing.assert_array_equal(parse_table(SAME[case]).values, VALUES)


def test_table__labels_of_rows():
    assert parse_table("word,share\nto,0.5\nbe,0.25\n").labels == ("to", "be")
    assert parse_table(",share\n7,0.5\n9,0.25\n").labels == ("7", "9")
    assert parse_table("0.5\n0.25\n").labels is None
    np.testing.assert_array_equal(parse_table("share\n0.5\n").values, [[0.5]])


WRONG = {
    "a missing value in the first line": ",2\n3,4\n",
    "a decimal comma": "1,5;2\n3;4\n",
    "a missing value of a label": "a,1\n,2\n",
    "names and numbers in the first column": "id,0,1\n5,1.5,2\n",
    "rows of different lengths": "1,2\n3\n",
    "labelled rows of different lengths": "a,1,2\nb,3\n",
    "a word": "1,2\n3,x\n",
    "a missing value": "1,NA\n3,4\n",
}


@pytest.mark.parametrize("case", WRONG)
def test_table__refuses(case):
    with pytest.raises(ValueError, match=r"could not|first column|cells|number of columns"):
        parse_table(WRONG[case])
