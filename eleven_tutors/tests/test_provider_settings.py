import os
import subprocess
import sys

from django.conf import settings


def check(tmp_path, **environment):
    """`manage.py check` in a process of its own, with these variables and nothing of a `.env`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VIDEO_", "VDOCIPHER_"))}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env=clean
        | {
            "DJANGO_SETTINGS_MODULE": "eleven_tutors.settings",
            "READ_DOTENV": "0",
            "DEBUG": "1",
            "VAR_DIR": str(tmp_path),
        }
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_half_of_a_host_s_keys_fails_the_check_and_names_the_other_half(tmp_path):
    result = check(tmp_path, VDOCIPHER_WEBHOOK_SECRET="hunter2")
    assert result.returncode == 1
    assert 'VIDEO_PROVIDERS["vdocipher"]' in result.stderr
    assert "VIDEO_SERVICE_SECRET_KEY" in result.stderr
    assert "hunter2" not in result.stderr


def test_a_real_key_is_not_sent_to_a_stand_in(tmp_path):
    result = check(tmp_path, VIDEO_SERVICE_SECRET_KEY="hunter2", VDOCIPHER_API_URL="http://127.0.0.1:8001/api")
    assert result.returncode == 1
    assert "VDOCIPHER_API_URL" in result.stderr
    assert "hunter2" not in result.stderr


def test_the_older_name_of_the_key_is_accepted(tmp_path):
    result = check(tmp_path, VDOCIPHER_API_SECRET="hunter2", VDOCIPHER_WEBHOOK_SECRET="token")
    assert "VIDEO_PROVIDERS" not in result.stderr
