"""What a fixed camera sees when nobody is there: an entrance, an aisle, a checkout, different in every store."""

from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from footfall_assets.simulation.face_model import Colour
from footfall_assets.simulation.stores import SimulatedCamera

Image = NDArray[np.uint8]

LENS_BLUR_SHARE = 0.0046  # of the height: the camera is focused on people, not on what is behind them
WALLS: tuple[Colour, ...] = ((196, 204, 208), (188, 198, 190), (206, 200, 190), (178, 190, 204), (200, 192, 200))
FLOORS: tuple[Colour, ...] = ((120, 130, 140), (96, 116, 140), (130, 130, 126), (104, 110, 116))
SIGNS: tuple[Colour, ...] = ((90, 60, 30), (40, 40, 140), (60, 100, 40), (110, 90, 20))


def paint_background(camera: SimulatedCamera, *, width: int, height: int) -> Image:
    """The empty view of a camera, BGR (height, width, 3); the same camera always sees the same."""
    rng = np.random.default_rng(crc32(camera.camera_id.encode()))
    image = _room(rng, width=width, height=height)
    painter = {"entrance": _paint_doors, "aisle": _paint_shelves, "checkout": _paint_counter}[camera.role]
    painter(image, rng)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), LENS_BLUR_SHARE * height), np.uint8)


def _room(rng: np.random.Generator, *, width: int, height: int) -> Image:
    wall, floor = WALLS[int(rng.integers(len(WALLS)))], FLOORS[int(rng.integers(len(FLOORS)))]
    horizon = int(height * rng.uniform(0.58, 0.68))
    shade = np.linspace(1.0, 0.78, height)[:, None, None]
    image = np.broadcast_to(np.asarray(wall), (height, width, 3)) * shade
    image[horizon:] = np.asarray(floor) * np.linspace(0.85, 1.1, height - horizon)[:, None, None]
    canvas = np.clip(image, 0, 255).astype(np.uint8)
    for x in range(-width, 2 * width, width // 6):
        cv2.line(canvas, (width // 2 + (x - width // 2) // 3, horizon), (x, height), _darker(floor, 0.85), 2)
    return canvas


def _paint_doors(image: Image, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    left, right = int(width * rng.uniform(0.16, 0.26)), int(width * rng.uniform(0.74, 0.84))
    top, bottom = int(height * 0.1), int(height * 0.66)
    cv2.rectangle(image, (left, top), (right, bottom), (224, 218, 206), -1)
    for x in np.linspace(left, right, 5).astype(int).tolist():
        cv2.line(image, (x, top), (x, bottom), (96, 98, 100), 6)
    cv2.rectangle(image, (left, top), (right, bottom), (80, 82, 84), 8)
    sign = SIGNS[int(rng.integers(len(SIGNS)))]
    cv2.rectangle(image, (left, 0), (right, int(height * 0.07)), sign, -1)
    cv2.rectangle(image, (left, int(height * 0.72)), (right, height), (70, 72, 78), -1)


def _paint_shelves(image: Image, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    rows = int(rng.integers(4, 6))
    step = height * 0.7 / rows
    for row in range(rows):
        top, bottom = int(row * step + 8), int((row + 1) * step)
        x = 0
        while x < width:
            item = int(rng.integers(14, 34) * width / 640)
            rise = int(rng.uniform(0.1, 0.35) * (bottom - top))
            colour = rng.uniform(70, 205, 3).tolist()
            cv2.rectangle(image, (x, top + rise), (x + item - 3, bottom - 6), colour, -1)
            x += item
        cv2.rectangle(image, (0, bottom - 6), (width, bottom), (110, 112, 114), -1)


def _paint_counter(image: Image, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    sign = SIGNS[int(rng.integers(len(SIGNS)))]
    for x in (0.06, 0.56):
        left = int(width * (x + rng.uniform(0, 0.06)))
        corner = (left + int(width * 0.3), int(height * 0.24))
        cv2.rectangle(image, (left, int(height * 0.06)), corner, sign, -1)
        cv2.rectangle(image, (left + 6, int(height * 0.06) + 6), (corner[0] - 6, corner[1] - 6), (210, 212, 214), 2)
    cv2.rectangle(image, (0, int(height * 0.62)), (width, int(height * 0.7)), (70, 96, 124), -1)
    cv2.rectangle(image, (0, int(height * 0.7)), (width, height), (54, 74, 98), -1)
    screen = int(width * rng.uniform(0.1, 0.7))
    cv2.rectangle(image, (screen, int(height * 0.46)), (screen + width // 9, int(height * 0.6)), (46, 48, 50), -1)


def _darker(colour: Colour, factor: float) -> Colour:
    blue, green, red = (channel * factor for channel in colour)
    return blue, green, red
