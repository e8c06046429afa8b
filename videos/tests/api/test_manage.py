import pytest
from django.contrib.contenttypes.models import ContentType

from videos.models import AccessLevel, AssetStatus, Video
from videos.services.details import update_video
from videos.tests.factories import make_user, make_video
from videos.tests.statements import counted_statements

FILE = {"title": "Limits", "filename": "limits.mp4", "size": 1000, "content_type": "video/mp4"}


@pytest.fixture(autouse=True)
def _one_host(settings):
    settings.VIDEO_ROUTES = [{"use": ["vdocipher"]}]


@pytest.fixture
def staff(db):
    return make_user(is_staff=True)


def codes(response) -> list[str]:
    return [error["code"] for error in response.json()["errors"]]


def test_creating_a_video_gives_the_ticket_of_its_upload(sandbox, staff, client_of):
    response = client_of(staff).post("/api/videos/", FILE)
    assert response.status_code == 201
    video, upload = response.json()["video"], response.json()["upload"]
    assert (video["title"], video["status"], video["provider"]) == ("Limits", "waiting", "vdocipher")
    assert (upload["kind"], upload["file_field"]) == ("form_post", "file")
    assert upload["fields"]["success_action_status"] == "201"
    row = Video.objects.get()
    assert (str(row.pk), row.owner, row.access_level) == (video["id"], staff, AccessLevel.ENTITLED)
    assert row.assets.get().host_id == video["video_service_id"]
    assert row.assets.get().next_poll_at is not None


@pytest.mark.parametrize(
    ("change", "attr"),
    [
        ({"size": 0}, "size"),
        ({"size": 6 * 1024**3}, "size"),
        ({"title": ""}, "title"),
        ({"filename": None}, "filename"),
        ({"access_level": "secret"}, "access_level"),
        ({"provider": "nobody"}, "provider"),
        ({"access_level": "tier"}, "required_tier"),
        ({"tags": ["Not a tag!"]}, "tags"),
        ({"tags": [f"tag-{number}" for number in range(21)]}, "tags"),
        ({"metadata": {"text": "x" * 17_000}}, "metadata"),
        ({"source_url": "https://example.com/a.mp4"}, "filename"),
    ],
)
def test_an_upload_that_cannot_be_is_refused_before_any_host_is_asked(sandbox, staff, client_of, change, attr):
    response = client_of(staff).post("/api/videos/", FILE | change)
    assert response.status_code == 400
    assert response.json()["type"] == "validation_error"
    assert response.json()["errors"][0]["attr"] == attr
    assert not Video.objects.exists()
    assert sandbox.calls("vdocipher") == []


def test_a_host_that_is_down_gives_no_ticket(sandbox, staff, client_of):
    sandbox.fault(service="vdocipher", path="/videos", times=0, status=401)
    response = client_of(staff).post("/api/videos/", FILE)
    assert (response.status_code, codes(response)) == (503, ["host_unavailable"])
    assert "Retry-After" in response
    assert not Video.objects.exists()


def test_a_host_that_is_not_set_up_takes_no_upload(settings, sandbox, staff, client_of, caplog):
    settings.VIDEO_PROVIDERS["half"] = {"BACKEND": "videos.providers.vdocipher.VdoCipherProvider"}
    response = client_of(staff).post("/api/videos/", FILE | {"provider": "half"})
    assert (response.status_code, codes(response)) == (400, ["no_fitting_host"])
    assert "api_secret" in caplog.text
    settings.VIDEO_ROUTES = [{"use": ["half", "vdocipher"]}]
    assert client_of(staff).post("/api/videos/", FILE).json()["video"]["provider"] == "vdocipher"


def test_only_who_may_create_gets_a_ticket(viewer, client_of):
    assert client_of().post("/api/videos/", FILE).status_code == 401
    assert client_of(viewer).post("/api/videos/", FILE).status_code == 403


def test_the_list_holds_mine_without_the_deleted_at_a_constant_cost(viewer, client_of):
    make_video(owner=make_user())
    make_video(owner=viewer, asset={"status": AssetStatus.DELETED})
    make_video(owner=viewer, asset=False, title="No copy")
    costs = []
    for amount in (2, 15):
        for _ in range(amount):
            make_video(owner=viewer)
        with counted_statements() as statements:
            listed = client_of(viewer).get("/api/videos/").json()
        costs.append(len(statements))
    assert listed["count"] == 18
    assert {row["status"] for row in listed["results"]} == {"ready", None}
    assert costs == [3, 3]


