"""A picture of the user's own, in the shape of a dataset's images."""

import numpy as np
import pytest
from PIL import Image

from workbench.data import pictures
from workbench.errors import InputError


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3), (6, 12), (6, 12, 3)])
def test_a_picture_takes_the_shape_and_range_of_the_images(shape):
    found = pictures.fitted(Image.new("RGB", (40, 100), (255, 0, 0)), shape)
    assert found.shape == shape and found.dtype == np.float32
    expected = [1, 0, 0] if len(shape) == 3 else 76 / 255  # the luminance of red
    np.testing.assert_allclose(found, np.broadcast_to(expected, shape))


def test_the_middle_square_is_kept_and_light_stays_light():
    wide = Image.new("RGB", (300, 100), "black")
    wide.paste("white", (100, 0, 200, 100))
    assert pictures.fitted(wide, (10, 10)).min() > 0.8  # the edges mix with what lies beside them


def test_transparency_is_laid_on_white(tmp_path):
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert pictures.read(tmp_path / "clear.png").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file"),
        (b"", "cannot be read as a picture such as PNG or JPEG (it is damaged or of another kind)"),
        (b"GIF89a", "cannot be read as a picture such as PNG or JPEG (it is damaged or of another"),
    ],
)
def test_what_is_no_picture_is_one_line(tmp_path, content, said):
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as error:
        pictures.read(path)
    line = str(error.value)
    assert line.startswith(f"view.picture = {str(path)!r}: {said}") and "\n" not in line
