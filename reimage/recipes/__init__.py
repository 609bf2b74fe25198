"""Recipes: how to process, as data; the TOML files, their loader, and the imaging plan."""

from __future__ import annotations

from reimage.recipes.recipe import Recipe, Step, digest

__all__ = ["Recipe", "Step", "digest"]