@pytest.mark.parametrize("path", ["", "status/"])
def test_a_video_is_shown_to_those_who_manage_it(viewer, staff, client_of, path):
    address = f"/api/videos/{make_video(owner=viewer).pk}/{path}"
    statuses = [client_of(user).get(address).status_code for user in (None, make_user(), viewer, staff)]
    assert statuses == [401, 403, 200, 200]


def test_an_unknown_video_is_not_found(viewer, client_of):
    response = client_of(viewer).get("/api/videos/00000000-0000-4000-8000-000000000000/status/")
    assert (response.status_code, codes(response)) == (404, ["not_found"])


def test_the_status_tells_what_the_host_said(viewer, client_of):
    asset = {"status": AssetStatus.FAILED, "host_status": "Encoding error", "failure_reason": "Encoding error"}
    video = make_video(owner=viewer, asset=asset)
    answer = client_of(viewer).get(f"/api/videos/{video.pk}/status/").json()
    assert (answer["id"], answer["status"]) == (str(video.pk), "failed")
    assert (answer["host_status"], answer["failure_reason"]) == ("Encoding error", "Encoding error")


def test_a_video_without_a_copy_has_no_status(viewer, client_of):
    video = make_video(owner=viewer, asset=False)
    assert client_of(viewer).get(f"/api/videos/{video.pk}/status/").json()["status"] is None


def test_the_list_is_narrowed_by_tag_status_and_search(viewer, client_of):
    client = client_of(viewer)
    sets = make_video(owner=viewer, title="Finite sets")
    update_video(video=sets, tags=["Algebra", "first-year"])
    make_video(owner=viewer, title="Limits", asset={"status": AssetStatus.PROCESSING})
    make_video(owner=make_user(), title="Sets of others")

    def titles(query: str) -> list[str]:
        return [row["title"] for row in client.get(f"/api/videos/?{query}").json()["results"]]

    assert titles("tag=algebra") == ["Finite sets"]
    assert titles("tag=geometry") == []
    assert titles("status=processing") == ["Limits"]
    assert titles("search=SETS") == ["Finite sets"]
    assert titles("search=sets&status=processing") == []
    assert client.get("/api/videos/?status=lost").status_code == 400
    assert client.get("/api/videos/?page=2").status_code == 404


def test_tags_and_metadata_are_kept_and_shown(viewer, client_of):
    video, client = make_video(owner=viewer), client_of(viewer)
    change = {"tags": ["Exam", "exam", "week-1"], "metadata": {"chapter": 3}}
    answer = client.patch(f"/api/videos/{video.pk}/", change).json()
    assert (answer["tags"], answer["metadata"]) == (["exam", "week-1"], {"chapter": 3})
    assert client.patch(f"/api/videos/{video.pk}/", {"title": "New"}).json()["tags"] == ["exam", "week-1"]
    assert client.patch(f"/api/videos/{video.pk}/", {"tags": []}).json()["tags"] == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"access_level": "tier"}, "required_tier_missing"),
        ({"tags": ["two words"]}, "tag_invalid"),
        ({"metadata": {"text": "x" * 17_000}}, "metadata_too_large"),
        ({"metadata": "text"}, "not_a_dict"),
        ({"metadata": {"text": "a\0"}}, "metadata_invalid"),
        ({"metadata": {"a\0": [1]}}, "metadata_invalid"),
        ({"title": ""}, "blank"),
    ],
)
def test_details_that_cannot_be_are_refused(viewer, client_of, change, code):
    video = make_video(owner=viewer, title="Old")
    response = client_of(viewer).patch(f"/api/videos/{video.pk}/", change)
    assert (response.status_code, codes(response)) == (400, [code])
    video.refresh_from_db()
    assert (video.title, video.access_level, video.metadata) == ("Old", "members", {})


@pytest.mark.parametrize(
    "value", [r'["\ud800"]', "1e400", "[-1e400]", '{"a":' * 20 + "1" + "}" * 20, "[" * 900 + "]" * 900]
)
def test_metadata_that_no_database_keeps_or_no_reader_can_follow_is_refused(viewer, client_of, value):
    video = make_video(owner=viewer)
    body = f'{{"metadata": {{"value": {value}}}}}'
    response = client_of(viewer).generic("PATCH", f"/api/videos/{video.pk}/", body, content_type="application/json")
    assert (response.status_code, codes(response)) == (400, ["metadata_invalid"])


