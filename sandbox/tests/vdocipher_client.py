"""Plain calls to the VdoCipher stand-in over HTTP."""

import requests

SECRET = "vdo_sandbox_11tutors"


def ask(sandbox, method, path, *, secret=SECRET, timeout=10, **arguments):
    headers = {"Authorization": f"Apisecret {secret}", "Accept": "application/json"}
    return requests.request(method, sandbox.vdocipher_api_url + path, headers=headers, timeout=timeout, **arguments)


def new_video(sandbox, **overrides):
    return sandbox.add_video(**({"title": "Proofs, part 1"} | overrides))


def otp_for(sandbox, video_id, **body):
    answer = ask(sandbox, "POST", f"/videos/{video_id}/otp", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def play(sandbox, credentials, **headers):
    names = ("otp", "playbackInfo")
    params = {name: credentials[name] for name in names if name in credentials}
    return requests.get(sandbox.vdocipher_player_url, params=params, headers=headers, timeout=10)
