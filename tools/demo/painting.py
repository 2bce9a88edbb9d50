"""Paints the parts of one car into its picture, float32 BGRA with colours weighted by their coverage."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tools.demo.bodies import Body
from tools.demo.canvas import Floats, f32
from tools.demo.lighting import Light, vertex_light
from tools.demo.meshes import Patch
from tools.demo.plates import Plate
from tools.demo.raster import rasterise
from tools.demo.skins import Skin

Projection = Callable[[Floats], Floats]
"""From points (..., 3) of a car to pixels (..., 2) of its picture."""


def paint_patch(
    picture: Floats, pixels: Floats, patch: Patch, skin: Skin, sight: Floats, light: Light, glow: Floats, scale: float
) -> None:
    """Paints one mesh with its skin.

    ``pixels`` (rows, columns, 2) are the patch's vertices in the picture, ``glow`` (3, 3) turns the skin's
    gloss, brake and tail lamps into light, ``scale`` is the picture's pixels a metre.
    """
    x0, y0 = np.maximum(np.floor(pixels.min(axis=(0, 1))).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(pixels.max(axis=(0, 1))).astype(int) + 2, (picture.shape[1], picture.shape[0]))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    covered = rasterise(pixels - f32([x0, y0]), (y1 - y0, x1 - x0))
    if covered is None:
        return
    level = int(np.clip(np.floor(np.log2(max(1.25 * skin.px_per_m / max(scale, 1e-3), 1))), 0, len(skin.colour) - 1))
    factor = skin.px_per_m / 2**level
    lit = vertex_light(patch.normals, sight, light)
    places = np.empty((*patch.uv.shape[:2], 4), np.float32)
    places[..., :2] = lit[..., 4:]
    places[..., 2] = (patch.uv[..., 0] - skin.left_m) * factor - 0.5
    places[..., 3] = (skin.top_m - patch.uv[..., 1]) * factor - 0.5
    mirror_x, mirror_y, u, v = map(f32, cv2.split(_sample(places, covered.column, covered.row)))
    lights = _sample(np.ascontiguousarray(lit[..., :4]), covered.column, covered.row)
    colour = cv2.remap(skin.colour[level], u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    surface = cv2.remap(skin.surface[level], u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    out = cv2.multiply(colour[..., :3], lights[..., :3], scale=1 / 255, dtype=cv2.CV_32F)
    strength = np.minimum(f32(surface[..., 0]) * lights[..., 3], np.float32(0.9 * 255)) * np.float32(1 / 255)
    cv2.multiply(out, _thrice(1 - np.float32(0.6) * strength), dst=out)
    seen = _sample(light.mirror, mirror_x, mirror_y)
    cv2.multiply(seen, _thrice(strength), dst=seen, scale=light.ambient)
    cv2.add(out, seen, dst=out)
    cv2.add(out, cv2.transform(f32(surface), glow * np.float32(1 / 255)), dst=out)
    alpha = covered.mask
    if skin.transparent:
        alpha = alpha * colour[..., 3] * np.float32(1 / 255)
    weight = cv2.merge((alpha, alpha, alpha, alpha))
    region = picture[y0:y1, x0:x1]
    cv2.multiply(region, 1 - weight, dst=region)
    cv2.add(region, cv2.multiply(cv2.merge((*cv2.split(out), covered.mask)), weight), dst=region)


def _sample(texture: Floats, x: Floats, y: Floats) -> Floats:
    return f32(cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _thrice(plane: Floats) -> Floats:
    return f32(cv2.merge((plane, plane, plane)))


def chassis(picture: Floats, body: Body, project: Projection, light: Light) -> None:
    """Tyres, underbody and mirrors, which lie behind the shell."""
    dark = f32([0.03, 0.03, 0.032]) * np.float32(light.ambient)
    half = body.half_width[3][1]
    boxes = [((-half + 0.08, 0.12, 0.5), (half - 0.08, 0.45, 0.5), dark * 0.5)]
    for sign in (-1, 1):
        inner, outer = sorted((sign * (half - 0.27), sign * (half - 0.05)))
        boxes.append(((inner, 0.0, 0.55), (outer, 0.5, 0.55), dark * 1.3))
    for low, high, colour in boxes:
        quad = project(f32([low, (high[0], low[1], low[2]), high, (low[0], high[1], low[2])]))
        cv2.fillConvexPoly(picture, np.round(quad * 16).astype(np.int32), (*map(float, colour), 1.0), cv2.LINE_8, 4)
    for sign in (-1, 1):
        z = body.length_m * 0.6
        middle, edge = project(
            f32([(sign * (half + 0.1), body.belt_m + 0.06, z), (sign * (half + 0.2), body.belt_m + 0.13, z)])
        )
        axes = max(1, round(16 * abs(float(edge[0] - middle[0])))), max(1, round(16 * abs(float(edge[1] - middle[1]))))
        cv2.ellipse(
            picture,
            (round(float(middle[0]) * 16), round(float(middle[1]) * 16)),
            axes,
            0,
            0,
            360,
            (*map(float, dark * 2), 1.0),
            -1,
            cv2.LINE_8,
            4,
        )


def paint_plate(picture: Floats, plate: Plate, quad: Floats, light: Light, shaded: float) -> None:
    """Lays the plate onto its corners ``quad`` (4, 2) in picture pixels; ``shaded`` darkens its upper edge."""
    width = float(np.linalg.norm(quad[1] - quad[0]))
    if width < 3:
        return
    level = int(np.clip(np.floor(np.log2(max(plate.levels[0].shape[1] / width / 1.2, 1))), 0, len(plate.levels) - 1))
    texture = plate.levels[level]
    height, breadth = texture.shape[:2]
    x0, y0 = np.floor(quad.min(axis=0)).astype(int) - 1
    x1, y1 = np.ceil(quad.max(axis=0)).astype(int) + 2
    x0, y0, x1, y1 = max(int(x0), 0), max(int(y0), 0), min(int(x1), picture.shape[1]), min(int(y1), picture.shape[0])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    source = f32([(-0.5, -0.5), (breadth - 0.5, -0.5), (breadth - 0.5, height - 0.5), (-0.5, height - 0.5)])
    matrix = cv2.getPerspectiveTransform(source, f32(quad - f32([x0, y0])))
    lit = f32(texture) / 255 * f32(light.flat_light())
    if shaded:  # the recess's upper edge throws a shadow on the plate's top
        lit *= (1 - np.float32(shaded) * np.clip(1 - np.arange(height, dtype=np.float32) / (0.35 * height), 0, 1))[
            :, None, None
        ]
    cover = f32(np.dstack((lit, np.ones((height, breadth), np.float32))))
    warped = cv2.warpPerspective(cover, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    region = picture[y0:y1, x0:x1]
    region *= 1 - warped[..., 3:]
    region += warped
