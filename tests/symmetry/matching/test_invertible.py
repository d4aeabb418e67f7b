"""The solver for invertible maps, and the costs of heads, against planted maps and slow sums."""

from itertools import pairwise

import pytest
import torch

from gnnmc.symmetry.matching.invertible import head_costs, solve_invertible

# heads, units, entries written, entries read
SIZES = [(4, 4, 16, 16), (3, 1, 5, 5), (2, 8, 12, 30), (6, 16, 64, 20)]


def distances_under(matrix, circuit):
    """‖A_w − M·B_w‖² + ‖A_r − M⁻ᵀ·B_r‖² for each copy."""
    writers_a, writers_b, readers_a, readers_b = (one.double() for one in circuit)
    matrix = matrix.double()
    apart = writers_a - matrix @ writers_b, readers_a - torch.linalg.inv(matrix).mT @ readers_b
    return sum(one.square().sum((-2, -1)) for one in apart)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def invertible(heads, units, seed, spread=0.3):
    left, right = (torch.linalg.qr(normal(heads, units, units, seed=seed + n))[0] for n in (0, 1))
    return left * torch.exp(spread * normal(heads, 1, units, seed=seed + 2)) @ right


def planted(heads, units, written, read, noise=0.0, spread=0.3):
    writers, readers = normal(heads, units, written, seed=1), normal(heads, units, read, seed=2)
    matrix = invertible(heads, units, 3, spread)
    moved = matrix @ writers, torch.linalg.inv(matrix).mT @ readers
    noisy = [one + noise * normal(*one.shape, seed=9 + n) for n, one in enumerate(moved)]
    return matrix, (noisy[0], writers, noisy[1], readers)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_a_planted_map_is_found(sizes, spread):
    matrix, circuit = planted(*sizes, spread=spread)
    found = solve_invertible(*circuit)
    assert found.dtype == torch.float64
    assert float((found - matrix).abs().max()) < 1e-4
    assert float(distances_under(found, circuit).max()) < 1e-8


def test_a_planted_map_of_single_precision_weights_is_found():
    matrix, circuit = planted(4, 8, 32, 32)
    assert float((solve_invertible(*(one.float() for one in circuit)) - matrix).abs().max()) < 1e-4


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("noise", [0.1, 1.0, 30.0])
def test_the_distance_is_never_larger_than_without_a_map_or_with_the_best_rotation(sizes, noise):
    _, circuit = planted(*sizes, noise=noise)
    heads, units = sizes[:2]
    reached = distances_under(solve_invertible(*circuit), circuit)
    writers_a, writers_b, readers_a, readers_b = circuit
    left, _, right = torch.linalg.svd(writers_a @ writers_b.mT + readers_a @ readers_b.mT)
    for other in (torch.eye(units, dtype=torch.float64).expand(heads, units, units), left @ right):
        assert bool((reached <= distances_under(other, circuit) * (1 + 1e-12)).all())


def test_the_map_is_stationary():
    _, circuit = planted(3, 4, 10, 12, noise=0.5)
    matrix = solve_invertible(*circuit, steps=500).requires_grad_()
    (slope,) = torch.autograd.grad(distances_under(matrix, circuit).sum(), matrix)
    assert float(slope.abs().max()) < 1e-2


@pytest.mark.parametrize("entries", [2, 0])
def test_units_that_little_is_written_to_or_read_from_leave_a_sound_map(entries):
    # Fewer entries than units, or none: whole directions of M are free.
    circuit = tuple(normal(2, 6, entries, seed=n) for n in range(4))
    found = solve_invertible(*circuit)
    assert bool(found.isfinite().all())
    assert float(torch.linalg.cond(found).max()) < 700
    assert bool((distances_under(found, circuit) <= distances_under(torch.eye(6).expand(2, 6, 6), circuit)).all())


