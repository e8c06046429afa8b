from flask import Blueprint

from sandbox.cloudflare import api, control, forms, playback, tus
from sandbox.cloudflare.stand_in import CloudflareSandbox
from sandbox.context import SandboxContext


def create_blueprints(context: SandboxContext, cloudflare: CloudflareSandbox) -> list[Blueprint]:
    """The Cloudflare Stream stand-in: its API, both upload doors, the player, and what steers it."""
    return [
        api.create_blueprint(context, cloudflare),
        forms.create_blueprint(context, cloudflare),
        tus.create_blueprint(context, cloudflare),
        playback.create_blueprint(context, cloudflare),
        control.create_blueprint(cloudflare),
    ]
