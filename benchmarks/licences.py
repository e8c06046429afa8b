"""What a licence costs: claimed, checked, counted, opened, spent and written down, beside the calibration view.

Called with a count it makes so many viewings of our own host and prints their calls, as JSON.
"""

import base64
import json
import secrets
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
import psycopg2

from benchmarks import running
from benchmarks.load import Call, Result, wrk

VIEWINGS = 6_000
VIDEOS = 50
USERS = 1_000
CONNECTIONS = 16
WANTED_RATIO = 0.12
TOKEN_S = 600
CLEARKEY = "/api/videos/licences/clearkey/"


def with_licences() -> dict[str, str]:
    """What the measured processes get besides: each viewing has an address of its own."""
    return {
        "VIDEO_CONTENT_KEYS": f"benchmark={base64.b64encode(bytes(32)).decode()}",
        "TRUSTED_PROXIES": "127.0.0.1",
    }


def measure(variables: dict[str, str], folder: Path, *, seconds: int) -> None:
    """Print the table, on a server of its own; raises RuntimeError when an answer or the record is wrong."""
    variables = variables | with_licences()
    with running.server(variables, folder / "licences.log", workers=1) as base_url:
        calibration = [Call("GET", "/calibration/")]
        run(base_url, calibration, seconds)
        yardstick = run(base_url, calibration, seconds).rate
        calls = _calls(variables)
        print(f"\n(calibration view: {yardstick:.0f} requests/s)\n")
        print("| licences | requests/s | ratio | wanted | p50 ms | p90 ms | errors |\n|---|---|---|---|---|---|---|")
        for name, group in calls.items():
            result = run(base_url, group, seconds)
            if name == "first" and result.rate * seconds > len(group):
                raise RuntimeError(f"{len(group)} tokens were not enough for {seconds} s.")
            if name == "first":
                _check_record(variables["DATABASE_URL"], int(result.rate * seconds))
            ratio = result.rate / yardstick
            cells = (f"{result.rate:.0f}", f"{ratio:.2f}", f"{WANTED_RATIO:.2f}")
            cells += (f"{result.p50_ms:.1f}", f"{result.p90_ms:.1f}", str(result.bad_status + result.broken))
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def run(base_url: str, calls: list[Call], seconds: int) -> Result:
    return wrk(base_url, calls, connections=CONNECTIONS, seconds=seconds)


def _calls(variables: dict[str, str]) -> dict[str, list[Call]]:
    command = [sys.executable, "-m", "benchmarks.licences", str(VIEWINGS)]
    done = subprocess.run(command, env=variables, cwd=running.BASE_DIR, stdout=subprocess.PIPE, check=True)
    return {name: [Call(**call) for call in group] for name, group in json.loads(done.stdout).items()}


def _check_record(database_url: str, at_least: int) -> None:
    """Every token that was spent gave one licence."""
    connection = psycopg2.connect(database_url)
    cursor = connection.cursor()
    # In one statement: what was under way when the load ended is still being answered.
    cursor.execute(
        "SELECT (SELECT count(*) FROM videos_hosted_licence WHERE result = 'issued'),"
        " (SELECT count(*) FROM videos_hosted_spenttoken)"
    )
    issued, spent = cursor.fetchone() or (0, 0)
    connection.close()
    if not at_least * 0.99 <= issued == spent:
        raise RuntimeError(f"{at_least} answers, {issued} licences, {spent} spent tokens.")


def build(count: int) -> dict[str, list[dict[str, Any]]]:
    """Viewings on PostgreSQL: the first licence of each, and the renewals of the first thousand."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 (settings first)
    from django.utils import timezone  # noqa: PLC0415

    from videos.hosted.hosts import host  # noqa: PLC0415
    from videos.hosted.models import ContentKey, HostedVideo, Package, PackageState, Scheme  # noqa: PLC0415
    from videos.hosted.services.licence_server import licence_tokens  # noqa: PLC0415
    from videos.models import Asset, AssetStatus, PlaybackSession, SessionState, Video, Viewer  # noqa: PLC0415
    from videos.services.tokens import session_token  # noqa: PLC0415

    now, store = timezone.now(), host("hosted").get_key_store()
    packages, films = [], []
    for number in range(VIDEOS):
        ours = HostedVideo.objects.create(alias="hosted", title=f"Film {number}")
        key = ContentKey(video=ours, version=1, iv=secrets.token_bytes(16))
        made = store.generate(key.context).wrapped
        key.wrapped, key.wrapped_by = made.blob, made.wrapped_by
        key.save()
        packages.append(Package.objects.create(video=ours, key=key, scheme=Scheme.CBCS, state=PackageState.PUBLISHED))
        films.append(Video.objects.create(title=ours.title))
        Asset.objects.create(
            video=films[-1], provider="hosted", host_id=ours.host_id, status=AssetStatus.READY, protection="encrypted"
        )
    user_model = get_user_model()
    names = [f"watches{number}" for number in range(USERS)]
    users = user_model.objects.bulk_create(user_model(username=name, email=f"{name}@bench.test") for name in names)
    viewers = Viewer.objects.bulk_create(Viewer(user=user) for user in users)
    sessions = PlaybackSession.objects.bulk_create(
        PlaybackSession(
            viewer=viewers[number % USERS],
            video=films[number % VIDEOS],
            device_id=f"unnamed-{number}",
            door="playback",
            state=SessionState.ISSUED,
            expires_at=now + timedelta(hours=1),
            lease_expires_at=now + timedelta(hours=1),
        )
        for number in range(count)
    )
    first, renewals = [], []
    for number, session in enumerate(sessions):
        package = packages[number % VIDEOS]
        token = licence_tokens.sign(
            audience=licence_tokens.LICENCE,
            session_id=session.public_id,
            package_id=package.public_id,
            kid=package.key.kid,
            device_id=session.device_id,
            ttl_s=TOKEN_S,
        )
        kid = base64.urlsafe_b64encode(package.key.kid.bytes).decode().rstrip("=")
        call = {"method": "POST", "path": CLEARKEY, "body": {"kids": [kid], "type": "temporary"}}
        call |= {"ip": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
        first.append(call | {"token": token})
        renewals.append(call | {"token": session_token(session.public_id)})
    # wrk asks for one request before it begins and sends it never: the first viewing gets no first licence.
    return {"first": first, "renewal": renewals[1:1001], "refused: a used token": first[:500]}


def main() -> None:
    django.setup()
    json.dump(build(int(sys.argv[1])), sys.stdout)


if __name__ == "__main__":
    main()
