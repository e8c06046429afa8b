"""`python -m benchmarks.playlists`: what rewriting the playlists of a film of two hours costs in CPU and memory.

The aim is 30 ms of CPU for one playlist, whatever the delivery: a viewing loads two or three of them.
"""

import gzip
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from videos.hosted.deliveries.sigv4 import Presigner
from videos.hosted.seams.bucket import BucketAccess
from videos.hosted.services.playback import playlists

SECONDS, SEGMENT_S, TIMES, AIM_MS = 7200, 4, 30, 30.0
KID = UUID("a0a1a2a3-a4a5-46a7-a8a9-aaabacadaeaf")
HEAD = f"""#EXTM3U
#EXT-X-VERSION:6
## Generated with https://github.com/shaka-project/shaka-packager version v3.8.0-75b2faf-release
#EXT-X-TARGETDURATION:{SEGMENT_S + 1}
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="v1080.mp4",BYTERANGE="998@0"
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://{KID.hex}",IV=0x{KID.hex},KEYFORMAT="identity"
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://{KID.hex}",KEYFORMATVERSIONS="1",KEYFORMAT="com.apple.streamingkeydelivery"
"""


def playlist() -> str:
    """What the packager writes for one rendition: 1,800 stretches of one file."""
    stretches = (
        f"#EXTINF:{SEGMENT_S}.000,\n#EXT-X-BYTERANGE:{2_500_000 + at}\nv1080.mp4" for at in range(SECONDS // SEGMENT_S)
    )
    return HEAD + "\n".join(stretches) + "\n#EXT-X-ENDLIST\n"


def main() -> int:
    body, keys = playlist(), playlists.Keys(clearkey_kid=KID)
    print(f"A playlist of {SECONDS // SEGMENT_S} stretches, {len(body) // 1024} KiB as stored; {TIMES} times each.\n")
    print("| addresses | CPU, median | CPU, worst | sent | gzipped | peak memory |")
    print("| --- | --- | --- | --- | --- | --- |")
    worst = 0.0
    for name, make_signer in signers().items():
        took, text = measured(lambda make=make_signer: playlists.rewrite(body, address_of=make(), keys=keys))
        peak = peak_bytes(lambda make=make_signer: playlists.rewrite(body, address_of=make(), keys=keys))
        worst = max(worst, max(took))
        sizes = f"{len(text) // 1024} KiB | {len(gzip.compress(text.encode())) // 1024} KiB | {peak / 2**20:.1f} MiB"
        print(f"| {name} | {statistics.median(took):.2f} ms | {max(took):.2f} ms | {sizes} |")
    return 0 if worst <= AIM_MS else 1


def signers() -> dict[str, Callable[[], Callable[[str], str]]]:
    """By delivery, what makes the function that signs addresses."""
    access = BucketAccess(
        origin="https://films.s3.eu-west-1.amazonaws.com",
        path="/",
        region="eu-west-1",
        access_key="AKIAIOSFODNN7EXAMPLE",
        secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )
    ours = f"/api/videos/media/{'A' * 71}.1xUpbU.{'B' * 43}/"
    prefix = f"{uuid4().hex}/p/{uuid4().hex}/"

    def presigned() -> Callable[[str], str]:
        now = datetime.now(UTC)
        sign = Presigner(access, now=now, expires_at=now + timedelta(hours=3))
        return lambda name: sign(prefix + name)

    return {"of this server": lambda: lambda name: ours + name, "of a bucket, presigned": presigned}


def measured(call: Callable[[], str]) -> tuple[list[float], str]:
    """CPU in ms of each time, and what came of the last."""
    took, text = [], ""
    for _ in range(TIMES):
        begun = time.process_time()
        text = call()
        took.append((time.process_time() - begun) * 1000)
    return took, text


def peak_bytes(call: Callable[[], str]) -> int:
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


if __name__ == "__main__":
    sys.exit(main())
