"""What a finished store holds is what the paper says: P_m ladders, nested masks, rewound weights, controls that
change one thing only."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "notebooks"))
import numpy
import sweep
import sweepstake

# paper.md section 1: round -> percent of weights remaining, as the paper prints it.
LENET_LADDER = {3: 51.28, 7: 21.07, 9: 13.52, 12: 6.95, 15: 3.58, 18: 1.85}


class RightNumbers(sweep.SweepTest):
    def run_grid(self, **changes):
        self.write("tiny.yaml", sweep.tiny_grid(**changes))
        self.sweepstake("run", "tiny.yaml", "--workers", 2, "--store", "s.h5", check=0)
        return sweepstake.open(self.folder / "s.h5")

    def test_percent_remaining_is_the_papers_ladder(self):
        self.write("ladder.yaml", "recipe: lenet-300-100\n"
                   "dataset: {name: digits, train: 300, test: 50, validation: 50}\n"
                   "train: {iterations: 2, evaluate: {every: 2}}\nprune: {rounds: 18}\nseed: 1\n")
        self.sweepstake("run", "ladder.yaml", "--workers", 1, "--store", "s.h5", check=0)
        points = sweepstake.open(self.folder / "s.h5").points.set_index("level")
        for level, percent in LENET_LADDER.items():
            self.assertAlmostEqual(points.loc[level, "percent_remaining"], percent, delta=0.005)
        self.assertEqual(points.loc[0, "percent_remaining"], 100)

    def test_masks_nest_and_weights_are_rewound(self):
        store = self.run_grid()
        points = store.points
        parameters = ["fc1.weight", "fc2.weight", "fc3.weight"]
        checked = 0
        for row in points.itertuples():
            if row.level < 2 or row.control != "ticket":
                continue
            above = points[(points.experiment == row.experiment) & (points.level == row.level - 1)
                           & (points.control == "ticket")].iloc[0]
            for name in parameters:
                ours, parents = store.mask(row.task, name), store.mask(above.task, name)
                self.assertTrue((parents | ~ours).all(), "a pruned weight came back")
                self.assertLess(ours.sum(), parents.sum())
                trained = store.weights(row.task, "final")[name]
                self.assertTrue((trained[~ours].view(numpy.uint32) == 0).all(), "a masked weight is not 0.0")
                self.assertTrue((trained[ours] != store.weights(row.task, "rewind")[name][ours]).any())
            checked += 1
        self.assertGreater(checked, 0)

    def test_rewound_weights_equal_the_snapshot(self):
        """With nothing left to train (k = T - 1 at a rate of almost nothing) the final weights are W_k under the mask."""
        self.write("still.yaml", sweep.tiny_grid(seeds="[1]", iterations=60, rewind=59).replace(
            "train: {iterations: 60,", "train: {iterations: 60, optimizer: {learning_rate: 1.0e-30},"))
        self.sweepstake("run", "still.yaml", "--workers", 1, "--store", "s.h5", check=0)
        store = sweepstake.open(self.folder / "s.h5")
        tickets = store.points[(store.points.control == "ticket") & (store.points.level > 0)]
        for row in tickets.itertuples():
            for name in ("fc1.weight", "fc2.weight", "fc3.weight"):
                mask, rewound = store.mask(row.task, name), store.weights(row.task, "rewind")[name]
                kept = numpy.where(mask, rewound, numpy.float32(0))
                self.assertEqual(store.weights(row.task, "final")[name].tobytes(), kept.tobytes())

    def test_reinit_changes_the_weights_and_nothing_else(self):
        store = self.run_grid(rewind=0)
        points = store.points
        for row in points[(points.control == "reinit") & (points.level > 0)].itertuples():
            ticket = points[(points.experiment == row.experiment) & (points.level == row.level)
                            & (points.control == "ticket")].iloc[0]
            for name in ("fc1.weight", "fc2.weight", "fc3.weight"):
                self.assertTrue((store.mask(row.task, name) == store.mask(ticket.task, name)).all())
                self.assertTrue((store.weights(row.task, "init")[name]
                                 != store.weights(ticket.task, "init")[name]).mean() > 0.99)
            for column in ("learning_rate", "iterations", "batch", "dataset", "seed_order", "percent_remaining"):
                self.assertEqual(getattr(row, column), ticket[column], column)

    def test_random_masks_have_the_tickets_counts_and_nest(self):
        store = self.run_grid(seeds="[1]")
        points = store.points
        for name in ("fc1.weight", "fc2.weight", "fc3.weight"):
            before = None
            for row in points[points.control == "random-mask"].sort_values("level").itertuples():
                ticket = points[(points.level == row.level) & (points.control == "ticket")].iloc[0]
                mask = store.mask(row.task, name)
                self.assertEqual(mask.sum(), store.mask(ticket.task, name).sum())
                self.assertTrue((mask != store.mask(ticket.task, name)).any())
                if before is not None:
                    self.assertTrue((before | ~mask).all())
                before = mask

    def test_rewinding_restarts_at_the_iteration(self):
        store = self.run_grid(seeds="[1]", rewind=40)
        points = store.points
        ticket = points[(points.control == "ticket") & (points.level == 1)].iloc[0]
        curve = store.curves[store.curves.task == ticket.task]
        self.assertEqual(list(curve.iteration), [40, 50, 60, 80, 100, 120])
        fork = points[(points.control == "fork") & (points.level == 0)].iloc[0]
        self.assertNotEqual(fork.task, fork.dense_task)
        dense = store.weights(fork.dense_task, "final")["fc1.weight"]
        self.assertTrue((store.weights(fork.task, "final")["fc1.weight"] != dense).any())


if __name__ == "__main__":
    unittest.main(verbosity=2)
