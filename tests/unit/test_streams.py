import numpy as np

from prevalence.streams import stream


def test_a_stream_belongs_to_its_names_and_numbers():
    assert stream(1, "plain", 2).random() == stream([1], "plain", 2).random()
    drawn = {stream(*key).random() for key in ((1, "plain", 2), (1, "plain", 3), (2, "plain", 2))}
    assert len(drawn | {stream(1, "heaping", 2).random()}) == 4


def test_a_word_is_no_chains_number():
    seed = [1, 2, 3, 4]
    chains = [np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(4)]
    drawn = {chain.random() for chain in chains}
    assert stream(seed, 2).random() in drawn  # why the last name has to be a word
    assert stream(seed, "areas").random() not in drawn