def test_a_map_that_would_be_ill_conditioned_is_not_taken_whole():
    _, circuit = planted(4, 4, 16, 16, spread=5.0)
    found = solve_invertible(*circuit)
    sizes = torch.linalg.matrix_norm(found) * torch.linalg.matrix_norm(torch.linalg.inv(found))
    assert float(sizes.max()) <= 100 * 4 * (1 + 1e-9)
    assert bool((distances_under(found, circuit) < distances_under(torch.eye(4).expand(4, 4, 4), circuit)).all())


def test_no_step_takes_it_farther_away():
    # Unrelated circuits of one unit, many at once: some full steps go too far.
    circuit = tuple(normal(300, 1, 3, seed=n) * (5.0 if n % 2 else 0.2) for n in range(4))
    reached = [distances_under(solve_invertible(*circuit, steps=steps), circuit) for steps in range(4, 20)]
    assert all(bool((later <= before + 1e-9).all()) for before, later in pairwise(reached))


def test_dead_heads_stay():
    zero = torch.zeros(2, 3, 5)
    assert torch.equal(solve_invertible(zero, zero, zero, zero), torch.eye(3, dtype=torch.float64).expand(2, 3, 3))


def test_heads_are_solved_each_by_itself():
    _, circuit = planted(4, 4, 10, 12, noise=0.5)
    together = solve_invertible(*circuit)
    for head in range(4):
        alone = solve_invertible(*(one[head] for one in circuit))
        assert torch.allclose(
            distances_under(alone, [one[head] for one in circuit]), distances_under(together, circuit)[head], rtol=1e-6
        )


def test_leading_sizes_broadcast_so_that_all_pairs_of_heads_go_at_once():
    writers_a, writers_b, readers_a, readers_b = planted(3, 4, 10, 12, noise=0.5)[1]
    pairs = solve_invertible(writers_a[:, None], writers_b[None], readers_a[:, None], readers_b[None])
    assert pairs.shape == (3, 3, 4, 4)
    alone = solve_invertible(writers_a[2], writers_b[1], readers_a[2], readers_b[1])
    circuit = writers_a[2], writers_b[1], readers_a[2], readers_b[1]
    assert torch.allclose(distances_under(pairs[2, 1], circuit), distances_under(alone, circuit), rtol=1e-6)


def test_what_is_given_is_not_changed():
    _, circuit = planted(2, 4, 10, 12, noise=0.5)
    before = [one.clone() for one in circuit]
    solve_invertible(*circuit)
    head_costs([circuit])
    assert all(torch.equal(one, other) for one, other in zip(circuit, before))


def test_costs_of_heads_are_distances_of_products():
    first, second = planted(3, 4, 10, 12, noise=0.5)[1], planted(3, 2, 7, 9, noise=2.0)[1]
    expected = torch.zeros(3, 3, dtype=torch.float64)
    for writers_a, writers_b, readers_a, readers_b in (first, second):
        of_a, of_b = writers_a.mT @ readers_a, writers_b.mT @ readers_b
        size = (of_a.square().sum() / 3 + of_b.square().sum() / 3) / 2
        for i in range(3):
            for j in range(3):
                expected[i, j] += (of_a[i] - of_b[j]).square().sum() / size
    assert torch.allclose(head_costs([first, second]), expected)


def test_costs_do_not_depend_on_bases_and_find_a_planted_order():
    _, (writers_a, writers_b, readers_a, readers_b) = planted(5, 4, 10, 12)
    order = torch.tensor([3, 0, 4, 1, 2])
    costs = head_costs([(writers_a[order], writers_b, readers_a[order], readers_b)])
    assert torch.equal(costs.argmin(1), order)
    assert float(costs.gather(1, order[:, None]).abs().max()) < 1e-9


def test_dead_circuits_cost_nothing():
    zero = torch.zeros(2, 3, 5)
    assert torch.equal(head_costs([(zero, zero, zero, zero)]), torch.zeros(2, 2, dtype=torch.float64))
