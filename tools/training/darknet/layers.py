"""A .cfg's sections as layers with known shapes: what is checked before any weight is read or made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tools.training.darknet.cfg import Section
from tools.training.darknet.errors import CfgError

ACTIVATIONS = ("linear", "leaky", "relu", "mish", "logistic", "swish")
MAX_CHANNELS = 16_384
MAX_WEIGHTS = 500_000_000
ANCHORS_PER_SCALE = 3
INPUT_MULTIPLE = 32
IGNORED = ("dropout",)  # the identity at inference
# Options that change the arithmetic in a way that is not built here, with the value that means "not used".
UNSUPPORTED = {
    "dilation": "1", "xnor": "0", "binary": "0", "antialiasing": "0", "share_index": "", "flipped": "0",
    "assisted_excitation": "0", "stride_x": "", "stride_y": "", "maxpool_depth": "0", "reverse": "0", "scale": "1",
    "new_coords": "0", "stream": "0", "wait_stream": "0", "weights_type": "none",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Convolutional:
    """Convolution of odd or even ``size``, ``padding`` on all sides, with batch normalisation or a bias."""

    inputs: int
    channels: int
    size: int
    stride: int
    padding: int
    groups: int
    normalised: bool
    activation: str


@dataclass(frozen=True, slots=True)
class Maxpool:
    """The largest of ``size`` squared cells; ``before`` and ``after`` are the padding's two sides."""

    channels: int
    size: int
    stride: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Shortcut:
    """The layer before, and those at the places ``others``, added up."""

    channels: int
    others: tuple[int, ...]
    activation: str


@dataclass(frozen=True, slots=True)
class Route:
    """The layers at ``places`` one after the other, of each the channels of one of ``groups`` equal parts."""

    channels: int
    places: tuple[int, ...]
    groups: int
    group: int


@dataclass(frozen=True, slots=True)
class Upsample:
    """Every cell repeated ``factor`` times in both directions."""

    channels: int
    factor: int


@dataclass(frozen=True, slots=True)
class Yolo:
    """The layer before is a scale's raw output: pixels per cell, its three anchors in pixels, classes."""

    channels: int
    stride: int
    anchors: tuple[tuple[float, float], ...]
    classes: int
    scale_xy: float


@dataclass(frozen=True, slots=True)
class Nothing:
    """A layer that does nothing at inference."""

    channels: int