def test_metadata_may_be_nested(viewer, client_of):
    video = make_video(owner=viewer)
    metadata = {"a": [{"b": [1, 2.5, None, True, "\u00e9"]}]}
    assert client_of(viewer).patch(f"/api/videos/{video.pk}/", {"metadata": metadata}).json()["metadata"] == metadata


def test_a_tier_may_be_named_with_its_access_level(viewer, client_of):
    video = make_video(owner=viewer)
    change = {"access_level": "tier", "required_tier": "gold"}
    assert client_of(viewer).patch(f"/api/videos/{video.pk}/", change).status_code == 200


def test_title_and_access_level_can_be_changed_and_nothing_else(viewer, client_of):
    video = make_video(owner=viewer)
    host_id = video.assets.get().host_id
    change = {"title": "New", "access_level": "public", "video_service_id": "stolen", "id": "x", "owner": 1}
    response = client_of(viewer).patch(f"/api/videos/{video.pk}/", change)
    assert (response.status_code, response.json()["title"], response.json()["video_service_id"]) == (
        200,
        "New",
        host_id,
    )
    video.refresh_from_db()
    assert (video.title, video.access_level, video.owner) == ("New", "public", viewer)


def test_nobody_else_changes_or_deletes_a_video(viewer, client_of):
    address = f"/api/videos/{make_video(owner=make_user()).pk}/"
    assert client_of(viewer).patch(address, {"title": "Mine"}).status_code == 403
    assert client_of(viewer).delete(address).status_code == 403


def test_a_deleted_video_plays_no_more_and_says_so(sandbox, viewer, client_of):
    video, client = make_video(owner=viewer), client_of(viewer)
    assert client.delete(f"/api/videos/{video.pk}/").status_code == 204
    assert client.delete(f"/api/videos/{video.pk}/").status_code == 204
    response = client.post(f"/api/videos/{video.pk}/playback/", {"device_id": "device-one"})
    assert (response.status_code, codes(response)) == (409, ["video_deleted"])
    assert client.get("/api/videos/").json()["count"] == 0


def test_the_list_is_narrowed_to_the_videos_of_an_object(viewer, client_of):
    person, other = make_user(), make_user()
    newest = [make_video(owner=viewer, subject=person).pk for _ in range(2)][::-1]
    make_video(owner=viewer, subject=other)
    make_video(owner=viewer, subject=ContentType.objects.get_for_model(Video))
    make_video(owner=make_user(), subject=person, title="Somebody else's")
    make_video(owner=viewer)
    label = person._meta.label_lower
    for written in (f"{label}:{person.pk}", f"{person._meta.label}:0{person.pk}"):
        rows = client_of(viewer).get("/api/videos/", {"subject": written}).json()["results"]
        assert [row["id"] for row in rows] == [str(pk) for pk in newest]
        assert rows[0]["subject"] == {"type": label, "id": str(person.pk)}
    assert client_of(viewer).get("/api/videos/", {"subject": f"{label}:0"}).json()["results"] == []


@pytest.mark.parametrize(
    "written",
    [
        "x",
        ":",
        "users",
        "users.user",
        "users.user:",
        "users.user:x",
        "no.model:1",
        "a.b.c:1",
        "users.user:9e9",
        "sessions.session:",
    ],
)
def test_what_names_no_object_is_refused(staff, client_of, written):
    response = client_of(staff).get("/api/videos/", {"subject": written})
    assert (response.status_code, codes(response)) == (400, ["subject_invalid"])


def test_a_video_tells_its_subject_in_statements_that_do_not_grow(staff, client_of):
    client = client_of(staff)

    def cost():
        ContentType.objects.clear_cache()
        with counted_statements() as counted:
            assert client.get("/api/videos/", {"subject": f"{staff._meta.label}:{staff.pk}"}).status_code == 200
        return len(counted)

    video = make_video(owner=staff, subject=staff)
    assert make_video(owner=staff).subject is None
    assert client.get(f"/api/videos/{video.pk}/").json()["subject"]["id"] == str(staff.pk)
    before = cost()
    for _ in range(5):
        make_video(owner=staff, subject=staff)
    assert cost() == before
