"""Build hook: a wheel carries the files that are not Python; a checkout installed in place finds its own."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the folders of `tool.hatch.build.targets.wheel.hooks.custom` inside the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders, unless this is an editable install."""
        if version != "editable":
            build_data["force_include"].update({folder: f"wfr/{folder}" for folder in self.config["folders"]})