Layer = Convolutional | Maxpool | Shortcut | Route | Upsample | Yolo | Nothing


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole network: the channels of its input (1 grey or 3 colours), its size in pixels, its layers."""

    input_channels: int
    width_px: int
    height_px: int
    layers: tuple[Layer, ...]

    def scales(self) -> list[Yolo]:
        """The output scales, finest first."""
        return sorted((layer for layer in self.layers if isinstance(layer, Yolo)), key=lambda yolo: yolo.stride)


def plan_of(sections: Sequence[Section]) -> Plan:
    """Check a .cfg and work out all shapes; raises CfgError that names the line of what does not fit."""
    net = sections[0]
    inputs = net.integer("channels", 3, 1, 3)
    size = [net.integer(side, 416, INPUT_MULTIPLE, 4096) for side in ("width", "height")]
    layers: list[Layer] = []
    strides: list[Fraction] = []
    weights = 0
    for section in sections[1:]:
        _refuse_unknown(section)
        channels = layers[-1].channels if layers else inputs
        stride = strides[-1] if strides else Fraction(1)
        match section.name:
            case "convolutional" | "conv":
                layer: Layer = _convolutional(section, channels)
                stride *= layer.stride  # type: ignore[union-attr]
                weights += weight_count(layer)
            case "maxpool" | "max":
                layer = _maxpool(section, channels)
                stride *= layer.stride
            case "upsample":
                factor = section.integer("stride", 2, 1, 32)
                layer, stride = Upsample(channels, factor), stride / factor
            case "shortcut":
                layer = _shortcut(section, layers, strides)
            case "route":
                layer = _route(section, layers, strides)
                stride = strides[layer.places[0]]
            case "yolo":
                layer = _yolo(section, layers, stride)
            case name if name in IGNORED:
                layer = Nothing(channels)
            case name:
                raise CfgError(f"{section.where}: layers of the kind [{name}] are not known")
        if stride.denominator != 1 or INPUT_MULTIPLE % stride.numerator:
            raise CfgError(f"{section.where}: {stride} pixels a cell do not divide {INPUT_MULTIPLE}: cannot be served")
        if layer.channels > MAX_CHANNELS or weights > MAX_WEIGHTS:
            raise CfgError(f"{section.where}: the network is too large")
        layers.append(layer)
        strides.append(stride)
    plan = Plan(inputs, size[0], size[1], tuple(layers))
    _check_scales(plan, net)
    return plan


def weight_count(layer: Layer) -> int:
    """How many numbers a .weights file holds for the layer."""
    if not isinstance(layer, Convolutional):
        return 0
    kernel = layer.channels * (layer.inputs // layer.groups) * layer.size**2
    return kernel + layer.channels * (4 if layer.normalised else 1)


def _refuse_unknown(section: Section) -> None:
    for key, neutral in UNSUPPORTED.items():
        value = section.options.get(key, neutral)
        if value != neutral:
            raise CfgError(f"{section.where}: {key}={value[:20]} of [{section.name}] is not supported")


def _convolutional(section: Section, inputs: int) -> Convolutional:
    size, stride = section.integer("size", 1, 1, 31), section.integer("stride", 1, 1, 32)
    padding = size // 2 if section.integer("pad", 0, 0, 1) else section.integer("padding", 0, 0, 31)
    channels, groups = section.integer("filters", 1, 1, MAX_CHANNELS), section.integer("groups", 1, 1, MAX_CHANNELS)
    if inputs % groups or channels % groups:
        raise CfgError(f"{section.where}: {groups} groups do not divide {inputs} and {channels} channels")
    # Only so does a picture of a multiple of the stride become a map of whole cells.
    if 2 * padding + stride - size not in range(stride):
        raise CfgError(f"{section.where}: size {size}, stride {stride} and padding {padding} lose the picture's edge")
    normalised = bool(section.integer("batch_normalize", 0, 0, 1))
    return Convolutional(inputs, channels, size, stride, padding, groups, normalised, _activation(section, "logistic"))


def _maxpool(section: Section, channels: int) -> Maxpool:
    stride = section.integer("stride", 1, 1, 32)
    size = section.integer("size", stride, 1, 63)
    padding = section.integer("padding", size - 1, 0, 63)
    if padding + stride - size not in range(stride):
        raise CfgError(f"{section.where}: size {size}, stride {stride} and padding {padding} lose the picture's edge")
    before = padding // 2
    # Where the last window ends, not what Darknet adds: often it never reaches that.
    return Maxpool(channels, size, stride, before, max(0, size - stride - before))


def _shortcut(section: Section, layers: Sequence[Layer], strides: Sequence[Fraction]) -> Shortcut:
    others = _places(section, "from", layers)
    if not layers or any(layers[o].channels != layers[-1].channels or strides[o] != strides[-1] for o in others):
        raise CfgError(f"{section.where}: [shortcut] joins layers of different shapes")
    return Shortcut(layers[-1].channels, others, _activation(section, "linear"))


def _route(section: Section, layers: Sequence[Layer], strides: Sequence[Fraction]) -> Route:
    places = _places(section, "layers", layers)
    if len({strides[place] for place in places}) > 1:
        raise CfgError(f"{section.where}: [route] joins layers of different sizes")
    groups = section.integer("groups", 1, 1, MAX_CHANNELS)
    group = section.integer("group_id", 0, 0, groups - 1)
    if any(layers[place].channels % groups for place in places):
        raise CfgError(f"{section.where}: {groups} groups do not divide the channels")
    return Route(sum(layers[place].channels // groups for place in places), places, groups, group)


def _places(section: Section, key: str, layers: Sequence[Layer]) -> tuple[int, ...]:
    """Layers' numbers, counted back from here where negative."""
    named = section.integers(key)
    places = tuple(place + len(layers) if place < 0 else place for place in named)
    if not places or any(not 0 <= place < len(layers) for place in places):
        raise CfgError(f"{section.where}: {key} of [{section.name}] names a layer that is not there")
    return places


def _yolo(section: Section, layers: Sequence[Layer], stride: Fraction) -> Yolo:
    classes = section.integer("classes", 20, 1, 1000)
    numbers = section.numbers("anchors")
    anchors = tuple(zip(numbers[::2], numbers[1::2], strict=False))
    mask = section.integers("mask") or tuple(range(len(anchors)))
    if len(mask) != ANCHORS_PER_SCALE:
        raise CfgError(f"{section.where}: a scale has {len(mask)} anchors; our APIs serve {ANCHORS_PER_SCALE}")
    if len(numbers) % 2 or any(not 0 <= index < len(anchors) for index in mask):
        raise CfgError(f"{section.where}: mask names anchors that are not there")
    chosen = tuple(anchors[index] for index in mask)
    if any(not 1 <= side <= 4096 for anchor in chosen for side in anchor):
        raise CfgError(f"{section.where}: anchors are to be pixels of the network's input, 1 to 4096")
    before = layers[-1] if layers else None
    wanted = ANCHORS_PER_SCALE * (5 + classes)
    if not isinstance(before, Convolutional) or before.activation != "linear" or before.channels != wanted:
        raise CfgError(f"{section.where}: before [yolo] a linear convolution of {wanted} filters is needed")
    scale_xy = section.number("scale_x_y", 1.0)
    if not 1 <= scale_xy <= 2:
        raise CfgError(f"{section.where}: scale_x_y is {scale_xy}, not 1 to 2")
    return Yolo(wanted, int(stride), chosen, classes, scale_xy)


def _check_scales(plan: Plan, net: Section) -> None:
    scales = plan.scales()
    if not scales:
        raise CfgError(f"{net.where}: the network has no [yolo] layer: it is no YOLOv3 detector")
    if len({yolo.stride for yolo in scales}) < len(scales):
        raise CfgError(f"{net.where}: two [yolo] layers have the same stride")
    if len({yolo.classes for yolo in scales}) > 1:
        raise CfgError(f"{net.where}: the [yolo] layers have different numbers of classes")


def _activation(section: Section, default: str) -> str:
    name = section.options.get("activation", default)
    if name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise CfgError(f"{section.where}: the activation {name[:20]!r} is not known; {known} are")
    return name
