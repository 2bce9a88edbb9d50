"""The CRNN: convolutions, a bidirectional LSTM, one linear layer to CTC classes."""

from __future__ import annotations

from torch import Tensor, nn

CLASSES = 37


def conv(
    inputs: int, outputs: int, kernel: tuple[int, int] = (3, 3), padding: tuple[int, int] = (1, 1)
) -> nn.Sequential:
    """Convolution without bias, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Crnn(nn.Module):
    """Reads (N, 1, 32, 160) float32 grey 0..1; gives logits (N, 80, 37), class 0 the CTC blank.

    Width is halved once only: 80 steps keep a blank's room between the narrow ones of "111".
    """

    def __init__(self, width: int = 48, hidden: int = 128) -> None:
        super().__init__()
        w = width
        self.features = nn.Sequential(
            conv(1, w // 2),
            nn.MaxPool2d(2),  # 16 x 80
            conv(w // 2, w),
            conv(w, w),
            nn.MaxPool2d((2, 1)),  # 8 x 80
            conv(w, 2 * w),
            conv(2 * w, 2 * w),
            nn.MaxPool2d((2, 1)),  # 4 x 80
            conv(2 * w, 3 * w),
            nn.Dropout2d(0.08),
            conv(3 * w, 3 * w, (4, 3), (0, 1)),  # 1 x 80
        )
        self.recurrent = nn.LSTM(3 * w, hidden, num_layers=1, bidirectional=True, batch_first=True)
        self.forget = nn.Dropout(0.15)
        self.classify = nn.Linear(2 * hidden, CLASSES)

    def convolve(self, image: Tensor) -> Tensor:
        """The convolutional part, safe in bfloat16: features (N, 3 * width, 1, 80).

        Each patch is brought to mean 0 and deviation 1 first, so that night and glare look alike.
        """
        centred = image - image.mean(dim=(2, 3), keepdim=True)
        deviation = (centred * centred).mean(dim=(2, 3), keepdim=True).sqrt()
        features: Tensor = self.features(centred / (deviation + 0.02))
        return features

    def recur(self, features: Tensor) -> Tensor:
        """The recurrent part, in float32: logits (N, 80, 37)."""
        sequence = features.float().squeeze(2).transpose(1, 2)
        logits: Tensor = self.classify(self.forget(self.recurrent(sequence)[0]))
        return logits

    def forward(self, image: Tensor) -> Tensor:
        """Logits of a batch."""
        return self.recur(self.convolve(image))


def parameters(model: nn.Module) -> int:
    """How many weights the model has."""
    return sum(p.numel() for p in model.parameters())
