from flask import Blueprint

from sandbox.context import SandboxContext
from sandbox.vdocipher import api, control, player, uploads
from sandbox.vdocipher.library import Library


def create_blueprints(context: SandboxContext, library: Library) -> list[Blueprint]:
    """The VdoCipher stand-in: its API, the upload door, the player, and what steers it."""
    return [
        api.create_blueprint(context, library),
        uploads.create_blueprint(context, library),
        player.create_blueprint(context, library),
        control.create_blueprint(library),
    ]
