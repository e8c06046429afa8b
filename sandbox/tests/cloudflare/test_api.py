import time

import pytest
import requests

from sandbox.cloudflare.clock import written
from sandbox.tests.cloudflare.client import ask, error_of, result, video


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), ({"Authorization": "Basic x"}, 401), ({"Authorization": "Bearer other"}, 403)]
)
def test_without_the_accounts_token_nothing_is_answered(sandbox, headers, status):
    url = f"{sandbox.cloudflare_api_url}/accounts/{sandbox.cloudflare_account_id}/stream"
    assert error_of(requests.get(url, headers=headers, timeout=5)) == (status, 10000)
    assert error_of(ask(sandbox, "GET", "", account="f" * 32)) == (403, 10000)


def test_a_video_says_everything_about_itself(sandbox):
    uid = sandbox.cloudflare.add_video(title="Proofs", duration=5.5, creator="user-42")
    found = video(sandbox, uid)
    base = f"{sandbox.cloudflare_playback_url}/{uid}"
    assert (found["uid"], found["creator"], found["meta"]) == (uid, "user-42", {"name": "Proofs"})
    assert (found["duration"], found["input"]) == (5.5, {"width": 480, "height": 270})
    assert found["status"] == {
        "state": "ready",
        "pctComplete": "100.000000",
        "errorReasonCode": "",
        "errorReasonText": "",
    }
    assert (found["readyToStream"], found["requireSignedURLs"]) == (True, True)
    assert found["playback"]["hls"] == f"{base}/manifest/video.m3u8"
    assert found["thumbnail"] == f"{base}/thumbnails/thumbnail.jpg"


def test_an_unknown_video_is_not_found(sandbox):
    for method, path in (("GET", "/nope"), ("POST", "/nope"), ("DELETE", "/nope"), ("POST", "/nope/token")):
        assert error_of(ask(sandbox, method, path, json={}))[0] == 404, (method, path)


def test_what_is_unknown_about_a_waiting_video_is_minus_one(sandbox):
    found = video(sandbox, sandbox.cloudflare.add_video(state="pendingupload"))
    assert (found["duration"], found["input"]["width"], found["readyToStreamAt"]) == (-1, -1, None)
    assert (found["readyToStream"], found["status"]["state"]) == (False, "pendingupload")


def test_an_edit_is_a_post_and_replaces_the_meta(sandbox):
    uid = sandbox.cloudflare.add_video(title="Before")
    edited = result(ask(sandbox, "POST", f"/{uid}", json={"meta": {"name": "After"}, "requireSignedURLs": False}))
    assert (edited["meta"], edited["requireSignedURLs"]) == ({"name": "After"}, False)
    assert video(sandbox, uid)["meta"] == {"name": "After"}
    assert ask(sandbox, "PATCH", f"/{uid}", json={}).status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        {"creator": "x" * 65},
        {"meta": "a name"},
        {"allowedOrigins": ["https://example.com"]},
        {"thumbnailTimestampPct": 2},
        {"maxDurationSeconds": 0},
        [],
    ],
)
def test_an_edit_that_breaks_a_rule_changes_nothing(sandbox, body):
    uid = sandbox.cloudflare.add_video()
    before = video(sandbox, uid)
    assert error_of(ask(sandbox, "POST", f"/{uid}", json=body))[0] == 400
    assert video(sandbox, uid) == before


