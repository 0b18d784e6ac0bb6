import pytest

from streamlit_app.markdown import literal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Store #101", "Store \\#101"),
        ("[x](http://e)", "\\[x\\]\\(http\\://e\\)"),
        ("<b>", "\\<b\\>"),
        (":material/home:", "\\:material/home\\:"),
        ("$x$ ~y~ `z`", "\\$x\\$ \\~y\\~ \\`z\\`"),
        ("a\nb", "a b"),
        ("&lt;", "\\&lt;"),
    ],
)
def test_nothing_acts(text, shown):
    assert literal(text) == shown
