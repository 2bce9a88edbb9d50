"""Meshes of car bodies: one end as a relief, and the flanks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.demo.bodies import Body
from tools.demo.canvas import Floats, f32


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A grid of vertices (rows, columns, 3) with unit normals and texture coordinates u, v in metres."""

    points: Floats
    normals: Floats
    uv: Floats


def _heights(body: Body, count: int) -> Floats:
    """Rows from the bumper's lower edge to the roof, closer where the body bends quickly."""
    low, high = 0.2, body.height_m
    even = np.linspace(low, high, 200)
    bend = np.abs(np.gradient(np.gradient(body.depth_at(f32(even)).astype(np.float64))))
    bend += np.abs(np.gradient(np.gradient(body.width_at(f32(even)).astype(np.float64))))
    density = 0.35 + bend / max(float(bend.mean()), 1e-9)
    density = np.convolve(np.pad(density, 6, mode="edge"), np.ones(13) / 13, mode="valid")
    share = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2)))
    return f32(np.interp(np.linspace(0, 1, count), share / share[-1], even))


def end_patch(body: Body, rows: int, columns: int, front: bool = False) -> Patch:
    """The rear (or front) of the body as seen from outside; z runs into the body."""
    heights = _heights(body, rows)
    across = np.sin(np.linspace(-np.pi / 2, np.pi / 2, columns))
    across = f32(np.sign(across) * np.abs(across) ** 0.8)
    points = _end_points(body, heights[:, None], across[None, :], front)
    step = np.float32(0.004)
    up = _end_points(body, heights[:, None] + step, across[None, :], front)
    down = _end_points(body, heights[:, None] - step, across[None, :], front)
    inner = np.clip(across, -0.985, 0.985)
    right = _end_points(body, heights[:, None], inner[None, :] + step, front)
    left = _end_points(body, heights[:, None], inner[None, :] - step, front)
    normals = _unit(np.cross(right - left, up - down))
    normals = np.where(normals[..., 2:] > 0, -normals, normals)
    return Patch(points[::-1], f32(normals)[::-1], points[..., :2][::-1])


def _end_points(body: Body, heights: Floats, across: Floats, front: bool) -> Floats:
    width = body.width_at(heights)
    corner = body.corner_m * (1 - np.sqrt(np.maximum(1 - np.abs(across) ** 4.5, 0)))
    # A slight bow over the whole width keeps panels from looking like sheets of paper.
    bow = 0.045 * across**2
    depth = body.depth_at(heights, front) + corner + bow
    return f32(np.stack(np.broadcast_arrays(across * width, heights, depth), axis=-1))


def side_patch(body: Body, rows: int, columns: int, right: bool) -> Patch:
    """One flank from the rear corner to the nose; its texture's u is z, its v is y from the road."""
    heights = np.concatenate((f32([0.0, 0.1]), _heights(body, rows - 2)))
    start = body.depth_at(heights) + body.corner_m + 0.03
    along = f32(np.linspace(0, 1, columns))
    z = start[:, None] + (body.length_m - 0.1 - start[:, None]) * along
    sign = np.float32(1 if right else -1)
    inset = 0.1 * np.clip((z - (body.length_m - 0.9)) / 0.8, 0, 1) ** 2
    x = sign * (body.width_at(heights)[:, None] - inset)
    y = np.broadcast_to(heights[:, None], z.shape)
    slope = f32(np.gradient(body.width_at(heights).astype(np.float64), heights.astype(np.float64)))
    normal = np.stack((np.full(heights.shape, sign), -slope, np.full(heights.shape, -0.04)), axis=-1)
    normals = np.broadcast_to(_unit(f32(normal))[:, None, :], (*z.shape, 3))
    points = f32(np.stack((x, y, z), axis=-1))
    uv = f32(np.stack((z, y), axis=-1))
    # Seen from outside, the nose of the right flank is on the right, that of the left one on the left.
    turn = (slice(None, None, -1), slice(None, None, 1 if right else -1))
    return Patch(points[turn], f32(normals)[turn], uv[turn])


def _unit(vectors: Floats) -> Floats:
    return f32(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
