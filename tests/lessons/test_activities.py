"""The live parts of lessons, on a network whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from world import KEY, PATCH, SIDE, World, world

from pdcr_widgets.causal import PatchBank
from pdcr_widgets.causal.components.cutting import Cuts
from pdcr_widgets.lessons import (
    BaselineLab,
    DeletionGame,
    PatchProbe,
    SkipSwitches,
    TwoNetworks,
)


class Sum(nn.Module):
    """Two skips that stand in for each other: their larger one decides."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1)
        self.down, self.deep = nn.Conv2d(1, 1, 2, stride=2), nn.Conv2d(1, 1, 1)
        self.up = nn.Upsample(scale_factor=2)
        self.last = nn.Conv2d(3, 1, 1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
        for layer in (self.a, self.b):
            nn.init.ones_(layer.weight)

    def forward(self, images: Tensor) -> Tensor:
        a = self.a(images)
        b = self.b(a)
        low = self.up(self.deep(self.down(b)))
        both = torch.cat([low, a, b], dim=1)
        return self.last(both) + 20 * both[:, 1:].amax(dim=1, keepdim=True) - 10


class Mixed(World):
    """Natural patches of which half are as bright as the key."""

    def make_bank(self, patch_size: int) -> PatchBank:
        patches = torch.zeros(4, 1, patch_size, patch_size)
        patches[::2] = 1
        return PatchBank(patches)


def brightest() -> World:
    """A picture whose truth is what is bright."""
    base = world(model=Sum())
    image = torch.from_numpy(base.truth).float()[None]
    return World(base.segmenter, image, base.truth, base.region)


def test_a_dragged_patch_is_worth_what_it_does() -> None:
    probe = PatchProbe(world(), patch_size=PATCH, threaded=False)
    probe.stage.place = (0, 12)
    assert probe.effect == 0
    assert probe.stage.prediction.sum() == 16
    probe.stage.place = (0, 0)
    assert probe.effect == -100
    assert not probe.stage.prediction.any()
    assert "it supports the target" in probe._readout.value
    probe.stage.place = (0, 3)  # a quarter of the key is covered: it is still bright
    assert probe.effect == 0


def test_a_patch_on_the_region_has_no_effect_to_tell() -> None:
    probe = PatchProbe(world(), patch_size=PATCH, threaded=False)
    probe.stage.place = (9, 9)
    assert probe.effect is None
    assert "covers a part of the target region" in probe._readout.value


def test_a_place_outside_the_picture_is_moved_inside() -> None:
    probe = PatchProbe(world(), patch_size=PATCH, threaded=False)
    probe.stage.place = (10_000, 10_000)
    assert probe.effect == 0


def test_what_is_pasted_can_be_changed() -> None:
    probe = PatchProbe(world(), patch_size=PATCH, threaded=False)
    probe.stage.place = (0, 0)
    probe.content.value = "mean"
    pasted = np.frombuffer(probe.stage.paste["data"], np.float32)
    assert np.allclose(pasted, world().image.mean())
    assert probe.effect == -100
    probe.reset()
    assert probe.content.value == "zero"
    assert probe.stage.place == (PATCH, PATCH)


def test_every_baseline_tried_is_kept_for_comparison() -> None:
    lab = BaselineLab(world(), patch_size=PATCH, samples=4, threaded=False)
    assert list(lab.tried) == ["zero"]
    assert lab.tried["zero"].effect[KEY] == -100
    lab.baseline.value = "bank"
    assert lab.tried["bank"].effect[KEY] == -100
    lab.stage.chosen = [KEY]
    assert lab.session.patch == KEY
    assert lab._table.value.count("−100.00") == 3  # both bars, and the line under them
    lab.reset()
    assert list(lab.tried) == ["zero"]
    assert lab.stage.chosen == []


def test_the_effect_of_a_patch_is_the_mean_of_the_draws_that_are_shown() -> None:
    lab = BaselineLab(Mixed(**vars(world())), patch_size=PATCH, samples=12, threaded=False)
    lab.baseline.value = "bank"
    lab.stage.chosen = [KEY]
    effects = lab.session.draws.effects
    assert set(effects) == {0, -100}
    written = f"−{abs(effects.mean()):.2f} ± {effects.std(ddof=1) / len(effects) ** 0.5:.2f}"
    assert written in lab._table.value
    assert written in lab.inspector.children[1].value


def test_covering_the_key_tells_two_networks_apart() -> None:
    pair = TwoNetworks(world(None), world(), patch_size=PATCH, threaded=False)
    assert pair.outcomes == [100, 100]
    pair.stages[1].chosen = [KEY]
    assert pair.outcomes == [100, 0]
    assert pair.stages[0].chosen == [KEY]
    assert pair.stages[0].image[0, 0, 0] == pytest.approx(float(world().image.mean()))
    pair.stages[0].chosen = [(99, 99)]  # no such patch: nothing is covered
    assert pair.outcomes == [100, 100]


def test_both_maps_have_one_colour_scale() -> None:
    pair = TwoNetworks(world(None), world(), patch_size=PATCH, threaded=False)
    pair.ask_maps()
    assert [float(ate.effect[KEY]) for ate in pair.maps] == [0, -100]
    assert [stage.effect["limit"] for stage in pair.stages] == [100, 100]
    assert [stage.mode for stage in pair.stages] == ["tap", "tap"]
    pair.reset()
    assert pair.maps == ()
    assert pair.stages[1].effect is None


def test_cut_connections_stand_in_for_each_other() -> None:
    switches = SkipSwitches(brightest(), threaded=False)
    assert len(switches.switches) >= 2
    switches.kind.value = "zero"
    names = list(switches.switches)
    for name in names:
        switches.switches[name].value = True
    alone = [switches.tried["zero", (names[0],)], switches.tried["zero", tuple(names)]]
    assert alone == [0, -100]
    assert switches.stage.prediction.sum() == 0
    switches.reset()
    assert switches.cut == ()
    assert switches.stage.prediction.sum() == 16


def test_cuts_leave_the_network_alone_and_name_what_they_do_not_know() -> None:
    case = brightest()
    before = case.segmenter(case.image[None])
    cuts = Cuts.of(case.segmenter, case.image, case.region, case.truth)
    assert torch.equal(cuts.probability([]), before[0])
    assert not torch.equal(cuts.probability(cuts.names, "zero"), before[0])
    assert torch.equal(case.segmenter(case.image[None]), before)
    with pytest.raises(ValueError, match="no component 'x'"):
        cuts.probability(["x"])
    with pytest.raises(ValueError, match="one of"):
        cuts.probability(cuts.names, "noise")


def test_the_key_first_wins_the_deletion_game() -> None:
    game = DeletionGame(world(), patch_size=PATCH, deletions=3, threaded=False)
    game.play()
    assert game.round.curves == {}
    game.stage.chosen = [(0, 2), KEY, (3, 3)]
    assert not game._play.disabled
    game.play()
    assert game.round.curves["you"].tolist() == [100, 100, 0, 0]
    assert game.round.curves["map"].tolist() == [100, 0, 0, 0]
    assert game.round.score("you") == pytest.approx(100 / 3)
    assert game.round.score("random") > game.round.score("you")
    assert "The map found patches that matter more" in game._words.value
    assert game.stage.prediction.sum() == 0
    assert not game._map.disabled
    game.show_map()
    assert "supports the target" in game._scale.value
    assert game.stage.effect is not None
    game.choose_anew()
    assert (game.stage.mode, game.stage.chosen, game.stage.effect) == ("tap", [], None)
    assert game.stage.image.sum() == PATCH * PATCH


def test_a_failing_network_is_told_and_the_next_answer_clears_it() -> None:
    probe = PatchProbe(world(), patch_size=PATCH, threaded=False)
    model = probe._target.segmenter.model
    model.square = model.square[..., : SIDE // 2]
    probe.stage.place = (0, 8)
    assert 'role="alert"' in probe._error.value
    model.square = torch.zeros(1, 1, SIDE, SIDE)
    probe.stage.place = (0, 9)
    assert probe._error.value == ""


def test_a_closed_activity_ends_its_worker() -> None:
    probe = PatchProbe(world(), patch_size=PATCH)
    assert probe.wait(30)
    worker = probe._runner.thread
    assert worker is not None
    probe.close()
    worker.join(30)
    assert not worker.is_alive()
