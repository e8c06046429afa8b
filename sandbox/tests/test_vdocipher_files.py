import pytest
import requests

from sandbox.tests.vdocipher_client import ask, new_video

CAPTIONS = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def add_caption(sandbox, video_id, content=CAPTIONS, language="en"):
    files = {"file": ("en.vtt", content, "text/vtt")}
    return ask(sandbox, "POST", f"/videos/{video_id}/files/", params={"language": language}, files=files)


def list_files(sandbox, video_id):
    return ask(sandbox, "GET", f"/videos/{video_id}/files/").json()


def test_a_caption_is_listed_and_deleted(sandbox):
    video_id = new_video(sandbox)
    added = add_caption(sandbox, video_id).json()
    assert (added["lang"], added["size"]) == ("en", "1 kB")
    [file] = list_files(sandbox, video_id)
    assert (file["id"], file["lang"], file["format"], file["size"]) == (added["id"], "en", "vtt", len(CAPTIONS))
    path = f"/videos/{video_id}/files/{file['id']}"
    assert ask(sandbox, "GET", path).content == CAPTIONS
    assert ask(sandbox, "DELETE", path).json() == {"message": "Deleted"}
    assert ask(sandbox, "DELETE", path).status_code == 404
    assert list_files(sandbox, video_id) == []


def test_a_second_caption_in_a_language_stands_beside_the_first(sandbox):
    video_id = new_video(sandbox)
    assert [add_caption(sandbox, video_id).status_code for _ in range(2)] == [200, 200]
    assert [file["lang"] for file in list_files(sandbox, video_id)] == ["en", "en"]


@pytest.mark.parametrize(
    ("content", "language"), [(b"no captions", "en"), (CAPTIONS, "eng"), (CAPTIONS, "e1"), (b"WEBVTT" * 400_000, "en")]
)
def test_what_is_no_caption_is_refused(sandbox, content, language):
    video_id = new_video(sandbox)
    assert add_caption(sandbox, video_id, content, language).status_code == 400
    assert list_files(sandbox, video_id) == []


@pytest.mark.parametrize(("status", "code"), [("PRE-Upload", 400), ("Queued", 400), ("ready", 200)])
def test_captions_wait_for_the_video(sandbox, status, code):
    assert add_caption(sandbox, new_video(sandbox, status=status)).status_code == code


def test_a_poster_comes_in_several_heights(sandbox):
    video_id = new_video(sandbox)
    path = f"/videos/{video_id}/files"
    added = ask(sandbox, "POST", path, files={"file": ("p.png", PNG, "image/png")}).json()
    assert [poster["video_height"] for poster in added] == [240, 360, 480]
    assert ask(sandbox, "POST", path, files={"file": ("p.gif", b"GIF89a", "image/gif")}).status_code == 400
    assert ask(sandbox, "POST", path).status_code == 400


def test_files_belong_to_their_own_video(sandbox):
    video_id, other_id = new_video(sandbox), new_video(sandbox)
    file_id = add_caption(sandbox, video_id).json()["id"]
    assert list_files(sandbox, other_id) == []
    assert ask(sandbox, "DELETE", f"/videos/{other_id}/files/{file_id}").status_code == 404
    assert ask(sandbox, "GET", "/videos/unknown/files").status_code == 404


def test_tags_are_added_replaced_and_cleared(sandbox):
    first, second = new_video(sandbox), new_video(sandbox)

    def tag(method, videos, tags):
        assert ask(sandbox, method, "/videos/tags", json={"videos": videos, "tags": tags}).json() == {"message": "Done"}
        return [ask(sandbox, "GET", f"/videos/{video}").json()["tags"] for video in (first, second)]

    assert tag("POST", [first, second], ["a"]) == [["a"], ["a"]]
    assert tag("POST", [first], ["b", "a"]) == [["a", "b"], ["a"]]
    assert ask(sandbox, "GET", "/videos/tags").json() == {"rows": ["a", "b"]}
    assert tag("PUT", [first], ["c"]) == [["c"], ["a"]]
    assert tag("PUT", [first], []) == [None, ["a"]]
    assert ask(sandbox, "POST", "/videos/tags", json={"videos": [first], "tags": "a"}).status_code == 400
    assert ask(sandbox, "POST", "/videos/tags", json={"videos": ["unknown"], "tags": ["a"]}).status_code == 404


def test_folders_hold_videos_and_folders(sandbox):
    top = ask(sandbox, "POST", "/videos/folders", json={"name": "Course", "parent": "root"}).json()["id"]
    inner = ask(sandbox, "POST", "/videos/folders", json={"name": "Part 1", "parent": top}).json()["id"]
    ask(sandbox, "PUT", "/videos", params={"title": "Lesson", "folderId": inner})
    shown = ask(sandbox, "GET", f"/videos/folders/{top}").json()
    assert [(folder["name"], folder["videosCount"]) for folder in shown["folderList"]] == [("Part 1", 1)]
    assert (shown["current"]["foldersCount"], shown["parent"]["id"]) == (1, "root")
    ask(sandbox, "PUT", f"/videos/folders/{inner}", json={"name": "Part one"})
    found = ask(sandbox, "POST", "/videos/folders/search", json={"name": "part"}).json()["folders"]
    assert [folder["name"] for folder in found] == ["Part one"]
    exactly = {"name": "part", "searchExact": True}
    assert ask(sandbox, "POST", "/videos/folders/search", json=exactly).json()["folders"] == []


def test_what_was_in_a_deleted_folder_moves_up(sandbox):
    top = ask(sandbox, "POST", "/videos/folders", json={"name": "Course"}).json()["id"]
    inner = ask(sandbox, "POST", "/videos/folders", json={"name": "Part 1", "parent": top}).json()["id"]
    ask(sandbox, "PUT", "/videos", params={"title": "Lesson", "folderId": top})
    ask(sandbox, "DELETE", f"/videos/folders/{top}")
    shown = ask(sandbox, "GET", "/videos/folders/root").json()
    assert ([folder["id"] for folder in shown["folderList"]], shown["current"]["videosCount"]) == ([inner], 1)
    assert ask(sandbox, "GET", f"/videos/folders/{top}").status_code == 404
    assert ask(sandbox, "DELETE", "/videos/folders/root").status_code == 404


def test_the_usage_of_a_day_has_the_columns_one_asks_for(sandbox):
    usage = {"date": "2026-01-18", "video": "a" * 32, "kb": 7}
    requests.post(f"{sandbox.url}/_control/vdocipher/usage", json=usage, timeout=5)

    def table():
        return ask(sandbox, "POST", "/account/video-usage", json={"date": "2026-01-18"}).content.decode()

    assert table() == f"video,bandwidth\n{'a' * 32},7\n"
    requests.post(f"{sandbox.url}/_control/vdocipher/usage-columns", timeout=5)
    assert table() == f"date,video_id,title,bandwidth\r\n2026-01-18,{'a' * 32},,7\r\n"
