"""Numbers or percentages."""

import pytest

from kajitori.apimachinery.intstr import percentage, scaled_value


def test_percentages_are_scaled() -> None:  # I1
    assert scaled_value(3, 10, round_up=True) == 3
    assert scaled_value("25%", 10, round_up=True) == 3
    assert scaled_value("25%", 10, round_up=False) == 2
    assert scaled_value("100%", 7, round_up=False) == 7
    assert percentage("0%") == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("25", "invalid value for IntOrString: invalid type: string is not a percentage"),
        (
            "x%",
            'invalid value for IntOrString: invalid value "x%": strconv.Atoi: parsing "x": invalid syntax',
        ),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:  # I1
    with pytest.raises(ValueError) as caught:
        scaled_value(text, 10, round_up=True)
    assert str(caught.value) == message
