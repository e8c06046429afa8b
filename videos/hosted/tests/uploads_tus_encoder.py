"""An encoder for tests that end where the work of encoders begins."""

from videos.hosted.seams.encoder import EncodeInterrupted, StepOrder

BACKEND = "videos.hosted.tests.uploads_tus_encoder.IdleEncoder"


class IdleEncoder:
    """Its one step is never done."""

    def schemes(self):
        return ("cbcs",)

    def first_steps(self, *, preset):
        return [StepOrder(kind="idle")]

    def next_steps(self, done, *, preset):
        return []

    def repackage_steps(self):
        return [StepOrder(kind="idle")]

    def packages(self, kind):
        return False

    def run(self, work):
        raise EncodeInterrupted("Nothing is done here.")

    def problems(self):
        return []