def test_a_deletion_answers_with_an_empty_body(sandbox):
    uid = sandbox.cloudflare.add_video()
    answer = ask(sandbox, "DELETE", f"/{uid}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert error_of(ask(sandbox, "DELETE", f"/{uid}"))[0] == 404


def test_the_list_is_filtered_and_pages_by_the_created_date(sandbox):
    uids = []
    for index in range(3):
        uids.append(sandbox.cloudflare.add_video(title=f"Part {index}", creator=f"user-{index % 2}"))
        time.sleep(0.01)
    failed = sandbox.cloudflare.add_video(title="Broken", state="error")

    def listed(query):
        return [found["uid"] for found in result(ask(sandbox, "GET", query))]

    assert listed("") == [failed, *uids[::-1]]
    assert listed("?asc=true&limit=2") == uids[:2]
    assert listed("?status=error") == [failed]
    assert listed("?creator=user-0&status=ready") == [uids[2], uids[0]]
    assert listed("?search=part%201") == listed("?name=Part%201") == listed(f"?id={uids[1]}") == [uids[1]]
    second = sandbox.cloudflare.library.find(uids[1])["created"]
    moment = written(second)
    assert listed(f"?asc=true&start={moment}") == [uids[1], uids[2], failed]
    assert listed(f"?before={moment}") == [uids[0]]
    assert ask(sandbox, "GET", "?include_counts=true&limit=1").json()["total"] == 4
    for wrong in ("?limit=0", "?limit=1001", "?status=unheard", "?start=yesterday"):
        assert error_of(ask(sandbox, "GET", wrong))[0] == 400


def test_the_storage_in_use_counts_minutes_for_one_creator_or_all(sandbox):
    sandbox.cloudflare.add_video(duration=600, creator="user-1")
    sandbox.cloudflare.add_video(duration=1200)
    sandbox.cloudflare.set_quota(allocated_minutes=1000)
    usage = {"totalStorageMinutes": 30, "totalStorageMinutesLimit": 1000, "videoCount": 2}
    assert result(ask(sandbox, "GET", "/storage-usage")) == usage
    of_one = result(ask(sandbox, "GET", "/storage-usage?creator=user-1"))
    assert (of_one["totalStorageMinutes"], of_one["videoCount"], of_one["creator"]) == (10, 1, "user-1")


def test_a_plan_without_minutes_refuses_at_the_reservation(sandbox):
    sandbox.cloudflare.set_quota(allocated_minutes=0)
    answer = ask(sandbox, "POST", "/direct_upload", json={"maxDurationSeconds": 60})
    assert error_of(answer) == (413, 10011)
    assert "allocated 0 minutes" in answer.json()["errors"][0]["message"]


def test_a_reservation_holds_its_minutes_until_it_expires(sandbox):
    sandbox.cloudflare.set_quota(allocated_minutes=10)
    made = result(ask(sandbox, "POST", "/direct_upload", json={"maxDurationSeconds": 600}))
    assert error_of(ask(sandbox, "POST", "/direct_upload", json={"maxDurationSeconds": 600})) == (413, 10011)
    sandbox.cloudflare.library.change(made["uid"], upload_expiry=time.time() - 1)
    result(ask(sandbox, "POST", "/direct_upload", json={"maxDurationSeconds": 600}))


def test_a_full_queue_refuses_with_429_and_says_when_to_come_back(sandbox):
    sandbox.cloudflare.set_quota(queued_limit=1)
    sandbox.cloudflare.add_video(state="queued")
    answer = ask(sandbox, "POST", "/direct_upload", json={"maxDurationSeconds": 60})
    assert error_of(answer)[0] == 429
    assert "queued" in answer.json()["errors"][0]["message"]
    assert answer.headers["Retry-After"] == "60"


def test_faults_reach_the_api_in_its_own_words(sandbox):
    sandbox.fault(service="cloudflare", path="/stream", status=503)
    assert error_of(ask(sandbox, "GET", ""))[0] == 503
    assert result(ask(sandbox, "GET", "")) == []
    assert [call["status"] for call in sandbox.calls("cloudflare")] == [503, 200]
    assert "cf_sandbox_11tutors" not in str(sandbox.calls())


def test_the_control_page_adds_videos_and_changes_their_state(sandbox):
    control = f"{sandbox.url}/_control/cloudflare"
    uid = requests.post(f"{control}/videos", json={"title": "A", "state": "queued"}, timeout=5).json()["uid"]
    answer = requests.post(
        f"{control}/videos/{uid}/state", json={"state": "error", "error_code": "ERR_MALFORMED_VIDEO"}, timeout=5
    )
    assert answer.status_code == 200
    status = video(sandbox, uid)["status"]
    assert (status["state"], status["errorReasonCode"]) == ("error", "ERR_MALFORMED_VIDEO")
    assert status["errorReasonText"]
    for wrong in ({"state": "sleeping"}, {"state": 1}, {}, {"state": "ready", "speed": 2}):
        assert requests.post(f"{control}/videos/{uid}/state", json=wrong, timeout=5).status_code == 400
    unknown = requests.post(f"{control}/videos/nope/state", json={"state": "ready"}, timeout=5)
    assert unknown.status_code == 404


def test_the_start_page_lists_the_videos_of_both_hosts(sandbox):
    sandbox.add_video(title="At VdoCipher <b>")
    sandbox.cloudflare.add_video(title="At Cloudflare", state="queued")
    page = requests.get(sandbox.url + "/", timeout=5).text
    assert "At VdoCipher &lt;b&gt;" in page
    assert "At Cloudflare" in page
    assert "queued" in page
