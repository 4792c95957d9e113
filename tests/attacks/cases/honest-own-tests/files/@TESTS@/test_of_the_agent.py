from helper_of_the_agent import truth


def test_truth():
    assert truth()
