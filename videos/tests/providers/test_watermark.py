import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos.providers.registry import providers
from videos.providers.watermark import STYLE, STYLE_KEYS, annotate
from videos.tests.providers.contract import make_request, make_viewer

DIFFICULT = [
    "Ada (ada@example.com)",
    'Ada "the first" Lovelace',
    "O'Brien",
    "back\\slash \\n \\u0041",
    "👩‍🎓 Ада Лавлейс",
    "<script>alert(1)</script> & co",
    "{name} %s ${x}",
    "two\nlines\ttab",
    '"}],"',
    "x" * 5000,
]


@pytest.mark.parametrize("text", DIFFICULT)
def test_a_difficult_name_reaches_the_host_as_it_is(sandbox, text):
    video_id = sandbox.add_video()
    providers["vdocipher"].get_playback(make_request(video_id, viewer=make_viewer(watermark=text)))
    body = json.loads(sandbox.calls("vdocipher")[-1]["body"])
    [item] = json.loads(body["annotate"])
    assert item["text"] == text


@given(text=st.text(), style=st.dictionaries(st.sampled_from(sorted(STYLE_KEYS)), st.text() | st.integers()))
def test_any_text_comes_back_and_every_value_is_text(text, style):
    value = json.loads(json.dumps({"annotate": annotate(text, style)}))["annotate"]
    assert isinstance(value, str)
    [item] = json.loads(value)
    assert item["text"] == text
    assert item["type"] == "rtext"
    assert all(isinstance(member, str) for member in item.values())
    assert {name: item[name] for name in style} == {name: str(member) for name, member in style.items()}
    assert {name: item[name] for name in STYLE.keys() - style.keys()} == {
        name: STYLE[name] for name in STYLE.keys() - style.keys()
    }
