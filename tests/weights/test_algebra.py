"""Algebra on name-keyed dicts of tensors."""

import pytest
import torch

from gnnmc.errors import InputError
from gnnmc.weights import Mode, clone, combine, digest, distance, finite, require_matching, to_device, weights_of


def weights(scale=1.0, step=0):
    return {
        "layer.weight": scale * torch.arange(6.0).reshape(2, 3),
        "layer.bias": torch.full((2,), scale),
        "norm.num_batches_tracked": torch.tensor(step),
    }


class Holder:
    def __init__(self, weights):
        self.weights = weights


def test_weights_of_takes_what_stands_for_a_mode():
    given = weights()
    mode = Mode(last=given, best=given, seed=0)
    for source in (given, mode, Holder(given), torch.nn.Linear(3, 2).state_dict()):
        found = weights_of(source)
        assert all(isinstance(value, torch.Tensor) and not value.requires_grad for value in found.values())
    assert weights_of(mode)["layer.bias"].data_ptr() == given["layer.bias"].data_ptr()


def test_weights_of_gives_a_new_dict_of_detached_tensors():
    given = {"w": torch.ones(2, requires_grad=True)}
    found = weights_of(given)
    assert found is not given
    assert not found["w"].requires_grad
    assert given["w"].requires_grad


@pytest.mark.parametrize("source", [None, 3, "mode.pt", {}, torch.nn.Linear(2, 2), [torch.ones(2)], Holder(None)])
def test_weights_of_refuses_anything_else_and_names_it(source):
    with pytest.raises(InputError, match=f"got {type(source).__name__}"):
        weights_of(source)


def test_weights_of_says_how_to_open_a_wrapped_checkpoint():
    with pytest.raises(InputError, match=r"'state_dict' is a dict, not a tensor.*inner dict"):
        weights_of({"state_dict": weights()})


def test_require_matching_names_tensors_and_both_shapes():
    require_matching(weights(), weights(2.0))
    other = weights() | {"layer.bias": torch.ones(4), "extra": torch.ones(1)}
    del other["norm.num_batches_tracked"]
    with pytest.raises(InputError) as error:
        require_matching(weights(), other, "mode 0", "mode 1")
    text = str(error.value)
    assert "layer.bias: (2,) in mode 0, (4,) in mode 1" in text
    assert "norm.num_batches_tracked only in mode 0" in text
    assert "extra only in mode 1" in text
    assert "\n" not in text


def test_require_matching_counts_what_it_does_not_list():
    many = {f"w{i}": torch.ones(1) for i in range(9)}
    with pytest.raises(InputError, match=r"\(and 5 more\)"):
        require_matching(many, {f"w{i}": torch.ones(2) for i in range(9)})


def test_clone_shares_no_memory():
    given = weights()
    copied = clone(given)
    copied["layer.weight"].zero_()
    copied["norm.num_batches_tracked"].fill_(9)
    assert digest(given) == digest(weights())


def test_to_device_shares_what_is_there_already():
    given = weights()
    assert to_device(given, torch.device("cpu"))["layer.bias"] is given["layer.bias"]
    assert to_device(given, torch.device("meta"))["layer.bias"].device.type == "meta"


def test_combine_adds_floating_point_entries_and_takes_the_others_from_the_nearest():
    a, b = weights(1.0, step=3), weights(10.0, step=8)
    mixed = combine([a, b], [0.25, 0.75], nearest=1)
    torch.testing.assert_close(mixed["layer.weight"], 0.25 * a["layer.weight"] + 0.75 * b["layer.weight"])
    assert mixed["norm.num_batches_tracked"] == 8
    assert combine([a, b], [0.25, 0.75], nearest=0)["norm.num_batches_tracked"] == 3
    assert mixed["norm.num_batches_tracked"].dtype == torch.int64


def test_a_coefficient_of_zero_drops_its_point_even_where_it_is_not_finite():
    a, b = weights(), weights(torch.nan)
    assert digest(combine([a, b], [1.0, 0.0], nearest=0)) == digest(a)
    assert torch.isnan(combine([a, b], [0.5, 0.5], nearest=0)["layer.bias"]).all()


def test_combine_copies_and_leaves_its_points_as_they_are():
    a, b = weights(), weights(2.0)
    for coefficients in ([1.0, 0.0], [0.5, 0.5]):
        mixed = combine([a, b], coefficients, nearest=0)
        for value in mixed.values():
            value.fill_(7)
    assert digest(a) == digest(weights())
    assert digest(b) == digest(weights(2.0))


def test_combine_of_nothing_is_zero():
    assert float(combine([weights()], [0.0], nearest=0)["layer.weight"].abs().sum()) == 0


def test_combine_refuses_coefficients_that_do_not_fit():
    with pytest.raises(ValueError):
        combine([weights()], [0.5, 0.5], nearest=0)


def test_distance_by_hand_over_floating_point_entries():
    a, b = weights(1.0, step=0), weights(2.0, step=99)
    assert distance(a, b) == pytest.approx((sum(i * i for i in range(6)) + 2) ** 0.5)
    assert distance(a, b, ["layer.bias"]) == pytest.approx(2**0.5)


def test_distance_is_summed_in_double_precision():
    # The square of 1e25 is no float32, that of 300 no float16.
    assert distance({"w": torch.tensor([1e25])}, {"w": torch.zeros(1)}) == pytest.approx(1e25)
    assert distance({"w": torch.tensor([300.0]).half()}, {"w": torch.zeros(1).half()}) == 300.0


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_finite_sees_one_bad_entry(bad):
    given = weights()
    assert finite(given)
    given["layer.weight"][1, 2] = bad
    assert not finite(given)


def test_a_digest_tells_names_shapes_types_and_bits_apart():
    base = {"w": torch.tensor([0.0, 1.0])}
    others = [
        {"v": torch.tensor([0.0, 1.0])},
        {"w": torch.tensor([[0.0, 1.0]])},
        {"w": torch.tensor([0.0, 1.0], dtype=torch.float64)},
        {"w": torch.tensor([-0.0, 1.0])},
        {"w": torch.tensor([0.0, 1.0]), "v": torch.tensor(0)},
    ]
    assert len({digest(base), *map(digest, others)}) == 1 + len(others)
    assert digest({"w": torch.tensor([[0.0, 9.0], [1.0, 9.0]])[:, 0]}) == digest(base)


def test_a_digest_does_not_depend_on_the_order_of_names():
    given = weights()
    assert digest(dict(reversed(given.items()))) == digest(given)


def test_a_digest_takes_scalars_and_empty_tensors():
    assert digest({"s": torch.tensor(1), "e": torch.empty(0, 3)}) != digest(
        {"s": torch.tensor(2), "e": torch.empty(0, 3)}
    )


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod."])
def test_names_of_a_wrapped_module_are_recognized(prefix):
    wrapped = {f"{prefix}{name}": value for name, value in weights().items()}
    with pytest.raises(InputError) as error:
        require_matching(wrapped, weights(), "a.pt", "the model")
    assert f"the names begin with '{prefix}': save the wrapped module's own state_dict" in str(error.value)
    # What each side wants is told, not one side alone.
    assert "only in a.pt" in str(error.value) and "only in the model" in str(error.value)
