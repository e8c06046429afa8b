from flask import Blueprint

from sandbox.bunny import api, player, tus
from sandbox.bunny.library import BunnySandbox
from sandbox.context import SandboxContext


def create_blueprints(context: SandboxContext, bunny: BunnySandbox) -> list[Blueprint]:
    """The Bunny Stream stand-in: its API, the tus upload door and the player."""
    return [
        api.create_blueprint(context, bunny),
        tus.create_blueprint(context, bunny),
        player.create_blueprint(context, bunny),
    ]
